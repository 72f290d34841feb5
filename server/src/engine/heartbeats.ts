import type { Load } from '@tickwheel/contract'
import type { BeatAnswer, Session } from '../link/link.ts'
import type { Database } from '../store/database.ts'
import { beatExecutors, type BeatWrite } from '../store/executors.ts'
import type { Clock } from './clock.ts'
import { isThere, type OpenRun, type OpenRuns } from './open-runs.ts'
import { isStoreAway, Pump } from './pump.ts'
import type { Member, Roster } from './roster.ts'

/** An attempt that the executor accepted, and does not name in so many heartbeats in a row, is gone. */
const MISSING_BEATS = 3

export interface BeatBody {
  readonly running: readonly { readonly instanceId: number; readonly attempt: number }[]
  /** null: the executor does not tell */
  readonly load: Load | null
}

export interface HeartbeatsOptions {
  readonly db: Database
  readonly clock: Clock
  readonly runs: OpenRuns
  readonly roster: Roster
  readonly onSeen: (members: readonly Member[]) => void
  /** the attempts that these executors name and memory does not have, because their slots are another node's */
  readonly readForeign: (ids: readonly number[]) => Promise<readonly OpenRun[]>
  readonly onMissing: (runs: readonly OpenRun[]) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

interface Waiting {
  readonly member: Member
  readonly body: BeatBody
  readonly at: number
  readonly resolve: (answer: BeatAnswer) => void
}

/** Heartbeats: written many at a time, answered after the commit with what to cancel and what is not known here; or with "store away". */
export class Heartbeats {
  readonly #options: HeartbeatsOptions
  readonly #pump: Pump
  #waiting: Waiting[] = []

  constructor(options: HeartbeatsOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  async take(session: Session, body: BeatBody): Promise<BeatAnswer | null> {
    const member = this.#options.roster.ofSession(session)
    if (member === null) return null
    return new Promise((resolve) => {
      this.#waiting.push({ member, body, at: this.#options.clock.now(), resolve })
      this.#pump.kick()
    })
  }

  async #turn(): Promise<boolean> {
    await this.#options.clock.breathe()
    const batch = this.#waiting
    this.#waiting = []
    if (batch.length === 0) return false
    let foreign: readonly OpenRun[]
    try {
      await beatExecutors(this.#options.db, batch.map(writeOf))
      foreign = await this.#options.readForeign(batch.flatMap(({ body }) => this.#unknownOf(body)))
    } catch (error) {
      for (const item of batch) item.resolve({ store: 'away', cancel: [], unknown: [] })
      if (isStoreAway(error)) return false
      throw error
    }
    for (const { member, body, at } of batch) {
      member.seenAt = Math.max(member.seenAt, at)
      member.storedSeenAt = at
      member.heardAt = this.#options.clock.monotonic()
      member.load = body.load
    }
    this.#options.onSeen(batch.map((item) => item.member))
    for (const item of batch) item.resolve(this.#answer(item, foreign))
    return this.#waiting.length > 0
  }

  #unknownOf({ running }: BeatBody): number[] {
    return running.flatMap(({ instanceId }) => (this.#options.runs.get(instanceId) === null ? [instanceId] : []))
  }

  #answer({ member, body }: Waiting, foreign: readonly OpenRun[]): BeatAnswer {
    const isOfMember = (run: OpenRun): boolean => run.executorId === member.executorId && run.bootId === member.bootId
    const mine = this.#options.runs.ofExecutor(member.executorId).filter(isOfMember)
    const all = [...mine, ...foreign.filter((run) => isThere(run) && isOfMember(run))]
    const known = new Map(all.map((run) => [run.id, run]))
    this.#countMissing(member, mine, body)
    return {
      store: 'ok',
      cancel: all.filter((run) => run.cancelAt !== null).map((run) => ({ instanceId: run.id, attempt: run.attempt })),
      unknown: body.running.filter((one) => known.get(one.instanceId)?.attempt !== one.attempt),
    }
  }

  #countMissing(member: Member, mine: readonly OpenRun[], body: BeatBody): void {
    const named = new Set(body.running.map((one) => one.instanceId))
    const missing = mine.filter((run) => isThere(run) && run.acceptedAt !== null && !named.has(run.id))
    const counts = new Map(missing.map((run) => [run.id, (member.missing.get(run.id) ?? 0) + 1]))
    member.missing.clear()
    for (const [id, count] of counts) member.missing.set(id, count)
    const gone = missing.filter((run) => (counts.get(run.id) ?? 0) >= MISSING_BEATS)
    if (gone.length > 0) this.#options.onMissing(gone)
  }
}

function writeOf({ member, body, at }: Waiting): BeatWrite {
  return { executorId: member.executorId, bootId: member.bootId, seenAt: at, load: body.load }
}
