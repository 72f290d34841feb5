import { currentLocale } from '../locales/i18n.ts'

/** A number for people: `1,042,400`. */
export function formatCount(count: number): string {
  return count.toLocaleString(currentLocale() === 'zh' ? 'zh-CN' : 'en-US')
}
