import { writeAudit } from '../store/audit.ts'
import type { Caller } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'

const MINUTE_MS = 60_000
const ROWS_KEPT = 1000

export interface Refusal {
  readonly action: string
  readonly code: string
  /** what was refused to be done to, where the caller may see it: who reads the audit log of its group sees the refusal. Absent: it names the caller */
  readonly about?: About
}

/** `id` null: several things of a group were asked for in one minute. */
interface About {
  readonly kind: string
  readonly id: number | null
  readonly groupId: number
}

interface Gathered extends Omit<Refusal, 'about'> {
  readonly caller: Caller
  about?: About
  count: number
}

/**
 * Refused sign-ins and forbidden calls for the audit log, gathered: one row for each actor, address, action, group and minute, so that an attack cannot
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
    const isRoom = this.#gathered.size < ROWS_KEPT
    const who = isRoom ? caller : others(caller)
    const kept: Refusal = isRoom ? refusal : { action: refusal.action, code: refusal.code }
    const key = [who.actor.kind, who.actor.name, who.ip, kept.action, kept.code, kept.about?.kind, kept.about?.groupId].join('\n')
    const known = this.#gathered.get(key)
    if (known === undefined) return void this.#gathered.set(key, { ...kept, caller: who, count: 1 })
    known.count++
    if (known.about !== undefined && known.about.id !== kept.about?.id) known.about = { ...known.about, id: null }
  }

  /** Writes what was gathered. */
  async flush(): Promise<void> {
    const rows = [...this.#gathered.values()]
    if (rows.length === 0) return
    this.#gathered = new Map()
    const first = await this.#ids.take(rows.length)
    const at = this.#now()
    await this.#db.write('rest', async (tx) => {
      for (const [index, { caller, action, code, count, about }] of rows.entries()) {
        await writeAudit(tx, at, first + index, caller, {
          action,
          resource: resourceOf(caller, about),
          groupId: about?.groupId ?? null,
          outcome: 'refused',
          code,
          count,
        })
      }
    })
  }
}

function resourceOf({ actor }: Caller, about: About | undefined): { kind: string; id: number | null; key: string } {
  if (about === undefined) return { kind: actor.kind, id: actor.id, key: actor.name }
  return { kind: about.kind, id: about.id, key: about.id === null ? '' : `#${about.id}` }
}

function others(caller: Caller): Caller {
  return { actor: { kind: caller.actor.kind, id: null, name: 'others' }, ip: '', requestId: '' }
}
