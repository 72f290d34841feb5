import type { Bus, Channel } from '../bus.ts'
import { decodeMessage, encodeMessage, type BusMessage } from '../messages.ts'
import { publisherOf } from './client.ts'
import type { Connection } from './connection.ts'
import type { RedisLog } from './log.ts'
import type { RedisTarget } from '../redis-url.ts'
import { Subscriber } from './subscriber.ts'

/** What may be on its way to Redis at once; beyond it messages are dropped. */
const PENDING = 10_000
const PENDING_CHARACTERS = 32 * 1024 * 1024

export interface RedisBusOptions {
  readonly connection: Connection
  readonly target: RedisTarget
  readonly prefix: string
  readonly log: RedisLog
}

/** Messages over Redis's PUBLISH, on channels `<prefix>:bus:<channel>`. */
export class RedisBus implements Bus {
  readonly #connection: Connection
  readonly #prefix: string
  readonly #log: RedisLog
  readonly #listeners = new Map<string, Set<(message: BusMessage) => void>>()
  readonly #subscriber: Subscriber
  #pending = 0
  #pendingCharacters = 0
  #dropped = 0

  constructor({ connection, target, prefix, log }: RedisBusOptions) {
    this.#connection = connection
    this.#prefix = `${prefix}:bus:`
    this.#log = log
    this.#subscriber = new Subscriber(target, (channel, text) => this.#deliver(channel, text))
  }

  get isUp(): boolean {
    return this.#connection.isUp && this.#subscriber.isUp
  }

  /** Messages that did not go out, or of which that is not known. */
  get dropped(): number {
    return this.#dropped
  }

  publish(channel: Channel, message: BusMessage): void {
    const text = this.#textOf(message)
    if (text === null || !this.#mayGo()) {
      this.#dropped++
      return
    }
    void this.#send(this.#prefix + channel, text)
  }

  listen(channel: Channel, hear: (message: BusMessage) => void): () => void {
    const name = this.#prefix + channel
    const listeners = this.#listeners.get(name) ?? new Set()
    if (listeners.size === 0) this.#subscriber.add(name)
    this.#listeners.set(name, listeners.add(hear))
    return () => {
      if (!listeners.delete(hear) || listeners.size > 0) return
      this.#listeners.delete(name)
      this.#subscriber.remove(name)
    }
  }

  close(): void {
    this.#subscriber.close()
  }

  #mayGo(): boolean {
    return this.#connection.isUp && this.#pending < PENDING && this.#pendingCharacters < PENDING_CHARACTERS
  }

  async #send(channel: string, text: string): Promise<void> {
    this.#pending++
    this.#pendingCharacters += text.length
    try {
      await this.#connection.ask(async (client) => publisherOf(client).publish(channel, text))
    } catch {
      this.#dropped++
    } finally {
      this.#pending--
      this.#pendingCharacters -= text.length
    }
  }

  #deliver(channel: string, text: string): void {
    const message = decodeMessage(text)
    if (message === null) return
    for (const hear of [...(this.#listeners.get(channel) ?? [])]) hear(message)
  }

  /** null: it holds what JSON cannot say. */
  #textOf(message: BusMessage): string | null {
    try {
      return encodeMessage(message)
    } catch (error) {
      this.#log.error({ kind: message.kind, reason: String(error) }, 'a message to other nodes could not be written')
      return null
    }
  }
}
