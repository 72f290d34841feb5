import type { DashboardHour } from '../../api/dashboard.ts'
import { currentLocale } from '../../locales/i18n.ts'

export const HOUR_MS = 3_600_000

const DAY_HOURS = 24
const TWO_DAYS_HOURS = 48

/**
 * What stands under each hour, in this browser's zone: the time every third hour of a day, every sixth of two, and at midnight the date; of more than two
 * days the date alone. Empty: nothing.
 */
export function hourLabels(hours: readonly Pick<DashboardHour, 'hourAt'>[]): string[] {
  const locale = currentLocale() === 'zh' ? 'zh-CN' : 'en-US'
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const day = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' })
  const every = hours.length <= DAY_HOURS ? 3 : hours.length <= TWO_DAYS_HOURS ? 6 : DAY_HOURS
  return hours.map(({ hourAt }) => {
    const date = new Date(hourAt)
    if (date.getHours() === 0) return day.format(date)
    return date.getHours() % every === 0 ? time.format(date) : ''
  })
}
