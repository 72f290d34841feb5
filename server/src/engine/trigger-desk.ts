import type { AppError } from '@tickwheel/contract'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import { trigger, type Triggered, type TriggerRequest } from '../store/trigger.ts'
import type { Clock } from './clock.ts'
import { Pump } from './pump.ts'

const BATCH = 200

/** What a caller gives; ids and instant are added when its turn comes. */
export type TriggerWish = Omit<TriggerRequest, 'at' | 'runId' | 'auditId'>

interface Waiting {
  readonly wish: TriggerWish
  readonly resolve: (made: Triggered) => void
  readonly reject: (error: unknown) => void
}

export interface TriggerDeskOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly onMade: (made: readonly Triggered[]) => void
  readonly onRecovered: () => void
}

/** Triggers that arrive together are written in one commit. Each caller is answered after it; while the store is away each is refused. */
export class TriggerDesk {
  readonly #options: TriggerDeskOptions
  readonly #pump: Pump
  #waiting: Waiting[] = []

  constructor(options: TriggerDeskOptions) {
    this.#options = options
    this.#pump = new Pump({ clock: options.clock, onTrouble: () => undefined, onRecovered: options.onRecovered }, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  /** Throws `AppError`, or `StoreAway`: then the outcome is unknown, and an Idempotency-Key makes asking again safe. */
  async take(wish: TriggerWish): Promise<Triggered> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ wish, resolve, reject })
      this.#pump.kick()
    })
  }

  async #turn(): Promise<boolean> {
    await this.#options.clock.breathe()
    const batch = this.#waiting.splice(0, BATCH)
    if (batch.length === 0) return false
    try {
      await this.#write(batch)
    } catch (error) {
      for (const item of batch) item.reject(error)
    }
    return this.#waiting.length > 0
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const first = await this.#options.ids.take(2 * batch.length)
    const at = this.#options.clock.now()
    const answers = await trigger(
      this.#options.db,
      batch.map(({ wish }, index) => ({ ...wish, at, runId: first + index, auditId: first + batch.length + index })),
    )
    this.#options.onMade(answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer])))
    for (const [index, item] of batch.entries()) settle(item, answers[index])
  }
}

function settle({ resolve, reject }: Waiting, answer: Triggered | AppError | undefined): void {
  if (answer === undefined || isRefusal(answer)) reject(answer)
  else resolve(answer)
}

function isRefusal(answer: Triggered | AppError): answer is AppError {
  return answer instanceof Error
}
