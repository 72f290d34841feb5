import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCron } from './cron-compile.ts'
import { randomQuartz } from './cron-random.fixture.ts'
import type { Schedule } from './schedule.ts'
import { describeSchedule } from './words.ts'

describe('crons in words', () => {
  it.each([
    ['0 0 2 * * ?', 'every day at 02:00', '每天 02:00'],
    ['0 0 9,12,18 * * ?', 'every day at 09:00, 12:00 and 18:00', '每天 09:00、12:00 和 18:00'],
    ['0 30 9 ? * MON-FRI', 'Monday to Friday at 09:30', '每周一至周五 09:30'],
    ['0 0/5 * * * ?', 'every 5 minutes', '每 5 分钟'],
    ['0 0/5 9-17 ? * 2-6', 'every 5 minutes from 09:00 to 17:59, Monday to Friday', '每周一至周五 09:00 至 17:59，每 5 分钟'],
    ['*/10 * * * * ?', 'every 10 seconds', '每 10 秒'],
    ['* * * * * ?', 'every second', '每秒'],
    ['0 * * * * ?', 'every minute', '每分钟'],
    ['30 * * * * ?', 'every minute at second 30', '每分钟第 30 秒'],
    ['0 0 * * * ?', 'every hour', '每小时整点'],
    ['0 15 * * * ?', 'every hour at minute 15', '每小时第 15 分'],
    ['0 0 0/2 * * ?', 'every 2 hours', '每 2 小时'],
    ['0 15 0/2 * * ?', 'every 2 hours at minute 15', '每 2 小时的第 15 分'],
    ['0 15 1/2 * * ?', 'every 2 hours from 01:15 every day', '每天 01:15 起，每 2 小时'],
    ['0 0 9-18 * * ?', 'every hour from 09:00 to 18:00', '每天 09:00 至 18:00，每小时'],
    ['0 0 22-2 * * ?', 'every hour from 22:00 to 02:00', '每天 22:00 至 02:00，每小时'],
    ['0 0 2 1 * ?', 'on the 1st of every month at 02:00', '每月 1 日 02:00'],
    ['0 0 2 1,15 * ?', 'on the 1st and 15th of every month at 02:00', '每月 1 日和 15 日 02:00'],
    ['0 0 0 1-7 * ?', 'on the 1st to 7th of every month at 00:00', '每月 1 日至 7 日 00:00'],
    ['0 0 2 L * ?', 'on the last day of every month at 02:00', '每月最后一天 02:00'],
    ['0 0 2 LW * ?', 'on the last weekday of every month at 02:00', '每月最后一个工作日 02:00'],
    ['0 0 2 L-3 * ?', 'on the 4th-to-last day of every month at 02:00', '每月倒数第 4 天 02:00'],
    ['0 0 2 L-3W * ?', 'on the weekday nearest the 4th-to-last day of every month at 02:00', '每月最接近倒数第 4 天的工作日 02:00'],
    ['0 0 2 15W * ?', 'on the weekday nearest the 15th of every month at 02:00', '每月最接近 15 日的工作日 02:00'],
    ['0 0 2 1,L * ?', 'on the 1st and the last day of every month at 02:00', '每月 1 日和最后一天 02:00'],
    ['0 0 2 ? * 6L', 'on the last Friday of every month at 02:00', '每月最后一个周五 02:00'],
    ['0 0 2 ? * FRI#3', 'on the 3rd Friday of every month at 02:00', '每月第三个周五 02:00'],
    ['0 0 2 ? * SAT,SUN', 'every Saturday and Sunday at 02:00', '每周六和周日 02:00'],
    ['0 0 2 ? * FRI-MON', 'Friday to Monday at 02:00', '每周五至周一 02:00'],
    ['0 0 2 ? * 1-7', 'every day at 02:00', '每天 02:00'],
    ['0 0 2 1 1 ?', 'on the 1st of January at 02:00', '每年 1 月 1 日 02:00'],
    ['0 0 2 29 2 ?', 'on the 29th of February at 02:00', '每年 2 月 29 日 02:00'],
    ['0 0 2 1 1,7 ?', 'on the 1st of January and July at 02:00', '每年 1 月和 7 月的 1 日 02:00'],
    ['0 0 2 * 6 ?', 'every day of June at 02:00', '每年 6 月的每天 02:00'],
    ['0 0 2 ? 1-3 MON', 'every Monday of January to March at 02:00', '每年 1 月至 3 月的每周一 02:00'],
    ['0 0 2 ? 6 FRIL', 'on the last Friday of June at 02:00', '每年 6 月最后一个周五 02:00'],
    ['0 0 2 1 1 ? 2027', 'on the 1st of January at 02:00, in 2027', '2027 年 1 月 1 日 02:00'],
    ['0 0 2 * * ? 2027-2030', 'every day at 02:00, in 2027 to 2030', '2027 年至 2030 年每天 02:00'],
    ['0/30 * * * * ? 2027', 'every 30 seconds, in 2027', '2027 年每天，每 30 秒'],
    ['30 4 1,15 * 5', 'on the 1st and 15th of every month and every Friday at 04:30', '每月 1 日和 15 日以及每周五 04:30'],
    ['0 0/7 * * * ?', 'every 7 minutes from minute 0 of every hour', '每小时从第 0 分起每 7 分钟'],
    ['0 5/15 * * * ?', 'every 15 minutes from minute 5 of every hour', '每小时从第 5 分起每 15 分钟'],
    [
      '0 0/5 0/2 * * ?',
      'every 5 minutes in the hours 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 22',
      '每天 0、2、4、6、8、10、12、14、16、18、20 和 22 点，每 5 分钟',
    ],
    ['0 0/5 8 ? * MON', 'every 5 minutes from 08:00 to 08:59, every Monday', '每周一 08:00 至 08:59，每 5 分钟'],
    ['* 0/5 * * * ?', 'every second in every 5th minute from minute 0', '每小时第 0、5、10、15、20、25、30、35、40、45、50 和 55 分内每秒'],
    [
      '* 0/5 9 * * ?',
      'every second in every 5th minute from minute 0 from 09:00 to 09:59',
      '每天 09:00 至 09:59，每小时第 0、5、10、15、20、25、30、35、40、45、50 和 55 分内每秒',
    ],
    ['* * 9 * * ?', 'every second from 09:00 to 09:59', '每天 09:00 至 09:59，每秒'],
    ['0 0 2 1/2 * ?', 'on every 2nd day from the 1st of every month at 02:00', '每月从 1 日起每 2 天 02:00'],
    ['10,20 * * * * ?', 'at seconds 10 and 20 of every minute', '每分钟第 10 和 20 秒'],
    ['0 0,10,15 * * * ?', 'at minutes 0, 10 and 15 of every hour', '每小时第 0、10 和 15 分'],
    ['0 0,10,15 8 * * ?', 'every day at 08:00, 08:10 and 08:15', '每天 08:00、08:10 和 08:15'],
    ['0 0 0/6 * * ?', 'every day at 00:00, 06:00, 12:00 and 18:00', '每天 00:00、06:00、12:00 和 18:00'],
    ['0 0 0/4 * * ?', 'every 4 hours', '每 4 小时'],
    ['30 0 0/4 * * ?', 'every 4 hours at minute 0, second 30', '每 4 小时的第 0 分 30 秒'],
    [
      '0 0 8,9,10,12,14,15 * * ?',
      'every day at 08:00, 09:00, 10:00, 12:00, 14:00 and 15:00',
      '每天 08:00、09:00、10:00、12:00、14:00 和 15:00',
    ],
    ['0 0-5 14 * * ?', 'at minutes 0 to 5 of every hour from 14:00 to 14:59', '每天 14:00 至 14:59，每小时第 0 至 5 分'],
    ['15 10 * * * ?', 'every hour at minute 10, second 15', '每小时第 10 分 15 秒'],
    ['15 0 9-18 * * ?', 'every hour from 09:00:15 to 18:00:15', '每天 09:00:15 至 18:00:15，每小时'],
    ['15 30 2 * * ?', 'every day at 02:30:15', '每天 02:30:15'],
    ['30 0/5 * * * ?', 'every 5 minutes at second 30', '每 5 分钟的第 30 秒'],
    [
      '0 10 8,10,11,12,13,14,15,16,17,19,20,21,22 * * ?',
      'at 08:10, 10:10, 11:10, 12:10, 13:10, 14:10, 15:10, 16:10, 17:10, 19:10, 20:10, 21:10 and 22:10',
      '每天 8、10、11、12、13、14、15、16、17、19、20、21 和 22 点，每小时第 10 分',
    ],
    ['0 0-10 * * * ?', 'at minutes 0 to 10 of every hour', '每小时第 0 至 10 分'],
    ['0 0 3/7 * * ?', 'every day at 03:00, 10:00 and 17:00', '每天 03:00、10:00 和 17:00'],
  ])('%s is "%s", "%s"', (expression, en, zh) => {
    const words = describeSchedule({ kind: 'cron', expression, timezone: 'Asia/Shanghai' })
    expect(words).toEqual({ en: `${en} (Asia/Shanghai)`, zh: `${zh}（Asia/Shanghai）` })
  })

  it('are the same for expressions that mean the same', () => {
    const wordsOf = (expression: string): unknown => describeSchedule({ kind: 'cron', expression, timezone: 'UTC' })
    expect(wordsOf('0 */5 * * * *')).toEqual(wordsOf('0 0/5 * * * ?'))
    expect(wordsOf('*/5 * * * *')).toEqual(wordsOf('0 0-59/5 * ? * *'))
    expect(wordsOf('0 9 * * 1-5')).toEqual(wordsOf('0 0 9 ? * MON-FRI'))
  })

  it('exist for any expression, with a space between Chinese and Latin characters and none missing', () => {
    fc.assert(
      fc.property(randomQuartz({ wraps: true, specials: true }), ({ expression }) => {
        if (!compileCron({ expression, timezone: 'UTC' }).ok) return
        const { en, zh } = describeSchedule({ kind: 'cron', expression, timezone: 'UTC' })
        expect(en).not.toMatch(/undefined|NaN| {2}|[\u4e00-\u9fff]|^ | $/)
        expect(zh).not.toMatch(/undefined|NaN| {2}|^ |[\u4e00-\u9fff][0-9A-Za-z]|[0-9A-Za-z][\u4e00-\u9fff]/)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('other schedules in words', () => {
  it.each<[Schedule, string, string]>([
    [{ kind: 'fixedRate', everyMs: 60_000 }, 'every minute', '每分钟'],
    [{ kind: 'fixedRate', everyMs: 86_400_000 }, 'every day', '每天'],
    [{ kind: 'fixedRate', everyMs: 100 }, 'every 100 milliseconds', '每 100 毫秒'],
    [
      { kind: 'fixedRate', everyMs: 90_000, validFrom: '2026-01-01T00:00:00Z' },
      'every 1 minute 30 seconds, from 2026-01-01 00:00:00 (UTC)',
      '每 1 分钟 30 秒，自 2026-01-01 00:00:00 起（UTC）',
    ],
    [{ kind: 'fixedDelay', delayMs: 5000 }, '5 seconds after the end of each run', '每次执行结束 5 秒后'],
    [{ kind: 'once', at: '2026-12-01T00:00:00.000Z' }, 'once, at 2026-12-01 00:00:00 (UTC)', '仅一次，2026-12-01 00:00:00（UTC）'],
    [{ kind: 'manual' }, 'only when triggered', '仅在触发时执行'],
    [
      {
        kind: 'cron',
        expression: '0 0 2 * * *',
        timezone: 'Asia/Shanghai',
        validFrom: '2026-01-01T00:00:00+08:00',
        validUntil: '2026-12-31T16:00:00Z',
      },
      'every day at 02:00 (Asia/Shanghai), from 2026-01-01 00:00:00, until 2027-01-01 00:00:00',
      '每天 02:00（Asia/Shanghai），自 2026-01-01 00:00:00 起，至 2027-01-01 00:00:00 止',
    ],
    [{ kind: 'cron', expression: '0 0 25 * * ?', timezone: 'UTC' }, 'not a valid schedule', '无效的调度'],
    [{ kind: 'once', at: 'tomorrow' }, 'not a valid schedule', '无效的调度'],
  ])('%j is "%s", "%s"', (schedule, en, zh) => {
    expect(describeSchedule(schedule)).toEqual({ en, zh })
  })

  it('show instants in the zone that is asked for', () => {
    expect(describeSchedule({ kind: 'once', at: '2026-12-01T00:00:00.000Z' }, 'Asia/Shanghai').en).toBe(
      'once, at 2026-12-01 08:00:00 (Asia/Shanghai)',
    )
  })
})
