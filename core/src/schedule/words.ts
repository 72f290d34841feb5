/** Schedules in a sentence, for people. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time/civil.ts'
import type { DayOffRule } from '../calendar/calendar.ts'
import { findZone, formatWall } from '../time/zone.ts'
import { compileCron } from './cron-compile.ts'
import { parseInstant } from './instant.ts'
import type { CronSchedule, Schedule, ScheduleWindow } from './schedule.ts'
import { englishCron } from './words-en.ts'
import { chineseCron } from './words-zh.ts'

export interface ScheduleWords {
  readonly en: string
  readonly zh: string
}

const UTC = 'UTC'
const INVALID: ScheduleWords = { en: 'not a valid schedule', zh: '无效的调度' }

/**
 * What a schedule does, in English and Chinese: `every day at 02:00 (Asia/Shanghai)`. A broken one is called that, and no more.
 * The zone is the one in which schedules without a zone of their own show their instants; `calendar` is the name of the one that it uses.
 */
export function describeSchedule(schedule: Schedule, timezone: string = UTC, calendar?: string): ScheduleWords {
  const words = describePlain(schedule, timezone)
  if (calendar === undefined || words === INVALID || schedule.kind === 'once' || schedule.kind === 'manual') return words
  return withCalendar(words, schedule.kind === 'cron' ? (schedule.onDayOff ?? 'skip') : 'skip', calendar)
}

function withCalendar({ en, zh }: ScheduleWords, rule: DayOffRule, name: string): ScheduleWords {
  switch (rule) {
    case 'skip':
      return { en: `${en}, except when calendar “${name}” is closed`, zh: `${zh}，日历“${name}”排除的时间除外` }
    case 'next':
      return { en: `${en}, moved to the next working day of calendar “${name}”`, zh: `${zh}，遇休息日顺延至日历“${name}”的下一个工作日` }
    case 'previous':
      return {
        en: `${en}, moved to the previous working day of calendar “${name}”`,
        zh: `${zh}，遇休息日提前至日历“${name}”的上一个工作日`,
      }
    case 'only':
      return { en: `${en}, only on days off of calendar “${name}”`, zh: `${zh}，仅在日历“${name}”的休息日` }
  }
}

function describePlain(schedule: Schedule, timezone: string): ScheduleWords {
  const zone = findZone(timezone)?.name ?? UTC
  switch (schedule.kind) {
    case 'cron':
      return describeCron(schedule)
    case 'fixedRate':
      return withWindow(describeRate(schedule.everyMs), schedule, { zone, isNamed: true })
    case 'fixedDelay': {
      const delay = describeDuration(schedule.delayMs)
      const words = { en: `${delay.en} after the end of each run`, zh: `每次执行结束${delay.zh}后` }
      return withWindow(words, schedule, { zone, isNamed: true })
    }
    case 'once': {
      const at = localText(schedule.at, zone)
      return at === null ? INVALID : { en: `once, at ${at} (${zone})`, zh: `仅一次，${at}（${zone}）` }
    }
    case 'manual':
      return { en: 'only when triggered', zh: '仅在触发时执行' }
  }
}

function describeCron(schedule: CronSchedule): ScheduleWords {
  const compilation = compileCron(schedule)
  if (!compilation.ok) return INVALID
  const { fields } = compilation.cron
  const zone = schedule.timezone
  const words = { en: `${englishCron(fields)} (${zone})`, zh: `${chineseCron(fields)}（${zone}）` }
  return withWindow(words, schedule, { zone, isNamed: false })
}

const UNITS = [
  { sizeMs: DAY_MS, en: 'day', zh: '天' },
  { sizeMs: HOUR_MS, en: 'hour', zh: '小时' },
  { sizeMs: MINUTE_MS, en: 'minute', zh: '分钟' },
  { sizeMs: SECOND_MS, en: 'second', zh: '秒' },
  { sizeMs: 1, en: 'millisecond', zh: '毫秒' },
] as const

/** "every minute" rather than "every 1 minute". */
function describeRate(everyMs: number): ScheduleWords {
  const unit = UNITS.find(({ sizeMs }) => sizeMs === everyMs)
  if (unit !== undefined) return { en: `every ${unit.en}`, zh: `每${unit.zh}` }
  const every = describeDuration(everyMs)
  return { en: `every ${every.en}`, zh: `每${every.zh}` }
}

/** `1 minute 30 seconds`, ` 1 分钟 30 秒`: the Chinese begins with the space that separates it from a character. */
function describeDuration(durationMs: number): ScheduleWords {
  let restMs = durationMs
  const parts: { count: number; unit: (typeof UNITS)[number] }[] = []
  for (const unit of UNITS) {
    const count = Math.floor(restMs / unit.sizeMs)
    restMs -= count * unit.sizeMs
    if (count > 0) parts.push({ count, unit })
  }
  return {
    en: parts.map(({ count, unit }) => `${count} ${unit.en}${count === 1 ? '' : 's'}`).join(' '),
    zh: parts.map(({ count, unit }) => ` ${count} ${unit.zh}`).join(''),
  }
}

function withWindow(words: ScheduleWords, window: ScheduleWindow, show: { zone: string; isNamed: boolean }): ScheduleWords {
  const from = window.validFrom === undefined ? null : localText(window.validFrom, show.zone)
  const until = window.validUntil === undefined ? null : localText(window.validUntil, show.zone)
  if (from === null && until === null) return words
  const en = [words.en, ...(from === null ? [] : [`from ${from}`]), ...(until === null ? [] : [`until ${until}`])].join(', ')
  const zh = [words.zh, ...(from === null ? [] : [`自 ${from} 起`]), ...(until === null ? [] : [`至 ${until} 止`])].join('，')
  return show.isNamed ? { en: `${en} (${show.zone})`, zh: `${zh}（${show.zone}）` } : { en, zh }
}

function localText(instant: string, zoneName: string): string | null {
  const at = parseInstant(instant)
  const zone = findZone(zoneName)
  return at === null || zone === null ? null : formatWall(zone.wallAt(at))
}
