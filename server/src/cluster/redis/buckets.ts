import type { BucketLimit } from '@tickwheel/core'
import { ClusterAway } from '../away.ts'
import type { Buckets, Taken } from '../bucket.ts'
import type { Connection } from './connection.ts'
import { script } from './script.ts'

/** A bucket that takes longer to fill is forgotten, as full, after so long without a call. */
const KEPT_AT_MOST_MS = 30 * 86_400_000

/*
 * The arithmetic of core/src/limit/token-bucket.ts by the clock of Redis, so that the clocks of nodes do not matter.
 * KEYS    1 the bucket: a hash of `tokens` and `at`, the instant in ms at which it held them; not there: full
 * ARGV    1 capacity; 2 tokens gained each second; 3 how many are taken or given back; 4 an instant instead of Redis's clock, for tests, or ''
 * Numbers go into text with all of their digits, since Lua's own way keeps fourteen.
 */
const BUCKET = `
local capacity, perSecond, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
end
local stored = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(stored[1]), tonumber(stored[2])
local isThere = tokens and at
if isThere then
  tokens = math.min(capacity, tokens + math.max(0, now - at) * perSecond / 1000)
  at = math.max(now, at)
else
  tokens, at = capacity, now
end

local function text(number)
  return string.format('%.17g', number)
end

local function msUntil(wanted)
  local missing = wanted - tokens
  if missing <= 0 then return 0 end
  return math.ceil(missing * 1000 / perSecond)
end

-- until it is full, and a millisecond more, because ends are kept in whole ones; an instant that was given says nothing of how long that is by the clock
local function keep()
  local keptMs = math.min(${KEPT_AT_MOST_MS}, math.ceil(math.max(0, at - now) + msUntil(capacity)))
  if ARGV[4] ~= '' then keptMs = 60000 end
  if keptMs == 0 then return redis.call('DEL', KEYS[1]) end
  redis.call('HSET', KEYS[1], 'tokens', text(tokens), 'at', text(at))
  redis.call('PEXPIRE', KEYS[1], text(keptMs + 1))
end
`

/*
 * Takes tokens, or none.
 * answer  1 or 0: whether they were taken; whole tokens left; ms until the call may be made again; ms until full; the instant. Each as text, `inf` for never
 * leaves  the bucket as it was, filled up to now, when there are too few tokens. It ends when it is full
 */
const TAKE = script(`${BUCKET}
local isAllowed = tokens + 1e-6 >= cost
if isAllowed then tokens = math.max(0, tokens - cost) end
local retryAfterMs = 0
if not isAllowed then retryAfterMs = cost > capacity and math.huge or msUntil(cost) end
keep()
return { isAllowed and '1' or '0', text(math.floor(tokens + 1e-6)), text(retryAfterMs), text(msUntil(capacity)), text(now) }`)

/*
 * Gives tokens back, up to the capacity.
 * answer  the instant, as text
 * leaves  a bucket that is not there: it is full
 */
const GIVE_BACK = script(`${BUCKET}
if isThere then
  tokens = math.min(capacity, tokens + cost)
  keep()
end
return text(now)`)

/** What Redis answered, and the instant of its clock, ms. */
export interface TakenAt extends Taken {
  readonly at: number
}

export interface RedisBucketsOptions {
  readonly connection: Connection
  readonly prefix: string
  /** what limits while Redis is away, each node for itself */
  readonly local: Buckets
  /** how many nodes share a limit while each limits for itself */
  readonly nodes: () => number
}

/** Buckets in Redis: `<prefix>:bucket:<key>`. While Redis is away each node has local ones, of the limit divided by the nodes that were last known. */
export class RedisBuckets implements Buckets {
  readonly #connection: Connection
  readonly #prefix: string
  readonly #local: Buckets
  readonly #nodes: () => number

  constructor({ connection, prefix, local, nodes }: RedisBucketsOptions) {
    this.#connection = connection
    this.#prefix = `${prefix}:bucket:`
    this.#local = local
    this.#nodes = nodes
  }

  async take(key: string, limit: BucketLimit, cost = 1): Promise<Taken> {
    try {
      const { at: _, ...taken } = await this.takeAt(key, limit, { cost })
      return taken
    } catch (error) {
      if (!(error instanceof ClusterAway)) throw error
      return this.#local.take(key, this.#share(limit), cost)
    }
  }

  async giveBack(key: string, limit: BucketLimit, cost = 1): Promise<void> {
    try {
      await this.giveBackAt(key, limit, { cost })
    } catch (error) {
      if (!(error instanceof ClusterAway)) throw error
      await this.#local.giveBack(key, this.#share(limit), cost)
    }
  }

  /** `now`: instead of Redis's clock, ms; for tests. Throws `ClusterAway`. */
  async takeAt(key: string, limit: BucketLimit, { cost, now }: { cost: number; now?: number }): Promise<TakenAt> {
    const answer = await this.#connection.run(TAKE, [this.#prefix + key], valuesOf(limit, cost, now))
    const [isAllowed = 0, remaining = 0, retryAfterMs = 0, resetMs = 0, at = 0] = Array.isArray(answer) ? answer.map(numberOf) : []
    return { allowed: isAllowed === 1, remaining, retryAfterMs, resetMs, at }
  }

  /** The instant, ms. `now`: as above. Throws `ClusterAway`. */
  async giveBackAt(key: string, limit: BucketLimit, { cost, now }: { cost: number; now?: number }): Promise<number> {
    return numberOf(await this.#connection.run(GIVE_BACK, [this.#prefix + key], valuesOf(limit, cost, now)))
  }

  #share({ capacity, refillPerSecond }: BucketLimit): BucketLimit {
    const nodes = this.#nodes()
    return { capacity: Math.max(1, capacity / nodes), refillPerSecond: refillPerSecond / nodes }
  }
}

function valuesOf({ capacity, refillPerSecond }: BucketLimit, cost: number, now: number | undefined): (string | number)[] {
  return [capacity, refillPerSecond, cost, now ?? '']
}

function numberOf(text: unknown): number {
  return text === 'inf' ? Infinity : Number(text)
}
