import type { SecretUse } from '../engine/reference-book.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import { noteSecretUses } from '../store/secrets.ts'

/** The last use of a secret by a task is noted about so often; in the audit log, so often. */
const NOTED_MS = 60_000
const AUDITED_MS = 3_600_000
/** Pairs of a task and a secret that are remembered; what is pushed out is noted again. */
const KEPT = 10_000
/** Of one write. What comes beyond while it is on its way is noted the next time. */
const AT_ONCE = 200

export interface SecretUsesParts {
  readonly db: Database
  readonly ids: RunIds
  /** cluster time, epoch ms */
  readonly now: () => number
  readonly onTrouble: (error: unknown) => void
}

interface Noted {
  readonly at: number
  readonly auditedAt: number
}

/** When secrets were last given to runs, and to which tasks, beside the way of the runs: nothing waits for it. */
export class SecretUses {
  readonly #parts: SecretUsesParts
  readonly #noted = new Map<string, Noted>()
  #waiting: (SecretUse & { readonly isAudited: boolean })[] = []
  #writing: Promise<void> | null = null

  constructor(parts: SecretUsesParts) {
    this.#parts = parts
  }

  given(uses: readonly SecretUse[]): void {
    const now = this.#parts.now()
    for (const use of uses) {
      const key = `${use.secretId} ${use.taskId}`
      const noted = this.#noted.get(key)
      if ((noted !== undefined && now - noted.at < NOTED_MS) || this.#waiting.length >= AT_ONCE) continue
      const isAudited = noted === undefined || now - noted.auditedAt >= AUDITED_MS
      this.#noted.delete(key)
      this.#noted.set(key, { at: now, auditedAt: isAudited ? now : noted.auditedAt })
      const [oldest] = this.#noted.keys()
      if (this.#noted.size > KEPT && oldest !== undefined) this.#noted.delete(oldest)
      this.#waiting.push({ ...use, isAudited })
    }
    if (this.#waiting.length > 0) this.#writing ??= this.#write()
  }

  /** Until what was told is written. */
  async idle(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  async #write(): Promise<void> {
    const { db, ids, now, onTrouble } = this.#parts
    try {
      while (this.#waiting.length > 0) {
        const uses = this.#waiting
        this.#waiting = []
        const firstId = await ids.take(uses.length)
        await noteSecretUses(
          db,
          uses.map(({ isAudited, ...use }, place) => ({ ...use, auditId: isAudited ? firstId + place : null })),
          now(),
        )
      }
    } catch (error) {
      onTrouble(error)
    } finally {
      this.#writing = null
    }
  }
}
