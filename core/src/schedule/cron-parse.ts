/**
 * Reads cron expressions as people of XXL-JOB, PowerJob and Quartz write them, and those of crontab.
 *
 * Quartz: second minute hour day-of-month month day-of-week [year], 1 = SUN. Unix: minute hour day-of-month month
 * day-of-week, 0 and 7 = SUN; with six or seven fields it also begins with seconds. Beyond Quartz, ranges may wrap
 * (`22-2`, `FRI-MON`), specials may stand in lists (`1,L`), and names may stand wherever numbers do.
 */
import {
  CRON_FIELD_NAMES,
  FIRST_CRON_YEAR,
  LAST_CRON_YEAR,
  type CronDialect,
  type CronFieldName,
  type CronFields,
  type MonthDayRule,
  type SixtyMask,
  type WeekdayRule,
} from './cron-fields.ts'
import type { ScheduleProblemCode } from './problem.ts'

const MAX_EXPRESSION_LENGTH = 500

export interface CronProblem {
  readonly code: ScheduleProblemCode
  readonly params: Readonly<Record<string, string | number>>
}

export type CronParse =
  { readonly ok: true; readonly fields: CronFields } | { readonly ok: false; readonly problems: readonly CronProblem[] }

/** One field of the expression as text, with the character (from 1) at which it begins. */
export interface CronFieldText {
  readonly name: CronFieldName
  readonly text: string
  readonly position: number
}

/** Splits an expression into its named fields and settles its dialect; `null` unless there are 5 to 7 of them. */
export function splitCron(expression: string, dialect?: CronDialect): { dialect: CronDialect; texts: CronFieldText[] } | null {
  const words = [...expression.matchAll(/\S+/g)]
  const isShort = words.length === 5
  if (words.length < 5 || words.length > 7 || (isShort && dialect === 'quartz')) return null
  const names = isShort ? CRON_FIELD_NAMES.slice(1, 6) : CRON_FIELD_NAMES.slice(0, words.length)
  const texts = words.map((word, index) => ({
    name: names[index] ?? 'year',
    text: word[0],
    position: word.index + 1,
  }))
  return { dialect: dialect ?? (isShort ? 'unix' : 'quartz'), texts }
}

/**
 * Reads an expression. Without a dialect, five fields mean unix and more mean Quartz. All problems are told at once.
 * Whether the expression ever fires is not asked here.
 */
export function parseCron(expression: string, dialect?: CronDialect): CronParse {
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    return { ok: false, problems: [{ code: 'CRON_TOO_LONG', params: { length: expression.length, max: MAX_EXPRESSION_LENGTH } }] }
  }
  const split = splitCron(expression, dialect)
  if (split === null) {
    const count = expression.split(/\s+/).filter((word) => word !== '').length
    const expected = dialect === 'quartz' ? '6, 7' : '5, 6, 7'
    return { ok: false, problems: [{ code: 'CRON_FIELD_COUNT', params: { count, expected } }] }
  }
  const reader = new FieldReader(split.dialect)
  for (const text of split.texts) reader.read(text)
  return reader.finish(split.texts)
}

interface FieldRange {
  readonly min: number
  readonly max: number
  /** Steps above it would never repeat, as in Quartz. */
  readonly maxStep: number
  readonly names?: readonly string[]
}

const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const
const WEEKDAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const

function rangeOf(name: CronFieldName, dialect: CronDialect): FieldRange {
  switch (name) {
    case 'second':
    case 'minute':
      return { min: 0, max: 59, maxStep: 59 }
    case 'hour':
      return { min: 0, max: 23, maxStep: 23 }
    case 'dayOfMonth':
      return { min: 1, max: 31, maxStep: 31 }
    case 'month':
      return { min: 1, max: 12, maxStep: 12, names: MONTH_NAMES }
    case 'dayOfWeek':
      return dialect === 'quartz'
        ? { min: 1, max: 7, maxStep: 7, names: WEEKDAY_NAMES }
        : { min: 0, max: 7, maxStep: 7, names: WEEKDAY_NAMES }
    case 'year':
      return { min: FIRST_CRON_YEAR, max: LAST_CRON_YEAR, maxStep: LAST_CRON_YEAR - FIRST_CRON_YEAR }
  }
}

/** A comma-separated part of a field, and where it stands. */
interface Element {
  readonly field: CronFieldName
  readonly range: FieldRange
  /** In capitals, which is what is read. */
  readonly text: string
  readonly written: string
  readonly position: number
}

