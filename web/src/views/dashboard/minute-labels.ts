import type { Coming } from '../../api/dashboard.ts'
import { currentLocale } from '../../locales/i18n.ts'

const MINUTE_MS = 60_000
const EVERY = 15

/** What stands under each of the next minutes: the time at every quarter of an hour. In this browser's zone. */
export function minuteLabels({ from, minutes }: Pick<Coming, 'from' | 'minutes'>): string[] {
  const time = new Intl.DateTimeFormat(currentLocale() === 'zh' ? 'zh-CN' : 'en-US', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return minutes.map((_n, index) => {
    const date = new Date(Date.parse(from) + index * MINUTE_MS)
    return date.getMinutes() % EVERY === 0 ? time.format(date) : ''
  })
}
