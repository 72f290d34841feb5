import type { ChannelSettings } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { maskedSettings, mergedSettings, secretsIn } from './channel-secrets.ts'
import { columnsOfChannel, openChannel } from './stored-channel.ts'
import { Sealed } from './sealed.ts'

const EMAIL = {
  kind: 'email',
  host: 'mail.example.com',
  port: 587,
  security: 'starttls',
  checkCertificate: true,
  user: 'me',
  password: 'pa55word',
  from: 'a@example.com',
  to: ['b@example.com'],
} as const
const settings: readonly ChannelSettings[] = [
  { ...EMAIL, to: [...EMAIL.to] },
  { kind: 'webhook', url: 'https://hook.example/x', secret: 's3cret-w', headers: { Authorization: 'Bearer t0p', 'X-Empty': '' } },
  { kind: 'dingtalk', url: 'https://oapi.dingtalk.com/robot/send?access_token=t0ken', secret: 'SEC1', atMobiles: [], atAll: false },
  { kind: 'feishu', url: 'https://open.feishu.cn/open-apis/bot/v2/hook/t0ken', secret: '' },
  { kind: 'wecom', url: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=t0ken' },
  { kind: 'slack', url: 'https://hooks.slack.com/services/T/B/t0ken' },
]
const SECRETS = /pa55word|s3cret-w|t0p|t0ken|SEC1/
const seal = new Sealed('x'.repeat(32), 'channels')

describe.each(settings)('a channel of kind $kind', (before) => {
  it('shows no secret', () => expect(JSON.stringify(maskedSettings(before))).not.toMatch(SECRETS))

  it('is the same when what is shown is sent back', () =>
    expect(mergedSettings(before, maskedSettings(before))).toEqual({ kind: 'merged', settings: before }))

  it('is stored without a readable secret, and whole again when opened', () => {
    const columns = columnsOfChannel({ name: 'x', groupId: 1, settings: before }, before, seal)
    expect(JSON.stringify(columns)).not.toMatch(SECRETS)
    expect(openChannel(columns, seal).settings).toEqual(before)
    expect(openChannel(columns, seal).masked).toEqual(maskedSettings(before))
  })

  it('cannot be opened with another secret of the installation, and is shown masked all the same', () => {
    const columns = columnsOfChannel({ name: 'x', groupId: 1, settings: before }, before, seal)
    const opened = openChannel(columns, new Sealed('y'.repeat(32), 'channels'))
    expect(opened.settings).toBeNull()
    expect(opened.masked?.kind).toBe(before.kind)
  })

  it('has its secrets cut out of answers', () => {
    const said = secretsIn(before).reduce((text, secret) => text.replaceAll(secret, '***'), JSON.stringify(before))
    expect(said).not.toMatch(SECRETS)
  })

  it('takes no mask for a secret where there is none', () => {
    const fresh = mergedSettings(null, maskedSettings(before))
    expect(fresh.kind).toBe('refused')
  })
})

describe('a channel that is pointed to another server', () => {
  it.each<readonly [string, ChannelSettings, ChannelSettings]>([
    ['mail', { ...EMAIL, to: [] }, { ...EMAIL, to: [], host: 'evil.example', password: '***' }],
    [
      'webhook',
      { kind: 'webhook', url: 'https://a.example/x', secret: 's3cret-w', headers: {} },
      { kind: 'webhook', url: 'https://evil.example/x', secret: '***', headers: {} },
    ],
    [
      'robot',
      { kind: 'feishu', url: 'https://open.feishu.cn/hook/t0ken', secret: 'SEC1' },
      { kind: 'feishu', url: 'https://evil.example/hook', secret: '***' },
    ],
    [
      'robot whose address is masked for another server',
      { kind: 'slack', url: 'https://hooks.slack.com/t0ken' },
      { kind: 'slack', url: 'https://evil.example/***' },
    ],
  ])('does not take its secrets along: %s', (_why, before, next) => expect(mergedSettings(before, next).kind).toBe('refused'))

  it('takes what is given anew', () =>
    expect(mergedSettings({ ...EMAIL, to: [] }, { ...EMAIL, to: [], host: 'new.example', password: 'other' })).toMatchObject({
      kind: 'merged',
    }))
})
