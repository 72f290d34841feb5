import type { CalendarDayKind, CalendarDayRule, OnceBlackout } from '@tickwheel/core'
import { isDay, ruleOf, type Span } from './calendar-days.ts'

/** What an import has found, before a person takes it. */
export interface FoundDays {
  readonly days: readonly CalendarDayRule[]
  readonly blackouts: readonly OnceBlackout[]
  /** lines, or events, that were not understood */
  readonly wrong: readonly { readonly line: number; readonly text: string; readonly why: 'notADate' | 'reversed' }[]
}

const WORK = /(?:^|[^a-z])(?:work(?:ing)?[ -]?days?|work)(?:$|[^a-z])|[补调]班|上班|工作日|(?:^|[\s（(·-])班[)）]?$/i
const KIND_ALONE = /^(?:off|holidays?|work(?:ing)?(?:[ -]?days?)?|休|休息|休息日|放假|班|补班|上班|工作日)$/i
const NAME_LENGTH = 64

/** Chinese calendars call a day that is worked for a holiday 班 or 补班. */
export function kindOfWords(words: string): CalendarDayKind {
  return WORK.test(words) ? 'work' : 'off'
}

/**
 * Lines of dates as people keep them: `2026-10-01`, `2026/10/1 National Day`, `2026-10-01 ~ 2026-10-07, 国庆节`, `+2026-10-10` or `2026-10-10 补班`
 * for a day that is worked. Several dates may stand in a line. `#` begins a remark.
 */
export function readLines(text: string): FoundDays {
  const days: CalendarDayRule[] = []
  const wrong: { line: number; text: string; why: 'notADate' | 'reversed' }[] = []
  text.split(/\r?\n/).forEach((line, index) => {
    const words = line.replace(/^\uFEFF/, '').replace(/#.*$/, '').trim()
    if (words === '') return
    const read = readLine(words)
    if (typeof read === 'string') wrong.push({ line: index + 1, text: words.slice(0, 80), why: read })
    else days.push(...read)
  })
  return { days, blackouts: [], wrong }
}

const DATE = String.raw`(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2})(?!\d))`
const SPAN = new RegExp(String.raw`${DATE}(?:\s*(?:\.\.+|~|～|至|到|—|–|\bto\b|\s-\s)\s*${DATE})?`, 'g')

function readLine(line: string): CalendarDayRule[] | 'notADate' | 'reversed' {
  const spans = [...line.matchAll(SPAN)].map(spanOf)
  if (spans.length === 0 || !spans.every(({ from, to }) => isDay(from) && isDay(to))) return 'notADate'
  if (spans.some(({ from, to }) => to < from)) return 'reversed'
  const words = line.replaceAll(SPAN, ' ').split(/[,，;；\t]+|\s{2,}/).map((word) => word.trim()).filter((word) => word !== '' && word !== '+')
  const isWorked = line.startsWith('+') || words.some((word) => kindOfWords(word) === 'work')
  const name = words.filter((word) => !KIND_ALONE.test(word)).join(' ').replace(/^[+\s-]+/, '').slice(0, NAME_LENGTH)
  return spans.map((span) => ruleOf(span, isWorked ? 'work' : 'off', name))
}

function spanOf(match: RegExpMatchArray): Span {
  const from = dateOf(match.slice(1, 6))
  const second = match.slice(6, 11)
  return { from, to: second[0] === undefined ? from : dateOf(second) }
}

function dateOf([year, month, day, shortMonth, shortDay]: (string | undefined)[]): string {
  return `${year ?? ''}-${(month ?? shortMonth ?? '').padStart(2, '0')}-${(day ?? shortDay ?? '').padStart(2, '0')}`
}
