import type { Bus, Channel } from '../bus.ts'
import type { BusMessage } from '../messages.ts'

/** A bus in the memory of one process. A message arrives after what is being done now. */
export class MemoryBus implements Bus {
  readonly isUp = true
  readonly #listeners = new Map<Channel, Set<(message: BusMessage) => void>>()

  publish(channel: Channel, message: BusMessage): void {
    const listeners = this.#listeners.get(channel)
    if (listeners === undefined) return
    queueMicrotask(() => {
      for (const hear of [...listeners]) hear(message)
    })
  }

  listen(channel: Channel, hear: (message: BusMessage) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(hear))
    return () => {
      listeners.delete(hear)
      if (listeners.size === 0) this.#listeners.delete(channel)
    }
  }
}
