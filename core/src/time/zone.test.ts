import { describe, expect, it } from 'vitest'
import { civilFromDays, daysFromCivil, daysInMonth, weekdayOfDays } from './civil.ts'
import { findZone, formatOffset, formatWall, isValidZone, wallOfFields, type Zone } from './zone.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function zoneOf(name: string): Zone {
  const zone = findZone(name)
  if (zone === null) throw new Error(`no zone ${name}`)
  return zone
}

/** The oracle: what `Intl` itself says, through another of its outputs than the one that the engine reads. */
function intlOffset(formatter: Intl.DateTimeFormat, at: number): number {
  const text = formatter.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? ''
  const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text)
  if (match === null) return 0
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0)
  return (match[1] === '-' ? -seconds : seconds) * 1000
}

function intlFormatter(name: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
}

const ZONES = Intl.supportedValuesOf('timeZone')
const FROM = Date.UTC(2020, 0, 1)
const TO = Date.UTC(2031, 0, 1)

describe('calendar arithmetic', () => {
  it('agrees with Date on every day from 1900 to 2200', () => {
    for (let days = daysFromCivil(1900, 1, 1); days < daysFromCivil(2200, 1, 1); days += 1) {
      const date = new Date(days * DAY)
      const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
      const found = civilFromDays(days)
      const isSame = found.year === civil.year && found.month === civil.month && found.day === civil.day
      if (!isSame || daysFromCivil(civil.year, civil.month, civil.day) !== days || weekdayOfDays(days) !== date.getUTCDay()) {
        expect.fail(`day ${days} is ${JSON.stringify(civil)}, found ${JSON.stringify(found)}`)
      }
    }
  })

  it.each([
    [2024, 2, 29],
    [2026, 2, 28],
    [2100, 2, 28],
    [2000, 2, 29],
    [2026, 4, 30],
    [2026, 12, 31],
  ])('gives %i-%i %i days', (year, month, days) => {
    expect(daysInMonth(year, month)).toBe(days)
  })
})

describe('zone names', () => {
  it.each([
    ['Asia/Shanghai', true, 'an IANA name'],
    ['UTC', true, 'the zone of servers'],
    ['Etc/GMT-8', true, 'how IANA writes a fixed offset'],
    ['PRC', true, 'an alias'],
    ['+08:00', false, 'a bare offset, which some engines take and others do not'],
    ['Mars/Base_One', false, 'unknown'],
    ['', false, 'nothing'],
    ['Asia/Shanghai; DROP', false, 'not even a name'],
  ])('takes %j: %s, because it is %s', (name, isValid) => {
    expect(isValidZone(name)).toBe(isValid)
  })
})

describe('offsets', () => {
  it('agree with Intl in every zone, at instants spread over 1970 to 2100', () => {
    for (const name of ZONES) {
      const zone = zoneOf(name)
      const formatter = intlFormatter(name)
      for (let at = Date.UTC(1970, 0, 1, 5, 17, 3); at < Date.UTC(2100, 0, 1); at += 1823 * DAY + 7 * HOUR + 13 * MINUTE) {
        if (zone.offsetAt(at) !== intlOffset(formatter, at)) expect.fail(`${name} at ${new Date(at).toISOString()}`)
      }
    }
  })

  it('agree with Intl on both sides of every transition of every zone from 2020 to 2030', () => {
    let count = 0
    for (const name of ZONES) {
      const formatter = intlFormatter(name)
      for (const { at, beforeMs, afterMs } of zoneOf(name).transitionsBetween(FROM, TO)) {
        count += 1
        if (intlOffset(formatter, at - 1) !== beforeMs || intlOffset(formatter, at) !== afterMs) {
          expect.fail(`${name} at ${new Date(at).toISOString()}`)
        }
      }
    }
    expect(count).toBeGreaterThan(2000)
  })

  it('have seconds where history has them', () => {
    const monrovia = zoneOf('Africa/Monrovia')
    expect(monrovia.offsetAt(0)).toBe(-(44 * MINUTE + 30_000))
    expect(formatOffset(monrovia.offsetAt(0))).toBe('-00:44:30')
  })

  it('stay as at the ends of the table for instants beyond it', () => {
    const zone = zoneOf('Asia/Shanghai')
    expect([zone.offsetAt(-8.64e15), zone.offsetAt(8.64e15), zone.offsetAt(-Infinity), zone.offsetAt(Infinity)]).toEqual(
      Array.from({ length: 4 }, () => 8 * HOUR),
    )
  })
})

