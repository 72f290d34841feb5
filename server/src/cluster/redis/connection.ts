import { Cluster } from 'ioredis'
import { ClusterAway } from '../away.ts'
import { makeClient, type Client } from './client.ts'
import type { RedisLog } from './log.ts'
import type { RedisTarget } from '../redis-url.ts'
import type { Script } from './script.ts'
import { TooLate, within } from './within.ts'

/** How long a call waits for its answer, and how often Redis is asked whether it answers at all. */
export const ANSWER_WITHIN_MS = 500
const PULSE_EVERY_MS = 500
const TELL_EVERY_MS = 60_000

/**
 * The connection for commands. It is up from the first PING that is answered until a call is not answered in time or the connection is gone; in
 * between calls are refused at once, so that a Redis that stands still makes one call of each round wait, not every one. Answers are matched by ioredis in
 * the order of the questions, also to those that nobody waits for any more; a connection that is silent for a second is ended.
 *
 * A call that was not answered may still have been done, also later.
 */
export class Connection {
  readonly #client: Client
  readonly #log: RedisLog
  readonly #whenUp = new Set<() => void>()
  #isUp = false
  #isClosed = false
  #isPulsing = false
  #timer: NodeJS.Timeout | undefined
  #told: { readonly isUp: boolean } | null = null
  #quietUntil = 0
  /** why the connection was lost, as the client said it */
  #reason = ''

  constructor(target: RedisTarget, log: RedisLog) {
    this.#log = log
    this.#client = makeClient(target)
    this.#client.on('error', (error: Error) => {
      this.#reason = error.message
    })
    this.#client.on('ready', () => void this.#pulse())
    this.#client.on('close', () => this.#turn(false, this.#reason === '' ? 'the connection ended' : this.#reason))
    this.#schedulePulse()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Calls each time that Redis answers again, and the first time. */
  onUp(call: () => void): void {
    this.#whenUp.add(call)
  }

  /** Until it is up, or `limitMs` are over. */
  async firstLook(limitMs: number): Promise<void> {
    if (this.#isUp) return
    const up = new Promise<void>((resolve) => {
      this.onUp(resolve)
    })
    await within(limitMs, up).catch(() => undefined)
  }

  /** Asks Redis. Throws `ClusterAway`: not up, no answer within 500 ms, or refused. */
  async ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    if (!this.#isUp) throw new ClusterAway(this.#reason)
    try {
      return await within(ANSWER_WITHIN_MS, question(this.#client))
    } catch (error) {
      this.#judge(error)
      // not the error itself: it holds the arguments of the command
      throw new ClusterAway(messageOf(error))
    }
  }

  /** Runs a script where its keys are, as `ask`. */
  async run({ sha, text }: Script, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return this.ask(async (client) => {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...values)
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error
        return client.eval(text, keys.length, ...keys, ...values)
      }
    })
  }

  /** Ends it once what was sent is answered, or 500 ms later. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isUp = false
    clearTimeout(this.#timer)
    await within(ANSWER_WITHIN_MS, this.#client.quit()).catch(() => undefined)
    this.#client.disconnect()
  }

  #judge(error: unknown): void {
    if (error instanceof TooLate) {
      this.#turn(false, error.message)
      void this.#pulse()
    } else if (this.#client.status === 'ready') {
      this.#tellRefusal(messageOf(error))
    }
  }

  /** A command was refused, or the node of Redis Cluster that has its keys is gone: others may go through. */
  #tellRefusal(reason: string): void {
    const now = performance.now()
    if (now < this.#quietUntil) return
    this.#quietUntil = now + TELL_EVERY_MS
    this.#log.error({ reason }, 'Redis did not do a command')
  }

  async #pulse(): Promise<void> {
    if (this.#isPulsing || this.#isClosed) return
    this.#isPulsing = true
    clearTimeout(this.#timer)
    try {
      await ping(this.#client)
      this.#turn(true)
    } catch (error) {
      this.#turn(false, this.#client.status === 'ready' ? messageOf(error) : this.#reason)
    } finally {
      this.#isPulsing = false
      this.#schedulePulse()
    }
  }

  #schedulePulse(): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#pulse(), PULSE_EVERY_MS).unref()
  }

  #turn(isUp: boolean, reason = ''): void {
    if (this.#isClosed) return
    const isNews = this.#isUp !== isUp
    this.#isUp = isUp
    if (isUp) this.#reason = ''
    this.#tell(reason)
    if (isUp && isNews) for (const call of [...this.#whenUp]) call()
  }

  #tell(reason: string): void {
    if (this.#told?.isUp === this.#isUp) return
    this.#told = { isUp: this.#isUp }
    if (this.#isUp) this.#log.info({}, 'Redis answers')
    else this.#log.warn({ reason }, 'Redis does not answer: everything goes on without it, until it does')
  }
}

/**
 * Redis Cluster answers when one primary does and none stands still: calls to one that is gone fail at once, and those to others go through. Throws as
 * `within`, or what the connection says.
 */
async function ping(client: Client): Promise<void> {
  if (client instanceof Cluster && client.status !== 'ready') throw new Error('no node of Redis Cluster answers')
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  const answers = await Promise.allSettled(nodes.map(async (node) => within(ANSWER_WITHIN_MS, node.ping())))
  const reasons = answers.flatMap((answer): unknown[] => (answer.status === 'rejected' ? [answer.reason] : []))
  const late = reasons.find((reason) => reason instanceof TooLate)
  if (late !== undefined) throw late
  if (reasons.length === nodes.length) throw new Error(reasons.length === 0 ? 'Redis Cluster has no primary' : messageOf(reasons[0]))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
