import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { daysInMonth } from '../time/civil.ts'
import { fieldsOfWall, findZone, formatWall, wallOfFields, type Zone } from '../time/zone.ts'
import { compileCron } from './cron-compile.ts'
import type { CronDialect } from './cron-fields.ts'
import { randomQuartz, randomUnix, type RandomCron } from './cron-random.fixture.ts'
import type { InstantSet } from './cron.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR_2026 = Date.UTC(2026, 0, 1)

function zoneOf(name: string): Zone {
  const zone = findZone(name)
  if (zone === null) throw new Error(`no zone ${name}`)
  return zone
}

function instantsOf(expression: string, timezone = 'UTC', dialect?: CronDialect): InstantSet {
  const compilation = compileCron({ expression, timezone, ...(dialect === undefined ? {} : { dialect }) })
  if (!compilation.ok) throw new Error(`${expression}: ${JSON.stringify(compilation.problems)}`)
  return compilation.cron.instants
}

function forward(instants: InstantSet, fromAt: number, toAt: number): number[] {
  const found: number[] = []
  for (let at = instants.next(fromAt - 1); at !== null && at <= toAt; at = instants.next(at)) found.push(at)
  return found
}

function backward(instants: InstantSet, fromAt: number, toAt: number): number[] {
  const found: number[] = []
  for (let at = instants.previous(toAt + 1); at !== null && at >= fromAt; at = instants.previous(at)) found.unshift(at)
  return found
}

const NEVER: InstantSet = { next: () => null, previous: () => null }

/** Both directions; compared by hand, because matchers take long over a hundred thousand numbers. */
function expectSame(instants: InstantSet, range: { fromAt: number; toAt: number }, expected: readonly number[]): void {
  for (const walk of [forward, backward]) {
    const found = walk(instants, range.fromAt, range.toAt)
    const wrong = expected.findIndex((at, index) => found[index] !== at)
    if (wrong < 0 && found.length === expected.length) continue
    const index = wrong < 0 ? expected.length : wrong
    expect.fail(`${walk.name}: instant ${index} should be ${isoOf(expected[index])}, is ${isoOf(found[index])}`)
  }
}

/** Asks at instants of all kinds: due ones, and those between them in both passes of an hour. */
function expectAnswers(instants: InstantSet, range: { fromAt: number; toAt: number }, due: readonly number[], where: string): void {
  for (let at = range.fromAt; at <= range.toAt; at += 5 * MINUTE) {
    const next = due.find((other) => other > at) ?? null
    const previous = due.findLast((other) => other < at) ?? null
    if (instants.next(at) !== next || instants.previous(at) !== previous) expect.fail(`${where}, asked at ${isoOf(at)}`)
  }
}

function isoOf(at: number | undefined): string {
  return at === undefined ? 'none' : new Date(at).toISOString()
}

function dates(expression: string, count: number, from = YEAR_2026): string[] {
  const instants = instantsOf(expression)
  const found: string[] = []
  for (let at = instants.next(from - 1); at !== null && found.length < count; at = instants.next(at)) {
    found.push(formatWall(at).slice(0, 10))
  }
  return found
}

