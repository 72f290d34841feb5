/** What a person fills in about a channel, and what is sent. */
import type { AlarmChannel, AlarmChannelCreate, ChannelKind, ChannelSettings, ChannelTemplate } from '@tickwheel/contract'
import type { NoticeLanguage } from '@tickwheel/core'
import { t } from '../../locales/text.ts'
import { localZone } from '../../utils/time.ts'

/** As the server shows a secret; sent back so, it stays. */
const MASK = '***'

/** The fields of every kind together: what was typed is kept when the kind is changed back. */
export interface ChannelForm {
  name: string
  groupId: number | null
  enabled: boolean
  kind: ChannelKind
  language: NoticeLanguage
  timezone: string
  hasTemplate: boolean
  subject: string
  body: string
  /** empty while an address that is kept sealed stays as it is */
  url: string
  secret: string
  headers: { name: string; value: string }[]
  atMobiles: string[]
  atAll: boolean
  host: string
  port: number
  security: 'tls' | 'starttls' | 'none'
  checkCertificate: boolean
  user: string
  password: string
  from: string
  to: string[]
}

export interface ChannelDefaults {
  readonly groupId: number | null
  readonly language: NoticeLanguage
}

export function channelFormOf(channel: AlarmChannel | null, { groupId, language }: ChannelDefaults): ChannelForm {
  const form: ChannelForm = {
    name: channel?.name ?? '', groupId: channel === null ? groupId : channel.groupId, enabled: channel?.enabled ?? true, kind: channel?.kind ?? 'email', language: channel?.language ?? language, timezone: channel?.timezone ?? localZone(),
    hasTemplate: channel?.template != null, subject: channel?.template?.subject ?? '', body: channel?.template?.body ?? '',
    url: '', secret: '', headers: [], atMobiles: [], atAll: false,
    host: '', port: 465, security: 'tls', checkCertificate: true, user: '', password: '', from: '', to: [],
  }
  return channel?.settings == null ? form : { ...form, ...fieldsOf(channel.settings) }
}

function fieldsOf(settings: ChannelSettings): Partial<ChannelForm> {
  switch (settings.kind) {
    case 'email':
      return { ...settings, to: [...settings.to] }
    case 'webhook':
      return { ...settings, headers: Object.entries(settings.headers).map(([name, value]) => ({ name, value })) }
    case 'dingtalk':
      return { ...settings, atMobiles: [...settings.atMobiles] }
    case 'feishu':
    case 'wecom':
    case 'slack':
      return { ...settings }
  }
}

/** Whether an address is one that the server keeps to itself. */
export function isMasked(text: string): boolean {
  return text === MASK || text.endsWith(`/${MASK}`)
}

export function settingsOf(form: ChannelForm): ChannelSettings {
  const { kind, url, secret } = form
  switch (kind) {
    case 'email': {
      const { host, port, security, checkCertificate, user, password, from, to } = form
      return { kind, host: host.trim(), port, security, checkCertificate, user: user.trim(), password: user.trim() === '' ? '' : password, from: from.trim(), to }
    }
    case 'webhook':
      return { kind, url: url.trim(), secret, headers: Object.fromEntries(form.headers.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value])) }
    case 'dingtalk':
      return { kind, url: url.trim(), secret, atMobiles: form.atMobiles, atAll: form.atAll }
    case 'feishu':
      return { kind, url: url.trim(), secret }
    case 'wecom':
    case 'slack':
      return { kind, url: url.trim() }
  }
}

export function templateOf({ hasTemplate, subject, body }: ChannelForm): ChannelTemplate | null {
  const filled = (text: string) => (text.trim() === '' ? null : text)
  return hasTemplate ? { subject: filled(subject), body: filled(body) } : null
}

export function channelBodyOf(form: ChannelForm): AlarmChannelCreate {
  const { groupId, enabled, language, timezone } = form
  return { name: form.name.trim(), groupId, enabled, language, timezone, template: templateOf(form), settings: settingsOf(form) }
}

/** What is wrong before it is sent. The server checks again. */
export function checkChannel(form: ChannelForm, mayAll: boolean): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.name.trim() === '') wrong['name'] = t('alarms.channels.nameMissing')
  if (form.groupId === null && !mayAll) wrong['groupId'] = t('alarms.channels.groupMissing')
  if (form.kind !== 'email') {
    if (!isMasked(form.url.trim()) && !/^https?:\/\/[^\s/]+/.test(form.url.trim())) wrong['settings.url'] = t('alarms.channels.urlMissing')
    return wrong
  }
  if (form.host.trim() === '') wrong['settings.host'] = t('alarms.channels.hostMissing')
  if (form.from.trim() === '') wrong['settings.from'] = t('alarms.channels.fromMissing')
  if (form.to.length === 0) wrong['settings.to'] = t('alarms.channels.toMissing')
  return wrong
}
