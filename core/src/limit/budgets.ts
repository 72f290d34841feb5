import type { BucketLimit } from './token-bucket.ts'

/**
 * The rate-limit budgets and their defaults; every route descriptor names one. `key` says whose bucket it is: the caller's address, the
 * caller (user or API token) or the executor. Settable as `rateLimit.<budget>.capacity` and `.refillPerSecond`.
 */
export const BUDGETS = {
  /** Login and refresh; given back when it succeeds. */
  login: { key: 'address', capacity: 10, refillPerSecond: 0.2 },
  /** 401 answers, XXL-JOB calls with a wrong token. */
  anonymous: { key: 'address', capacity: 60, refillPerSecond: 10 },
  /** GET, WebSocket subscribe. */
  read: { key: 'caller', capacity: 300, refillPerSecond: 100 },
  /** POST, PUT, DELETE. */
  write: { key: 'caller', capacity: 100, refillPerSecond: 20 },
  /** Trigger, retry. */
  trigger: { key: 'caller', capacity: 300, refillPerSecond: 100 },
  /** Export, bulk, backfill, apply, preview over 30 days, raw logs. */
  heavy: { key: 'caller', capacity: 10, refillPerSecond: 0.5 },
  /** Register, heartbeat, report; the stream is bounded by credits instead. */
  executor: { key: 'executor', capacity: 1000, refillPerSecond: 200 },
} as const satisfies Record<string, BucketLimit & { readonly key: 'address' | 'caller' | 'executor' }>

export type Budget = keyof typeof BUDGETS
