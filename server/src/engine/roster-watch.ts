import type { Database } from '../store/database.ts'
import { onlineExecutors, saveLink, type KnownExecutor } from '../store/executors.ts'
import { countInFlight } from '../store/open-runs.ts'
import type { Clock } from './clock.ts'
import type { Member, Roster } from './roster.ts'

export interface RosterWatchOptions {
  readonly db: Database
  readonly clock: Clock
  readonly roster: Roster
  readonly runId: number
  /** without messages nobody lends places: what is in flight is counted in the store */
  readonly isBusUp: () => boolean
  readonly isLive: (runId: number) => boolean
  /** its connection here is of no use: a newer process has its name, or it hangs on another node by now */
  readonly onLeftBehind: (member: Member, why: 'superseded' | 'sessionEnded') => void
  readonly onDrain: (member: Member) => void
  /** it is offline, or was forgotten: another node has said so */
  readonly onGone: (member: Member) => void
  /** it can be given work again, or for the first time, as far as this node knows */
  readonly onCome: (member: Member) => void
}

/** Keeps the roster as the store has it, where other nodes write too: once a second, and when a message says that something has changed. */
export class RosterWatch {
  readonly #options: RosterWatchOptions

  constructor(options: RosterWatchOptions) {
    this.#options = options
  }

  async refresh(): Promise<void> {
    const { db, clock, roster } = this.#options
    const begunAt = clock.monotonic()
    const known = await onlineExecutors(db)
    const counts = this.#options.isBusUp() ? null : await countInFlight(db)
    for (const executor of known) await this.#take(executor)
    if (counts !== null) for (const member of roster.all()) member.inFlightSeen = counts.get(member.executorId) ?? 0
    const online = new Set(known.map(({ row }) => row.id))
    for (const member of roster.all()) if (!online.has(member.executorId) && member.takenAt < begunAt) this.#options.onGone(member)
  }

  async #take(executor: KnownExecutor): Promise<void> {
    const { roster, clock, isLive, onCome } = this.#options
    const { row } = executor
    const before = roster.get(row.id)
    // this node has registered a newer process since the rows were read
    if (before !== null && before.bootId > row.boot_id) return
    if (before?.isHere === true && before.bootId < row.boot_id) this.#options.onLeftBehind(before, 'superseded')
    const wasDraining = before?.isDraining ?? false
    const couldWork = before?.bootId === row.boot_id && before.linkRun !== null && !wasDraining
    const member = roster.put(executor, clock.monotonic())
    if (member.isHere) await this.#mendLink(member, row.link_run)
    else member.linkRun = row.link_run !== null && isLive(row.link_run) ? row.link_run : null
    if (member.isHere && member.isDraining !== wasDraining) this.#options.onDrain(member)
    if (!couldWork && member.linkRun !== null && !member.isDraining) onCome(member)
  }

  /** The connection is here. The row says so too, or could not be written when it came; or the executor hangs on another node since. */
  async #mendLink(member: Member, linkRun: number | null): Promise<void> {
    const { db, runId, onLeftBehind } = this.#options
    if (linkRun === runId) {
      member.isLinkSaved = true
      return
    }
    if (member.isLinkSaved && linkRun !== null) {
      member.isHere = false
      member.linkRun = linkRun
      onLeftBehind(member, 'sessionEnded')
      return
    }
    await saveLink(db, { executorId: member.executorId, bootId: member.bootId, runId, isHere: true })
    member.isLinkSaved = true
  }
}
