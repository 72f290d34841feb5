/** What is stored of one bucket: the tokens it held at an instant (milliseconds). Between two calls nothing runs; it fills when looked at. */
export type TokenBucket = { readonly tokens: number; readonly at: number }

/** A bucket holds at most `capacity` tokens and gains `refillPerSecond` of them each second. */
export type BucketLimit = { readonly capacity: number; readonly refillPerSecond: number }

export type TakeResult = {
  readonly allowed: boolean
  /** To be stored, also after a refusal. */
  readonly bucket: TokenBucket
  /** 0 when allowed; else when to come back. Infinity when it can never be allowed: the cost is above the capacity, or nothing refills. */
  readonly retryAfterMs: number
  /** Whole tokens that are left. */
  readonly remaining: number
  /** Until the bucket is full, if nobody takes anything; Infinity when nothing refills. */
  readonly resetMs: number
}

/** So that a caller who waits exactly `retryAfterMs` is not refused over a rounding error. */
const TOLERANCE = 1e-6

/**
 * Takes `cost` tokens at the instant `now`, or none at all. `bucket` is null for a key not seen before: full. A clock that goes back adds
 * nothing and takes nothing away; a limit that was lowered cuts what the bucket holds. The Lua script in Redis does the same arithmetic.
 */
export function take(bucket: TokenBucket | null, now: number, limit: BucketLimit, cost: number = 1): TakeResult {
  const filled = refill(bucket, now, limit)
  const allowed = filled.tokens + TOLERANCE >= cost
  const left = allowed ? { tokens: Math.max(0, filled.tokens - cost), at: filled.at } : filled
  return {
    allowed,
    bucket: left,
    retryAfterMs: allowed ? 0 : cost > limit.capacity ? Infinity : msUntil(cost, left, limit),
    remaining: Math.floor(left.tokens + TOLERANCE),
    resetMs: msUntil(limit.capacity, left, limit),
  }
}

/** Gives tokens back, as after a login that succeeded. Never above the capacity. */
export function giveBack(bucket: TokenBucket, now: number, limit: BucketLimit, cost: number = 1): TokenBucket {
  const filled = refill(bucket, now, limit)
  return { tokens: Math.min(limit.capacity, filled.tokens + cost), at: filled.at }
}

/** Whether the bucket is as good as new, so that its entry can be forgotten. */
export function isFull(bucket: TokenBucket, now: number, limit: BucketLimit): boolean {
  return refill(bucket, now, limit).tokens >= limit.capacity
}

function refill(bucket: TokenBucket | null, now: number, { capacity, refillPerSecond }: BucketLimit): TokenBucket {
  if (bucket === null) return { tokens: capacity, at: now }
  const gained = (Math.max(0, now - bucket.at) * refillPerSecond) / 1000
  return { tokens: Math.min(capacity, bucket.tokens + gained), at: Math.max(now, bucket.at) }
}

function msUntil(tokens: number, bucket: TokenBucket, { refillPerSecond }: BucketLimit): number {
  const missing = tokens - bucket.tokens
  return missing <= 0 ? 0 : Math.ceil((missing * 1000) / refillPerSecond)
}
