import type { LiveMessage } from '@tickwheel/contract'
import type { WebSocket } from 'ws'

/** Above this, a reader is behind: nothing more is given to its socket until it has taken what is there. */
export const HIGH_WATER_BYTES = 1_048_576

/** The way out of one connection. What it holds is bounded: senders take a `turn` before they read what they are going to send. */
export class Outlet {
  readonly #socket: WebSocket
  readonly #waiting: (() => void)[] = []
  #isClosed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.once('close', () => {
      this.#isClosed = true
      this.#release()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get isFull(): boolean {
    return this.#socket.bufferedAmount > HIGH_WATER_BYTES
  }

  send(message: LiveMessage): void {
    if (this.#isClosed) return
    this.#socket.send(JSON.stringify(message), () => {
      if (!this.isFull) this.#release()
    })
  }

  /**
   * Does one piece of work (reads something and sends it) when the reader has taken enough of what came before; one after the other, so that a connection
   * never holds more than the high water and one message. `onFull` is told when it has to wait. Nothing is done when the reader is gone.
   */
  async turn<T>(work: () => Promise<T>, onFull?: () => void): Promise<T | null> {
    const mine = this.#last.then(async () => {
      if (this.isFull) onFull?.()
      while (this.isFull && !this.#isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      return this.#isClosed ? null : work()
    })
    this.#last = mine.catch(() => undefined)
    return mine
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
