import type { Chance } from '../kit/chance.ts'
import { ExecutorProcess, type Door, type SpooledEnd } from './executor-process.ts'
import type { Executions } from './executions.ts'
import { SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import type { Rates } from './weather.ts'

const SUPERVISOR_MS = 3000

export interface SimExecutorOptions {
  readonly name: string
  readonly capacity: number
  readonly clockOff: number
  readonly timeline: Timeline
  readonly chance: Chance
  readonly rates: Rates
  readonly trace: Trace
  readonly doors: () => readonly Door[]
  readonly executions: Executions
  readonly runsTwice?: boolean | undefined
}

interface Life {
  readonly executor: ExecutorProcess
  readonly spool: Map<string, SpooledEnd>
}

/** An executor's name and disk, through as many processes as the scene gives it. */
export class SimExecutor {
  readonly #options: SimExecutorOptions
  readonly #lives: Life[] = []
  #starts = 0

  constructor(options: SimExecutorOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  /** The process that was started last. */
  get current(): ExecutorProcess | null {
    return this.#lives.at(-1)?.executor ?? null
  }

  get isUp(): boolean {
    const { current } = this
    return current !== null && !current.process.isDead && !current.isOver
  }

  /** Every process that still lives, also those that were replaced while they stood still. */
  living(): ExecutorProcess[] {
    return this.#lives.map(({ executor }) => executor).filter((executor) => !executor.process.isDead)
  }

  /** A process starts; it delivers first what dead ones left on disk. */
  start(): void {
    const { name, timeline, trace } = this.#options
    this.#starts += 1
    const process = new SimProcess(`${name}.${this.#starts}`, timeline)
    const dead = this.#lives.filter((life) => life.executor.process.isDead)
    const orphans = dead.flatMap(({ spool }) => [...spool.values()])
    const spool = new Map(dead.flatMap((life) => [...life.spool]))
    this.#lives.splice(0, this.#lives.length, ...this.#lives.filter((life) => !dead.includes(life)))
    trace.line(() => `${process.name} starts, with ${orphans.length} results to deliver`)
    const executor = new ExecutorProcess({ ...this.#options, process, spool, orphans })
    this.#lives.push({ executor, spool })
    // a supervisor starts a process again that ended by itself, unless another has taken its place
    process.onDeath(() => {
      if (executor.isOver) timeline.after(SUPERVISOR_MS, null, () => (this.current === executor ? this.start() : undefined))
    })
    executor.start()
  }

  kill(): void {
    this.#options.trace.line(() => `${this.name} is killed`)
    this.current?.process.kill()
  }
}
