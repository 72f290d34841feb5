import type { AlarmChannel, AlarmDelivery, AlarmPreview, ChannelTest, Problem } from '@tickwheel/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { HttpReceiver } from '../server/src/notify/receivers.fixture.ts'
import { openApi, type ApiServer } from './api.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'

let api: ApiServer
let admin: ApiClient
let receiver: HttpReceiver
let count = 0

beforeAll(async () => {
  api = await openApi()
  admin = api.admin
})
afterAll(async () => {
  await api.close()
})
beforeEach(async () => {
  const opened = await HttpReceiver.open()
  receiver = opened
  onTestFinished(async () => opened.close())
})

async function channel(more: object = {}): Promise<AlarmChannel> {
  count += 1
  const settings = {
    kind: 'dingtalk',
    url: `${receiver.url}/send?access_token=t0ken-of-robot`,
    secret: 'SEC-of-it',
    atMobiles: [],
    atAll: false,
  }
  return admin.post<AlarmChannel>('/alarm/channel', { name: `channel ${String(count)}`, groupId: null, settings, language: 'en', ...more })
}
const refused = async (method: string, path: string, body?: unknown): Promise<Problem> =>
  (await admin.call<Problem>(method, path, body)).body

describe('a channel in the API', () => {
  it('is answered, listed and audited without its secrets, and keeps them when it is sent back', async () => {
    const made = await channel()
    expect(made.settings).toEqual({ kind: 'dingtalk', url: `${receiver.url}/***`, secret: '***', atMobiles: [], atAll: false })
    const { name, groupId, settings, version } = made
    const changed = await admin.put<AlarmChannel>(`/alarm/channel/${String(made.id)}`, { name: `${name}!`, groupId, settings, version })
    expect(changed).toMatchObject({ name: `${name}!`, version: version + 1 })
    receiver.answer = () => ({ status: 200, body: '{"errcode":0}' })
    await admin.post(`/alarm/channel/${String(made.id)}/test`)
    expect(receiver.received[0]?.path).toContain('access_token=t0ken-of-robot')
    expect(JSON.stringify(await admin.get('/alarm/channel'))).not.toMatch(/t0ken-of-robot|SEC-of-it/)
  })

  it('is tested at once, and the vendor’s answer is told', async () => {
    const made = await channel()
    receiver.answer = () => ({ status: 200, body: '{"errcode":310000,"errmsg":"sign not match"}' })
    const test = await admin.post<ChannelTest>(`/alarm/channel/${String(made.id)}/test`)
    expect(test).toMatchObject({ sent: false, problem: { code: 'refused', answer: '{"errcode":310000,"errmsg":"sign not match"}' } })
    const shown = await admin.get<AlarmChannel>(`/alarm/channel/${String(made.id)}`)
    expect(shown).toMatchObject({ failedInARow: 1, lastProblem: { code: 'refused' } })
  })

  it('is refused with the field and the remedy', async () => {
    const { settings } = await channel()
    const body = { name: 'bad', groupId: null, settings }
    expect((await refused('POST', '/alarm/channel', body)).errors).toMatchObject([
      { path: 'settings.url', code: 'REQUIRED' },
      { path: 'settings.secret' },
    ])
    const plain = { kind: 'wecom', url: 'https://qyapi.weixin.qq.com/x' }
    const template = { subject: '{{taks}}', body: null }
    expect((await refused('POST', '/alarm/channel', { ...body, settings: plain, template, timezone: 'Mars' })).errors).toMatchObject([
      { path: 'timezone' },
      { path: 'template.subject', code: 'NOT_ALLOWED_VALUE', message: expect.stringContaining('target') as string },
    ])
    expect(await refused('POST', '/alarm/channel', { ...body, settings: { kind: 'pager' } })).toMatchObject({ code: 'VALIDATION_FAILED' })
    expect((await refused('POST', '/alarm/channel', { ...body, settings: plain, groupId: 424242 })).errors).toMatchObject([
      { path: 'groupId' },
    ])
  })

  it('cannot be deleted while a rule sends to it', async () => {
    const made = await channel()
    const rule = await admin.post<{ id: number }>('/alarm/rule', {
      name: 'r',
      groupId: null,
      conditions: [{ event: 'failed' }],
      channelIds: [made.id],
    })
    expect(await refused('DELETE', `/alarm/channel/${String(made.id)}`)).toMatchObject({ code: 'ALARM_CHANNEL_USED' })
    await admin.delete(`/alarm/rule/${String(rule.id)}`)
    await admin.delete(`/alarm/channel/${String(made.id)}`)
    expect(await refused('GET', `/alarm/channel/${String(made.id)}`)).toMatchObject({ code: 'ALARM_CHANNEL_NOT_FOUND' })
  })
})

describe('beside channels', () => {
  it('a preview shows what would be sent, and says what is wrong with a template', async () => {
    const template = { subject: '[{{group}}] {{title}}', body: null }
    const shown = await admin.post<AlarmPreview>('/alarm/preview', { language: 'zh', timezone: 'Asia/Shanghai', template, event: 'missed' })
    expect(shown.subject).toBe('[default] 到点未执行：settle')
    expect(shown.html).toContain('到点未执行')
    expect((await refused('POST', '/alarm/preview', { language: 'en', template: { subject: '{{', body: null } })).errors).toMatchObject([
      { path: 'template.subject', code: 'BAD_FORMAT' },
    ])
  })

  it('the list of messages is empty before there are any, and refuses what it does not know', async () => {
    expect((await admin.get<{ items: AlarmDelivery[] }>('/alarm/delivery?state=failed,waiting')).items).toEqual([])
    expect(await refused('GET', '/alarm/delivery?state=lost')).toMatchObject({ code: 'VALIDATION_FAILED' })
    expect(await refused('POST', '/alarm/delivery/1/retry')).toMatchObject({ code: 'ALARM_DELIVERY_NOT_FOUND' })
  })
})
