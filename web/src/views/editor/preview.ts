import type { ScheduleInput } from '@tickwheel/contract'
import { previewSchedule, type PreviewFiring, type PreviewLeftOut } from '@tickwheel/core'
import type { ScheduleCalendar } from '../../components/calendar/use-schedule-calendar.ts'
import { toSchedule } from '../../components/schedule-words.ts'
import { fieldWords } from '../../locales/problem-words.ts'
import { t, tMaybe } from '../../locales/text.ts'
import type { Locale } from '../../locales/i18n.ts'
import { localZone } from '../../utils/time.ts'

export const COUNT = 10

export type Preview =
  | { readonly kind: 'good'; readonly words: string; readonly firings: readonly PreviewFiring[]; readonly leftOut: readonly PreviewLeftOut[]; readonly zone: string }
  | { readonly kind: 'bad'; readonly errors: Readonly<Record<string, string>> }
  /** something has to be chosen first */
  | { readonly kind: 'open'; readonly words: string }

export interface PreviewInput {
  readonly schedule: ScheduleInput
  readonly nowMs: number
  /** where the grid of a rate begins: the next firing of a saved task, else now */
  readonly anchorAtMs: number
  readonly locale: Locale
  /** that the schedule names; absent: it names none */
  readonly calendar?: ScheduleCalendar
}

/** What a schedule would do, computed here by the code that fires on the server. */
export function previewOf({ schedule, nowMs, anchorAtMs, locale, calendar = { kind: 'none' } }: PreviewInput): Preview {
  if (schedule.kind === 'once' && schedule.at === '') return { kind: 'open', words: t('editor.missing.at') }
  if (schedule.kind === 'cron' && schedule.expression === '') return { kind: 'open', words: t('editor.missing.expression') }
  if (calendar.kind === 'wait') return { kind: 'open', words: '…' }
  if (calendar.kind === 'unseen') return { kind: 'open', words: t('calendars.task.unseen') }
  const zone = schedule.kind === 'cron' ? (schedule.timezone ?? localZone()) : localZone()
  const preview = previewSchedule(toSchedule(schedule), { count: COUNT, now: nowMs, anchorAt: anchorAtMs, timezone: localZone(), ...(calendar.kind === 'known' ? { calendar: { calendar: calendar.calendar, name: calendar.name, zone } } : {}) })
  if (preview.ok && calendar.kind === 'known' && preview.firings.length === 0 && preview.leftOut.length > 0) return { kind: 'bad', errors: { 'schedule.calendarId': fieldWords({ code: 'CALENDAR_LEAVES_NOTHING' }) } }
  if (preview.ok) return { kind: 'good', words: preview.words[locale], firings: preview.firings, leftOut: preview.leftOut, zone }
  const errors: Record<string, string> = {}
  for (const problem of preview.problems) errors[problem.path] ??= fieldWords({ code: problem.code, params: worded(problem.params) })
  return { kind: 'bad', errors }
}

/** The name of a cron field in the language shown. */
function worded(params: Readonly<Record<string, string | number>>): Record<string, string | number> {
  const field = params['field']
  return typeof field === 'string' ? { ...params, field: tMaybe(`schedule.cronFields.${field}`) ?? field } : { ...params }
}
