import type { Marks } from '../cluster/marks.ts'
import { ClusterAway } from '../cluster/away.ts'
import type { Change } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import { holdFiring, isTooFarBehind, readGuardState, resumeFiring, type Behind, type GuardState, type HeldFiring } from '../store/held.ts'
import type { RunIds } from '../store/ids.ts'
import type { Clock } from './clock.ts'
import { isStoreAway } from './pump.ts'

/** The mark in Redis: the highest run id that any node knows to be given out. */
const MARK = 'runId'

export interface RestoreGuardOptions {
  readonly db: Database
  readonly ids: RunIds
  readonly clock: Clock
  readonly marks: Marks
  readonly log: {
    warn(facts: Readonly<Record<string, unknown>>, text: string): void
    error(facts: Readonly<Record<string, unknown>>, text: string): void
  }
}

/**
 * Notices that the store was restored from a backup, or taken over by a replica that lagged. Run ids only grow, and carry their instant: whoever has seen
 * one that the store has not given out (this process, Redis, an executor that runs it) knows how far the store once went. By more than 60 s: nothing
 * fires on any node until a person says how to go on, because what is due since then may have run. By less: a warning.
 *
 * Whoever takes ids moves the store beyond what was seen, so the comparison is part of taking them (`store/ids.ts`), and Redis is asked before the first.
 */
export class RestoreGuard {
  readonly #options: RestoreGuardOptions
  #state: GuardState | null = null
  #isDoubtful = true
  #marking: Promise<void> | null = null
  #hasLearned = false

  constructor(options: RestoreGuardOptions) {
    this.#options = options
  }

  /** Asks Redis how far the store once went. Call before the first run id of this process is taken. While Redis is away, each beat asks again. */
  async learn(): Promise<void> {
    await this.#withMarks(() => this.#learn())
  }

  async #learn(): Promise<void> {
    const mark = await this.#options.marks.read(MARK)
    this.#options.ids.saw(mark)
    // after the first take it proves as much as what an executor names
    await this.named([mark])
    this.#hasLearned = true
  }

  /**
   * Once a second: reads whether firing is held, compares the store with what was seen of it, and tells Redis the highest run id. Whether the store has
   * turned out to be another one than before, so that memory is to be made from it again.
   */
  async beat(): Promise<boolean> {
    const { db, ids } = this.#options
    // taken before the read is sent: what was given out while it is on its way proves nothing
    const seen = ids.highest
    let state = await readGuardState(db)
    if (state.nextRunId <= seen) {
      await ids.compare()
      state = await readGuardState(db)
    }
    ids.saw(state.nextRunId - 1)
    this.#mark()
    return this.#take(state)
  }

  /** The store was away, so that it may be another one by now: nothing fires until it was looked at. */
  doubt(): void {
    this.#isDoubtful = true
  }

  /** Whether nothing may fire, be dispatched or be sent. Runs that executors have go on, and what they report is taken. */
  get isHeld(): boolean {
    return this.#isDoubtful || this.#state === null || this.#state.held !== null
  }

  /** Why firing is held for a person to decide; null: it is not. */
  get held(): HeldFiring | null {
    return this.#state?.held ?? null
  }

  /** What was due up to here and is not settled is skipped as `restored`; 0: nothing was restored. */
  get restoredUntil(): number {
    return this.#state?.restoredUntil ?? 0
  }

  /** An executor names run ids: its boot, runs that it has. Those that this store never gave out tell that it was restored. Throws `StoreAway`. */
  async named(runIds: readonly number[]): Promise<void> {
    const behind = this.#options.ids.behindOf(runIds)
    if (behind === null || this.held !== null) return
    if (!isTooFarBehind(behind)) {
      this.#options.ids.settle()
      this.#warn(behind)
      return
    }
    const { db, clock } = this.#options
    await db.write('rest', (tx) => holdFiring(tx, { since: clock.now(), ...behind }))
    this.#take(await readGuardState(db))
  }

  /** Lets firing go on, as a person chose. Throws `AppError`. */
  async resume(how: 'fromNow' | 'replay', change: Change): Promise<void> {
    await resumeFiring(this.#options.db, how, change)
    this.#options.log.warn({ how, by: change.caller.actor.name }, 'firing goes on after a restore')
    await this.beat()
  }

  /** Until nothing is on its way to Redis. */
  async idle(): Promise<void> {
    await this.#marking
  }

  #take(state: GuardState): boolean {
    const before = this.held
    this.#state = state
    this.#isDoubtful = false
    const behind = this.#options.ids.tellBehind()
    if (behind !== null && !isTooFarBehind(behind)) this.#warn(behind)
    if (before !== null && state.held === null) this.#options.ids.settle()
    if (before === null && state.held !== null)
      this.#options.log.error(
        textual(state.held),
        'the store is older than what was seen of it, as after a restore: nothing fires until a person chooses how to go on (console: System)',
      )
    return behind !== null || (before === null && state.held !== null)
  }

  #warn(behind: Behind): void {
    this.#options.log.warn(
      textual(behind),
      'the store has lost its last seconds, as after a failover to a replica that lagged: what was acknowledged then may be lost or run twice',
    )
  }

  /** Nobody waits for Redis: what it does not take now it takes with the next beat. */
  #mark(): void {
    const { ids, marks } = this.#options
    this.#marking ??= this.#withMarks(async () => {
      if (!this.#hasLearned) await this.#learn()
      ids.saw(await marks.raise(MARK, ids.highest))
    }).finally(() => {
      this.#marking = null
    })
  }

  async #withMarks(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ClusterAway) && !isStoreAway(error))
        this.#options.log.error({ err: error }, 'the highest run id cannot be compared with Redis')
    }
  }
}

function textual({ storeAt, seenAt }: Behind): Readonly<Record<string, string>> {
  return { storeAt: new Date(storeAt).toISOString(), seenAt: new Date(seenAt).toISOString() }
}
