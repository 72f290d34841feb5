/**
 * Calendars as plain data: which days are worked, which are off, and when nothing may fire at all.
 *
 * A day is off when the last entry of `days` that covers it says so, or, without one, when its weekday is in `weekend`. Blackouts stand beside the
 * days: they exclude instants, whatever day it is.
 */

/** Bounds of one calendar. `blackouts`: of both kinds together; `nameLength`: of a day's and a blackout's name, in characters. */
export const CALENDAR_LIMITS = { days: 2000, blackouts: 200, nameLength: 64 } as const

/**
 * What a cron does with an instant on a day off: leave it out, move it to the same local time of the next or of the previous working day; or the other way
 * round, fire on days off alone.
 */
export const DAY_OFF_RULES = ['skip', 'next', 'previous', 'only'] as const
export type DayOffRule = (typeof DAY_OFF_RULES)[number]

/** Why a calendar leaves an instant out. `workingDay`: the schedule fires on days off alone. */
export const EXCLUSIONS = ['weekend', 'dayOff', 'workingDay', 'blackout'] as const
export type Exclusion = (typeof EXCLUSIONS)[number]

/** Why a calendar leaves an instant out. `name`: of the day or the blackout; `null`: it has none. */
export interface LeftOutBy {
  readonly why: Exclusion
  readonly name: string | null
}

export const CALENDAR_DAY_KINDS = ['off', 'work'] as const
export type CalendarDayKind = (typeof CALENDAR_DAY_KINDS)[number]

/** Some days in a row, `2026-10-01`, both inclusive; without `to` it is one day. Of two entries for a day the later in the list counts. */
export interface CalendarDayRule {
  readonly from: string
  readonly to?: string
  readonly kind: CalendarDayKind
  readonly name?: string
}

/** From an instant to before another (ISO 8601 with a zone). */
export interface OnceBlackout {
  readonly kind: 'once'
  readonly from: string
  readonly to: string
  readonly name?: string
}

/**
 * While a clock in the schedule's zone shows a time from `from` to before `to` (HH:MM); `to` before `from`: over midnight, the same: a whole day.
 * `weekdays` (1 = Monday to 7 = Sunday): the days on which it begins; absent: every day.
 */
export interface DailyBlackout {
  readonly kind: 'daily'
  readonly from: string
  readonly to: string
  readonly weekdays?: readonly number[]
  readonly name?: string
}

export type Blackout = OnceBlackout | DailyBlackout

/** `weekend`: weekdays that are off, 1 = Monday to 7 = Sunday, at most six of them. */
export interface CalendarRuleSet {
  readonly weekend: readonly number[]
  readonly days: readonly CalendarDayRule[]
  readonly blackouts: readonly Blackout[]
}
