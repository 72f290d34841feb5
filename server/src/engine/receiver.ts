import type { Verdict } from '@tickwheel/contract'
import type { Report, Session } from '../link/link.ts'
import { attemptKey } from '../store/attempts.ts'
import type { Database } from '../store/database.ts'
import { takeRunIds, type RunIds } from '../store/ids.ts'
import type { RunFrame, RunReport } from '../store/judge.ts'
import { report, type RunChange } from '../store/report.ts'
import type { Clock } from './clock.ts'
import { Pump } from './pump.ts'
import type { RunMasks } from './run-masks.ts'

const BATCH = 500
/** Beyond so many frames that wait for a commit, the links are no longer read. */
const FULL = 10_000
const DRAINED = 2_000

export interface ReceiverOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly masks: RunMasks
  readonly onChanges: (changes: readonly RunChange[], reports: readonly RunReport[]) => void
  readonly onFull: (isFull: boolean) => void
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

interface Waiting {
  readonly one: RunReport
  readonly resolve: (verdict: Verdict | null) => void
}

/**
 * The report stage: what executors say about runs, many frames in one commit. While a commit is on its way the next batch gathers. A verdict is given
 * after the commit, never before; while the store is away none is given.
 */
export class Receiver {
  readonly #options: ReceiverOptions
  readonly #pump: Pump
  #waiting: Waiting[] = []
  #isFull = false

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  get backlog(): number {
    return this.#waiting.length
  }

  async take(session: Session, frame: RunFrame): Promise<Verdict | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ one: { executorId: session.executorId, bootId: session.bootId, frame }, resolve })
      this.#gauge()
      this.#pump.kick()
    })
  }

  async #turn(): Promise<boolean> {
    await this.#options.clock.breathe()
    const batch = this.#waiting.slice(0, BATCH)
    if (batch.length === 0) return false
    const masked = await this.#masked(batch)
    const reports = masked.flatMap((one) => one ?? [])
    const outcome = reports.length === 0 ? { verdicts: [], changes: [] } : await this.#write(reports)
    this.#waiting = this.#waiting.slice(batch.length)
    this.#gauge()
    this.#options.onChanges(outcome.changes, reports)
    const verdicts = outcome.verdicts.values()
    for (const [index, item] of batch.entries()) item.resolve(masked[index] === null ? null : (verdicts.next().value ?? null))
    return this.#waiting.length > 0
  }

  /** Reports without the secrets of their runs. Null: they are not known here, so that nothing is taken, and the executor says it again. */
  async #masked(batch: readonly Waiting[]): Promise<(RunReport | null)[]> {
    const { masks } = this.#options
    const found = await masks.of(batch.map(({ one }) => one.frame))
    return batch.map(({ one }) => {
      const mask = found.get(attemptKey(one.frame)) ?? null
      if (mask === null) return one
      return mask === 'sealed' ? null : { ...one, frame: masks.frame(one.frame, mask) }
    })
  }

  async #write(reports: readonly RunReport[]): Promise<{ verdicts: readonly (Verdict | null)[]; changes: readonly RunChange[] }> {
    const { db, clock, ids } = this.#options
    const firstId = await ids.take(reports.length)
    return report(db, clock.now(), firstId, await this.#withChildIds(reports))
  }

  /** Ends that split their run need the ids of its shards, each a range in a row; those of ends that are not taken are lost. */
  async #withChildIds(reports: readonly RunReport[]): Promise<readonly RunReport[]> {
    const sum = reports.reduce((all, { frame }) => all + splitInto(frame), 0)
    if (sum === 0) return reports
    let nextId = await takeRunIds(this.#options.db, this.#options.clock.now(), sum)
    return reports.map((one) => {
      const count = splitInto(one.frame)
      if (count === 0) return one
      nextId += count
      return { ...one, firstChildId: nextId - count }
    })
  }

  #gauge(): void {
    const isFull = this.#isFull ? this.#waiting.length > DRAINED : this.#waiting.length >= FULL
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.#options.onFull(isFull)
  }
}

/** How many shards an attempt has split its run into, by its end. */
function splitInto(frame: RunFrame): number {
  return frame.type === 'finished' && frame.outcome === 'succeeded' ? (frame.map?.shards ?? 0) : 0
}

/** Whether a frame tells of a run's state (the others are logs and the executor's own). */
export function isRunFrame(frame: Report): frame is RunFrame & Report {
  return (
    frame.type === 'accepted' ||
    frame.type === 'rejected' ||
    frame.type === 'started' ||
    frame.type === 'progress' ||
    frame.type === 'map' ||
    frame.type === 'finished'
  )
}
