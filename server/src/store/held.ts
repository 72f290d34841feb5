import { AppError } from '@tickwheel/contract'
import { writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { requireLevel } from './levels.ts'

/** Why nothing fires: the store is older than what Redis or executors have seen of it. Instants as epoch ms. */
export interface HeldFiring {
  readonly since: number
  /** how far the store goes */
  readonly storeAt: number
  /** how far it went once */
  readonly seenAt: number
}

export type Behind = Pick<HeldFiring, 'storeAt' | 'seenAt'>

/** A store that is further behind than this was restored, and nobody but a person knows what ran meanwhile. A replica that lags loses less. */
const TOLERATED_MS = 60_000
/** Nodes of this schema level know what a hold is, and settle what is due before `restored_until` as `restored`. */
const KNOWN_SINCE_LEVEL = 3

export function isTooFarBehind({ storeAt, seenAt }: Behind): boolean {
  return seenAt - storeAt > TOLERATED_MS
}

/** Nothing fires on any node from here on, until `resumeFiring`. A hold that is there already stays as it is. */
export async function holdFiring(tx: Tx, held: HeldFiring): Promise<void> {
  await tx.insertNew('meta', [{ key: 'held', value: JSON.stringify(held) }])
}

/** What each node looks at once a second. */
export interface GuardState {
  /** the first run id that is not given out */
  readonly nextRunId: number
  readonly held: HeldFiring | null
  /** what was due up to here and is not settled is skipped as `restored`; 0: nothing was ever restored */
  readonly restoredUntil: number
}

export async function readGuardState(db: Database): Promise<GuardState> {
  return db.read(async (tx) => {
    const [block] = await tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'run'")
    const meta = await tx.all<{ key: string; value: string }>("SELECT `key`, value FROM meta WHERE `key` IN ('held', 'restored_until')")
    const valueOf = (key: string): string | null => meta.find((row) => row.key === key)?.value ?? null
    const held = valueOf('held')
    return {
      nextRunId: block?.next_id ?? 0,
      held: held === null ? null : parseHeld(held),
      restoredUntil: Number(valueOf('restored_until') ?? 0),
    }
  })
}

/**
 * Lets firing go on. `fromNow`: what was due up to `change.now` and is not settled will be skipped as `restored`, whatever the misfire policy; `replay`:
 * each task's misfire policy decides. 409 `FIRING_NOT_HELD` when nothing is held; `NODE_TOO_OLD` for `fromNow` while a live node would not keep to it.
 */
export async function resumeFiring(db: Database, how: 'fromNow' | 'replay', change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const [row] = await tx.all<{ value: string }>(`SELECT value FROM meta WHERE \`key\` = 'held'${tx.locks.update}`)
    if (row === undefined) throw new AppError('FIRING_NOT_HELD', 'firing is not held: there is nothing to let go on')
    if (how === 'fromNow') {
      // a node of an older release would fire, by the misfire policy, what is to be skipped
      await requireLevel(tx, KNOWN_SINCE_LEVEL, await tx.now(), {
        what: 'skip what was due before a restore',
        remedy: 'choose "replay"',
      })
      await tx.run("DELETE FROM meta WHERE `key` = 'restored_until'")
      await tx.insert('meta', [{ key: 'restored_until', value: String(change.now) }])
    }
    await tx.run("DELETE FROM meta WHERE `key` = 'held'")
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'system:resume',
      resource: { kind: 'system', id: null, key: 'firing' },
      groupId: null,
      before: { held: parseHeld(row.value) },
      after: { how },
    })
  })
}

/** Whatever stands there, firing is held: a value that cannot be read only loses its instants. */
function parseHeld(text: string): HeldFiring {
  const value = read(text)
  const at = (key: keyof HeldFiring): number => (typeof value[key] === 'number' ? value[key] : 0)
  return { since: at('since'), storeAt: at('storeAt'), seenAt: at('seenAt') }
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
