/** What a cron expression means once it is read: plain data that the walker and the wording work on. */

export type CronDialect = 'quartz' | 'unix'

export const CRON_FIELD_NAMES = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek', 'year'] as const
export type CronFieldName = (typeof CRON_FIELD_NAMES)[number]

/** Quartz ends its year field at 2099; a scheduler that runs on may as well go a century further. No cron fires after it. */
export const FIRST_CRON_YEAR = 1970
export const LAST_CRON_YEAR = 2199

/** A set of numbers below 60, as two masks of 30 bits (JavaScript's bit operators work on 32). */
export interface SixtyMask {
  readonly low: number
  readonly high: number
}

/** The days of the month field. A date matches when any part does. */
export interface MonthDayRule {
  /** Bit 1 to 31: fixed days. */
  readonly mask: number
  /** `L-3` is 3, `L` is 0: days before the last of the month. */
  readonly beforeLast: readonly number[]
  /** `15W`: the weekday nearest to the day, within the month. */
  readonly nearestWeekdays: readonly number[]
  /** `LW` is 0, `L-3W` is 3: the weekday nearest to so many days before the last. */
  readonly nearestBeforeLast: readonly number[]
}

/** The day of week field; 0 is Sunday whatever the dialect writes. A date matches when any part does. */
export interface WeekdayRule {
  /** Bit 0 to 6. */
  readonly mask: number
  /** `FRIL`: bit 0 to 6, the last such weekday of the month. */
  readonly lastMask: number
  /** `FRI#3`: the third Friday. */
  readonly nth: readonly { readonly weekday: number; readonly nth: number }[]
}

export interface CronFields {
  readonly dialect: CronDialect
  readonly seconds: SixtyMask
  readonly minutes: SixtyMask
  /** Bit 0 to 23. */
  readonly hours: number
  /** Bit 1 to 12. */
  readonly months: number
  /** `null`: every day (`*` or `?`). */
  readonly monthDays: MonthDayRule | null
  /** `null`: every day. When both are given the dialect decides: a problem in Quartz, either in unix. */
  readonly weekdays: WeekdayRule | null
  /** `null`: every year. */
  readonly years: ReadonlySet<number> | null
  /**
   * Whether the second, minute or hour field repeats (`*` or a step). Such an expression follows elapsed time when clocks
   * are set; any other fires once for each wall time that it names.
   */
  readonly repeats: boolean
}
