import type { Database } from '../store/database.ts'
import { readParams } from '../store/definitions.ts'
import { executorNames } from '../store/executors.ts'

const KEPT = 20_000

/**
 * What routing needs of a few runs beside memory and their definition: the params of those that are routed by a key in them, and the names of executors that
 * had an attempt and are gone. Neither ever changes, so what was read once is kept; above 20,000 each, what was used least recently goes.
 */
export class RunFacts {
  readonly #db: Database
  readonly #params = new Map<number, string | null>()
  readonly #names = new Map<number, string | null>()

  constructor(db: Database) {
    this.#db = db
  }

  async load({ runIds, executorIds }: { runIds: readonly number[]; executorIds: readonly number[] }): Promise<void> {
    const runs = runIds.filter((id) => !this.#params.has(id))
    const executors = [...new Set(executorIds)].filter((id) => !this.#names.has(id))
    if (runs.length > 0) {
      const found = await readParams(this.#db, runs)
      for (const id of runs) keep(this.#params, id, found.get(id) ?? null)
    }
    if (executors.length > 0) {
      const found = await executorNames(this.#db, executors)
      for (const id of executors) keep(this.#names, id, found.get(id) ?? null)
    }
  }

  /** The params of a run that differ from its task's; null: they do not, or were not loaded. */
  params(runId: number): string | null {
    return this.#params.get(runId) ?? null
  }

  /** The name of an executor; null: there is none any more, or it was not loaded. */
  name(executorId: number): string | null {
    return this.#names.get(executorId) ?? null
  }
}

function keep<Value>(map: Map<number, Value>, key: number, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= KEPT) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