describe('dates', () => {
  it.each([
    ['0 0 0 L * ?', ['2026-01-31', '2026-02-28', '2026-03-31'], 'the last day, whatever its number'],
    ['0 0 0 L-3 * ?', ['2026-01-28', '2026-02-25', '2026-03-28'], 'three days before the last'],
    ['0 0 0 L-30 * ?', ['2026-01-01', '2026-03-01', '2026-05-01'], 'only long months reach so far back'],
    ['0 0 0 LW * ?', ['2026-01-30', '2026-02-27', '2026-03-31'], 'the last weekday: 31 Jan 2026 is a Saturday'],
    ['0 0 0 15W * ?', ['2026-01-15', '2026-02-16', '2026-03-16'], '15 Feb 2026 is a Sunday'],
    ['0 0 0 1W * ?', ['2026-01-01', '2026-02-02', '2026-03-02'], 'never into the month before'],
    ['0 0 0 1W 8 ?', ['2026-08-03', '2027-08-02', '2028-08-01'], 'Saturday the first moves forward to Monday the third'],
    ['0 0 0 31W 5 ?', ['2026-05-29', '2027-05-31', '2028-05-31'], 'Sunday the last moves back to Friday'],
    ['0 0 0 31W * ?', ['2026-01-30', '2026-03-31', '2026-05-29'], 'months without a 31st do not fire'],
    ['0 0 0 ? * FRIL', ['2026-01-30', '2026-02-27', '2026-03-27'], 'the last Friday'],
    ['0 0 0 ? * 6#3', ['2026-01-16', '2026-02-20', '2026-03-20'], 'the third Friday'],
    ['0 0 0 ? * 6#5', ['2026-01-30', '2026-05-29', '2026-07-31'], 'only months that have a fifth'],
    ['0 0 0 29 2 ?', ['2028-02-29', '2032-02-29', '2036-02-29'], 'leap days'],
    ['0 0 0 31 * ?', ['2026-01-31', '2026-03-31', '2026-05-31'], 'months without a 31st do not fire'],
    ['0 0 0 ? * L', ['2026-01-03', '2026-01-10', '2026-01-17'], 'L alone is Saturday'],
    ['0 0 0 1 1 ? 2030/50', ['2030-01-01', '2080-01-01', '2130-01-01'], 'years far ahead'],
    ['0 0 0 1,L * ?', ['2026-01-01', '2026-01-31', '2026-02-01'], 'specials in a list'],
    ['0 0 0 1 NOV-FEB ?', ['2026-01-01', '2026-02-01', '2026-11-01'], 'months over the new year'],
    ['0 0 0 30-2 * ?', ['2026-01-01', '2026-01-02', '2026-01-30'], 'days over the end of the month'],
    ['0 0 1 * MON', ['2026-01-01', '2026-01-05', '2026-01-12'], 'unix: either day'],
  ])('of %s are %j: %s', (expression, expected) => {
    expect(dates(expression, expected.length)).toEqual(expected)
  })

  it('leave out 2100, which is no leap year', () => {
    expect(dates('0 0 0 29 2 ?', 2, Date.UTC(2093, 0, 1))).toEqual(['2096-02-29', '2104-02-29'])
  })

  it('begin with the year 1970 and end with 2199', () => {
    expect(instantsOf('0 0 0 1 1 ?').next(Date.UTC(1950, 0, 1))).toBe(0)
    expect(instantsOf('0 0 0 1 1 ?').next(Date.UTC(2199, 0, 1))).toBeNull()
    expect(instantsOf('* * * * * ?').next(Date.UTC(2199, 11, 31, 23, 59, 59))).toBeNull()
    expect(instantsOf('0 0 0 1 1 ?').previous(Date.UTC(1970, 0, 1))).toBeNull()
    expect(instantsOf('* * * * * ?').previous(8e15)).toBe(Date.UTC(2199, 11, 31, 23, 59, 59))
  })
})

describe('expressions that never fire', () => {
  it.each([
    ['0 0 0 31 2 ?', 'UTC', '31 February'],
    ['0 0 0 30 2 ?', 'UTC', '30 February'],
    ['0 0 0 31 4,6,9,11 ?', 'UTC', 'the 31st of short months'],
    ['0 0 0 29 2 ? 2027', 'UTC', 'a leap day in a common year'],
    ['0 0 0 L-30 2 ?', 'UTC', 'February is never so long'],
    ['0 0 0 31W 6 ?', 'UTC', 'there is no 31st to be near to'],
    ['0 30/40 2 8 3 ? 2026', 'America/New_York', 'its only time is in a gap, and it follows elapsed time'],
  ])('%s in %s is told at once: %s', (expression, timezone) => {
    const compilation = compileCron({ expression, timezone })
    expect(compilation).toEqual({
      ok: false,
      problems: [{ path: 'schedule.expression', code: 'CRON_NEVER_FIRES', params: { expression } }],
    })
  })
})

