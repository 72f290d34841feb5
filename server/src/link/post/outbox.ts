import type { Order, Session } from '../link.ts'
import type { Letter, Posted } from './poster.ts'

const BUFFER_BYTES = 8_388_608
/** An order that has waited longer is dropped: a sweep sends it again, if it still holds. */
const STALE_MS = 8_000

export interface OutboxOptions {
  readonly session: Session
  /** without a slash at its end */
  readonly address: string
  readonly key: string
  readonly concurrency: number
  readonly now: () => number
  readonly post: (letter: Letter) => Promise<Posted>
  readonly onPosted: (order: Order, posted: Posted) => void
}

interface Waiting {
  readonly name: string
  readonly order: Order
  readonly body: string
  readonly since: number
}

/**
 * The orders on their way to one executor: a few at a time, those of one run after each other, and no order twice at once, however often a sweep
 * sends it. Bounded by 8 MiB.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #named = new Set<string>()
  /** runs with an order on its way */
  readonly #busy = new Set<number>()
  #waiting: Waiting[] = []
  #bytes = 0
  #isClosed = false
  #idle: (() => void)[] = []

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  get session(): Session {
    return this.#options.session
  }

  send(orders: readonly Order[]): 'sent' | 'full' {
    if (this.#bytes > BUFFER_BYTES) return 'full'
    for (const order of orders) {
      const name = `${order.type} ${String(order.instanceId)}/${String(order.attempt)}`
      if (this.#named.has(name)) continue
      const body = JSON.stringify(order)
      this.#named.add(name)
      this.#bytes += body.length
      this.#waiting.push({ name, order, body, since: performance.now() })
    }
    this.#go()
    return 'sent'
  }

  /** What waits is dropped; what is on its way comes to its end. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    if (this.#busy.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #go(): void {
    while (!this.#isClosed && this.#busy.size < this.#options.concurrency) {
      const at = this.#waiting.findIndex(({ order }) => !this.#busy.has(order.instanceId))
      const [next] = at < 0 ? [] : this.#waiting.splice(at, 1)
      if (next === undefined) return
      if (performance.now() - next.since > STALE_MS) this.#forget(next)
      else void this.#post(next)
    }
  }

  async #post(waiting: Waiting): Promise<void> {
    const { address, key, now, post, onPosted } = this.#options
    const { order, body } = waiting
    this.#busy.add(order.instanceId)
    const posted = await post({ url: `${address}/${order.type}`, body, key, at: now() })
    this.#busy.delete(order.instanceId)
    this.#forget(waiting)
    onPosted(order, posted)
    if (this.#busy.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
    this.#go()
  }

  #forget({ name, body }: Waiting): void {
    this.#named.delete(name)
    this.#bytes -= body.length
  }
}
