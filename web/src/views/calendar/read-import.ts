import type { CalendarRules } from '@tickwheel/contract'
import { readLines, type FoundDays } from './found-days.ts'
import { readIcs } from './ics-days.ts'

/** `whole`: an exported calendar, weekend and all. `broken`: it says that it is of a kind, and is not. */
export type Import = { readonly kind: 'found'; readonly found: FoundDays } | { readonly kind: 'whole'; readonly rules: CalendarRules } | { readonly kind: 'broken'; readonly as: 'ics' | 'json' }

/** Reads what somebody pasted or chose: an exported calendar, an iCalendar file, or lines of dates. */
export async function readImport(text: string, nowMs: number): Promise<Import> {
  const begin = text.replace(/^\uFEFF/, '').trimStart()
  if (/^BEGIN:VCALENDAR/i.test(begin)) {
    const found = await readIcs(begin, nowMs).catch(() => null)
    return found === null ? { kind: 'broken', as: 'ics' } : { kind: 'found', found }
  }
  if (begin.startsWith('{')) {
    // what checks the shape is fetched when it is needed, as the parser of the other kind is
    const { readFileText } = await import('./rules-file.ts')
    const rules = readFileText(begin)
    return rules === null ? { kind: 'broken', as: 'json' } : { kind: 'whole', rules }
  }
  return { kind: 'found', found: readLines(begin) }
}
