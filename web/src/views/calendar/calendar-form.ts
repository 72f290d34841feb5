/** The form of a calendar, and its translations: from a calendar, to what is sent, and to the file that is exported. */
import type { Calendar, CalendarRules } from '@tickwheel/contract'
import type { Blackout, CalendarDayRule } from '@tickwheel/core'
import { t } from '../../locales/text.ts'

export interface CalendarForm {
  /** 0: of all groups; null: not chosen yet */
  groupId: number | null
  name: string
  description: string
  /** 1 = Monday to 7 = Sunday */
  weekend: number[]
  days: readonly CalendarDayRule[]
  blackouts: readonly Blackout[]
}

export function emptyForm(groupId: number | null): CalendarForm {
  return { groupId, name: '', description: '', weekend: [6, 7], days: [], blackouts: [] }
}

export function formOf({ groupId, name, description, rules }: Calendar): CalendarForm {
  return { groupId: groupId ?? 0, name, description, ...formRules(rules) }
}

export function formRules({ weekend, days, blackouts }: CalendarRules): Pick<CalendarForm, 'weekend' | 'days' | 'blackouts'> {
  return { weekend: [...weekend], days: [...days], blackouts: [...blackouts] }
}

/** The rules as the API takes them. */
export function rulesOf({ weekend, days, blackouts }: Pick<CalendarForm, 'weekend' | 'days' | 'blackouts'>): CalendarRules {
  return { weekend: [...weekend].sort((a, b) => a - b), days: days.map(({ from, to, kind, name }) => ({ from, ...(to === undefined || to === from ? {} : { to }), kind, ...named(name) })), blackouts: blackouts.map(blackoutOf) }
}

function blackoutOf(blackout: Blackout): CalendarRules['blackouts'][number] {
  const { from, to, name } = blackout
  if (blackout.kind === 'once') return { kind: 'once', from, to, ...named(name) }
  const weekdays = blackout.weekdays ?? []
  return { kind: 'daily', from, to, ...(weekdays.length === 0 || weekdays.length === 7 ? {} : { weekdays: [...weekdays].sort((a, b) => a - b) }), ...named(name) }
}

function named(name: string | undefined): { name?: string } {
  const words = (name ?? '').trim()
  return words === '' ? {} : { name: words }
}

/** What is missing before it is sent: `{ name: 'sentence' }` by the API's paths. Everything else is the server's to judge. */
export function checkForm(form: CalendarForm): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.groupId === null) wrong['groupId'] = t('calendars.missing.group')
  if (form.name.trim() === '') wrong['name'] = t('editor.missing.name')
  if (form.weekend.length > 6) wrong['rules.weekend'] = t('calendars.missing.weekday')
  form.blackouts.forEach((blackout, index) => {
    if (blackout.kind === 'once' && !(Date.parse(blackout.from) < Date.parse(blackout.to))) wrong[`rules.blackouts.${index}`] = t('calendars.missing.reversed')
  })
  return wrong
}

/** What is exported, and what may be imported again. */
export function fileText(form: CalendarForm): string {
  return `${JSON.stringify({ name: form.name.trim(), description: form.description, rules: rulesOf(form) }, null, 2)}\n`
}
