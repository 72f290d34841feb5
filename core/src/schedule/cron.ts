/**
 * Cron instants in a time zone.
 *
 * When clocks are set, one of two rules holds (`api.md`, settled details):
 * - An expression that *repeats* (`*` or a step in its second, minute or hour field) follows elapsed time: an instant is due
 *   when the clock then shows a matching time. A repeated hour gives both passes, a skipped hour nothing.
 * - Any other expression names wall times, each due once: at the first pass of a repeated hour, at the end of a gap.
 *   Several wall times in one gap are one instant.
 */
import { DAY_MS, SECOND_MS } from '../time/civil.ts'
import type { Zone } from '../time/zone.ts'
import type { CronWalker } from './cron-walk.ts'

/** An endless set of instants, epoch milliseconds, walked in both directions. */
export interface InstantSet {
  /** The first instant strictly after; `null` when there is none any more. */
  next(after: number): number | null
  /** The last instant strictly before; `null` when there is none. */
  previous(before: number): number | null
}

/** The instants at which an expression is due in a zone, within the cron years 1970 to 2199, by the rule that fits it. */
export function zonedCron(walker: CronWalker, zone: Zone, rule: { readonly repeats: boolean }): InstantSet {
  return rule.repeats ? new ElapsedCron(walker, zone) : new WallCron(walker, zone)
}

/** Every wall time fires once. `Zone.firstInstantOf` never decreases, so order on the wall is order in time. */
class WallCron implements InstantSet {
  readonly #walker: CronWalker
  readonly #zone: Zone

  constructor(walker: CronWalker, zone: Zone) {
    this.#walker = walker
    this.#zone = zone
  }

  next(after: number): number | null {
    const wall = this.#walker.atOrAfter(Math.ceil(this.#zone.wallPassedAt(Math.floor(after)) / SECOND_MS))
    return wall === null ? null : this.#zone.firstInstantOf(wall * SECOND_MS)
  }

  previous(before: number): number | null {
    const passed = this.#zone.wallPassedAt(Math.ceil(before) - 1)
    const wall = this.#walker.atOrBefore(Math.ceil(passed / SECOND_MS) - 1)
    return wall === null ? null : this.#zone.firstInstantOf(wall * SECOND_MS)
  }
}

/** More than any change of clocks: spans that lie so far from the last match cannot hold a match either. */
const SKIP_MS = 2 * DAY_MS

/** Goes through the spans of constant offset; inside one, wall time and elapsed time run alike. */
class ElapsedCron implements InstantSet {
  readonly #walker: CronWalker
  readonly #zone: Zone

  constructor(walker: CronWalker, zone: Zone) {
    this.#walker = walker
    this.#zone = zone
  }

  next(after: number): number | null {
    let fromAt = Math.floor(after) + 1
    for (;;) {
      const span = this.#zone.spanAt(fromAt)
      const wall = this.#walker.atOrAfter(Math.ceil((fromAt + span.offsetMs) / SECOND_MS))
      if (wall === null && span.toAt - fromAt > SKIP_MS) return null
      const at = wall === null ? span.toAt : wall * SECOND_MS - span.offsetMs
      if (wall !== null && at < span.toAt) return at
      fromAt = span.toAt - fromAt > SKIP_MS ? Math.max(span.toAt, at - SKIP_MS) : span.toAt
    }
  }

  previous(before: number): number | null {
    let upToAt = Math.ceil(before) - 1
    for (;;) {
      const span = this.#zone.spanAt(upToAt)
      const wall = this.#walker.atOrBefore(Math.floor((upToAt + span.offsetMs) / SECOND_MS))
      if (wall === null && upToAt - span.fromAt > SKIP_MS) return null
      const at = wall === null ? span.fromAt - 1 : wall * SECOND_MS - span.offsetMs
      if (wall !== null && at >= span.fromAt) return at
      upToAt = upToAt - span.fromAt > SKIP_MS ? Math.min(span.fromAt - 1, at + SKIP_MS) : span.fromAt - 1
    }
  }
}
