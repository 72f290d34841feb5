import type { ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { asWorkflow, type StoredWorkflow } from './workflow-definition.ts'

const MAX_CHARACTERS = 32 * 1024 * 1024

/**
 * Versions of workflows at hand, for those who read runs: the page of a run that is watched is read four times a second, and a definition may have 1 MiB.
 * A version never changes, so an entry is never stale. Bounded: above 32 Mi characters of text the least recently used go.
 */
export class WorkflowVersions {
  readonly #kept = new Map<string, { readonly stored: StoredWorkflow; readonly characters: number }>()
  #characters = 0

  /** Null: there is no such version, or its text is damaged. */
  async get(tx: ReadTx, workflowId: number, version: number): Promise<StoredWorkflow | null> {
    const key = `${workflowId}:${version}`
    const known = this.#kept.get(key)
    if (known !== undefined) {
      this.#kept.delete(key)
      this.#kept.set(key, known)
      return known.stored
    }
    const read = await readWorkflow(tx, workflowId, version)
    if (read === null) return null
    this.#kept.set(key, read)
    this.#characters += read.characters
    this.#shrink()
    return read.stored
  }

  #shrink(): void {
    for (const [key, entry] of this.#kept) {
      if (this.#characters <= MAX_CHARACTERS) return
      this.#kept.delete(key)
      this.#characters -= entry.characters
    }
  }
}

/** A stored version with the length of its text; null: there is none, or its text is damaged. */
export async function readWorkflow(
  tx: ReadTx,
  workflowId: number,
  version: number,
): Promise<{ stored: StoredWorkflow; characters: number } | null> {
  const [row] = await tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ? AND version = ?', [
    workflowId,
    version,
  ])
  const stored = row === undefined ? null : asWorkflow(parseJson(row.definition))
  return row === undefined || stored === null ? null : { stored, characters: row.definition.length }
}
