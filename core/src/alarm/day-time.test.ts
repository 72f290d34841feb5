import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastDayTime, nextDayTime, quietUntil, startOfDay } from './day-time.ts'

const at = (text: string): number => Date.parse(text)
const text = (instant: number | null): string | null => (instant === null ? null : new Date(instant).toISOString())

describe('a time of day', () => {
  it.each([
    ['today', '2026-11-22T09:00:00Z', '08:30', 'UTC', undefined, '2026-11-22T08:30:00.000Z', '2026-11-23T08:30:00.000Z'],
    [
      'at the very instant it has come',
      '2026-11-22T08:30:00Z',
      '08:30',
      'UTC',
      undefined,
      '2026-11-22T08:30:00.000Z',
      '2026-11-23T08:30:00.000Z',
    ],
    [
      'of a zone that is a day ahead',
      '2026-11-22T23:00:00Z',
      '06:00',
      'Asia/Shanghai',
      undefined,
      '2026-11-22T22:00:00.000Z',
      '2026-11-23T22:00:00.000Z',
    ],
    // 22 November 2026 is a Sunday
    ['on Mondays', '2026-11-22T09:00:00Z', '08:00', 'UTC', [1], '2026-11-16T08:00:00.000Z', '2026-11-23T08:00:00.000Z'],
    [
      'that a gap leaves out comes at its end',
      '2026-03-29T12:00:00Z',
      '02:30',
      'Europe/Berlin',
      undefined,
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ],
  ])('%s', (_why, now, by, timezone, days, last, next) => {
    const time = { by, timezone, ...(days === undefined ? {} : { days }) }
    expect([text(lastDayTime(time, at(now))), text(nextDayTime(time, at(now)))]).toEqual([last, next])
  })

  it('comes between the last and the next nowhere, in any zone', () => {
    const zones = fc.constantFrom('UTC', 'Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia')
    fc.assert(
      fc.property(
        fc.integer({ min: at('2026-01-01'), max: at('2028-01-01') }),
        zones,
        fc.integer({ min: 0, max: 1439 }),
        (now, timezone, minute) => {
          const by = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
          const last = lastDayTime({ by, timezone }, now) ?? NaN
          const next = nextDayTime({ by, timezone }, now) ?? NaN
          expect(last).toBeLessThanOrEqual(now)
          expect(next).toBeGreaterThan(now)
          expect(nextDayTime({ by, timezone }, last)).toBe(next)
          expect(next - last).toBeLessThanOrEqual(50 * 3_600_000)
        },
      ),
    )
  })

  it('is never in a zone that is not known', () => {
    expect(lastDayTime({ by: '08:00', timezone: 'Mars/Olympus' }, 0)).toBeNull()
  })
})

it('a day begins at midnight of its zone', () => {
  expect(text(startOfDay('Asia/Shanghai', at('2026-11-22T17:00:00Z')))).toBe('2026-11-22T16:00:00.000Z')
})

describe('quiet time', () => {
  const night = { from: '22:00', to: '08:00', timezone: 'UTC' }
  it.each([
    ['before it', '2026-11-22T21:59:59Z', night, null],
    ['as it begins', '2026-11-22T22:00:00Z', night, '2026-11-23T08:00:00.000Z'],
    ['after midnight', '2026-11-22T03:00:00Z', night, '2026-11-22T08:00:00.000Z'],
    ['as it ends', '2026-11-22T08:00:00Z', night, null],
    ['on a day on which it does not begin', '2026-11-23T23:00:00Z', { ...night, days: [7] }, null],
    ['after the midnight of a day on which it began', '2026-11-23T03:00:00Z', { ...night, days: [7] }, '2026-11-23T08:00:00.000Z'],
    ['a whole day', '2026-11-22T12:00:00Z', { ...night, from: '08:00', days: [7] }, '2026-11-23T08:00:00.000Z'],
  ])('%s', (_why, now, quiet, until) => {
    expect(text(quietUntil(quiet, at(now)))).toBe(until)
  })
})
