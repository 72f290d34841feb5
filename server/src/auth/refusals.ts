import { writeAudit } from '../store/audit.ts'
import type { Caller } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'

const MINUTE_MS = 60_000
const ROWS_KEPT = 1000

export interface Refusal {
  readonly action: string
  readonly code: string
}

interface Gathered extends Refusal {
  readonly caller: Caller
  count: number
}

/**
 * Refused sign-ins and forbidden calls for the audit log, gathered: one row for each actor, address, action and minute, so that an attack cannot
 * fill the table. Above 1,000 rows in a minute the rest is counted in one row named `others`.
 */
export class Refusals {
  readonly #db: Database
  readonly #ids: RunIds
  readonly #now: () => number
  #gathered = new Map<string, Gathered>()
  #timer: NodeJS.Timeout | null = null

  constructor(parts: { db: Database; ids: RunIds; now: () => number }) {
    this.#db = parts.db
    this.#ids = parts.ids
    this.#now = parts.now
  }

  start(onError: (error: unknown) => void): void {
    this.#timer = setInterval(() => void this.flush().catch(onError), MINUTE_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.flush()
  }

  note(caller: Caller, refusal: Refusal): void {
    const who = this.#gathered.size < ROWS_KEPT ? caller : others(caller)
    const key = `${who.actor.kind} ${who.actor.name} ${who.ip} ${refusal.action} ${refusal.code}`
    const known = this.#gathered.get(key)
    if (known === undefined) this.#gathered.set(key, { ...refusal, caller: who, count: 1 })
    else known.count++
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    const rows = [...this.#gathered.values()]
    if (rows.length === 0) return
    this.#gathered = new Map()
    const first = await this.#ids.take(rows.length)
    const at = this.#now()
    await this.#db.write('rest', async (tx) => {
      for (const [index, { caller, action, code, count }] of rows.entries()) {
        await writeAudit(tx, at, first + index, caller, {
          action,
          resource: { kind: caller.actor.kind, id: caller.actor.id, key: caller.actor.name },
          groupId: null,
          outcome: 'refused',
          code,
          count,
        })
      }
    })
  }
}

function others(caller: Caller): Caller {
  return { actor: { kind: caller.actor.kind, id: null, name: 'others' }, ip: '', requestId: '' }
}
