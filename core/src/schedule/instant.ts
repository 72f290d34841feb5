import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, daysFromCivil, daysInMonth } from '../time/civil.ts'

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?:Z|([+-])(\d\d):(\d\d))$/

/**
 * Reads an ISO 8601 instant (`2026-12-01T00:00:00.000Z`, or with an offset such as `+08:00`) as epoch milliseconds; `null`
 * when it is none. Stricter than `Date.parse`: it must name its zone, and 30 February is refused.
 */
export function parseInstant(text: string): number | null {
  const match = PATTERN.exec(text)
  if (match === null) return null
  const numberAt = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day, hour, minute, second] = [numberAt(1), numberAt(2), numberAt(3), numberAt(4), numberAt(5), numberAt(6)]
  const milliseconds = Number((match[7] ?? '0').padEnd(3, '0'))
  const offsetMs = numberAt(9) * HOUR_MS + numberAt(10) * MINUTE_MS
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  if (hour > 23 || minute > 59 || second > 59 || offsetMs > 24 * HOUR_MS) return null
  const timeMs = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + milliseconds
  return daysFromCivil(year, month, day) * DAY_MS + timeMs - (match[8] === '-' ? -offsetMs : offsetMs)
}
