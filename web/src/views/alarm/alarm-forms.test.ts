import type { AlarmChannel, AlarmRule, ChannelSettings } from '@tickwheel/contract'
import { ALARM_EVENTS } from '@tickwheel/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { channelBodyOf, channelFormOf, checkChannel } from './channel-form.ts'
import { leadsTo, recoveryWords, targetPlace, targetWords } from './incident-words.ts'
import { checkRule, conditionWords, ruleBodyOf, ruleFormOf } from './rule-form.ts'

beforeAll(() => loadLocale('en'))

const common = { id: 3, version: 2, createdAt: '2026-11-23T18:00:00.000Z', updatedAt: '2026-11-23T18:00:00.000Z' }
const rule: AlarmRule = {
  ...common,
  name: 'nightly', groupId: 1, taskIds: [7], channelIds: [5], grouping: 'rule', tellsRecovery: false, enabled: true, silencedUntil: null, openIncidents: 0,
  conditions: [
    { event: 'failedInARow', times: 4 },
    { event: 'missed', reasons: ['overlap'] },
    { event: 'unfinished', by: '06:30', timezone: 'Asia/Shanghai', days: [1, 2] },
  ],
  quietHours: { from: '23:00', to: '06:00', timezone: 'Asia/Shanghai', days: [6, 7] },
}
const SETTINGS: readonly ChannelSettings[] = [
  { kind: 'email', host: 'mail.example.com', port: 587, security: 'starttls', checkCertificate: false, user: 'me', password: '***', from: 'a@example.com', to: ['b@example.com'] },
  { kind: 'webhook', url: 'https://hook.example/x', secret: '***', headers: { Authorization: '***' } },
  { kind: 'dingtalk', url: 'https://oapi.dingtalk.com/***', secret: '***', atMobiles: ['13800000000'], atAll: true },
  { kind: 'feishu', url: 'https://open.feishu.cn/***', secret: '' },
  { kind: 'wecom', url: 'https://qyapi.weixin.qq.com/***' },
  { kind: 'slack', url: 'https://hooks.slack.com/***' },
]
const channelOf = (settings: ChannelSettings): AlarmChannel => ({
  ...common,
  name: 'ops', groupId: null, enabled: true, language: 'zh', timezone: 'Asia/Shanghai', template: { subject: '{{title}}', body: null }, kind: settings.kind, settings, lastSentAt: null, failedInARow: 0, lastProblem: null,
})

describe('a rule in the form', () => {
  it('is sent back as it came, with what the form does not show', () => {
    const { id: _id, version: _version, createdAt: _created, updatedAt: _updated, silencedUntil: _silenced, openIncidents: _open, ...body } = rule
    expect(ruleBodyOf(ruleFormOf(rule, null), rule)).toEqual(body)
  })

  it('begins with what nobody wants to miss', () => {
    expect(ruleBodyOf(ruleFormOf(null, 1), null).conditions).toEqual([{ event: 'failed' }, { event: 'timedOut' }, { event: 'lost' }, { event: 'missed' }])
  })

  it('is told what is missing before it is sent', () => {
    const form = ruleFormOf(null, null)
    for (const event of ALARM_EVENTS) form.conditions[event].chosen = false
    expect(Object.keys(checkRule(form, false))).toEqual(['name', 'groupId', 'conditions'])
    form.conditions.unfinished.chosen = true
    expect(checkRule({ ...form, name: 'x' }, true)['conditions']).toMatch(/needs tasks/)
  })

  it('has words for every condition', () => {
    const form = ruleFormOf(rule, null)
    for (const event of ALARM_EVENTS) form.conditions[event].chosen = true
    const words = ruleBodyOf(form, rule).conditions.map(conditionWords)
    expect(words).toHaveLength(ALARM_EVENTS.length)
    for (const word of words) expect(word).not.toMatch(/alarms\.|\{/)
    expect(words).toContain('4 runs in a row fail')
  })
})

describe.each(SETTINGS)('a channel of kind $kind in the form', (settings) => {
  it('is sent back as it came, masks and all', () => {
    const channel = channelOf(settings)
    const body = channelBodyOf(channelFormOf(channel, { groupId: 1, language: 'en' }))
    expect(body).toEqual({ name: 'ops', groupId: null, enabled: true, language: 'zh', timezone: 'Asia/Shanghai', template: { subject: '{{title}}', body: null }, settings })
    expect(checkChannel(channelFormOf(channel, { groupId: 1, language: 'en' }), true)).toEqual({})
  })

  it('says where it leads, and no secret', () => expect(leadsTo(channelOf(settings))).not.toMatch(/\*\*\*|^$/))

  it('is told what is missing before it is sent', () => {
    const form = { ...channelFormOf(null, { groupId: null, language: 'en' }), kind: settings.kind }
    const wrong = Object.keys(checkChannel(form, false))
    expect(wrong.slice(0, 2)).toEqual(['name', 'groupId'])
    expect(wrong.length).toBeGreaterThan(2)
  })
})

describe('an incident in words', () => {
  it('names a task alone, and everything else with what it is', () => {
    expect(targetWords({ kind: 'task', id: 1, name: 'settle' })).toBe('settle')
    expect(targetWords({ kind: 'executor', id: 1, name: 'e1' })).toBe('Executor e1')
    expect(targetWords({ kind: 'system', id: null, name: '' })).toBe('The scheduler')
  })
  it('leads to what it is about, if that is still there', () => {
    expect(targetPlace({ kind: 'workflow', id: 4, name: 'w' })).toEqual({ name: 'workflow', params: { id: 4 } })
    expect(targetPlace({ kind: 'task', id: null, name: 'gone' })).toBeNull()
  })
  it('says why it is over: a reason, or a person', () => {
    expect(recoveryWords('success')).toBe('A run succeeded')
    expect(recoveryWords('li.wei')).toBe('Closed by li.wei')
  })
})
