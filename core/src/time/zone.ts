/**
 * IANA time zones on top of `Intl`, fast enough to compute schedules with.
 *
 * `Intl` answers one question, what a clock on the wall shows at an instant, and takes 2 to 5 µs for it. A zone is
 * therefore kept as a table of its transitions, made year by year when a year is first asked for: the offset is sampled
 * every five days, and where two samples differ the transition between them is found by bisection (about 0.4 ms a year,
 * once). After that a look-up costs well under a microsecond. Five days are short enough: the two closest transitions of
 * any zone from 1969 to 2041 lie a week apart (Boa Vista in October 2000; all zones of tzdata 2026c, sampled every six hours).
 *
 * "Wall" times here are numbers too: the milliseconds that a clock set to UTC would count if it showed the same digits.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, civilFromDays, daysFromCivil, weekdayOfDays } from './civil.ts'

/** A stretch of time in which a zone's offset does not change. Neighbours may have the same offset (a new year begins a new span). */
export interface ZoneSpan {
  /** First instant of the span, epoch milliseconds; `-Infinity` for the first. */
  readonly fromAt: number
  /** First instant after the span; `Infinity` for the last. */
  readonly toAt: number
  /** Wall time minus UTC. */
  readonly offsetMs: number
}

/** A change of a zone's offset. Positive `afterMs - beforeMs`: a gap in wall time; negative: an overlap. */
export interface ZoneTransition {
  readonly at: number
  readonly beforeMs: number
  readonly afterMs: number
}

export interface WallFields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
  /** 0 is Sunday. */
  readonly weekday: number
}

/**
 * The instants at which a clock of the zone shows a wall time.
 * `unique`: one. `overlap`: the clock was set back, so it shows it twice (`first` < `last`).
 * `gap`: the clock was set forward over it and never shows it; `gapEndAt` is the instant of the change.
 */
export type WallInstants =
  | { readonly kind: 'unique'; readonly at: number }
  | { readonly kind: 'overlap'; readonly firstAt: number; readonly lastAt: number }
  | { readonly kind: 'gap'; readonly gapEndAt: number }

/** Years outside are not tabled: the offset of the nearest tabled instant is taken for them. */
const FIRST_YEAR = 1969
const LAST_YEAR = 2200
const SAMPLE_MS = 5 * DAY_MS
/** No transition since 1970 moved a clock by more than 24 hours (Samoa skipped a day in 2011). */
const MAX_SHIFT_MS = 26 * HOUR_MS
/** There are about 600 names with all aliases; more can only be spellings that differ in case. */
const MAX_CACHED_ZONES = 2000

const zones = new Map<string, Zone>()

/** Whether the name is a zone that this runtime knows, such as `Asia/Shanghai` or `UTC`. Bare offsets such as `+08:00` are not names. */
export function isValidZone(name: string): boolean {
  return findZone(name) !== null
}

/** The zone of that name, from a cache; `null` when this runtime does not know it. */
export function findZone(name: string): Zone | null {
  const cached = zones.get(name)
  if (cached !== undefined) return cached
  const formatter = formatterOf(name)
  if (formatter === null) return null
  if (zones.size >= MAX_CACHED_ZONES) zones.clear()
  const zone = new Zone(name, formatter)
  zones.set(name, zone)
  return zone
}

