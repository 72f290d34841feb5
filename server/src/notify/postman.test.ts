import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { ChannelSettings } from '@tickwheel/contract'
import { noticeOf, sampleMessage, type AlarmMessage } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ALARM_NETWORKS, Networks } from '../link/networks.ts'
import type { Letter } from './letter.ts'
import { Postman } from './postman.ts'
import { HttpReceiver, MailReceiver, type Answer, type Received } from './receivers.fixture.ts'

const NOW = Date.UTC(2026, 10, 23, 18)
/** What hostile names and errors hold. */
const HOSTILE = '<script>alert(1)</script> [click](http://evil.example) **bold** @all <!channel> `x` "quoted" & more'
const postman = new Postman(Networks.everywhere, 2_000)
const impatient = new Postman(Networks.everywhere, 60)
let receiver: HttpReceiver

beforeEach(async () => (receiver = await HttpReceiver.open()))
afterEach(async () => receiver.close())

function letter(more: Partial<AlarmMessage> = {}): Letter {
  const message = { ...sampleMessage('opened', 'failed', NOW), ...more }
  const notice = noticeOf(message, { language: 'en', timezone: 'UTC', publicUrl: 'https://t.example', template: null })
  return { id: '77', message, notice, at: NOW }
}

const hostile = (): Letter => letter({ target: { kind: 'task', id: 1, name: HOSTILE } })
const huge = (): Letter => ({
  ...letter(),
  notice: {
    subject: '标题'.repeat(500),
    tone: 'bad',
    blocks: Array.from({ length: 60 }, () => ({ kind: 'text', text: '很长的内容<&"'.repeat(400) })),
  },
})

type HttpKind = Exclude<ChannelSettings['kind'], 'email'>
function settings(kind: HttpKind, secret = 's3cr3t-of-it'): ChannelSettings {
  const url = `${receiver.url}/robot/send?access_token=t0ken-of-robot`
  switch (kind) {
    case 'webhook':
      return { kind, url: `${receiver.url}/hook`, secret, headers: { Authorization: 'Bearer h3ader-secret' } }
    case 'dingtalk':
      return { kind, url, secret, atMobiles: ['13800000000'], atAll: false }
    case 'feishu':
      return { kind, url, secret }
    case 'wecom':
    case 'slack':
      return { kind, url }
  }
}
const OK: Readonly<Record<HttpKind, Answer>> = {
  webhook: { status: 204 },
  dingtalk: { status: 200, body: '{"errcode":0,"errmsg":"ok"}' },
  feishu: { status: 200, body: '{"code":0,"msg":"success","data":{}}' },
  wecom: { status: 200, body: '{"errcode":0,"errmsg":"ok"}' },
  slack: { status: 200, body: 'ok' },
}
const KINDS = ['webhook', 'dingtalk', 'feishu', 'wecom', 'slack'] as const

function first(): Received {
  const [received] = receiver.received
  if (received === undefined) throw new Error('nothing was received')
  return received
}

/** What of a body the tests look at. */
interface Body {
  readonly markdown: { readonly text?: string; readonly content?: string }
  readonly at: unknown
  readonly blocks: readonly { readonly text: { readonly text: string } }[]
}
const bodyOf = (): Body => JSON.parse(first().body) as Body

