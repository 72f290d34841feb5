/** Words for many numbers. */

/** Percentiles of values, in order; empty: "none". */
export function spread(values: readonly number[], percentiles: readonly number[]): string {
  if (values.length === 0) return 'none'
  const sorted = values.toSorted((a, b) => a - b)
  return [
    ...percentiles.map((percentile) => `p${String(percentile)} ${ms(at(sorted, percentile / 100))}`),
    `max ${ms(sorted.at(-1) ?? 0)}`,
  ].join(', ')
}

/** Median and most of values; empty: "none". */
export function medianAndMost(values: readonly number[]): string {
  if (values.length === 0) return 'none'
  const sorted = values.toSorted((a, b) => a - b)
  return `median ${ms(at(sorted, 0.5))}, max ${ms(sorted.at(-1) ?? 0)} (${String(values.length)})`
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

function ms(value: number): string {
  return value < 1000 ? `${String(Math.round(value))} ms` : `${(value / 1000).toFixed(2)} s`
}
