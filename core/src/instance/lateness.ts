/**
 * How late runs start, kept as a histogram: a bucket is half an octave wide, so a percentile read from it is off by a fifth at most, whether runs start
 * after 3 ms or after 3 hours, and 61 counters hold every lateness there is.
 *
 * Bucket 0 holds up to 1 ms, bucket b what is above 2^((b-1)/2) ms and at most 2^(b/2) ms; the last (12 days) everything above.
 */
export const LATENESS_BUCKETS = 61

/** The bucket of a lateness in ms; of a start before its instant (clocks differ), the first. */
export function latenessBucket(lateMs: number): number {
  if (!(lateMs > 1)) return 0
  return Math.min(LATENESS_BUCKETS - 1, Math.ceil(2 * Math.log2(lateMs)))
}

/** The greatest lateness of a bucket, in ms. */
export function latenessBound(bucket: number): number {
  return 2 ** (bucket / 2)
}

/** How many starts are in which bucket. */
export type LatenessCounts = ReadonlyMap<number, number>

/**
 * The lateness in whole ms that a share of the starts (0–1) does not exceed, as finely as the buckets tell: inside one the values are taken as spread
 * evenly over its octaves. Null: nothing started.
 */
export function latenessPercentile(counts: LatenessCounts, share: number): number | null {
  const buckets = [...counts].filter(([, n]) => n > 0).sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, n]) => sum + n, 0)
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let passed = 0
  for (const [bucket, n] of buckets) {
    if (passed + n >= rank) return Math.round(within(bucket, (rank - passed) / n))
    passed += n
  }
  return null
}

function within(bucket: number, part: number): number {
  return bucket === 0 ? part : latenessBound(bucket - 1 + part)
}
