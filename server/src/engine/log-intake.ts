import type { Log, LogEnd, Verdict } from '@tickwheel/contract'
import type { Session } from '../link/link.ts'
import type { Database } from '../store/database.ts'
import type { LogChunk, LogStore } from '../store/logs.ts'
import { attemptKey, executorsOfAttempts } from '../store/attempts.ts'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { OpenRuns } from './open-runs.ts'
import { Pump } from './pump.ts'
import type { RunMask, RunMasks } from './run-masks.ts'

const BATCH_CHUNKS = 500
const BATCH_LINES = 20_000
const OWNERS_KEPT = 5_000

export interface LogIntakeOptions {
  readonly db: Database
  readonly logs: LogStore
  readonly clock: Clock
  readonly runs: OpenRuns
  readonly events: Events
  readonly masks: RunMasks
  readonly onTrouble: (error: unknown) => void
}

interface Waiting {
  readonly session: Session
  readonly frame: Log | LogEnd
  readonly resolve: (verdict: Verdict | null) => void
}

/**
 * Log lines on their way to the log store, many chunks in one commit, apart from the reports of states, so that a flood of lines delays no result.
 * Only the executor that had an attempt may write to its log.
 */
export class LogIntake {
  readonly #options: LogIntakeOptions
  readonly #owners = new Map<string, number>()
  readonly #pump: Pump
  #waiting: Waiting[] = []
  #lines = 0

  constructor(options: LogIntakeOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  get linesTaken(): number {
    return this.#lines
  }

  async take(session: Session, frame: Log | LogEnd): Promise<Verdict | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ session, frame, resolve })
      this.#pump.kick()
    })
  }

  async #turn(): Promise<boolean> {
    await this.#options.clock.breathe()
    const batch = this.#next()
    if (batch.length === 0) return false
    await this.#learnOwners(batch)
    const owned = batch.map((item) => this.#isOwner(item))
    const found = await this.#options.masks.of(batch.flatMap(({ frame }, index) => (owned[index] === true ? [frame] : [])))
    const masks = batch.map(({ frame }) => found.get(attemptKey(frame)) ?? null)
    // of a run whose secrets cannot be opened here nothing is taken: its executor says it again
    await this.#write(batch.flatMap(({ frame }, index) => (owned[index] === true ? this.#masked(frame, masks[index] ?? null) : [])))
    this.#waiting = this.#waiting.slice(batch.length)
    for (const [index, item] of batch.entries()) item.resolve(owned[index] !== true ? 'unknown' : masks[index] === 'sealed' ? null : 'done')
    return this.#waiting.length > 0
  }

  #masked(frame: Log | LogEnd, mask: RunMask): readonly (Log | LogEnd)[] {
    if (mask === 'sealed') return []
    return [mask === null ? frame : this.#options.masks.log(frame, mask)]
  }

  #next(): Waiting[] {
    let lines = 0
    let count = 0
    for (const { frame } of this.#waiting) {
      if (count >= BATCH_CHUNKS || lines >= BATCH_LINES) break
      lines += frame.type === 'log' ? frame.lines.length : 1
      count += 1
    }
    return this.#waiting.slice(0, count)
  }

  async #write(frames: readonly (Log | LogEnd)[]): Promise<void> {
    const { logs, events } = this.#options
    const chunks = frames.flatMap((frame): LogChunk[] =>
      frame.type === 'log'
        ? [
            {
              instanceId: frame.instanceId,
              attempt: frame.attempt,
              firstSeq: frame.firstSeq,
              lines: frame.lines,
              ...(frame.dropped === undefined ? {} : { dropped: frame.dropped }),
            },
          ]
        : [],
    )
    const ends = frames.flatMap((frame) => (frame.type === 'logEnd' ? [frame] : []))
    const isNew = chunks.length + ends.length === 0 ? [] : await logs.append(chunks, ends)
    this.#lines += chunks.reduce((sum, chunk) => sum + chunk.lines.length, 0)
    events.emit(
      chunks.flatMap((chunk, index) =>
        isNew[index] === true
          ? [
              {
                kind: 'logAppended',
                instanceId: chunk.instanceId,
                attempt: chunk.attempt,
                firstSeq: chunk.firstSeq,
                count: chunk.lines.length + (chunk.dropped ?? 0),
              } as const,
            ]
          : [],
      ),
    )
    events.emit(ends.map(({ instanceId, attempt }) => ({ kind: 'logEnded', instanceId, attempt }) as const))
  }

  /** Who had the attempts that memory does not know: of other nodes' slots, or ended already. One read for the batch. */
  async #learnOwners(batch: readonly Waiting[]): Promise<void> {
    const unknown = batch.filter((item) => !this.#isInMemory(item) && !this.#owners.has(attemptKey(item.frame))).map((item) => item.frame)
    const found = await executorsOfAttempts(this.#options.db, unknown)
    for (const [key, executorId] of found) this.#remember(key, executorId)
  }

  #isOwner(item: Waiting): boolean {
    return this.#isInMemory(item) || this.#owners.get(attemptKey(item.frame)) === item.session.executorId
  }

  #isInMemory({ session, frame }: Waiting): boolean {
    const run = this.#options.runs.get(frame.instanceId)
    return run?.attempt === frame.attempt && run.executorId === session.executorId
  }

  /** What is unknown now may be known later: only what was found is kept. */
  #remember(key: string, executorId: number): void {
    this.#owners.set(key, executorId)
    const [oldest] = this.#owners.keys()
    if (this.#owners.size > OWNERS_KEPT && oldest !== undefined) this.#owners.delete(oldest)
  }
}
