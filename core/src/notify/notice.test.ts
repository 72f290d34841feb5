import { describe, expect, it } from 'vitest'
import { ALARM_EVENTS } from '../alarm/event.ts'
import { MESSAGE_KINDS, type AlarmMessage } from '../alarm/message.ts'
import { digestOf } from './digest.ts'
import { NOTICE_FIELDS, NOTICE_LANGUAGES, noticeOf, type Notice, type NoticeOptions } from './notice.ts'
import { nextDeliveryTryMs } from './retry.ts'
import { sampleMessage, testMessage } from './sample.ts'
import { cutText, fillTemplate, templateProblem } from './template.ts'

const NOW = Date.UTC(2026, 10, 23, 18)
const EN: NoticeOptions = { language: 'en', timezone: 'Asia/Shanghai', publicUrl: 'https://t.example/', template: null }
const ZH: NoticeOptions = { ...EN, language: 'zh' }

function textOf({ subject, blocks }: Notice): string {
  const lines = blocks.map((block) => {
    if (block.kind === 'fact') return `${block.label}=${block.value}`
    return block.kind === 'text' ? block.text : `${block.text} → ${block.url ?? ''}`
  })
  return [subject, ...lines].join('\n')
}

function failed(more: Partial<AlarmMessage> = {}): AlarmMessage {
  return { ...sampleMessage('opened', 'failed', NOW), ...more }
}

describe('a notice', () => {
  it('says what failed, where, when and why, and where to look', () => {
    const text = textOf(noticeOf(failed(), EN))
    expect(text).toContain('Failed: settle\n')
    expect(text).toContain('Group=default')
    expect(text).toContain('2026-11-24 02:00:00 (Asia/Shanghai)')
    expect(text).toContain('exit code 1: connection to 10.0.0.7:3306 refused → https://t.example/run/83886081')
    expect(text).toContain('Open in the console → https://t.example/alarm/incident/1042')
  })

  it('says it in Chinese, too', () => {
    const text = textOf(noticeOf(failed({ kind: 'repeated', count: 12 }), ZH))
    expect(text).toContain('执行失败：settle（12 次）')
    expect(text).toContain('任务组=default')
  })

  it('has words of both languages for every kind of message and every event, and none of its own codes', () => {
    for (const options of [EN, ZH])
      for (const kind of MESSAGE_KINDS)
        for (const event of ALARM_EVENTS) {
          const text = textOf(noticeOf(sampleMessage(kind, event, NOW), options))
          expect(text, `${options.language} ${kind} ${event}`).not.toMatch(/undefined|\[object|NaN|failedIn|timedOut|lateMs|dueAt|usualMs/)
          if (options.language === 'zh') expect(text, `${kind} ${event}`).toMatch(/[\u4e00-\u9fff]/)
        }
  })

  it('of a recovery is good news, of a test neither', () => {
    const recovered = noticeOf(failed({ kind: 'recovered' }), EN)
    expect(recovered.tone).toBe('good')
    expect(recovered.subject).toBe('Recovered: settle (failed)')
    expect(noticeOf(testMessage({ id: 1, name: 'x' }, NOW), EN).tone).toBe('info')
  })

  it('of a digest names its incidents and how many there are in all', () => {
    const text = textOf(noticeOf({ ...sampleMessage('digest', 'failed', NOW), facts: { incidents: 40 }, count: 1_000 }, EN))
    expect(text).toContain('1000 alarms in 40 incidents')
    expect(text).toContain('Failed: export-orders (11 times) → https://t.example/alarm/incident/1043')
  })

  it('has no links where nobody said where the console is, and runs of workflows have a page of their own', () => {
    expect(textOf(noticeOf(failed(), { ...EN, publicUrl: '' }))).not.toContain('http')
    const target = { kind: 'workflow', id: 3, name: 'nightly' } as const
    expect(textOf(noticeOf(failed({ target }), EN))).toContain('https://t.example/workflow-run/83886081')
  })

  it('stays on one line and within its bounds, whatever names and errors hold', () => {
    const long = `a\r\nBcc: x@y.z${'😀'.repeat(5_000)}`
    const target = { kind: 'task', id: 1, name: long } as const
    const runs = Array.from({ length: 50 }, (_, index) => ({ id: index + 1, outcome: 'failed', at: NOW, error: long }))
    const facts = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`fact${String(index)}`, long]))
    const notice = noticeOf(failed({ target, runs, facts }), EN)
    expect(notice.subject).not.toMatch(/[\r\n]/)
    expect(notice.subject.length).toBeLessThan(200)
    expect(textOf(notice).length).toBeLessThan(8_000)
  })
})

