import { AppError, type CalendarRules, type FieldProblem } from '@tickwheel/contract'
import { checkCalendar, type CalendarProblem } from '@tickwheel/core'

/** What is wrong with the rules of a calendar, worded for people who read the answer itself; paths begin with `rules.`. */
export function calendarProblems(rules: CalendarRules): FieldProblem[] {
  return checkCalendar(rules).map((problem) => ({
    path: `rules.${problem.path}`,
    code: problem.code,
    message: textOf(problem),
    params: { ...problem.params },
  }))
}

/** 422 `UNPROCESSABLE` with every problem of the rules. */
export function refuseRules(rules: CalendarRules): void {
  const problems = calendarProblems(rules)
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors: problems })
}

function textOf({ code, path, params }: CalendarProblem): string {
  switch (code) {
    case 'CALENDAR_DAY_INVALID':
      return `"${params.value}" is no day from 1970-01-01 to 2199-12-31, such as 2026-10-01`
    case 'CALENDAR_RANGE_REVERSED':
      return `${params.to} lies before ${params.from}, or is the same: swap the two, or leave the entry out`
    case 'INSTANT_MALFORMED':
      return `"${params.value}" is no instant with a zone, such as 2026-12-01T00:00:00.000Z`
    case 'NOT_ALLOWED_VALUE':
      return path.includes('weekday') || path.startsWith('weekend')
        ? `weekdays are numbers from 1 (Monday) to 7 (Sunday), at least one of them, not "${params.value}"`
        : `"${params.value}" is no time of day from 00:00 to 23:59`
    case 'TOO_MANY':
      return path === 'weekend'
        ? 'a week in which every day is off has no working day: leave one out, and name days off in days'
        : `at most ${params.max} are kept`
    case 'TOO_LONG':
      return `has more than ${params.max} characters`
  }
}
