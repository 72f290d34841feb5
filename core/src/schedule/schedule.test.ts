import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCron } from './cron-compile.ts'
import { parseInstant } from './instant.ts'
import { LruMap } from './lru.ts'
import { SCHEDULE_PROBLEM_CODES, type ScheduleProblemCode } from './problem.ts'
import type { CompiledSchedule } from './compiled.ts'
import { compileSchedule, MAX_INTERVAL_MS, type Schedule } from './schedule.ts'

const NOON = Date.UTC(2026, 10, 22, 12)
const HOUR = 3_600_000

function compiled(schedule: Schedule, anchorAt = NOON): CompiledSchedule {
  const compilation = compileSchedule(schedule, { anchorAt })
  if (!compilation.ok) throw new Error(JSON.stringify(compilation.problems))
  return compilation.compiled
}

function problemsOf(schedule: Schedule): string[] {
  const compilation = compileSchedule(schedule, { anchorAt: NOON })
  return compilation.ok ? [] : compilation.problems.map(({ path, code }) => `${path} ${code}`)
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

describe('fixedRate', () => {
  const every = compiled({ kind: 'fixedRate', everyMs: 5000 })

  it('is due on a grid, first one interval after the anchor: starting a task does not run it', () => {
    expect(every.next(NOON - HOUR)).toBe(NOON + 5000)
    expect(every.next(NOON)).toBe(NOON + 5000)
    expect(every.next(NOON + 4999)).toBe(NOON + 5000)
    expect(every.next(NOON + 5000)).toBe(NOON + 10_000)
  })

  it('looks back to its first instant and no further', () => {
    expect(every.previous(NOON + 10_000)).toBe(NOON + 5000)
    expect(every.previous(NOON + 5001)).toBe(NOON + 5000)
    expect(every.previous(NOON + 5000)).toBeNull()
  })

  it('keeps its grid inside a window', () => {
    const windowed = compiled({ kind: 'fixedRate', everyMs: 5000, validFrom: iso(NOON + 7000), validUntil: iso(NOON + 20_000) })
    expect(windowed.next(0)).toBe(NOON + 10_000)
    expect(windowed.next(NOON + 15_000)).toBe(NOON + 20_000)
    expect(windowed.next(NOON + 20_000)).toBeNull()
    expect(windowed.previous(NOON + HOUR)).toBe(NOON + 20_000)
    expect(windowed.previous(NOON + 10_000)).toBeNull()
  })

  it('is counted by arithmetic: ten years of every 100 ms at once', () => {
    const fast = compiled({ kind: 'fixedRate', everyMs: 100 })
    expect(fast.countBetween(NOON, NOON + MAX_INTERVAL_MS, Number.MAX_SAFE_INTEGER)).toBe(MAX_INTERVAL_MS / 100)
    expect(fast.countBetween(NOON, NOON + MAX_INTERVAL_MS, 7)).toBe(7)
    expect(fast.countBetween(NOON + 1, NOON + 99, 7)).toBe(0)
    expect(fast.countBetween(NOON - 5000, NOON - 1, 7)).toBe(0)
  })
})

describe('fixedDelay', () => {
  const delay = compiled({ kind: 'fixedDelay', delayMs: 5000 })

  it('knows its first firing only', () => {
    expect(delay.next(NOON)).toBe(NOON + 5000)
    expect(delay.next(NOON + 5000)).toBeNull()
    expect(delay.previous(NOON + 5001)).toBe(NOON + 5000)
  })

  it('is due after the end of each run, within its window', () => {
    const windowed = compiled({ kind: 'fixedDelay', delayMs: 5000, validFrom: iso(NOON + 60_000), validUntil: iso(NOON + 90_000) })
    expect(delay.nextAfterEnd(NOON + 7000)).toBe(NOON + 12_000)
    expect(windowed.next(NOON)).toBe(NOON + 60_000)
    expect(windowed.nextAfterEnd(NOON + 85_000)).toBe(NOON + 90_000)
    expect(windowed.nextAfterEnd(NOON + 85_001)).toBeNull()
  })
})

describe('once and manual', () => {
  it('once is due at its instant, past or not', () => {
    const once = compiled({ kind: 'once', at: iso(NOON) })
    expect([once.next(NOON - 1), once.next(NOON), once.previous(NOON + 1), once.previous(NOON)]).toEqual([NOON, null, NOON, null])
    expect(once.countBetween(NOON, NOON, 10)).toBe(1)
  })

  it('manual is never due', () => {
    const manual = compiled({ kind: 'manual' })
    expect([manual.next(0), manual.previous(NOON), manual.countBetween(0, NOON, 10), manual.nextAfterEnd(NOON)]).toEqual([
      null,
      null,
      0,
      null,
    ])
  })
})

describe('cron', () => {
  it('is due inside its window, both ends included', () => {
    const daily = compiled({
      kind: 'cron',
      expression: '0 0 2 * * ?',
      timezone: 'Asia/Shanghai',
      validFrom: '2026-11-01T02:00:00+08:00',
      validUntil: '2026-11-03T02:00:00+08:00',
    })
    const first = Date.UTC(2026, 9, 31, 18)
    const last = Date.UTC(2026, 10, 2, 18)
    expect([daily.next(0), daily.next(last - 1), daily.next(last)]).toEqual([first, last, null])
    expect([daily.previous(NOON), daily.previous(first + 1), daily.previous(first)]).toEqual([last, first, null])
    expect(daily.countBetween(0, NOON, 100)).toBe(3)
  })

  it('answers for instants that no date can express', () => {
    const daily = compiled({ kind: 'cron', expression: '0/5 0 2 * * ?', timezone: 'Asia/Shanghai' })
    expect([daily.next(Infinity), daily.previous(-Infinity)]).toEqual([null, null])
    expect(daily.next(-Infinity)).not.toBeNull()
    expect(daily.previous(Infinity)).not.toBeNull()
  })

  it('is compiled once for each expression, dialect and zone', () => {
    const source = { expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai' }
    const [first, again, other] = [compileCron(source), compileCron({ ...source }), compileCron({ ...source, timezone: 'Asia/Tokyo' })]
    if (!first.ok || !again.ok || !other.ok) throw new Error('these compile')
    expect(first.cron).toBe(again.cron)
    expect(first.cron).not.toBe(other.cron)
  })
})

describe('next, previous and countBetween of every kind', () => {
  const schedules = fc.constantFrom<Schedule>(
    { kind: 'cron', expression: '0 0/7 9-17 ? * MON-FRI', timezone: 'Europe/Berlin' },
    {
      kind: 'cron',
      expression: '0 30 1,2 * * ?',
      timezone: 'America/New_York',
      validFrom: '2026-03-01T00:00:00Z',
      validUntil: '2026-12-31T00:00:00Z',
    },
    { kind: 'cron', expression: '0 0 0 LW * ?', timezone: 'Australia/Lord_Howe' },
    { kind: 'fixedRate', everyMs: 1_234_567, validUntil: '2027-01-01T00:00:00Z' },
    { kind: 'fixedDelay', delayMs: 1_234_567 },
    { kind: 'once', at: '2026-06-01T00:00:00Z' },
  )
  const instants = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 3, 1) })

  it('describe one and the same set', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, at) => {
        const subject = compiled(schedule, Date.UTC(2026, 4, 1))
        const next = subject.next(at)
        const previous = subject.previous(at)
        if (next !== null) {
          expect(next).toBeGreaterThan(at)
          expect(subject.countBetween(at + 1, next, 10)).toBe(1)
          expect(subject.previous(next + 1)).toBe(next)
          expect(subject.previous(next)).toBe(subject.previous(at + 1))
        }
        if (previous !== null) {
          expect(previous).toBeLessThan(at)
          expect(subject.countBetween(previous, at - 1, 10)).toBe(1)
          expect(subject.next(previous - 1)).toBe(previous)
          expect(subject.next(previous)).toBe(subject.next(at - 1))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('problems', () => {
  it.each<[Schedule, string[], string]>([
    [{ kind: 'fixedRate', everyMs: 99 }, ['schedule.everyMs INTERVAL_TOO_SHORT'], 'below 100 ms'],
    [{ kind: 'fixedRate', everyMs: 100 }, [], '100 ms is allowed'],
    [{ kind: 'fixedDelay', delayMs: MAX_INTERVAL_MS + 1 }, ['schedule.delayMs INTERVAL_TOO_LONG'], 'above ten years'],
    [{ kind: 'fixedRate', everyMs: 1000.5 }, ['schedule.everyMs INTERVAL_NOT_INTEGER'], 'a fraction'],
    [{ kind: 'fixedRate', everyMs: NaN }, ['schedule.everyMs INTERVAL_NOT_INTEGER'], 'no number'],
    [{ kind: 'once', at: 'tomorrow' }, ['schedule.at INSTANT_MALFORMED'], 'no instant'],
    [{ kind: 'once', at: '2020-01-01T00:00:00Z' }, [], 'whether it is past is not asked here'],
    [
      { kind: 'fixedRate', everyMs: 1, validFrom: 'x', validUntil: 'y' },
      ['schedule.everyMs INTERVAL_TOO_SHORT', 'schedule.validFrom INSTANT_MALFORMED', 'schedule.validUntil INSTANT_MALFORMED'],
      'everything at once',
    ],
    [
      { kind: 'fixedRate', everyMs: 1000, validFrom: '2026-02-01T00:00:00Z', validUntil: '2026-01-01T00:00:00Z' },
      ['schedule.validUntil WINDOW_REVERSED'],
      'a window that ends before it begins',
    ],
    [
      { kind: 'cron', expression: '0 0 25 * * ?', timezone: 'Mars/One', validFrom: 'x' },
      ['schedule.expression CRON_OUT_OF_RANGE', 'schedule.timezone ZONE_UNKNOWN', 'schedule.validFrom INSTANT_MALFORMED'],
      'expression, zone and window at once',
    ],
    [
      { kind: 'cron', expression: '0 0 2 1 * ?', timezone: 'UTC', validFrom: '2026-02-02T00:00:00Z', validUntil: '2026-02-27T00:00:00Z' },
      ['schedule.validUntil WINDOW_WITHOUT_FIRING'],
      'a window between two firings',
    ],
    [{ kind: 'cron', expression: '0 0 2 1 1 ? 2020', timezone: 'UTC' }, [], 'all past is no mistake: it fired'],
    [{ kind: 'cron', expression: '0 0 2 31 2 ?', timezone: 'UTC' }, ['schedule.expression CRON_NEVER_FIRES'], 'no such date'],
  ])('of %j are %j: %s', (schedule, expected) => {
    expect(problemsOf(schedule)).toEqual(expected)
  })
})

describe('problem codes', () => {
  const cron = (expression: string): Schedule => ({ kind: 'cron', expression, timezone: 'UTC' })
  const causes: Record<ScheduleProblemCode, Schedule> = {
    CRON_FIELD_COUNT: cron('* * *'),
    CRON_TOO_LONG: cron('*'.repeat(501)),
    CRON_BAD_VALUE: cron('0 0 x * * ?'),
    CRON_OUT_OF_RANGE: cron('0 0 24 * * ?'),
    CRON_BAD_STEP: cron('0 0/60 * * * ?'),
    CRON_RANGE_REVERSED: cron('0 0 0 * * ? 2030-2020'),
    CRON_BOTH_DAYS_RESTRICTED: cron('0 0 0 1 * MON'),
    CRON_BOTH_DAYS_OPEN: cron('0 0 0 ? * ?'),
    CRON_NEVER_FIRES: cron('0 0 0 31 2 ?'),
    ZONE_UNKNOWN: { kind: 'cron', expression: '0 0 0 * * ?', timezone: 'Mars/One' },
    INTERVAL_NOT_INTEGER: { kind: 'fixedRate', everyMs: 0.5 },
    INTERVAL_TOO_SHORT: { kind: 'fixedRate', everyMs: 1 },
    INTERVAL_TOO_LONG: { kind: 'fixedRate', everyMs: MAX_INTERVAL_MS + 1 },
    INSTANT_MALFORMED: { kind: 'once', at: 'x' },
    WINDOW_REVERSED: { kind: 'fixedRate', everyMs: 1000, validFrom: '2027-01-01T00:00:00Z', validUntil: '2026-01-01T00:00:00Z' },
    WINDOW_WITHOUT_FIRING: { kind: 'cron', expression: '0 0 0 1 1 ? 2030', timezone: 'UTC', validUntil: '2026-01-01T00:00:00Z' },
  }

  it.each(SCHEDULE_PROBLEM_CODES)('%s occurs, alone', (code) => {
    const compilation = compileSchedule(causes[code], { anchorAt: NOON })
    expect(compilation.ok ? [] : compilation.problems.map((problem) => problem.code)).toEqual([code])
  })
})

describe('instants in text', () => {
  it.each([
    ['2026-12-01T00:00:00.000Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T08:00+08:00', Date.UTC(2026, 11, 1)],
    ['2026-11-30T19:00:00.5-05:00', Date.UTC(2026, 11, 1, 0, 0, 0, 500)],
    ['2026-02-29T00:00:00Z', null],
    ['2026-12-01T24:00:00Z', null],
    ['2026-12-01T00:00:00', null],
    ['2026-12-01', null],
    ['1764547200000', null],
  ])('%s is %j', (text, expected) => {
    expect(parseInstant(text)).toBe(expected)
  })
})

describe('the bounded cache', () => {
  it('forgets what was used least recently', () => {
    const cache = new LruMap<string, number>(2)
    cache.set('a', 1)
    cache.set('b', 2)
    cache.get('a')
    cache.set('c', 3)
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2])
  })
})
