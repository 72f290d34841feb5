import { ChannelSettings, ChannelTemplate, type AlarmChannelCreate } from '@tickwheel/contract'
import { NOTICE_LANGUAGES, type NoticeLanguage } from '@tickwheel/core'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { joinSecrets, maskedSettings, withoutSecretTexts } from './channel-secrets.ts'

/** The columns in which a channel says where it leads and in which words. */
export interface ChannelColumns {
  readonly kind: string
  readonly config: string
  readonly secrets: string | null
  readonly language: string
  readonly template: string | null
}

/** What is stored of a channel, with its secrets open. `settings` null: they cannot be opened, or were written by a newer version. */
export interface OpenChannel {
  readonly settings: ChannelSettings | null
  /** what may be shown; null as above, where not even that can be read */
  readonly masked: ChannelSettings | null
  readonly timezone: string
  readonly language: NoticeLanguage
  readonly template: ChannelTemplate | null
}

/** A secret that is sealed, and opened again. */
export interface Seal {
  seal(text: string): string
  open(sealed: string): string | null
}

export const CHANNEL_DEFAULTS = { language: 'zh', timezone: 'UTC' } as const satisfies { language: NoticeLanguage; timezone: string }

const configCheck = Compile(Type.Object({ timezone: Type.String(), settings: Type.Unknown() }))
const secretsCheck = Compile(Type.Record(Type.String(), Type.String()))
const settingsCheck = Compile(ChannelSettings)
const templateCheck = Compile(ChannelTemplate)

/** A channel as it is stored: `config` without any secret, `secrets` sealed one by one. */
export function columnsOfChannel(input: AlarmChannelCreate, settings: ChannelSettings, sealer: Seal): ChannelColumns {
  const { plain, secrets } = withoutSecretTexts(settings)
  const sealed = Object.fromEntries(Object.entries(secrets).map(([field, text]) => [field, sealer.seal(text)]))
  return {
    kind: settings.kind,
    config: JSON.stringify({ timezone: input.timezone ?? CHANNEL_DEFAULTS.timezone, settings: plain }),
    secrets: Object.keys(sealed).length === 0 ? null : JSON.stringify(sealed),
    language: input.language ?? CHANNEL_DEFAULTS.language,
    template: templateOf(input.template ?? null),
  }
}

export function openChannel(row: ChannelColumns, sealer: Seal): OpenChannel {
  const config: unknown = read(row.config)
  const template: unknown = row.template === null ? null : read(row.template)
  const known = configCheck.Check(config) ? config : { timezone: CHANNEL_DEFAULTS.timezone, settings: null }
  const { settings, masked } = openSettings(known.settings, row.secrets, sealer)
  return {
    settings,
    masked,
    timezone: known.timezone,
    language: NOTICE_LANGUAGES.find((language) => language === row.language) ?? CHANNEL_DEFAULTS.language,
    template: template !== null && templateCheck.Check(template) ? template : null,
  }
}

function openSettings(plain: unknown, secrets: string | null, sealer: Seal): Pick<OpenChannel, 'settings' | 'masked'> {
  if (!isPlainSettings(plain)) return { settings: null, masked: null }
  const sealed: unknown = secrets === null ? {} : read(secrets)
  if (!secretsCheck.Check(sealed)) return { settings: null, masked: maskedSettings(plain) }
  const opened = Object.entries(sealed).map(([field, text]) => [field, sealer.open(text)] as const)
  const texts = Object.fromEntries(opened.flatMap(([field, text]) => (text === null ? [] : [[field, text]])))
  const settings = joinSecrets(plain, texts)
  return { settings: opened.some(([, text]) => text === null) ? null : settings, masked: maskedSettings(settings) }
}

/** Without its secrets an address is empty, which the schema would refuse. */
function isPlainSettings(value: unknown): value is ChannelSettings {
  if (typeof value !== 'object' || value === null) return false
  return settingsCheck.Check('url' in value && value.url === '' ? { ...value, url: 'https://robot.invalid' } : value)
}

/** A template that says nothing of its own is none. */
function templateOf(template: ChannelTemplate | null): string | null {
  return template === null || (template.subject === null && template.body === null) ? null : JSON.stringify(template)
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
