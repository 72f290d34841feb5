import { ClockOffset } from './clock-offset.ts'
import type { Clock, Wake } from './engine/clock.ts'

const SAMPLE_EVERY_MS = 5000
const SAMPLES_AT_START = 3
/** What cluster time is off by is taken up slowly; more than this is a step. */
const STEP_MS = 500
/** How much faster or slower than real time cluster time may go while it takes up a difference. */
const SLEW_RATE = 0.05
const SKEW_WARN_MS = 500
/** Told as mended well below, so that a clock on the border does not fill the log. */
const SKEW_FINE_MS = 250
const LONGEST_TIMER_MS = 2_147_000_000

export interface ClusterClockOptions {
  /** the clock that all nodes follow: the database's, epoch ms; on SQLite that is the machine's own */
  readonly source: () => Promise<number>
  readonly onStep: (byMs: number) => void
  /** the wall clock of this machine has gone wrong, or is right again; `skewMs`: how far it is ahead of cluster time */
  readonly onSkew: (skewMs: number, isWrong: boolean) => void
}

/**
 * Cluster time on one machine: the monotonic clock plus its offset to the clock that all nodes follow. A difference of up to half a second is taken up
 * slowly, so that time neither stands still nor goes back; more is a step, and told. What cannot be asked is skipped: time goes on as it went.
 */
export class ClusterClock implements Clock {
  readonly #options: ClusterClockOptions
  readonly #offsets = new ClockOffset()
  /** where the offset was when it was last changed, and where it goes to from there */
  #from = { at: 0, offset: 0 }
  #target = 0
  /** somebody reads it: from now on it is slewed */
  #isRunning = false
  #isSkewTold = false
  #timer: NodeJS.Timeout | null = null
  #isStopped = false

  private constructor(options: ClusterClockOptions) {
    this.#options = options
  }

  /** Asks three times, then every five seconds. Throws what the source throws when it answers none of the first. */
  static async start(options: ClusterClockOptions): Promise<ClusterClock> {
    const clock = new ClusterClock(options)
    const failed: unknown[] = []
    for (let sample = 0; sample < SAMPLES_AT_START; sample++) await clock.#sample().catch((error: unknown) => failed.push(error))
    if (failed.length === SAMPLES_AT_START) throw failed[0]
    clock.#isRunning = true
    clock.#judgeSkew()
    clock.#sleep()
    return clock
  }

  now(): number {
    const at = performance.now()
    return Math.floor(at + this.#offsetAt(at))
  }

  monotonic(): number {
    return performance.now()
  }

  /** How far the wall clock of this machine is ahead of cluster time, ms. */
  skewMs(): number {
    return Date.now() - this.now()
  }

  wake(at: number, call: () => void): Wake {
    return sleepWhile(() => at - this.now(), call)
  }

  after(ms: number, call: () => void): Wake {
    const end = performance.now() + ms
    return sleepWhile(() => end - performance.now(), call)
  }

  breathe(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #sleep(): void {
    if (this.#isStopped) return
    // A sample that fails is skipped: the engine tells when the store is away, and the next one comes soon.
    const ask = (): void =>
      void this.#sample().then(
        () => this.#sleep(),
        () => this.#sleep(),
      )
    this.#timer = setTimeout(ask, SAMPLE_EVERY_MS)
    this.#timer.unref()
  }

  async #sample(): Promise<void> {
    const sentAt = performance.now()
    const told = await this.#options.source()
    const answeredAt = performance.now()
    this.#follow(this.#offsets.take({ sentAt, answeredAt, told }), answeredAt)
    if (this.#isRunning) this.#judgeSkew()
  }

  #follow(target: number, at: number): void {
    const offset = this.#offsetAt(at)
    const off = target - offset
    const isStep = Math.abs(off) > STEP_MS
    this.#from = { at, offset: isStep || !this.#isRunning ? target : offset }
    this.#target = target
    if (isStep && this.#isRunning) this.#options.onStep(Math.round(off))
  }

  #offsetAt(at: number): number {
    const { at: since, offset } = this.#from
    const off = this.#target - offset
    const most = (at - since) * SLEW_RATE
    return offset + Math.min(most, Math.max(-most, off))
  }

  #judgeSkew(): void {
    const skewMs = this.skewMs()
    const isWrong = Math.abs(skewMs) > (this.#isSkewTold ? SKEW_FINE_MS : SKEW_WARN_MS)
    if (isWrong === this.#isSkewTold) return
    this.#isSkewTold = isWrong
    this.#options.onSkew(skewMs, isWrong)
  }
}

/** Calls back once nothing remains. Timers may come early and have a longest time, so what remains is asked again each time. */
function sleepWhile(remainingMs: () => number, call: () => void): Wake {
  let timer: NodeJS.Timeout | null = null
  const sleep = (): void => {
    timer = setTimeout(() => (remainingMs() <= 0 ? call() : sleep()), Math.min(LONGEST_TIMER_MS, Math.max(0, remainingMs())))
  }
  sleep()
  return {
    cancel: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}
