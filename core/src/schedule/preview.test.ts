import { describe, expect, it } from 'vitest'
import { previewSchedule, type PreviewFiring, type PreviewOptions } from './preview.ts'
import type { Schedule } from './schedule.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

function firingsOf(schedule: Schedule, options: Partial<PreviewOptions> = {}): readonly PreviewFiring[] {
  const preview = previewSchedule(schedule, { count: 3, anchorAt: NOW, now: NOW, ...options })
  if (!preview.ok) throw new Error(JSON.stringify(preview.problems))
  return preview.firings
}

function marksOf(expression: string, from: string, count: number): string[] {
  const firings = firingsOf({ kind: 'cron', expression, timezone: 'America/New_York' }, { from: Date.parse(from), count })
  return firings.map((firing) => `${firing.local.slice(5, 16)}${firing.offset}${firing.mark === undefined ? '' : ` ${firing.mark}`}`)
}

describe('a preview', () => {
  it('lists the next firings after now, as instants and as clocks show them', () => {
    expect(firingsOf({ kind: 'cron', expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai' }, { count: 2 })).toEqual([
      { at: '2026-11-22T18:00:00.000Z', local: '2026-11-23 02:00:00', offset: '+08:00' },
      { at: '2026-11-23T18:00:00.000Z', local: '2026-11-24 02:00:00', offset: '+08:00' },
    ])
  })

  it('comes with the schedule in words', () => {
    const preview = previewSchedule({ kind: 'fixedRate', everyMs: 5000 }, { count: 1, anchorAt: NOW, now: NOW })
    expect(preview).toMatchObject({ ok: true, words: { en: 'every 5 seconds', zh: '每 5 秒' } })
  })

  it('begins strictly after the given instant', () => {
    const from = Date.UTC(2026, 10, 22, 18)
    const [first] = firingsOf({ kind: 'cron', expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai' }, { from })
    expect(first?.at).toBe('2026-11-23T18:00:00.000Z')
  })

  it('shows schedules without a zone in the one asked for', () => {
    const [firing] = firingsOf({ kind: 'once', at: '2026-12-01T00:00:00Z' }, { timezone: 'Asia/Shanghai' })
    expect(firing).toEqual({ at: '2026-12-01T00:00:00.000Z', local: '2026-12-01 08:00:00', offset: '+08:00' })
  })

  it.each<[Schedule, number, string]>([
    [{ kind: 'cron', expression: '0 0 2 1 1 ? 2027-2028', timezone: 'UTC' }, 2, 'the years end'],
    [{ kind: 'cron', expression: '0 0 2 1 1 ? 2020', timezone: 'UTC' }, 0, 'all past'],
    [{ kind: 'fixedDelay', delayMs: 1000 }, 1, 'later ones depend on runs'],
    [{ kind: 'once', at: '2020-01-01T00:00:00Z' }, 0, 'past'],
    [{ kind: 'manual' }, 0, 'never by itself'],
  ])('of %j has %i firings: %s', (schedule, count) => {
    expect(firingsOf(schedule)).toHaveLength(count)
  })

  it('is bounded', () => {
    expect(firingsOf({ kind: 'fixedRate', everyMs: 1000 }, { count: 1e9 })).toHaveLength(1000)
  })

  it('tells all problems instead', () => {
    const preview = previewSchedule({ kind: 'cron', expression: '0 0 2 31 2 ?', timezone: 'UTC' }, { count: 1, anchorAt: NOW, now: NOW })
    expect(preview).toMatchObject({ ok: false, problems: [{ path: 'schedule.expression', code: 'CRON_NEVER_FIRES' }] })
  })
})

describe('marks of days on which clocks are set', () => {
  it('a fixed time in the gap is moved to its end and marked', () => {
    const found = marksOf('0 30 2 * * ?', '2026-03-07T00:00:00Z', 3)
    expect(found).toEqual(['03-07 02:30-05:00', '03-08 03:00-04:00 gap', '03-09 02:30-04:00'])
  })

  it('a repeating one is marked where times were left out', () => {
    const found = marksOf('0 0/30 * * * ?', '2026-03-08T06:15:00Z', 3)
    expect(found).toEqual(['03-08 01:30-05:00', '03-08 03:00-04:00 gap', '03-08 03:30-04:00'])
  })

  it('a repeating one that loses its whole day is marked on the next', () => {
    const found = marksOf('0 0/30 2 * * ?', '2026-03-07T07:15:00Z', 3)
    expect(found).toEqual(['03-07 02:30-05:00', '03-09 02:00-04:00 gap', '03-09 02:30-04:00'])
  })

  it('a repeating one is marked in both passes of a repeated hour', () => {
    const found = marksOf('0 0/30 * * * ?', '2026-11-01T04:45:00Z', 5)
    expect(found).toEqual([
      '11-01 01:00-04:00 overlap',
      '11-01 01:30-04:00 overlap',
      '11-01 01:00-05:00 overlap',
      '11-01 01:30-05:00 overlap',
      '11-01 02:00-05:00',
    ])
  })

  it('a fixed time in the repeated hour is marked once, the others of the day are not', () => {
    const found = marksOf('0 30 1,14 * * ?', '2026-11-01T04:00:00Z', 2)
    expect(found).toEqual(['11-01 01:30-04:00 overlap', '11-01 14:30-05:00'])
  })

  it('none where the schedule does not meet them', () => {
    const found = marksOf('0 0 14 * * ?', '2026-03-07T00:00:00Z', 3)
    expect(found).toEqual(['03-07 14:00-05:00', '03-08 14:00-04:00', '03-09 14:00-04:00'])
  })
})
