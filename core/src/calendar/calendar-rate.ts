/** A fixed rate and a fixed delay with a calendar, by the clock of the server's zone. */
import type { CompiledSchedule } from '../schedule/compiled.ts'
import type { Zone } from '../time/zone.ts'
import { openInstants } from './calendar-cron.ts'
import type { CompiledCalendar } from './compiled-calendar.ts'

/** The grid is kept; its instants in closed time are left out. They are counted stretch by stretch. */
export function calendarRate(plain: CompiledSchedule, calendar: CompiledCalendar, zone: Zone): CompiledSchedule {
  const open = calendar.workingTime(zone)
  return {
    ...plain,
    ...openInstants(plain, open),
    countBetween(from, to, limit) {
      let count = 0
      for (let begin = plain.next(from - 1); begin !== null && begin <= to && count < limit;) {
        const first = open.from(begin)
        if (first === null || first > to) break
        const until = open.openUntil(first, to + 1)
        count += plain.countBetween(first, until - 1, limit - count)
        begin = plain.next(until - 1)
      }
      return count
    },
    calendar: {
      plain,
      leftOut: (at) => {
        const excluded = calendar.exclusionAt(at, zone)
        return excluded === null ? null : { ...excluded, movedTo: null }
      },
      movedHere: () => null,
    },
  }
}

/** It waits until the exclusion ends. */
export function calendarDelay(
  plain: CompiledSchedule,
  { calendar, zone, untilAt }: { calendar: CompiledCalendar; zone: Zone; untilAt: number },
): CompiledSchedule {
  const open = calendar.workingTime(zone)
  const waited = (at: number | null): number | null => {
    const from = at === null ? null : open.from(at)
    return from !== null && from <= untilAt ? from : null
  }
  const plainFirst = plain.next(-Infinity)
  const first = waited(plainFirst)
  const next = (after: number): number | null => (first !== null && after < first ? first : null)
  return {
    ...plain,
    next,
    previous: (before) => (first !== null && first < before ? first : null),
    countBetween: (from, to, limit) => (first !== null && from <= first && first <= to && limit > 0 ? 1 : 0),
    nextAfterEnd: (endedAt) => waited(plain.nextAfterEnd(endedAt)),
    calendar: {
      plain,
      leftOut: (at) => {
        const excluded = calendar.exclusionAt(at, zone)
        return excluded === null ? null : { ...excluded, movedTo: waited(at) }
      },
      movedHere: (at) => {
        const excluded = at !== first || plainFirst === null || plainFirst === first ? null : calendar.exclusionAt(plainFirst, zone)
        return excluded === null || plainFirst === null ? null : { ...excluded, from: plainFirst }
      },
    },
  }
}