describe.each(KINDS)('a channel of kind %s', (kind) => {
  it('sends what happened, and is told that it arrived', async () => {
    receiver.answer = () => OK[kind]
    expect(await postman.send(settings(kind), letter())).toMatchObject({ kind: 'sent' })
    expect(receiver.received).toHaveLength(1)
    expect(receiver.received[0]?.body).toContain('settle')
    expect(receiver.received[0]?.body).toContain('https://t.example/alarm/incident/1042')
  })

  it('lets a message of any size fit, and be JSON still', async () => {
    receiver.answer = () => OK[kind]
    expect((await postman.send(settings(kind), huge())).kind).toBe('sent')
    const { body } = first()
    expect(bodyOf).not.toThrow()
    if (kind !== 'webhook' && kind !== 'slack') expect(Buffer.byteLength(body)).toBeLessThan(20_000)
    if (kind === 'slack') expect(body.length).toBeLessThan(40_000)
    if (kind === 'wecom') expect(Buffer.byteLength(bodyOf().markdown.content ?? '')).toBeLessThanOrEqual(4_096)
    if (kind === 'slack') for (const block of bodyOf().blocks) expect(block.text.text.length).toBeLessThanOrEqual(3_000)
  })

  it.each<readonly [string, Answer, object]>([
    ['a server error', { status: 500, body: 'oops' }, { code: 'error', isRejected: false, answer: '500 oops' }],
    ['too many', { status: 429, headers: { 'Retry-After': '7' } }, { code: 'tooMany', isRejected: false, retryAfterMs: 7_000 }],
    ['no such address', { status: 404, body: 'gone' }, { code: 'refused', isRejected: true, answer: '404 gone' }],
    ['a cut connection', 'cut', { code: 'unreachable', isRejected: false }],
  ])('tells %s', async (_why, answer, expected) => {
    receiver.answer = () => answer
    expect(await postman.send(settings(kind), letter())).toMatchObject({ kind: 'failed', ...expected })
  })

  it('waits no longer than its limit', async () => {
    receiver.answer = () => 'silence'
    expect(await impatient.send(settings(kind), letter())).toMatchObject({ kind: 'failed', code: 'timeout', isRejected: false })
  })

  it('does not follow a redirect: where it leads was judged by nobody', async () => {
    receiver.answer = ({ path }) => (path === '/inside' ? OK[kind] : { status: 302, headers: { Location: `${receiver.url}/inside` } })
    expect(await postman.send(settings(kind), letter())).toMatchObject({ kind: 'failed', code: 'refused' })
    expect(receiver.received).toHaveLength(1)
  })

  it('repeats no secret that it is answered with', async () => {
    receiver.answer = ({ path, headers }) => ({
      status: 400,
      body: `bad ${path} ${String(headers.authorization)} ${kind === 'wecom' || kind === 'slack' ? '' : 's3cr3t-of-it'}`,
    })
    const outcome = await postman.send(settings(kind), letter())
    expect(JSON.stringify(outcome)).not.toMatch(/t0ken-of-robot|s3cr3t-of-it|h3ader-secret/)
  })

  it('connects to no network that it may not', async () => {
    const narrow = new Postman(new Networks({ listed: '10.0.0.0/8', isLoopbackOpen: true, setting: ALARM_NETWORKS }))
    const outcome = await narrow.send(settings(kind), letter())
    expect(outcome).toMatchObject({ kind: 'failed', code: 'network', isRejected: true })
    expect(JSON.stringify(outcome)).toContain('alarm.networks')
    const named = { ...settings(kind), url: receiver.url.replace('127.0.0.1', 'localhost') }
    expect(await narrow.send(named, letter())).toMatchObject({ kind: 'failed', code: 'network' })
    expect(receiver.received).toHaveLength(0)
  })

  it('says that nobody is there', async () => {
    const gone = settings(kind)
    await receiver.close()
    expect(await postman.send(gone, letter())).toMatchObject({ kind: 'failed', code: 'unreachable', answer: 'ECONNREFUSED' })
    receiver = await HttpReceiver.open()
  })
})

describe('an error in an answer with status 200', () => {
  it.each<readonly [HttpKind, string, object]>([
    ['dingtalk', '{"errcode":310000,"errmsg":"sign not match"}', { code: 'refused', isRejected: true }],
    ['dingtalk', '{"errcode":130101,"errmsg":"send too fast"}', { code: 'tooMany', isRejected: false }],
    ['dingtalk', '{"errcode":-1,"errmsg":"系统繁忙"}', { code: 'refused', isRejected: false }],
    ['feishu', '{"code":19021,"msg":"sign match fail"}', { code: 'refused', isRejected: true }],
    ['feishu', '{"code":11232,"msg":"frequency limited"}', { code: 'tooMany', isRejected: false }],
    ['wecom', '{"errcode":93000,"errmsg":"invalid webhook url"}', { code: 'refused', isRejected: true }],
    ['wecom', '{"errcode":45009,"errmsg":"api freq out of limit"}', { code: 'tooMany', isRejected: false }],
    ['dingtalk', '<html>login</html>', { code: 'refused', isRejected: true }],
    ['slack', 'invalid_payload', { code: 'refused', isRejected: true }],
  ])('of %s is a failure: %s', async (kind, body, expected) => {
    receiver.answer = () => ({ status: 200, body })
    expect(await postman.send(settings(kind), letter())).toMatchObject({ kind: 'failed', ...expected, answer: body })
  })
})

