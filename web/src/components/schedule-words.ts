import type { ScheduleInput } from '@tickwheel/contract'
import { describeSchedule, type DayOffRule, type Schedule, type ScheduleWindow } from '@tickwheel/core'
import { currentLocale } from '../locales/i18n.ts'
import { localZone } from '../utils/time.ts'

/** A schedule of the API as core computes with it. A cron without a zone runs in the server's; the console shows this browser's until it is saved. */
export function toSchedule(input: ScheduleInput): Schedule {
  switch (input.kind) {
    case 'cron':
      return { kind: 'cron', expression: input.expression, timezone: input.timezone ?? localZone(), ...(input.dialect === undefined ? {} : { dialect: input.dialect }), ...(input.onDayOff === undefined ? {} : { onDayOff: input.onDayOff }), ...windowOf(input) }
    case 'fixedRate':
      return { kind: 'fixedRate', everyMs: input.everyMs, ...windowOf(input) }
    case 'fixedDelay':
      return { kind: 'fixedDelay', delayMs: input.delayMs, ...windowOf(input) }
    case 'once':
    case 'manual':
      return input
  }
}

/** The schedule as a sentence in the language shown. */
export function scheduleWords(input: ScheduleInput): string {
  return describeSchedule(toSchedule(input), localZone())[currentLocale()]
}

/** The same for a narrow place: this browser's own zone goes without saying. */
export function shortScheduleWords(input: ScheduleInput): string {
  return scheduleWords(input).replace(` (${localZone()})`, '').replace(`（${localZone()}）`, '')
}

/** The zone in which a schedule thinks, where it has one. */
export function zoneOf(input: ScheduleInput): string | undefined {
  return input.kind === 'cron' ? input.timezone : undefined
}

/** The calendar that a schedule follows; null: none. */
export function calendarIdOf(input: ScheduleInput): number | null {
  return 'calendarId' in input ? (input.calendarId ?? null) : null
}

/** What a schedule does on a day off of its calendar. Without one it means nothing. */
export function dayOffOf(input: ScheduleInput): DayOffRule {
  return input.kind === 'cron' ? (input.onDayOff ?? 'skip') : 'skip'
}

function windowOf(input: { validFrom?: string | null; validUntil?: string | null }): ScheduleWindow {
  return { ...(input.validFrom == null ? {} : { validFrom: input.validFrom }), ...(input.validUntil == null ? {} : { validUntil: input.validUntil }) }
}