describe('wall times', () => {
  it.each([
    ['America/New_York', '2026-03-08 02:30:00', { kind: 'gap', gapEndAt: Date.UTC(2026, 2, 8, 7) }, 'the hour that spring skips'],
    ['America/New_York', '2026-03-08 03:00:00', { kind: 'unique', at: Date.UTC(2026, 2, 8, 7) }, 'the end of the gap itself is shown'],
    [
      'America/New_York',
      '2026-11-01 01:30:00',
      { kind: 'overlap', firstAt: Date.UTC(2026, 10, 1, 5, 30), lastAt: Date.UTC(2026, 10, 1, 6, 30) },
      'the hour that autumn repeats',
    ],
    ['America/New_York', '2026-11-01 02:00:00', { kind: 'unique', at: Date.UTC(2026, 10, 1, 7) }, 'the end of the overlap is shown once'],
    ['Australia/Lord_Howe', '2026-10-04 02:15:00', { kind: 'gap', gapEndAt: Date.UTC(2026, 9, 3, 15, 30) }, 'half an hour only'],
    ['Pacific/Apia', '2011-12-30 12:00:00', { kind: 'gap', gapEndAt: Date.UTC(2011, 11, 30, 10) }, 'a whole day left out'],
    ['Africa/Sao_Tome', '2018-01-01 01:30:00', { kind: 'gap', gapEndAt: Date.UTC(2018, 0, 1, 1) }, 'a gap just after a new year'],
    [
      'Asia/Dhaka',
      '2009-12-31 23:30:00',
      { kind: 'overlap', firstAt: Date.UTC(2009, 11, 31, 16, 30), lastAt: Date.UTC(2009, 11, 31, 17, 30) },
      'an overlap at the end of a year',
    ],
  ])('in %s %s is %j: %s', (name, text, expected, _why) => {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[- :]/).map(Number)
    const wall = wallOfFields({ year, month, day, hour, minute, second })
    expect(formatWall(wall)).toBe(text)
    expect(zoneOf(name).instantsOf(wall)).toEqual(expected)
  })

  it('map back to every instant that shows them, around every transition of every zone', () => {
    for (const name of ZONES) {
      const zone = zoneOf(name)
      for (const { at, beforeMs, afterMs } of zone.transitionsBetween(FROM, TO)) {
        const jump = Math.abs(afterMs - beforeMs)
        for (let instant = at - 2 * jump; instant <= at + 2 * jump; instant += jump / 4) {
          const wall = instant + (instant < at ? beforeMs : afterMs)
          const found = zone.instantsOf(wall)
          const isFound =
            found.kind === 'unique' ? found.at === instant : found.kind === 'overlap' && [found.firstAt, found.lastAt].includes(instant)
          if (!isFound) expect.fail(`${name} ${new Date(instant).toISOString()} ${JSON.stringify(found)}`)
        }
      }
    }
  })

  it('are gaps exactly where no instant shows them, around every transition of every zone', () => {
    for (const name of ZONES) {
      const zone = zoneOf(name)
      for (const { at, beforeMs, afterMs } of zone.transitionsBetween(FROM, TO)) {
        if (afterMs < beforeMs) continue
        const inside = [at + beforeMs, at + (beforeMs + afterMs) / 2, at + afterMs - 1].map((wall) => zone.instantsOf(wall))
        expect(inside).toEqual(inside.map(() => ({ kind: 'gap', gapEndAt: at })))
      }
    }
  })

  it('have been passed up to the end of the repeated hour while it is repeated', () => {
    const zone = zoneOf('America/New_York')
    const change = Date.UTC(2026, 10, 1, 6)
    expect(formatWall(zone.wallPassedAt(change - 1))).toBe('2026-11-01 02:00:00')
    expect(formatWall(zone.wallPassedAt(change + 30 * MINUTE))).toBe('2026-11-01 02:00:00')
    expect(formatWall(zone.wallPassedAt(change + HOUR + 5 * MINUTE - 1))).toBe('2026-11-01 02:05:00')
  })

  it('are split into fields', () => {
    const fields = { year: 2026, month: 11, day: 22, hour: 8, minute: 9, second: 10, millisecond: 11, weekday: 0 }
    expect(zoneOf('Asia/Shanghai').fieldsAt(Date.UTC(2026, 10, 22, 0, 9, 10, 11))).toEqual(fields)
  })
})
