import type { Redis } from 'ioredis'
import { makeSubscriberClient, retryDelayMs } from './client.ts'
import { ANSWER_WITHIN_MS } from './connection.ts'
import type { RedisTarget } from '../redis-url.ts'
import { within } from './within.ts'

const PULSE_EVERY_MS = 500

/**
 * The connection on which messages come. A connection that is lost, or on which a PING or a subscription is not answered in time, is ended, and another
 * one is made for ever, of Redis Cluster to the next of the nodes: each hears what any of them publishes. All channels are subscribed to again.
 */
export class Subscriber {
  readonly #target: RedisTarget
  readonly #hear: (channel: string, text: string) => void
  readonly #channels = new Set<string>()
  #redis: Redis
  #tries = 0
  /** subscriptions that Redis has not confirmed */
  #pending = 0
  #isUp = false
  #isClosed = false
  #pulse: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(target: RedisTarget, hear: (channel: string, text: string) => void) {
    this.#target = target
    this.#hear = hear
    this.#redis = this.#connect()
  }

  /** Whether what is published on the channels comes here, as far as is known. */
  get isUp(): boolean {
    return this.#isUp && this.#pending === 0
  }

  add(channel: string): void {
    this.#channels.add(channel)
    if (this.#isUp) void this.#confirm(this.#redis, [channel])
  }

  remove(channel: string): void {
    this.#channels.delete(channel)
    if (this.#isUp) this.#redis.unsubscribe(channel).catch(() => undefined)
  }

  close(): void {
    this.#isClosed = true
    this.#isUp = false
    clearTimeout(this.#pulse)
    clearTimeout(this.#retry)
    this.#redis.disconnect()
  }

  #connect(): Redis {
    const { nodes } = this.#target
    const redis = makeSubscriberClient(this.#target, nodes[this.#tries % nodes.length] ?? nodes[0])
    // why it failed is told by the connection for commands
    redis.on('error', () => undefined)
    redis.on('message', this.#hear)
    redis.once('ready', () => void this.#begin(redis))
    redis.once('close', () => {
      this.#isUp = false
    })
    redis.once('end', () => this.#connectAgain())
    return redis
  }

  async #begin(redis: Redis): Promise<void> {
    this.#pending = 0
    this.#isUp = true
    await this.#confirm(redis, [...this.#channels])
    if (redis.status === 'ready') this.#tries = 0
    this.#schedulePulse(redis)
  }

  async #confirm(redis: Redis, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return
    this.#pending++
    try {
      await within(ANSWER_WITHIN_MS, redis.subscribe(...channels))
    } catch {
      this.#giveUp(redis)
    } finally {
      if (redis === this.#redis) this.#pending--
    }
  }

  #schedulePulse(redis: Redis): void {
    clearTimeout(this.#pulse)
    if (this.#isClosed || redis.status !== 'ready') return
    this.#pulse = setTimeout(() => {
      within(ANSWER_WITHIN_MS, redis.ping()).then(
        () => this.#schedulePulse(redis),
        () => this.#giveUp(redis),
      )
    }, PULSE_EVERY_MS).unref()
  }

  #giveUp(redis: Redis): void {
    if (redis !== this.#redis) return
    this.#isUp = false
    redis.disconnect()
  }

  #connectAgain(): void {
    if (this.#isClosed) return
    this.#tries++
    this.#retry = setTimeout(() => {
      this.#redis = this.#connect()
    }, retryDelayMs(this.#tries)).unref()
  }
}
