import type { ScheduleProblemCode } from '@tickwheel/core'

export const schedule = {
  kinds: { cron: 'Cron', fixedRate: 'Fixed rate', fixedDelay: 'Fixed delay', once: 'Once', manual: 'By hand' },
  cronFields: { second: 'second', minute: 'minute', hour: 'hour', dayOfMonth: 'day of month', month: 'month', dayOfWeek: 'day of week', year: 'year' },
  problems: {
    CRON_FIELD_COUNT: 'A cron expression has 5, 6 or 7 fields; this has {count}.',
    CRON_TOO_LONG: 'This is longer than any meaningful expression.',
    CRON_BAD_VALUE: '“{value}” is not understood (field {field}, character {position}).',
    CRON_OUT_OF_RANGE: '{value} is out of range: field {field} goes from {min} to {max}.',
    CRON_BAD_STEP: 'A step of {value} never repeats (field {field}, at most {max}).',
    CRON_RANGE_REVERSED: 'Years do not wrap round: {value}.',
    CRON_BOTH_DAYS_RESTRICTED: 'Day of month and day of week are both set. Put ? into one of them, or choose the Unix dialect, where either counts.',
    CRON_BOTH_DAYS_OPEN: 'Both day fields are ?. Put * into one of them.',
    CRON_NEVER_FIRES: 'No instant up to the year 2199 matches: this would never fire.',
    ZONE_UNKNOWN: 'There is no time zone “{zone}”.',
    INTERVAL_NOT_INTEGER: 'The interval must be a whole number of milliseconds.',
    INTERVAL_TOO_SHORT: 'The interval is too short: at least {min} ms.',
    INTERVAL_TOO_LONG: 'The interval is too long: at most ten years.',
    INSTANT_MALFORMED: 'This is not a date and time.',
    WINDOW_REVERSED: 'The end lies before the beginning.',
    WINDOW_WITHOUT_FIRING: 'The schedule has no instant in this time span.',
  } satisfies Record<ScheduleProblemCode, string>,
}