/** The oracle: looks at every second of the wall, hour by hour, and asks the plain sets. */
function matchingWalls(cron: RandomCron, fromWall: number, toWall: number): number[] {
  const found: number[] = []
  const { month, days } = cron
  const times = matchingTimes(cron)
  for (let dayWall = Math.floor(fromWall / DAY) * DAY; dayWall <= toWall; dayWall += DAY) {
    const date = fieldsOfWall(dayWall)
    if (!month.values.has(date.month) || !days.matches({ ...date, length: daysInMonth(date.year, date.month) })) continue
    for (const timeMs of times) {
      const wall = dayWall + timeMs
      if (wall >= fromWall && wall <= toWall) found.push(wall)
    }
  }
  return found
}

function matchingTimes({ second, minute, hour }: RandomCron): number[] {
  const found: number[] = []
  for (let minuteOfDay = 0; minuteOfDay < 24 * 60; minuteOfDay += 1) {
    if (!hour.values.has(Math.floor(minuteOfDay / 60)) || !minute.values.has(minuteOfDay % 60)) continue
    for (let secondOfMinute = 0; secondOfMinute < 60; secondOfMinute += 1) {
      if (second.values.has(secondOfMinute)) found.push(minuteOfDay * MINUTE + secondOfMinute * SECOND)
    }
  }
  return found
}

/** Applies the daylight saving rule to wall times, for one change of clocks with nothing else near. */
function byTheRule(walls: readonly number[], change: { at: number; beforeMs: number; afterMs: number }, repeats: boolean): number[] {
  const found = new Set<number>()
  for (const wall of walls) {
    const early = wall - change.beforeMs
    const late = wall - change.afterMs
    const passes = [...(early < change.at ? [early] : []), ...(late >= change.at ? [late] : [])]
    if (repeats) passes.forEach((at) => found.add(at))
    else found.add(passes[0] ?? change.at)
  }
  return [...found].sort((left, right) => left - right)
}

