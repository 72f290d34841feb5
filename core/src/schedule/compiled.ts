import type { LeftOutBy } from '../calendar/calendar.ts'

export const SCHEDULE_KINDS = ['cron', 'fixedRate', 'fixedDelay', 'once', 'manual'] as const
export type ScheduleKind = (typeof SCHEDULE_KINDS)[number]

/**
 * The due instants of a schedule, epoch milliseconds, inside its window. Pure: the same question always has the same answer
 * (as long as the runtime's time zone rules stay the same).
 */
export interface CompiledSchedule {
  readonly kind: ScheduleKind
  /**
   * The first due instant strictly after the given one; `null`: never again. `fixedDelay` knows only its first firing
   * (`anchorAt + delayMs`, not before `validFrom`); later ones come from {@link CompiledSchedule.nextAfterEnd}.
   */
  next(after: number): number | null
  /** The last due instant strictly before; `null` when there is none (before `validFrom`, the anchor, or 1970). */
  previous(before: number): number | null
  /** How many due instants lie in `[from, to]`, counted up to `limit`. Arithmetic for `fixedRate`, one step each for cron. */
  countBetween(from: number, to: number, limit: number): number
  /** Whether `countBetween` costs the same for any number of instants. */
  readonly countsByArithmetic?: boolean
  /** `fixedDelay`: when it is due after a run that ended then; `null` past `validUntil`, and for every other kind. */
  nextAfterEnd(endedAt: number): number | null
  /** Absent: it has no calendar. */
  readonly calendar?: CalendarEffect
}

/** What a calendar does to the instants of a schedule, told instant by instant: for previews, and for "why did it not run?". */
export interface CalendarEffect {
  /** the schedule as it would be without its calendar */
  readonly plain: CompiledSchedule
  /** What becomes of an instant that the schedule names; `null`: it fires there. */
  leftOut(at: number): LeftOut | null
  /** Which instant a firing stands for that was moved: of several the nearest. `null`: it was not moved. */
  movedHere(at: number): MovedHere | null
}

/** An instant that the schedule names and does not fire at. `movedTo`: where it fires instead; `null`: nowhere. */
export interface LeftOut extends LeftOutBy {
  readonly movedTo: number | null
}

/** Where a firing comes from that the schedule does not name itself. */
export interface MovedHere extends LeftOutBy {
  readonly from: number
}
