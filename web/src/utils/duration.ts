import { t } from '../locales/text.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time for people: `230 ms`, `4.2 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`. At most two units, rounded down. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms))
  if (whole < SECOND) return t('units.ms', { n: whole })
  if (whole < 10 * SECOND) return t('units.s', { n: Math.floor(whole / 100) / 10 })
  if (whole < MINUTE) return t('units.s', { n: Math.floor(whole / SECOND) })
  if (whole < HOUR) return pair(t('units.min', { n: Math.floor(whole / MINUTE) }), Math.floor((whole % MINUTE) / SECOND), 's')
  if (whole < DAY) return pair(t('units.h', { n: Math.floor(whole / HOUR) }), Math.floor((whole % HOUR) / MINUTE), 'min')
  return pair(t('units.d', { n: Math.floor(whole / DAY) }), Math.floor((whole % DAY) / HOUR), 'h')
}

/** A length for a countdown or an age: whole seconds below a minute, one unit above ten. */
export function formatRough(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < MINUTE) return t('units.s', { n: Math.ceil(whole / SECOND) })
  if (whole < 10 * MINUTE) return pair(t('units.min', { n: Math.floor(whole / MINUTE) }), Math.floor((whole % MINUTE) / SECOND), 's')
  if (whole < HOUR) return t('units.min', { n: Math.floor(whole / MINUTE) })
  if (whole < 10 * HOUR) return pair(t('units.h', { n: Math.floor(whole / HOUR) }), Math.floor((whole % HOUR) / MINUTE), 'min')
  if (whole < 2 * DAY) return t('units.h', { n: Math.floor(whole / HOUR) })
  return t('units.d', { n: Math.floor(whole / DAY) })
}

function pair(first: string, rest: number, unit: 's' | 'min' | 'h'): string {
  return rest === 0 ? first : `${first} ${t(`units.${unit}`, { n: rest })}`
}
