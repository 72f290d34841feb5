import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CompiledSchedule } from './compiled.ts'
import { compileSchedule, type Schedule } from './schedule.ts'
import { DEFAULT_MISFIRE_MAX, settle, skipPassed, type SettleEntry, type SettleInput } from './settle.ts'

const T0 = Date.UTC(2026, 10, 22, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND

function compiled(schedule: Schedule, anchorAt = T0): CompiledSchedule {
  const compilation = compileSchedule(schedule, { anchorAt })
  if (!compilation.ok) throw new Error(JSON.stringify(compilation.problems))
  return compilation.compiled
}

const everyMinute = compiled({ kind: 'fixedRate', everyMs: MINUTE })

function minutes(input: Partial<SettleInput>): SettleInput {
  return {
    compiled: everyMinute,
    lastDueAt: T0,
    nextDueAt: T0 + MINUTE,
    now: T0,
    misfire: { policy: 'skip', graceMs: MINUTE },
    maxFires: 100,
    ...input,
  }
}

/** `f5` fires minute 5, `s1-4:4` skips minutes 1 to 4, four of them; `!` marks a misfire. */
function shortly(entries: readonly SettleEntry[]): string[] {
  const minuteOf = (at: number): number => (at - T0) / MINUTE
  return entries.map((entry) =>
    entry.kind === 'fire'
      ? `f${minuteOf(entry.dueAt)}${entry.misfire === undefined ? '' : '!'}`
      : `s${minuteOf(entry.fromAt)}-${minuteOf(entry.toAt)}:${entry.count ?? '?'}`,
  )
}

describe('settling', () => {
  it.each<[string, Partial<SettleInput>, string[], number, string]>([
    ['nothing passed', { now: T0 + 59 * SECOND }, [], 1, 'the cursor stays'],
    ['due right now', { now: T0 + MINUTE }, ['f1'], 2, 'an instant is passed at its own time'],
    ['late within grace', { now: T0 + 2 * MINUTE }, ['f1', 'f2'], 3, 'as late as the grace is still in time'],
    ['overdue, skip', { now: T0 + 5.5 * MINUTE }, ['s1-4:4', 'f5'], 6, 'what is within grace fires'],
    ['overdue, skip without grace', { now: T0 + 5.5 * MINUTE, misfire: { policy: 'skip', graceMs: 0 } }, ['s1-5:5'], 6, 'all is overdue'],
    [
      'overdue, fireOnce',
      { now: T0 + 5.5 * MINUTE, misfire: { policy: 'fireOnce', graceMs: MINUTE } },
      ['s1-4:4', 'f5!'],
      6,
      'the last stands for all',
    ],
    [
      'overdue, fireOnce with a long grace',
      { now: T0 + 5.5 * MINUTE, misfire: { policy: 'fireOnce', graceMs: 3 * MINUTE } },
      ['s1-4:4', 'f5!'],
      6,
      'also for those within grace',
    ],
    [
      'one overdue, fireOnce',
      { now: T0 + 2.5 * MINUTE, misfire: { policy: 'fireOnce', graceMs: SECOND } },
      ['s1-1:1', 'f2!'],
      3,
      'a skip of one',
    ],
    [
      'a single one, fireOnce',
      { now: T0 + 1.5 * MINUTE, misfire: { policy: 'fireOnce', graceMs: SECOND } },
      ['f1!'],
      2,
      'nothing is skipped',
    ],
    [
      'overdue, fireAll',
      { now: T0 + 3.5 * MINUTE, misfire: { policy: 'fireAll', graceMs: MINUTE } },
      ['f1!', 'f2!', 'f3'],
      4,
      'only overdue ones are misfires',
    ],
    [
      'overdue, fireAll of two',
      { now: T0 + 5.5 * MINUTE, misfire: { policy: 'fireAll', graceMs: MINUTE, max: 2 } },
      ['s1-3:3', 'f4!', 'f5'],
      6,
      'the last two',
    ],
    ['more than a call may fire', { now: T0 + 2 * MINUTE, maxFires: 1 }, ['f1'], 2, 'the rest stays for the next call'],
    [
      'fireAll over several calls',
      { now: T0 + 5.5 * MINUTE, misfire: { policy: 'fireAll', graceMs: MINUTE, max: 3 }, maxFires: 2 },
      ['s1-2:2', 'f3!', 'f4!'],
      5,
      'the skip is decided by the first',
    ],
  ])('%s', (_case, input, expected, next, why) => {
    const settled = settle(minutes(input))
    expect(shortly(settled.entries), why).toEqual(expected)
    expect(settled.nextDueAt).toBe(T0 + next * MINUTE)
  })

  it('takes the given next instant as due, even where the schedule does not know it', () => {
    const delay = compiled({ kind: 'fixedDelay', delayMs: MINUTE })
    const settled = settle(minutes({ compiled: delay, nextDueAt: T0 + 9 * MINUTE, now: T0 + 9 * MINUTE }))
    expect(settled).toEqual({
      entries: [{ kind: 'fire', dueAt: T0 + 9 * MINUTE, prevDueAt: T0, lateMs: 0 }],
      lastDueAt: T0 + 9 * MINUTE,
      nextDueAt: null,
    })
  })

  it('skips a once that downtime passed', () => {
    const once = compiled({ kind: 'once', at: new Date(T0 + MINUTE).toISOString() })
    const settled = settle(minutes({ compiled: once, now: T0 + 9 * MINUTE }))
    expect(settled.entries).toEqual([
      { kind: 'skip', fromAt: T0 + MINUTE, toAt: T0 + MINUTE, prevDueAt: T0, count: 1, reason: 'misfire', policy: 'skip' },
    ])
    expect(settled.nextDueAt).toBeNull()
  })
})

describe('a long outage of a task of every second', () => {
  const year = 365 * 24 * 60 * MINUTE
  const everySecond = compiled({ kind: 'cron', expression: '* * * * * ?', timezone: 'America/New_York' })

  /** Counts the steps, so that a walk through the outage shows. */
  function counted(subject: CompiledSchedule): { subject: CompiledSchedule; steps: () => number } {
    let count = 0
    return {
      steps: () => count,
      subject: {
        ...subject,
        next: (after) => ((count += 1), subject.next(after)),
        previous: (before) => ((count += 1), subject.previous(before)),
      },
    }
  }

  it.each(['skip', 'fireOnce', 'fireAll'] as const)('is settled in a bounded number of steps by %s', (policy) => {
    const { subject, steps } = counted(everySecond)
    const now = T0 + year
    const settled = settle(minutes({ compiled: subject, nextDueAt: T0 + SECOND, now, misfire: { policy, graceMs: 10 * SECOND } }))
    expect(steps()).toBeLessThan(3 * DEFAULT_MISFIRE_MAX)
    expect(settled.entries[0]).toMatchObject({ kind: 'skip', fromAt: T0 + SECOND, count: null })
    expect([settled.lastDueAt, settled.nextDueAt]).toEqual([now, now + SECOND])
  })

  it('has an exact count when the schedule is a plain rate', () => {
    const rate = compiled({ kind: 'fixedRate', everyMs: SECOND })
    const settled = settle(
      minutes({ compiled: rate, nextDueAt: T0 + SECOND, now: T0 + year, misfire: { policy: 'fireOnce', graceMs: MINUTE } }),
    )
    expect(settled.entries[0]).toMatchObject({ kind: 'skip', count: year / SECOND - 1 })
  })

  it('has an exact count up to ten thousand', () => {
    const settledAt = (count: number): SettleEntry | undefined =>
      settle(minutes({ compiled: everySecond, nextDueAt: T0 + SECOND, now: T0 + count * SECOND, misfire: { policy: 'skip', graceMs: 0 } }))
        .entries[0]
    expect(settledAt(10_001)).toMatchObject({ count: 10_000 })
    expect(settledAt(10_002)).toMatchObject({ count: null })
  })
})

describe('random outages', () => {
  const schedules = fc.constantFrom(
    compiled({ kind: 'fixedRate', everyMs: 7 * SECOND }),
    compiled({ kind: 'cron', expression: '0/13 * * * * ?', timezone: 'UTC' }),
    compiled({ kind: 'cron', expression: '5,10,40 0-50 * * * ?', timezone: 'America/New_York' }),
    compiled({ kind: 'cron', expression: '0/20 * * * * ?', timezone: 'UTC', validUntil: new Date(T0 + 20 * MINUTE).toISOString() }),
  )
  const inputs = fc.record({
    compiled: schedules,
    startAt: fc.integer({ min: 0, max: 10 * MINUTE }),
    outageMs: fc.integer({ min: 0, max: 30 * MINUTE }),
    graceMs: fc.constantFrom(0, 1, 10 * SECOND, 5 * MINUTE, 60 * MINUTE),
    policy: fc.constantFrom('skip', 'fireOnce', 'fireAll'),
    max: fc.integer({ min: 1, max: 30 }),
    maxFires: fc.constantFrom(1, 3, 1000),
  })

  /** The rule again, over the plain list of all passed instants. */
  function oracle(passed: readonly number[], input: SettleInput): { skipped: number[]; fired: number[] } {
    const { policy, graceMs, max = DEFAULT_MISFIRE_MAX } = input.misfire
    const overdue = passed.filter((at) => input.now - at > graceMs)
    const counts = { skip: passed.length - overdue.length, fireOnce: 1, fireAll: max }
    const keep = overdue.length === 0 ? passed.length : Math.min(counts[policy], passed.length)
    const split = passed.length - keep
    return { skipped: passed.slice(0, split), fired: passed.slice(split).slice(0, input.maxFires) }
  }

  it('are settled as a plain list would be, and the entries form a chain without a gap', () => {
    fc.assert(
      fc.property(inputs, (drawn) => {
        const lastDueAt = T0 + drawn.startAt
        const nextDueAt = drawn.compiled.next(lastDueAt)
        if (nextDueAt === null) return
        const misfire = { policy: drawn.policy, graceMs: drawn.graceMs, max: drawn.max }
        const input: SettleInput = {
          compiled: drawn.compiled,
          lastDueAt,
          nextDueAt,
          now: lastDueAt + drawn.outageMs,
          misfire,
          maxFires: drawn.maxFires,
        }
        const passed: number[] = []
        for (let at: number | null = nextDueAt; at !== null && at <= input.now; at = drawn.compiled.next(at)) passed.push(at)
        const { skipped, fired } = oracle(passed, input)
        const settled = settle(input)
        const skips = settled.entries.filter((entry) => entry.kind === 'skip')
        const fires = settled.entries.filter((entry) => entry.kind === 'fire')
        expect(fires.map((entry) => entry.dueAt)).toEqual(fired)
        expect(skips.map((entry) => [entry.fromAt, entry.toAt, entry.count])).toEqual(
          skipped.length === 0 ? [] : [[skipped[0], skipped.at(-1), skipped.length]],
        )
        let cursor = lastDueAt
        for (const entry of settled.entries) {
          expect(entry.prevDueAt).toBe(cursor)
          cursor = entry.kind === 'fire' ? entry.dueAt : entry.toAt
        }
        expect(settled.lastDueAt).toBe(cursor)
        expect(settled.nextDueAt).toBe(settled.entries.length === 0 ? nextDueAt : drawn.compiled.next(cursor))
      }),
      { numRuns: 3000 },
    )
  })

  it('end when called again and again, each passed instant once', () => {
    fc.assert(
      fc.property(inputs, (drawn) => {
        const misfire = { policy: drawn.policy, graceMs: drawn.graceMs, max: drawn.max }
        const now = T0 + drawn.startAt + drawn.outageMs
        let cursor = T0 + drawn.startAt
        let nextDueAt = drawn.compiled.next(cursor)
        let covered = 0
        while (nextDueAt !== null && nextDueAt <= now) {
          const settled = settle({ compiled: drawn.compiled, lastDueAt: cursor, nextDueAt, now, misfire, maxFires: drawn.maxFires })
          expect(settled.lastDueAt).toBeGreaterThan(cursor)
          covered += settled.entries.reduce((sum, entry) => sum + (entry.kind === 'fire' ? 1 : (entry.count ?? 0)), 0)
          cursor = settled.lastDueAt
          nextDueAt = settled.nextDueAt
        }
        expect(covered).toBe(drawn.compiled.countBetween(T0 + drawn.startAt + 1, now, 100_000))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('skipping what has passed', () => {
  const passing = { compiled: everyMinute, lastDueAt: T0, nextDueAt: T0 + MINUTE }

  it('is one range with all of it, whatever the policy would do, and names the first instant left', () => {
    expect(skipPassed({ ...passing, now: T0 + 5.5 * MINUTE })).toEqual({
      skipped: { fromAt: T0 + MINUTE, toAt: T0 + 5 * MINUTE, prevDueAt: T0, count: 5 },
      nextDueAt: T0 + 6 * MINUTE,
    })
    expect(skipPassed({ ...passing, now: T0 + MINUTE })?.skipped).toMatchObject({ toAt: T0 + MINUTE, count: 1 })
  })

  it('is nothing when nothing has passed', () => {
    expect(skipPassed({ ...passing, now: T0 + MINUTE - 1 })).toBeNull()
    expect(skipPassed({ ...passing, now: 0 })).toBeNull()
  })

  it('takes an instant that the schedule itself does not know', () => {
    const delay = compiled({ kind: 'fixedDelay', delayMs: MINUTE })
    expect(skipPassed({ compiled: delay, lastDueAt: T0 + MINUTE, nextDueAt: T0 + 3.2 * MINUTE, now: T0 + 9 * MINUTE })).toEqual({
      skipped: { fromAt: T0 + 3.2 * MINUTE, toAt: T0 + 3.2 * MINUTE, prevDueAt: T0 + MINUTE, count: 1 },
      nextDueAt: null,
    })
  })
})