describe('what is signed', () => {
  it('a webhook: timestamp, full stop and body, as calls to executors are', async () => {
    receiver.answer = () => OK.webhook
    await postman.send(settings('webhook'), letter())
    const { headers, body } = first()
    const timestamp = String(headers['x-tickwheel-timestamp'])
    expect(headers['x-tickwheel-signature']).toBe(`v1=${createHmac('sha256', 's3cr3t-of-it').update(`${timestamp}.${body}`).digest('hex')}`)
    expect(headers['x-tickwheel-delivery']).toBe('77')
    expect(headers.authorization).toBe('Bearer h3ader-secret')
    expect(bodyOf()).toMatchObject({
      id: '77',
      kind: 'opened',
      event: 'failed',
      incidentId: 1042,
      lastAt: '2026-11-23T18:00:00.000Z',
      tone: 'bad',
    })
  })

  it('a webhook without a secret is not signed', async () => {
    receiver.answer = () => OK.webhook
    await postman.send(settings('webhook', ''), letter())
    expect(receiver.received[0]?.headers['x-tickwheel-signature']).toBeUndefined()
  })

  it('a robot of DingTalk: timestamp and secret under the secret, in the query beside its token', async () => {
    receiver.answer = () => OK.dingtalk
    await postman.send(settings('dingtalk'), letter())
    const query = new URL(receiver.received[0]?.path ?? '', receiver.url).searchParams
    expect(query.get('timestamp')).toBe(String(NOW))
    expect(query.get('sign')).toBe(createHmac('sha256', 's3cr3t-of-it').update(`${NOW}\ns3cr3t-of-it`).digest('base64'))
    expect(query.get('access_token')).toBe('t0ken-of-robot')
    expect(bodyOf().at).toEqual({ atMobiles: ['13800000000'], isAtAll: false })
    expect(bodyOf().markdown.text).toContain('@13800000000')
  })

  it('a robot of Feishu: nothing under timestamp and secret, in the body', async () => {
    receiver.answer = () => OK.feishu
    await postman.send(settings('feishu'), letter())
    const seconds = NOW / 1000
    expect(bodyOf()).toMatchObject({
      timestamp: String(seconds),
      sign: createHmac('sha256', `${seconds}\ns3cr3t-of-it`).update('').digest('base64'),
      msg_type: 'interactive',
    })
  })
})