describe('a template of one’s own', () => {
  const own = (subject: string | null, body: string | null): NoticeOptions => ({ ...EN, template: { subject, body } })

  it('has its names filled in, and what is put in is not read again', () => {
    const message = failed({ target: { kind: 'task', id: 1, name: '{{group}}' } })
    const notice = noticeOf(message, own('[{{ event }}] {{target}}', 'group {{group}}, {{count}} times\n{{error}}\n{{link}}'))
    expect(notice.subject).toBe('[Failed] {{group}}')
    expect(notice.blocks).toEqual([
      {
        kind: 'text',
        text: 'group default, 1 times\nexit code 1: connection to 10.0.0.7:3306 refused\nhttps://t.example/alarm/incident/1042',
      },
    ])
  })

  it('may leave the title or the text to the program', () => {
    expect(noticeOf(failed(), own(null, 'x')).subject).toBe('Failed: settle')
    expect(noticeOf(failed(), own('x', null)).blocks.length).toBeGreaterThan(3)
  })

  it('can name every field, in both languages', () => {
    const body = NOTICE_FIELDS.map((field) => `${field}=<{{${field}}}>`).join('\n')
    for (const language of NOTICE_LANGUAGES) {
      const [block] = noticeOf(failed(), { ...own(null, body), language }).blocks
      expect(block?.kind === 'text' ? block.text : '').not.toMatch(/\{\{|undefined/)
    }
  })

  it.each([
    ['a name that does not exist', '{{tsk}}', { code: 'UNKNOWN_NAME', name: 'tsk' }],
    ['one of every object', '{{constructor}}', { code: 'UNKNOWN_NAME', name: 'constructor' }],
    ['code', '{{ 1 + 1 }}', { code: 'BAD_PLACEHOLDER' }],
    ['braces that do not close', '{{target', { code: 'BAD_PLACEHOLDER' }],
  ])('is refused with %s', (_why, text, problem) => expect(templateProblem(text, NOTICE_FIELDS)).toEqual(problem))

  it('is taken with single braces and any text', () => expect(templateProblem('{"a": {}} {{target}} }}', NOTICE_FIELDS)).toBeNull())
  it('is bounded when filled', () => expect(fillTemplate('{{a}}'.repeat(100), { a: 'x'.repeat(10_000) }).length).toBe(16_000))
  it('is not cut within a character', () => expect(cutText('ab😀cd', 4)).toBe('ab…'))
})

describe('a digest', () => {
  it('names each incident once, by what was said of it last', () => {
    const first = failed({ incidentId: 1, count: 1 })
    const digest = digestOf([first, failed({ incidentId: 2, count: 4 }), { ...first, kind: 'repeated', count: 9 }])
    expect(digest.incidents.map(({ id, kind, count }) => [id, kind, count])).toEqual([
      [2, 'opened', 4],
      [1, 'repeated', 9],
    ])
    expect(digest).toMatchObject({ kind: 'digest', count: 13, facts: { incidents: 2 }, rule: { id: 7 } })
  })

  it('names twenty and counts all, those of digests within it, too', () => {
    const many = Array.from({ length: 30 }, (_, index) => failed({ incidentId: index + 100 }))
    const digest = digestOf([{ ...sampleMessage('digest', 'failed', NOW), facts: { incidents: 50 } }, ...many])
    expect(digest.incidents).toHaveLength(20)
    expect(digest.facts).toEqual({ incidents: 80 })
  })

  it('of several rules and groups names none', () =>
    expect(digestOf([failed(), failed({ rule: { id: 8, name: 'b' }, group: null })])).toMatchObject({ rule: null, group: null }))
})

describe('the next try', () => {
  const waits = (isRejected: boolean): number[] => {
    const found: number[] = []
    for (let tries = 1; ; tries += 1) {
      const ms = nextDeliveryTryMs({ tries, isRejected, retryAfterMs: null, random: 0.5 })
      if (ms === null) return found
      found.push(ms)
    }
  }
  const sum = (list: number[]): number => list.reduce((total, ms) => total + ms, 0)

  it('comes after 5 s, then twice as long each time, for about a day', () => {
    expect(waits(false).slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000])
    expect(Math.max(...waits(false))).toBe(1_800_000)
    expect(sum(waits(false)) / 3_600_000).toBeGreaterThan(23)
    expect(sum(waits(false)) / 3_600_000).toBeLessThan(25)
  })
  it('comes for a few minutes only where the other side refused', () => expect(sum(waits(true))).toBe(155_000))
  it('waits as long as it was asked to', () =>
    expect(nextDeliveryTryMs({ tries: 1, isRejected: false, retryAfterMs: 60_000, random: 0 })).toBe(60_000))
})
