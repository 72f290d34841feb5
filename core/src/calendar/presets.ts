/** Rules to begin a calendar with. They are data: a person takes them over and edits them. */
import type { CalendarDayRule, CalendarRuleSet } from './calendar.ts'

export interface CalendarPresetData {
  readonly id: string
  readonly title: { readonly zh: string; readonly en: string }
  /** where its days were published */
  readonly source: string
  /** of which every official day is in it; a later year is added when its days are published */
  readonly years: readonly number[]
  readonly rules: CalendarRuleSet
}

const off = (name: string, from: string, to?: string): CalendarDayRule => ({ from, ...(to === undefined ? {} : { to }), kind: 'off', name })
const work = (name: string, from: string): CalendarDayRule => ({ from, kind: 'work', name: `${name}调休上班` })

/** Public holidays of mainland China, with the weekend days that are worked in their place. */
const CHINA: CalendarPresetData = {
  id: 'china-mainland',
  title: { zh: '中国大陆法定节假日（含调休）', en: 'Public holidays of mainland China, with make-up working days' },
  source: '国务院办公厅关于 2025 年、2026 年部分节假日安排的通知（gov.cn）',
  years: [2025, 2026],
  rules: {
    weekend: [6, 7],
    days: [
      off('元旦', '2025-01-01'),
      work('春节', '2025-01-26'),
      off('春节', '2025-01-28', '2025-02-04'),
      work('春节', '2025-02-08'),
      off('清明节', '2025-04-04', '2025-04-06'),
      work('劳动节', '2025-04-27'),
      off('劳动节', '2025-05-01', '2025-05-05'),
      off('端午节', '2025-05-31', '2025-06-02'),
      work('国庆节', '2025-09-28'),
      off('国庆节、中秋节', '2025-10-01', '2025-10-08'),
      work('国庆节', '2025-10-11'),
      off('元旦', '2026-01-01', '2026-01-03'),
      work('元旦', '2026-01-04'),
      work('春节', '2026-02-14'),
      off('春节', '2026-02-15', '2026-02-23'),
      work('春节', '2026-02-28'),
      off('清明节', '2026-04-04', '2026-04-06'),
      off('劳动节', '2026-05-01', '2026-05-05'),
      work('劳动节', '2026-05-09'),
      off('端午节', '2026-06-19', '2026-06-21'),
      work('国庆节', '2026-09-20'),
      off('中秋节', '2026-09-25', '2026-09-27'),
      off('国庆节', '2026-10-01', '2026-10-07'),
      work('国庆节', '2026-10-10'),
    ],
    blackouts: [],
  },
}

export const CALENDAR_PRESETS: readonly CalendarPresetData[] = [CHINA]