function formatterOf(name: string): Intl.DateTimeFormat | null {
  // Offsets are accepted by some engines and not by others: the server and the console must agree.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name)) return null
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** One time zone with its table of transitions. Get it from {@link findZone}; answers never change, the table only fills up. */
export class Zone {
  readonly name: string
  readonly #formatter: Intl.DateTimeFormat
  readonly #years: (readonly ZoneSpan[] | undefined)[] = []
  #latest: ZoneSpan = { fromAt: 0, toAt: 0, offsetMs: 0 }

  constructor(name: string, formatter: Intl.DateTimeFormat) {
    this.name = name
    this.#formatter = formatter
  }

  /** Wall time minus UTC at an instant, in milliseconds. */
  offsetAt(at: number): number {
    return this.spanAt(at).offsetMs
  }

  /** The span of constant offset that holds an instant. */
  spanAt(at: number): ZoneSpan {
    const latest = this.#latest
    if (at >= latest.fromAt && at < latest.toAt) return latest
    const spans = this.#spansOfYear(yearOf(at))
    let index = spans.length - 1
    while (index > 0 && at < (spans[index]?.fromAt ?? 0)) index -= 1
    const span = spans[index] ?? latest
    this.#latest = span
    return span
  }

  /** What a clock of the zone shows at an instant, as a number (see the head of the file). */
  wallAt(at: number): number {
    return at + this.offsetAt(at)
  }

  /** What a clock of the zone shows at an instant, as fields. */
  fieldsAt(at: number): WallFields {
    return fieldsOfWall(this.wallAt(at))
  }

  /** When a clock of the zone shows a wall time: once, twice, or never. */
  instantsOf(wall: number): WallInstants {
    const guess = this.spanAt(wall - this.offsetAt(wall))
    const at = wall - guess.offsetMs
    if (at - guess.fromAt >= MAX_SHIFT_MS && guess.toAt - at > MAX_SHIFT_MS) return { kind: 'unique', at }
    return this.#instantsNearChange(wall)
  }

  /**
   * The instant at which a job that is due once at a wall time fires: the first pass of a repeated time, the end of a gap.
   * It never decreases as the wall time grows.
   */
  firstInstantOf(wall: number): number {
    const found = this.instantsOf(wall)
    switch (found.kind) {
      case 'unique':
        return found.at
      case 'overlap':
        return found.firstAt
      case 'gap':
        return found.gapEndAt
    }
  }

  /**
   * The latest wall time, exclusive, that clocks of the zone have shown or passed over up to and including an instant. Usually
   * the wall time at the instant plus a millisecond; in the second pass of a repeated hour it is the end of that hour.
   */
  wallPassedAt(at: number): number {
    let span = this.spanAt(at)
    let passed = at + 1 + span.offsetMs
    while (at - span.fromAt < MAX_SHIFT_MS) {
      const before = this.spanAt(span.fromAt - 1)
      passed = Math.max(passed, before.toAt + before.offsetMs)
      span = before
    }
    return passed
  }

  /** The changes of offset with `fromAt <= at <= toAt`, in order. Meant for ranges of years, not of centuries. */
  transitionsBetween(fromAt: number, toAt: number): ZoneTransition[] {
    const found: ZoneTransition[] = []
    let span = this.spanAt(fromAt - 1)
    while (span.toAt <= toAt && span.toAt < Infinity) {
      const after = this.spanAt(span.toAt)
      if (after.offsetMs !== span.offsetMs) found.push({ at: span.toAt, beforeMs: span.offsetMs, afterMs: after.offsetMs })
      span = after
    }
    return found
  }

  #instantsNearChange(wall: number): WallInstants {
    const found: number[] = []
    let gapEndAt = 0
    let span = this.spanAt(wall - MAX_SHIFT_MS)
    const searchEnd = wall + MAX_SHIFT_MS
    for (;;) {
      const at = wall - span.offsetMs
      if (at >= span.fromAt && at < span.toAt) found.push(at)
      if (at >= span.toAt) gapEndAt = span.toAt
      if (span.toAt > searchEnd) break
      span = this.spanAt(span.toAt)
    }
    const [first, ...rest] = found
    if (first === undefined) return { kind: 'gap', gapEndAt }
    const last = rest.at(-1)
    return last === undefined ? { kind: 'unique', at: first } : { kind: 'overlap', firstAt: first, lastAt: last }
  }

  #spansOfYear(year: number): readonly ZoneSpan[] {
    const index = year - FIRST_YEAR
    const known = this.#years[index]
    if (known !== undefined) return known
    const spans = this.#findSpans(year)
    this.#years[index] = spans
    return spans
  }

  #findSpans(year: number): ZoneSpan[] {
    const fromAt = daysFromCivil(year, 1, 1) * DAY_MS
    const toAt = daysFromCivil(year + 1, 1, 1) * DAY_MS
    const spans: ZoneSpan[] = []
    let spanFromAt = year === FIRST_YEAR ? -Infinity : fromAt
    let offsetMs = this.#readOffset(fromAt)
    for (let sampledAt = fromAt; sampledAt < toAt; sampledAt += SAMPLE_MS) {
      // The last instant of the year, not the first of the next: a change at New Year belongs to the year that it begins.
      const nextAt = Math.min(sampledAt + SAMPLE_MS, toAt - SECOND_MS)
      const nextOffsetMs = this.#readOffset(nextAt)
      if (nextOffsetMs === offsetMs) continue
      const changeAt = this.#bisect(sampledAt, nextAt, offsetMs)
      spans.push({ fromAt: spanFromAt, toAt: changeAt, offsetMs })
      spanFromAt = changeAt
      offsetMs = nextOffsetMs
    }
    spans.push({ fromAt: spanFromAt, toAt: year === LAST_YEAR ? Infinity : toAt, offsetMs })
    return spans
  }

  /** The first whole second after `lowAt`, up to `highAt`, at which the offset is no longer `offsetMs`. */
  #bisect(lowAt: number, highAt: number, offsetMs: number): number {
    let low = lowAt / SECOND_MS
    let high = highAt / SECOND_MS
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#readOffset(middle * SECOND_MS) === offsetMs) low = middle
      else high = middle
    }
    return high * SECOND_MS
  }

  #readOffset(at: number): number {
    const shown = new Map<string, number>()
    for (const part of this.#formatter.formatToParts(at)) shown.set(part.type, Number(part.value))
    const shownAt = (type: string): number => shown.get(type) ?? 0
    const days = daysFromCivil(shownAt('year'), shownAt('month'), shownAt('day'))
    return days * DAY_MS + shownAt('hour') * HOUR_MS + shownAt('minute') * MINUTE_MS + shownAt('second') * SECOND_MS - at
  }
}