class FieldReader {
  readonly #dialect: CronDialect
  readonly #problems: CronProblem[] = []
  readonly #sets: Record<CronFieldName, Set<number>> = {
    second: new Set(),
    minute: new Set(),
    hour: new Set(),
    dayOfMonth: new Set(),
    month: new Set(),
    dayOfWeek: new Set(),
    year: new Set(),
  }
  readonly #beforeLast: number[] = []
  readonly #nearestWeekdays: number[] = []
  readonly #nearestBeforeLast: number[] = []
  readonly #lastWeekdays: number[] = []
  readonly #nth: { weekday: number; nth: number }[] = []
  #repeats = false

  constructor(dialect: CronDialect) {
    this.#dialect = dialect
  }

  read(field: CronFieldText): void {
    const range = rangeOf(field.name, this.#dialect)
    if (field.text === '?' && isDayField(field.name)) return
    let position = field.position
    for (const written of field.text.split(',')) {
      this.#readElement({ field: field.name, range, text: written.toUpperCase(), written, position })
      position += written.length + 1
    }
  }

  finish(texts: readonly CronFieldText[]): CronParse {
    const textOf = (name: CronFieldName): string => texts.find((text) => text.name === name)?.text ?? '*'
    const dayOfMonth = textOf('dayOfMonth')
    const dayOfWeek = textOf('dayOfWeek')
    if (this.#dialect === 'quartz') this.#checkDays(dayOfMonth, dayOfWeek)
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems }
    const hasSeconds = texts[0]?.name === 'second'
    const hasYears = textOf('year') !== '*'
    const fields: CronFields = {
      dialect: this.#dialect,
      seconds: hasSeconds ? sixtyMaskOf(this.#sets.second) : { low: 1, high: 0 },
      minutes: sixtyMaskOf(this.#sets.minute),
      hours: maskOf(this.#sets.hour),
      months: maskOf(this.#sets.month),
      monthDays: isOpen(dayOfMonth) ? null : this.#monthDays(),
      weekdays: isOpen(dayOfWeek) ? null : this.#weekdays(),
      years: hasYears ? this.#sets.year : null,
      repeats: this.#repeats,
    }
    return { ok: true, fields }
  }

  #checkDays(dayOfMonth: string, dayOfWeek: string): void {
    if (dayOfMonth === '?' && dayOfWeek === '?') this.#problems.push({ code: 'CRON_BOTH_DAYS_OPEN', params: {} })
    if (isOpen(dayOfMonth) || isOpen(dayOfWeek)) return
    this.#problems.push({ code: 'CRON_BOTH_DAYS_RESTRICTED', params: { dayOfMonth, dayOfWeek } })
  }

  #monthDays(): MonthDayRule {
    return {
      mask: maskOf(this.#sets.dayOfMonth),
      beforeLast: this.#beforeLast,
      nearestWeekdays: this.#nearestWeekdays,
      nearestBeforeLast: this.#nearestBeforeLast,
    }
  }

  #weekdays(): WeekdayRule {
    return { mask: maskOf(this.#sets.dayOfWeek), lastMask: maskOf(this.#lastWeekdays), nth: this.#nth }
  }

  #readElement(element: Element): void {
    if (element.field === 'dayOfMonth' && this.#readMonthDay(element)) return
    if (element.field === 'dayOfWeek' && this.#readWeekday(element)) return
    const match = /^(?:(\*|\?)|([A-Z0-9]+)(?:-([A-Z0-9]+))?)?(?:\/(\d+))?$/.exec(element.text)
    if (match === null || element.text === '') return this.#report('CRON_BAD_VALUE', element)
    const [, star, from, to, stepText] = match
    // Quartz reads "/5" as "0/5"; unix day fields may use "?" for "*".
    if (star === '?' && !(isDayField(element.field) && this.#dialect === 'unix')) return this.#report('CRON_BAD_VALUE', element)
    const step = this.#readStep(stepText, element)
    const first = from === undefined ? element.range.min : this.#readValue(from, element)
    const last = this.#readLast({ from, to, first, hasStep: stepText !== undefined }, element)
    if (first === null || last === null || step === null) return
    if (isTimeField(element.field) && (from === undefined || stepText !== undefined)) this.#repeats = true
    this.#addRange({ first, last, step }, element)
  }

  #readLast(
    part: { from: string | undefined; to: string | undefined; first: number | null; hasStep: boolean },
    element: Element,
  ): number | null {
    if (part.to !== undefined) return this.#readValue(part.to, element)
    if (part.from !== undefined && !part.hasStep) return part.first
    // Unix writes Sunday as 0 and 7; counting on to 7 would let a step meet it twice.
    return element.field === 'dayOfWeek' && this.#dialect === 'unix' ? Math.max(6, part.first ?? 0) : element.range.max
  }

  #addRange(part: { first: number; last: number; step: number }, element: Element): void {
    const { min, max } = element.range
    const isUnixWeekday = element.field === 'dayOfWeek' && this.#dialect === 'unix'
    const size = isUnixWeekday ? 7 : max - min + 1
    const isWrapped = part.last < part.first
    if (isWrapped && element.field === 'year') return this.#report('CRON_RANGE_REVERSED', element)
    const end = isWrapped ? part.last + size : part.last
    const shift = element.field === 'dayOfWeek' && !isUnixWeekday ? 1 : 0
    for (let value = part.first; value <= end; value += part.step) {
      this.#sets[element.field].add(((value - min) % size) + min - shift)
    }
  }

  #readStep(text: string | undefined, element: Element): number | null {
    if (text === undefined) return 1
    const step = Number(text)
    if (step >= 1 && step <= element.range.maxStep) return step
    this.#report('CRON_BAD_STEP', element, { max: element.range.maxStep })
    return null
  }

  /** A number or a name, in the dialect's own counting; `null` when it was reported. */
  #readValue(text: string, element: Element): number | null {
    const { min, max, names } = element.range
    const named = names?.indexOf(text) ?? -1
    if (named >= 0) return element.field === 'dayOfWeek' && this.#dialect === 'unix' ? named : named + 1
    if (!/^\d{1,4}$/.test(text)) {
      this.#report('CRON_BAD_VALUE', element)
      return null
    }
    const value = Number(text)
    if (value >= min && value <= max) return value
    this.#report('CRON_OUT_OF_RANGE', element, { min, max })
    return null
  }

  /** `L`, `L-3`, `LW`, `L-3W`, `15W`. Whether the element was one of them. */
  #readMonthDay(element: Element): boolean {
    const last = /^L(?:-(\d{1,2}))?(W)?$/.exec(element.text)
    if (last !== null) {
      const before = Number(last[1] ?? 0)
      if (before > 30) this.#report('CRON_OUT_OF_RANGE', element, { min: 0, max: 30 })
      else (last[2] === undefined ? this.#beforeLast : this.#nearestBeforeLast).push(before)
      return true
    }
    const nearest = /^(\d{1,2})W$/.exec(element.text)
    if (nearest === null) return false
    const day = this.#readValue(nearest[1] ?? '', element)
    if (day !== null) this.#nearestWeekdays.push(day)
    return true
  }

  /** `L` (Saturday, as in Quartz), `6L`, `FRIL`, `6#3`, `FRI#3`. Whether the element was one of them. */
  #readWeekday(element: Element): boolean {
    if (element.text === 'L') {
      this.#sets.dayOfWeek.add(6)
      return true
    }
    const last = /^(\d|[A-Z]{3})L$/.exec(element.text)
    if (last !== null) {
      const weekday = this.#readWeekdayValue(last[1] ?? '', element)
      if (weekday !== null) this.#lastWeekdays.push(weekday)
      return true
    }
    const nth = /^(\d|[A-Z]{3})#(\d+)$/.exec(element.text)
    if (nth === null) return false
    const weekday = this.#readWeekdayValue(nth[1] ?? '', element)
    const count = Number(nth[2])
    if (count < 1 || count > 5) this.#report('CRON_OUT_OF_RANGE', element, { min: 1, max: 5 })
    else if (weekday !== null) this.#nth.push({ weekday, nth: count })
    return true
  }

  #readWeekdayValue(text: string, element: Element): number | null {
    const value = this.#readValue(text, element)
    if (value === null) return null
    return this.#dialect === 'quartz' ? value - 1 : value % 7
  }

  #report(code: ScheduleProblemCode, element: Element, more: Record<string, number> = {}): void {
    this.#problems.push({ code, params: { field: element.field, position: element.position, value: element.written, ...more } })
  }
}

function isOpen(text: string): boolean {
  return text === '*' || text === '?'
}

function isDayField(name: CronFieldName): boolean {
  return name === 'dayOfMonth' || name === 'dayOfWeek'
}

function isTimeField(name: CronFieldName): boolean {
  return name === 'second' || name === 'minute' || name === 'hour'
}

function maskOf(values: Iterable<number>): number {
  let mask = 0
  for (const value of values) mask |= 1 << value
  return mask
}

function sixtyMaskOf(values: Iterable<number>): SixtyMask {
  let low = 0
  let high = 0
  for (const value of values) {
    if (value < 30) low |= 1 << value
    else high |= 1 << (value - 30)
  }
  return { low, high }
}