describe('names and errors of tasks', () => {
  it('are no marks for DingTalk and WeCom', async () => {
    for (const kind of ['dingtalk', 'wecom'] as const) {
      receiver.received.length = 0
      receiver.answer = () => OK[kind]
      await postman.send(settings(kind), hostile())
      const text: string = bodyOf().markdown.text ?? bodyOf().markdown.content ?? ''
      expect(text).not.toMatch(/<script>|\[click\]\(|\*\*bold|@all|`x`/)
      expect(text).toContain('［click］')
    }
  })

  it('are plain text for Feishu', async () => {
    receiver.answer = () => OK.feishu
    await postman.send(settings('feishu'), hostile())
    const tags = JSON.stringify(bodyOf()).match(/"tag":"[a-z_]+"/g) ?? []
    expect(new Set(tags)).toEqual(new Set(['"tag":"plain_text"', '"tag":"div"', '"tag":"action"', '"tag":"button"']))
  })

  it('mention nobody and link nowhere at Slack', async () => {
    receiver.answer = () => OK.slack
    await postman.send(settings('slack'), hostile())
    const texts: string[] = bodyOf()
      ['blocks'].slice(1)
      .map((block) => block.text.text)
    expect(texts.join('\n')).toContain('&lt;!channel&gt;')
    expect([...texts.join('\n').matchAll(/<([^|>]*)/g)].every(([, url]) => url?.startsWith('https://t.example/'))).toBe(true)
  })
})

describe('a mail', () => {
  let mail: MailReceiver
  const email = (more: object = {}): ChannelSettings => ({
    kind: 'email',
    host: '127.0.0.1',
    port: mail.port,
    security: 'none',
    checkCertificate: true,
    user: '',
    password: '',
    from: 'Tickwheel <alarm@example.com>',
    to: ['ops@example.com', 'dev@example.com'],
    ...more,
  })

  afterEach(async () => mail.close())

  it('arrives at everybody, in words and as HTML, with an id that a repeat has, too', async () => {
    mail = await MailReceiver.open()
    expect(await postman.send(email(), hostile())).toMatchObject({ kind: 'sent' })
    expect(mail.mails).toMatchObject([{ from: 'alarm@example.com', to: ['ops@example.com', 'dev@example.com'], user: null }])
    const text = decoded(mail.mails[0]?.text ?? '')
    expect(text).toMatch(/Message-ID: <tickwheel-77@example\.com>/i)
    expect(text).toContain('Auto-Submitted: auto-generated')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(text.slice(text.indexOf('text/html'))).not.toContain('<script>')
  })

  it('is not sent to more people by a name with line ends', async () => {
    mail = await MailReceiver.open()
    await postman.send(email(), letter({ target: { kind: 'task', id: 1, name: 'x\r\nBcc: evil@example.com' } }))
    expect(mail.mails[0]?.to).toEqual(['ops@example.com', 'dev@example.com'])
    expect(mail.mails[0]?.text).not.toMatch(/^Bcc:/m)
  })

  it('signs in, and tells a wrong password without saying it', async () => {
    mail = await MailReceiver.open({ authOptional: false })
    expect(await postman.send(email({ user: 'me', password: 'right' }), letter())).toMatchObject({ kind: 'sent' })
    expect(mail.mails[0]?.user).toBe('me')
    const wrong = await postman.send(email({ user: 'me', password: 'wr0ng-one' }), letter())
    expect(wrong).toMatchObject({ kind: 'failed', code: 'refused', isRejected: true })
    expect(JSON.stringify(wrong)).not.toContain('wr0ng-one')
  })

  it.each([
    ['tls', { secure: true }],
    ['starttls', { secure: false, disabledCommands: [] }],
  ])('goes over %s, to a server whose certificate it checks unless told otherwise', async (security, options) => {
    mail = await MailReceiver.open(options)
    const unchecked = await postman.send(email({ security, checkCertificate: false }), letter())
    expect(unchecked).toMatchObject({ kind: 'sent' })
    expect(mail.mails[0]?.isSecure).toBe(true)
    expect(await postman.send(email({ security }), letter())).toMatchObject({
      kind: 'failed',
      code: 'refused',
      isRejected: true,
      answer: expect.stringMatching(/certificate|self.signed/i) as string,
    })
  })

  it('is not sent in the clear where STARTTLS was asked for', async () => {
    mail = await MailReceiver.open()
    expect((await postman.send(email({ security: 'starttls' }), letter())).kind).toBe('failed')
    expect(mail.mails).toEqual([])
  })

  it('of which the server will not hear for now is tried again, for good is not', async () => {
    const busy = (code: number) => Object.assign(new Error('no'), { responseCode: code })
    mail = await MailReceiver.open({ onRcptTo: ({ address }, _session, done) => done(address.startsWith('ops') ? null : busy(550)) })
    expect(await postman.send(email(), letter())).toMatchObject({
      kind: 'sent',
      answer: expect.stringContaining('dev@example.com') as string,
    })
    expect(await postman.send(email({ to: ['dev@example.com'] }), letter())).toMatchObject({ kind: 'failed', isRejected: true })
    await mail.close()
    mail = await MailReceiver.open({ onMailFrom: (_address, _session, done) => done(busy(451)) })
    expect(await postman.send(email(), letter())).toMatchObject({ kind: 'failed', code: 'error', isRejected: false })
  })

  it('waits no longer than its limit for a server that says nothing, and says when none is there', async () => {
    mail = await MailReceiver.open()
    const mute = createServer()
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    expect(await impatient.send(email({ port }), letter())).toMatchObject({ kind: 'failed', code: 'timeout' })
    await new Promise((resolve) => mute.close(resolve))
    expect(await postman.send(email({ port }), letter())).toMatchObject({ kind: 'failed', code: 'unreachable' })
  })

  it('goes to no network that it may not', async () => {
    mail = await MailReceiver.open()
    const narrow = new Postman(new Networks({ listed: '10.0.0.0/8', isLoopbackOpen: true, setting: ALARM_NETWORKS }))
    expect(await narrow.send(email(), letter())).toMatchObject({ code: 'network', isRejected: true })
    expect(await narrow.send(email({ host: 'localhost' }), letter())).toMatchObject({ code: 'network', isRejected: true })
  })
})

/** Quoted-printable, as far as these tests need it. */
function decoded(text: string): string {
  return text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
