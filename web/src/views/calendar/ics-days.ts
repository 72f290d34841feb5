import type { CalendarDayRule, OnceBlackout } from '@tickwheel/core'
import type ICAL from 'ical.js'
import { isDay, ruleOf, shiftDate } from './calendar-days.ts'
import { kindOfWords, type FoundDays } from './found-days.ts'

type IcalEvent = InstanceType<(typeof ICAL)['Event']>
type IcalTime = InstanceType<(typeof ICAL)['Time']>

const NAME_LENGTH = 64
/** An event may repeat for ever: so many of it, and no further than some years from now. */
const MOST_REPEATS = 366
const YEARS_AHEAD = 5

/**
 * An iCalendar file: events of whole days are days off (or worked, where their title says so), others are blackouts. Events that repeat are followed for
 * five years. The parser is fetched when it is needed.
 */
export async function readIcs(text: string, nowMs: number): Promise<FoundDays> {
  const { default: ical } = await import('ical.js')
  const root = new ical.Component(ical.parse(text))
  for (const zone of root.getAllSubcomponents('vtimezone')) ical.TimezoneService.register(zone)
  const untilMs = nowMs + YEARS_AHEAD * 366 * 86_400_000
  const found: { days: CalendarDayRule[]; blackouts: OnceBlackout[]; wrong: FoundDays['wrong'][number][] } = { days: [], blackouts: [], wrong: [] }
  root.getAllSubcomponents('vevent').forEach((component, index) => {
    const event = new ical.Event(component)
    const summary = component.getFirstPropertyValue('summary')
    const name = typeof summary === 'string' ? summary.trim().slice(0, NAME_LENGTH) : ''
    for (const { from, to } of occurrencesOf(event, untilMs)) {
      if (!from.isDate) found.blackouts.push({ kind: 'once', from: from.toJSDate().toISOString(), to: to.toJSDate().toISOString(), ...(name === '' ? {} : { name }) })
      else if (isDay(textOf(from))) found.days.push(ruleOf({ from: textOf(from), to: lastDay(from, to) }, kindOfWords(name), name))
      else found.wrong.push({ line: index + 1, text: name, why: 'notADate' })
    }
  })
  return { ...found, days: found.days.sort((a, b) => (a.from < b.from ? -1 : 1)) }
}

function occurrencesOf(event: IcalEvent, untilMs: number): { from: IcalTime; to: IcalTime }[] {
  if (!event.isRecurring()) return [{ from: event.startDate, to: event.endDate }]
  const iterator = event.iterator()
  const found: { from: IcalTime; to: IcalTime }[] = []
  // it ends with nothing, which its types do not say
  const step = (): IcalTime | null | undefined => iterator.next()
  for (let next = step(); next != null && found.length < MOST_REPEATS && next.toJSDate().getTime() < untilMs; next = step()) {
    const { startDate, endDate } = event.getOccurrenceDetails(next)
    found.push({ from: startDate, to: endDate })
  }
  return found
}

/** The end of an event of whole days is the day after its last. */
function lastDay(from: IcalTime, to: IcalTime): string {
  const [first, last] = [textOf(from), shiftDate(textOf(to), -1)]
  return last < first ? first : last
}

function textOf(time: IcalTime): string {
  return `${String(time.year).padStart(4, '0')}-${String(time.month).padStart(2, '0')}-${String(time.day).padStart(2, '0')}`
}