describe('random expressions', () => {
  it('match a plain walk over every second, forwards and backwards', () => {
    const start = fc.integer({ min: 0, max: 20_000 }).map((days) => days * DAY)
    fc.assert(
      fc.property(randomQuartz({ wraps: true, specials: true }), start, (cron, fromAt) => {
        const compilation = compileCron({ expression: cron.expression, timezone: 'UTC' })
        const toAt = fromAt + 26 * HOUR
        const expected = matchingWalls(cron, fromAt, toAt)
        expectSame(compilation.ok ? compilation.cron.instants : NEVER, { fromAt, toAt }, expected)
      }),
      { numRuns: 400 },
    )
  })

  it('match a plain walk over the days of whole years, specials included', () => {
    const start = fc.integer({ min: 0, max: 60_000 }).map((days) => days * DAY)
    fc.assert(
      fc.property(randomQuartz({ wraps: true, specials: true }), start, (drawn, fromAt) => {
        const only = { text: '0', values: new Set([0]), repeats: false }
        const { days, month } = drawn
        const expression = `0 0 0 ${days.dayOfMonth} ${month.text} ${days.dayOfWeek}`
        const toAt = fromAt + 800 * DAY
        const expected = matchingWalls({ ...drawn, expression, second: only, minute: only, hour: only }, fromAt, toAt)
        const compilation = compileCron({ expression, timezone: 'UTC' })
        expectSame(compilation.ok ? compilation.cron.instants : NEVER, { fromAt, toAt }, expected)
      }),
      { numRuns: 600 },
    )
  })

  it('keep the daylight saving rule when clocks are set', () => {
    const changes = [
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/Havana',
      'Africa/Casablanca',
      'Pacific/Apia',
    ].flatMap((name) =>
      zoneOf(name)
        .transitionsBetween(Date.UTC(2010, 0, 1), Date.UTC(2027, 0, 1))
        .map((change) => ({ name, change })),
    )
    fc.assert(
      fc.property(randomQuartz({ wraps: true, specials: false }), fc.constantFrom(...changes), (cron, { name, change }) => {
        const compilation = compileCron({ expression: cron.expression, timezone: name })
        if (!compilation.ok) return
        const jump = Math.abs(change.afterMs - change.beforeMs)
        const fromAt = change.at - jump - 2 * HOUR
        const toAt = change.at + jump + 2 * HOUR
        const walls = matchingWalls(cron, fromAt + change.beforeMs - jump, toAt + change.afterMs + jump)
        const repeats = cron.second.repeats || cron.minute.repeats || cron.hour.repeats
        const expected = byTheRule(walls, change, repeats).filter((at) => at >= fromAt && at <= toAt)
        expectSame(compilation.cron.instants, { fromAt, toAt }, expected)
      }),
      { numRuns: 400 },
    )
  })

  it.each(['UTC', 'Asia/Shanghai', 'America/New_York', 'Europe/London'])('fire when croner says so, Quartz in %s', (timezone) => {
    const changes = zoneOf(timezone).transitionsBetween(Date.UTC(2020, 0, 1), Date.UTC(2030, 0, 1))
    const nearChange = fc.tuple(fc.constantFrom(...changes.map(({ at }) => at), YEAR_2026), fc.integer({ min: -3 * DAY, max: 3 * HOUR }))
    const start = fc.oneof(
      fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) }),
      nearChange.map(([at, shift]) => at + shift),
    )
    fc.assert(
      fc.property(randomQuartz({ wraps: false, specials: false }), start, (cron, fromAt) => {
        const oracle = new Cron(cron.expression, {
          timezone,
          paused: true,
          alternativeWeekdays: true,
          sloppyRanges: true,
          fixedTimeRule: 'no-wildcard',
        })
        const compilation = compileCron({ expression: cron.expression, timezone })
        let ours: number | null = fromAt
        let theirs: number | null = fromAt
        for (let step = 0; step < 5 && theirs !== null; step += 1) {
          theirs = oracle.nextRun(new Date(theirs))?.getTime() ?? null
          ours = compilation.ok && ours !== null ? compilation.cron.instants.next(ours) : null
          expect(ours).toBe(theirs)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('fire when croner says so, unix', () => {
    const start = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) })
    fc.assert(
      fc.property(randomUnix(), start, (expression, fromAt) => {
        const oracle = new Cron(expression, { timezone: 'UTC', paused: true, sloppyRanges: true })
        const compilation = compileCron({ expression, timezone: 'UTC' })
        let ours: number | null = fromAt
        let theirs: number | null = fromAt
        for (let step = 0; step < 5 && theirs !== null; step += 1) {
          theirs = oracle.nextRun(new Date(theirs))?.getTime() ?? null
          ours = compilation.ok && ours !== null ? compilation.cron.instants.next(ours) : null
          expect(ours).toBe(theirs)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('never break, whatever text is given', () => {
    const text = fc.array(fc.constantFrom(...'0123456789*/-,?LW#MONFRI '.split('')), { maxLength: 40 }).map((letters) => letters.join(''))
    fc.assert(
      fc.property(text, (expression) => {
        const compilation = compileCron({ expression, timezone: 'Asia/Shanghai' })
        if (!compilation.ok) expect(compilation.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('clocks that are set', () => {
  const NEW_YORK_SPRING = Date.UTC(2026, 2, 8, 7)
  const NEW_YORK_AUTUMN = Date.UTC(2026, 10, 1, 6)
  it.each([
    ['0 30 2 * * ?', NEW_YORK_SPRING, ['03:00'], 'a fixed time in the gap fires at its end'],
    ['0 10,20,30 2 * * ?', NEW_YORK_SPRING, ['03:00'], 'several in one gap fire once'],
    ['0 0,30 1-3 * * ?', NEW_YORK_SPRING, ['01:00', '01:30', '03:00', '03:30'], 'what was moved to the end joins what is due there'],
    ['0 0/30 2 * * ?', NEW_YORK_SPRING, [], 'a repeating one has nothing extra for the missing hour'],
    ['0 0/30 1-3 * * ?', NEW_YORK_SPRING, ['01:00', '01:30', '03:00', '03:30'], 'and goes on by elapsed time'],
    ['0 30 1 * * ?', NEW_YORK_AUTUMN, ['01:30'], 'a fixed time fires in the first pass only'],
    ['0 0,30 1-2 * * ?', NEW_YORK_AUTUMN, ['01:00', '01:30', '02:00', '02:30'], 'lists and ranges likewise'],
    ['0 0/30 1 * * ?', NEW_YORK_AUTUMN, ['01:00', '01:30', '01:00', '01:30'], 'a repeating one fires in both passes'],
  ])('%s around %d fires at %j: %s', (expression, changeAt, expected) => {
    const zone = zoneOf('America/New_York')
    const instants = instantsOf(expression, 'America/New_York')
    const fromAt = changeAt - 5 * HOUR
    const toAt = changeAt + 6 * HOUR
    const found = forward(instants, fromAt, toAt)
    expect(found.map((at) => formatWall(zone.wallAt(at)).slice(11, 16))).toEqual(expected)
    expect(backward(instants, fromAt, toAt)).toEqual(found)
  })

  const FROM = Date.UTC(2020, 0, 1)
  const TO = Date.UTC(2031, 0, 1)

  it('follow the rule at every change of every zone from 2020 to 2030', () => {
    const quarters = '0 0,15,30,45 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 * * ?'
    const everyQuarter = '0 0/15 * * * ?'
    for (const name of Intl.supportedValuesOf('timeZone')) {
      const fixed = instantsOf(quarters, name)
      const repeating = instantsOf(everyQuarter, name)
      for (const change of zoneOf(name).transitionsBetween(FROM, TO)) {
        const jump = Math.abs(change.afterMs - change.beforeMs)
        const fromAt = change.at - 2 * jump
        const toAt = change.at + 2 * jump
        const walls: number[] = []
        for (let wall = Math.floor((fromAt - 2 * DAY) / DAY) * DAY; wall < toAt + 2 * DAY; wall += 15 * MINUTE) walls.push(wall)
        for (const instants of [fixed, repeating]) {
          const due = byTheRule(walls, change, instants === repeating)
          expectAnswers(instants, { fromAt, toAt }, due, `${name} ${isoOf(change.at)}`)
        }
      }
    }
  })

  it('fire a job inside each gap or overlap exactly once, in every zone from 2020 to 2030', () => {
    for (const name of Intl.supportedValuesOf('timeZone')) {
      for (const { at, beforeMs, afterMs } of zoneOf(name).transitionsBetween(FROM, TO)) {
        const wall = at + (beforeMs + afterMs) / 2
        const { year, month, day, hour, minute, second } = fieldsOfWall(wall)
        const instants = instantsOf(`${second} ${minute} ${hour} ${day} ${month} ? ${year}`, name)
        const expected = afterMs > beforeMs ? at : wall - beforeMs
        expect(forward(instants, at - 3 * DAY, at + 3 * DAY), `${name} ${new Date(at).toISOString()}`).toEqual([expected])
        expect(backward(instants, at - 3 * DAY, at + 3 * DAY), `${name} ${new Date(at).toISOString()}`).toEqual([expected])
      }
    }
  })

  it.each([
    ['0 0/30 0 1 1,7 ?', 131 * 2 * 2, 'twice a year, two instants each'],
    ['0 0/20 1 29 2 ?', 32 * 3, 'leap days'],
    ['0 0/30 1 1 11 ? 2026/50', 4 + 4, 'once in fifty years, on days that repeat the hour'],
  ])('do not make a sparse repeating expression lose its way: %s has %i instants from 1970 to 2100 (%s)', (expression, count) => {
    const instants = instantsOf(expression, 'America/New_York')
    const found = forward(instants, Date.UTC(1970, 0, 1), Date.UTC(2101, 0, 1))
    expect(backward(instants, Date.UTC(1970, 0, 1), Date.UTC(2101, 0, 1))).toEqual(found)
    expect(found).toHaveLength(count)
  })

  it('fire once for a day that was left out: Samoa had no 30 December 2011', () => {
    const instants = instantsOf('0 0 12 30 12 ?', 'Pacific/Apia')
    const noon2010 = wallOfFields({ year: 2010, month: 12, day: 30, hour: 12 }) + 10 * HOUR
    expect(instants.next(noon2010)).toBe(Date.UTC(2011, 11, 30, 10))
  })
})
