import { describe, expect, it } from 'vitest'
import { readLines } from './found-days.ts'
import { readIcs } from './ics-days.ts'

const off = (from: string, more: { to?: string; name?: string } = {}) => ({ from, ...more, kind: 'off' })
const work = (from: string, more: { to?: string; name?: string } = {}) => ({ from, ...more, kind: 'work' })

describe('lines of dates', () => {
  it.each([
    ['2026-10-01', [off('2026-10-01')]],
    ['20261001', [off('2026-10-01')]],
    ['2026/1/2 New Year', [off('2026-01-02', { name: 'New Year' })]],
    ['2026年10月1日 国庆节', [off('2026-10-01', { name: '国庆节' })]],
    ['2026-10-01..2026-10-07 国庆节', [off('2026-10-01', { to: '2026-10-07', name: '国庆节' })]],
    ['2026-10-01 至 2026-10-07，国庆节', [off('2026-10-01', { to: '2026-10-07', name: '国庆节' })]],
    ['2026-12-24 to 2026-12-26, Christmas, off', [off('2026-12-24', { to: '2026-12-26', name: 'Christmas' })]],
    ['2026-10-10 补班', [work('2026-10-10')]],
    ['2026-10-10,国庆节补班', [work('2026-10-10', { name: '国庆节补班' })]],
    ['+2026-10-10', [work('2026-10-10')]],
    ['2026-10-10\tworkday', [work('2026-10-10')]],
    ['2026-05-01, 2026-05-02, May Day', [off('2026-05-01', { name: 'May Day' }), off('2026-05-02', { name: 'May Day' })]],
    ['2026-05-01 # a remark 2027-01-01', [off('2026-05-01')]],
    ['# nothing', []],
  ])('%s', (line, days) => {
    expect(readLines(line)).toEqual({ days, blackouts: [], wrong: [] })
  })

  it('that are not understood are told with their numbers', () => {
    expect(readLines('2026-02-30\n2026-10-01\r\nsoon\n2026-10-07..2026-10-01').wrong).toEqual([
      { line: 1, text: '2026-02-30', why: 'notADate' }, { line: 3, text: 'soon', why: 'notADate' }, { line: 4, text: '2026-10-07..2026-10-01', why: 'reversed' },
    ])
  })
})

const ics = (...events: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//t//t//', ...events.flatMap((event, index) => ['BEGIN:VEVENT', `UID:${index}`, 'DTSTAMP:20260101T000000Z', ...event.split('|'), 'END:VEVENT']), 'END:VCALENDAR'].join('\r\n')

describe('an iCalendar file', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z')

  it('has days off, worked days, and events that become blackouts', async () => {
    const text = ics('DTSTART;VALUE=DATE:20261001|DTEND;VALUE=DATE:20261008|SUMMARY:国庆节', 'DTSTART;VALUE=DATE:20261010|SUMMARY:国庆节 补班', 'DTSTART:20260501T010000Z|DTEND:20260501T030000Z|SUMMARY:Move of the data centre')
    expect(await readIcs(text, NOW)).toEqual({
      days: [off('2026-10-01', { to: '2026-10-07', name: '国庆节' }), work('2026-10-10', { name: '国庆节 补班' })],
      blackouts: [{ kind: 'once', from: '2026-05-01T01:00:00.000Z', to: '2026-05-01T03:00:00.000Z', name: 'Move of the data centre' }],
      wrong: [],
    })
  })

  it('repeats for five years and no longer', async () => {
    const { days } = await readIcs(ics('DTSTART;VALUE=DATE:20251225|RRULE:FREQ=YEARLY|SUMMARY:Christmas'), NOW)
    expect(days.map(({ from }) => from)).toEqual(['2025-12-25', '2026-12-25', '2027-12-25', '2028-12-25', '2029-12-25', '2030-12-25'])
  })

  it('that is none is refused', async () => {
    await expect(readIcs('BEGIN:NONSENSE', NOW)).rejects.toThrow()
  })
})
