import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../locales/i18n.ts'
import { formatBytes } from './bytes.ts'
import { formatDuration, formatRough } from './duration.ts'
import { formatExact, formatInZone, formatRelative } from './time.ts'

const AT = Date.parse('2026-11-23T05:00:00.250Z')

describe('formatting in English', () => {
  beforeAll(() => loadLocale('en'))

  it.each([[0, '0 ms'], [230, '230 ms'], [1_000, '1 s'], [4_290, '4.2 s'], [59_999, '59 s'], [60_000, '1 min'], [185_000, '3 min 5 s'], [7_500_000, '2 h 5 min'], [273_600_000, '3 d 4 h']])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it.each([[1_500, '2 s'], [599_000, '9 min 59 s'], [3_599_000, '59 min'], [5_400_000, '1 h 30 min'], [90_000_000, '25 h'], [864_000_000, '10 d']])('a countdown of %d ms says %s', (ms, text) => {
    expect(formatRough(ms)).toBe(text)
  })

  it.each([[180_000, 'in 3 min'], [-180_000, '3 min ago'], [400, 'now']])('%d ms away is %s', (ms, text) => {
    expect(formatRelative(AT + ms, AT)).toBe(text)
  })

  it('shows an instant in a zone with its offset', () => {
    expect(formatInZone(AT, 'Asia/Shanghai')).toBe('2026-11-23 13:00:00')
    expect(formatExact(AT, 'Asia/Kolkata')).toBe('2026-11-23 10:30:00.250 (UTC+5:30)')
  })

  it.each([[0, '0 B'], [1023, '1023 B'], [1536, '1.5 KiB'], [64 * 1024 ** 2, '64 MiB']])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe('formatting in Chinese', () => {
  beforeAll(() => loadLocale('zh'))

  it('reads naturally', () => {
    expect(formatDuration(185_000)).toBe('3 分钟 5 秒')
    expect(formatRelative(AT + 180_000, AT)).toBe('3 分钟后')
    expect(formatRelative(AT - 40_000, AT)).toBe('40 秒前')
  })
})
