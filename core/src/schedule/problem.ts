/** Everything that can be wrong with a schedule. Codes are stable: the API, the console's texts and scripts rely on them. */
export const SCHEDULE_PROBLEM_CODES = [
  /** Not 5, 6 or 7 fields. `count`, `expected`. */
  'CRON_FIELD_COUNT',
  /** Longer than any meaningful expression. `length`, `max`. */
  'CRON_TOO_LONG',
  /** Part of a field is not understood. `field`, `position`, `value`. */
  'CRON_BAD_VALUE',
  /** A number outside its field. `field`, `position`, `value`, `min`, `max`. */
  'CRON_OUT_OF_RANGE',
  /** A step of 0, or so large that it never repeats. `field`, `position`, `value`, `max`. */
  'CRON_BAD_STEP',
  /** Years do not wrap round. `field`, `position`, `value`. */
  'CRON_RANGE_REVERSED',
  /** Quartz: day of month and day of week both restricted; put `?` in one. `dayOfMonth`, `dayOfWeek`. */
  'CRON_BOTH_DAYS_RESTRICTED',
  /** Quartz: `?` in both day fields; put `*` in one. */
  'CRON_BOTH_DAYS_OPEN',
  /** No date or no instant up to the year 2199 matches (31 February). `expression`. */
  'CRON_NEVER_FIRES',
  /** The runtime knows no such zone. `zone`. */
  'ZONE_UNKNOWN',
  /** `value`. */
  'INTERVAL_NOT_INTEGER',
  /** `value`, `min`. */
  'INTERVAL_TOO_SHORT',
  /** `value`, `max`. */
  'INTERVAL_TOO_LONG',
  /** Not an ISO 8601 instant with a zone, such as 2026-12-01T00:00:00.000Z. `value`. */
  'INSTANT_MALFORMED',
  /** `validUntil` lies before `validFrom`. `validFrom`, `validUntil`. */
  'WINDOW_REVERSED',
  /** The expression has no instant from `validFrom` to `validUntil`. `validFrom`, `validUntil` (empty when open). */
  'WINDOW_WITHOUT_FIRING',
] as const

export type ScheduleProblemCode = (typeof SCHEDULE_PROBLEM_CODES)[number]

/** One thing that is wrong, told so that a form can mark it and a person can mend it. */
export interface ScheduleProblem {
  /** Where, such as `schedule.expression`. */
  readonly path: string
  readonly code: ScheduleProblemCode
  /** Facts for the text. `position` is the character in the expression, counted from 1. */
  readonly params: Readonly<Record<string, string | number>>
}
