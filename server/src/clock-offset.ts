/** One question to the clock that all nodes follow, instants of the asker's monotonic clock, ms. */
export interface ClockSample {
  readonly sentAt: number
  readonly answeredAt: number
  /** what that clock said, epoch ms, some time between the two */
  readonly told: number
}

const KEPT = 8
/** How far two samples may disagree beyond their round trips: what the clocks drift apart within a minute. */
const DRIFT_MS = 50

interface Kept {
  readonly offset: number
  readonly roundTripMs: number
}

/**
 * How far a monotonic clock is behind the clock that all nodes follow, from samples: the one of the last eight with the shortest round trip, whose error is
 * at most half of it. Samples that cannot be true together with a newer one are from before somebody set that clock, and are dropped.
 */
export class ClockOffset {
  #kept: readonly Kept[] = []

  /** Takes a sample; the offset as it is known then. */
  take({ sentAt, answeredAt, told }: ClockSample): number {
    const sample = { offset: told - (sentAt + answeredAt) / 2, roundTripMs: answeredAt - sentAt }
    this.#kept = [...this.#kept.filter((before) => agree(before, sample)), sample].slice(-KEPT)
    return this.#kept.reduce((best, next) => (next.roundTripMs < best.roundTripMs ? next : best), sample).offset
  }
}

function agree(a: Kept, b: Kept): boolean {
  return Math.abs(a.offset - b.offset) <= (a.roundTripMs + b.roundTripMs) / 2 + DRIFT_MS
}
