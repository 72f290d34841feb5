import type { BucketLimit } from '@tickwheel/core'

export interface Taken {
  readonly allowed: boolean
  readonly remaining: number
  readonly retryAfterMs: number
  readonly resetMs: number
}

/** Token buckets shared by whoever limits calls. `key` names one bucket. An entry that is full again is forgotten. */
export interface Buckets {
  take(key: string, limit: BucketLimit, cost?: number): Promise<Taken>
  giveBack(key: string, limit: BucketLimit, cost?: number): Promise<void>
}
