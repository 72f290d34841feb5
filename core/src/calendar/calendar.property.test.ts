import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCron } from '../schedule/cron-compile.ts'
import type { CompiledSchedule } from '../schedule/compiled.ts'
import { compileSchedule, type Schedule } from '../schedule/schedule.ts'
import { DAY_MS, MINUTE_MS, daysFromCivil } from '../time/civil.ts'
import { findZone, type Zone } from '../time/zone.ts'
import { DAY_OFF_RULES, type CalendarRuleSet, type DayOffRule } from './calendar.ts'
import { isBlackedOutByHand, isOffByHand, randomCalendar } from './calendar-random.fixture.ts'
import { compileCalendar } from './compiled-calendar.ts'

const ZONES = ['Asia/Shanghai', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'America/Santiago', 'UTC']
const FIRST = daysFromCivil(2026, 3, 1)
const LAST = FIRST + 45
const zones = fc.constantFrom(...ZONES)
const field = (max: number): fc.Arbitrary<string> => fc.oneof(fc.nat({ max }).map(String), fc.constantFrom('*', '*/3', '1/5'))
const days = fc.constantFrom('* *', '? SAT,SUN', '? MON', '1/2 *', '28-31 *', '? FRI#2', 'L *', '? *', '15 3')
const crons = fc.tuple(field(59), field(23), days).map(([minute, hour, day]) => {
  const [dayOfMonth = '*', other = '*'] = day.split(' ')
  return other === '3'
    ? `0 ${minute} ${hour} ${dayOfMonth} 3 ?`
    : `0 ${minute} ${hour} ${dayOfMonth} * ${other === '*' ? '?' : other}`.replace('? * ?', '* * ?')
})

function known(name: string): Zone {
  const zone = findZone(name)
  if (zone === null) throw new Error(`no zone ${name}`)
  return zone
}

function compiled(schedule: Schedule, rules: CalendarRuleSet, zone: string): CompiledSchedule {
  const made = compileSchedule(schedule, { anchorAt: FIRST * DAY_MS, calendar: { calendar: compileCalendar(rules), zone } })
  if (!made.ok) throw new Error(JSON.stringify(made.problems))
  return made.compiled
}

/** The days of the cron as the rule makes them, found by walking from each day to the next. */
function daysByHand(named: (day: number) => boolean, rules: CalendarRuleSet, rule: DayOffRule): Set<number> {
  const found = new Set<number>()
  const isOff = (day: number): boolean => isOffByHand(rules, day)
  for (let day = FIRST - 60; day <= LAST + 60; day += 1) {
    if (!named(day)) continue
    if (!isOff(day)) {
      if (rule !== 'only') found.add(day)
    } else if (rule === 'only') found.add(day)
    else if (rule !== 'skip') {
      let target = day
      while (isOff(target)) target += rule === 'next' ? 1 : -1
      found.add(target)
    }
  }
  return found
}

/** The instants at which a cron fires, minute by minute where it follows elapsed time, wall time by wall time where it does not. */
function cronByHand(
  expression: string,
  { rules, rule, timezone }: { rules: CalendarRuleSet; rule: DayOffRule; timezone: string },
): { from: number; until: number; instants: number[] } {
  const compilation = compileCron({ expression, timezone })
  if (!compilation.ok) throw new Error(expression)
  const { walls, zone, fields } = compilation.cron
  const isNamed = (second: number): boolean => walls.atOrAfter(second) === second
  const onDays = daysByHand((day) => Math.floor((walls.atOrAfter(day * 86_400) ?? 0) / 86_400) === day, rules, rule)
  const someDay = Math.floor((walls.atOrAfter((FIRST - 400) * 86_400) ?? 0) / 86_400)
  const isTime = (minute: number): boolean => isNamed(someDay * 86_400 + minute * 60)
  const from = FIRST * DAY_MS
  const until = LAST * DAY_MS
  const instants = new Set<number>()
  if (fields.repeats) {
    for (let at = from; at < until; at += MINUTE_MS) {
      const wall = zone.wallAt(at)
      const day = Math.floor(wall / DAY_MS)
      if (onDays.has(day) && isTime((wall - day * DAY_MS) / MINUTE_MS)) instants.add(at)
    }
  } else {
    for (const day of onDays)
      for (let minute = 0; minute < 1440; minute += 1)
        if (isTime(minute)) instants.add(zone.firstInstantOf(day * DAY_MS + minute * MINUTE_MS))
  }
  const open = [...instants].filter((at) => at >= from && at < until && !isBlackedOutByHand(rules, at, zone))
  return { from, until, instants: open.sort((left, right) => left - right) }
}