function yearOf(at: number): number {
  if (at === -Infinity) return FIRST_YEAR
  if (at === Infinity) return LAST_YEAR
  const { year } = civilFromDays(Math.floor(at / DAY_MS))
  return Math.min(LAST_YEAR, Math.max(FIRST_YEAR, year))
}

/** Splits a wall time into its fields. */
export function fieldsOfWall(wall: number): WallFields {
  const days = Math.floor(wall / DAY_MS)
  const rest = wall - days * DAY_MS
  const seconds = Math.floor(rest / SECOND_MS)
  return {
    ...civilFromDays(days),
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    millisecond: rest - seconds * SECOND_MS,
    weekday: weekdayOfDays(days),
  }
}

/** The wall time with the given fields; fields beyond their range carry over (day 32 is the first of the next month). */
export function wallOfFields(fields: Pick<WallFields, 'year' | 'month' | 'day'> & Partial<WallFields>): number {
  const seconds = (fields.hour ?? 0) * 3600 + (fields.minute ?? 0) * 60 + (fields.second ?? 0)
  return daysFromCivil(fields.year, fields.month, fields.day) * DAY_MS + seconds * SECOND_MS + (fields.millisecond ?? 0)
}

/** `2026-11-22 08:00:00` for a wall time. */
export function formatWall(wall: number): string {
  const fields = fieldsOfWall(wall)
  const date = `${padded(fields.year, 4)}-${padded(fields.month, 2)}-${padded(fields.day, 2)}`
  return `${date} ${padded(fields.hour, 2)}:${padded(fields.minute, 2)}:${padded(fields.second, 2)}`
}

/** `+08:00` for an offset; with seconds (`-00:44:30`) for the few historical offsets that have them. */
export function formatOffset(offsetMs: number): string {
  const seconds = Math.abs(offsetMs) / SECOND_MS
  const minutes = Math.floor(seconds / 60)
  const sign = offsetMs < 0 ? '-' : '+'
  const tail = seconds % 60 === 0 ? '' : `:${padded(seconds % 60, 2)}`
  return `${sign}${padded(Math.floor(minutes / 60), 2)}:${padded(minutes % 60, 2)}${tail}`
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
