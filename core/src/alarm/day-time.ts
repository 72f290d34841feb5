import { findZone, type Zone } from '../time/zone.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** No clock shows a time of day more than so many days after it showed it last, whatever its zone does. */
const DAYS_LOOKED_AT = 9

/** A time of day in a zone, on some days of the week. */
export interface DayTime {
  /** HH:MM */
  readonly by: string
  /** IANA */
  readonly timezone: string
  /** 1 = Monday to 7 = Sunday; absent: every day */
  readonly days?: readonly number[]
}

/** The last instant (epoch ms) at or before `at` at which that time of day came; null: the zone is not known. */
export function lastDayTime(time: DayTime, at: number): number | null {
  return search(time, at, -1, (found) => found <= at)
}

/** The first instant after `at` at which that time of day comes; null: the zone is not known. */
export function nextDayTime(time: DayTime, at: number): number | null {
  return search(time, at, 1, (found) => found > at)
}

/** When the day of an instant began in a zone, epoch ms. A zone that this runtime does not know counts as UTC. */
export function startOfDay(timezone: string, at: number): number {
  const zone = findZone(timezone)
  if (zone === null) return Math.floor(at / DAY_MS) * DAY_MS
  return zone.firstInstantOf(dayOf(zone.wallAt(at)))
}

function search(time: DayTime, at: number, step: 1 | -1, isFound: (instant: number) => boolean): number | null {
  const zone = findZone(time.timezone)
  if (zone === null) return null
  const today = dayOf(zone.wallAt(at))
  // a day more on the near side: a change of the zone may have moved today's over midnight
  for (let n = -1; n < DAYS_LOOKED_AT; n += 1) {
    const day = today + step * n * DAY_MS
    if (!isOn(time.days, day)) continue
    const instant = instantOn(zone, day, time.by)
    if (isFound(instant)) return instant
  }
  return null
}

function instantOn(zone: Zone, day: number, by: string): number {
  return zone.firstInstantOf(day + minutesOf(by) * MINUTE_MS)
}

function isOn(days: readonly number[] | undefined, day: number): boolean {
  // the epoch was a Thursday
  return days === undefined || days.includes(((((day / DAY_MS + 3) % 7) + 7) % 7) + 1)
}

function dayOf(wall: number): number {
  return Math.floor(wall / DAY_MS) * DAY_MS
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
}

/** A part of the day in which nothing is told. `from` after `to`: over midnight; the same: a whole day. `days`: on which it begins. */
export interface QuietTime {
  readonly from: string
  readonly to: string
  readonly timezone: string
  readonly days?: readonly number[]
}

/** When the quiet time that an instant is in ends (epoch ms); null: it is in none. */
export function quietUntil({ from, to, timezone, days }: QuietTime, at: number): number | null {
  const began = lastDayTime({ by: from, timezone, ...(days === undefined ? {} : { days }) }, at)
  if (began === null) return null
  const ends = nextDayTime({ by: to, timezone }, began)
  return ends !== null && at < ends ? ends : null
}
