import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { shortCount } from './chart-options.ts'
import { hourLabels } from './hour-labels.ts'
import { minuteLabels } from './minute-labels.ts'

const MIDNIGHT = new Date(2026, 10, 22).getTime()
const hoursFrom = (at: number, count: number) => Array.from({ length: count }, (_none, index) => ({ hourAt: new Date(at + index * 3_600_000).toISOString() }))

describe('what stands under a chart', () => {
  beforeAll(() => loadLocale('en'))

  it.each([
    [24, 'Nov 22 03:00 06:00 09:00 12:00 15:00 18:00 21:00'],
    [48, 'Nov 22 06:00 12:00 18:00 Nov 23 06:00 12:00 18:00'],
    [72, 'Nov 22 Nov 23 Nov 24'],
  ])('of %i hours is %s', (count, words) => {
    const labels = hourLabels(hoursFrom(MIDNIGHT, count))
    expect([labels.length, labels.filter((label) => label !== '').join(' ')]).toEqual([count, words])
  })

  it('of the next hour is every quarter of it', () => {
    const labels = minuteLabels({ from: new Date(MIDNIGHT + 7 * 60_000).toISOString(), minutes: Array.from({ length: 60 }, () => 1) })
    expect(labels.map((label, index) => (label === '' ? '' : `${index} ${label}`)).filter((label) => label !== '')).toEqual(['8 00:15', '23 00:30', '38 00:45', '53 01:00'])
  })

  it.each([[0, '0'], [999, '999'], [1000, '1k'], [1250, '1.3k'], [54_321, '54.3k'], [2_500_000, '2.5M']])('%i is short %s', (value, text) => {
    expect(shortCount(value)).toBe(text)
  })
})