function walked(schedule: CompiledSchedule, from: number, until: number): number[] {
  const found: number[] = []
  for (let at = schedule.next(from - 1); at !== null && at < until; at = schedule.next(at)) found.push(at)
  return found
}

function walkedBack(schedule: CompiledSchedule, from: number, until: number): number[] {
  const found: number[] = []
  for (let at = schedule.previous(until); at !== null && at >= from; at = schedule.previous(at)) found.push(at)
  return found.reverse()
}

describe('a schedule with a calendar', () => {
  it('fires as a cron when a walk over the days says so, in both directions', () => {
    fc.assert(
      fc.property(crons, randomCalendar, fc.constantFrom(...DAY_OFF_RULES), zones, (expression, rules, rule, timezone) => {
        const schedule = compiled({ kind: 'cron', expression, timezone, onDayOff: rule }, rules, 'UTC')
        const { from, until, instants } = cronByHand(expression, { rules, rule, timezone })
        expect(walked(schedule, from, until)).toEqual(instants)
        expect(walkedBack(schedule, from, until)).toEqual(instants)
        expect(schedule.countBetween(from, until - 1, 1e6)).toBe(instants.length)
      }),
      { numRuns: 150 },
    )
  })

  it('tells of each instant that a cron names whether it fires there, was moved or is left out', () => {
    fc.assert(
      fc.property(crons, randomCalendar, fc.constantFrom(...DAY_OFF_RULES), zones, (expression, rules, rule, timezone) => {
        const schedule = compiled({ kind: 'cron', expression, timezone, onDayOff: rule }, rules, 'UTC')
        const effect = schedule.calendar
        if (effect === undefined) throw new Error('it has a calendar')
        const [from, until] = [FIRST * DAY_MS, LAST * DAY_MS]
        const fired = new Set(walked(schedule, from - 40 * DAY_MS, until + 40 * DAY_MS))
        for (const at of walked(effect.plain, from, until)) {
          const left = effect.leftOut(at)
          if (left === null) expect(fired.has(at)).toBe(true)
          else if (left.movedTo !== null) expect(fired.has(left.movedTo)).toBe(true)
          else if (!fired.has(at)) expect(left.why).toMatch(/weekend|dayOff|workingDay|blackout/)
        }
        for (const at of walked(schedule, from, until)) {
          const moved = effect.movedHere(at)
          if (moved === null && effect.plain.next(at - 1) !== at) expect(rule).toMatch(/next|previous/)
          if (moved !== null) expect(moved.why).toMatch(/weekend|dayOff/)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the grid of a rate and leaves out what is closed, counted by stretches', () => {
    fc.assert(
      fc.property(randomCalendar, zones, fc.integer({ min: 7, max: 3000 }), (rules, zoneName, everyMinutes) => {
        const everyMs = everyMinutes * MINUTE_MS
        const schedule = compiled({ kind: 'fixedRate', everyMs }, rules, zoneName)
        const zone = known(zoneName)
        const from = FIRST * DAY_MS
        const until = LAST * DAY_MS
        const expected: number[] = []
        for (let at = from + everyMs; at < until; at += everyMs)
          if (!isBlackedOutByHand(rules, at, zone) && !isOffByHand(rules, Math.floor(zone.wallAt(at) / DAY_MS))) expected.push(at)
        expect(walked(schedule, from, until)).toEqual(expected)
        expect(walkedBack(schedule, from, until)).toEqual(expected)
        expect(schedule.countBetween(from, until - 1, Number.MAX_SAFE_INTEGER)).toBe(expected.length)
        expect(schedule.countBetween(from, until - 1, 5)).toBe(Math.min(5, expected.length))
      }),
      { numRuns: 150 },
    )
  })

  it('has a delay wait until the first minute that is open', () => {
    fc.assert(
      fc.property(randomCalendar, zones, fc.nat({ max: 30 * 1440 }), (rules, zoneName, minute) => {
        const schedule = compiled({ kind: 'fixedDelay', delayMs: MINUTE_MS }, rules, zoneName)
        const zone = known(zoneName)
        const endedAt = FIRST * DAY_MS + minute * MINUTE_MS
        let expected: number | null = endedAt + MINUTE_MS
        const isClosed = (at: number): boolean =>
          isBlackedOutByHand(rules, at, zone) || isOffByHand(rules, Math.floor(zone.wallAt(at) / DAY_MS))
        while (expected !== null && isClosed(expected)) expected = expected > (LAST + 60) * DAY_MS ? null : expected + MINUTE_MS
        if (expected !== null) expect(schedule.nextAfterEnd(endedAt)).toBe(expected)
      }),
      { numRuns: 150 },
    )
  })
})
