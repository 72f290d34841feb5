/*
 * The secrets of a channel: sealed in the store, masked in answers and in the audit log, kept when the mask is sent back. Which fields they are stands here
 * and nowhere else. A secret is not kept when the channel is pointed to another server: who may edit a channel but not read its password could have it
 * sent to a server of their own.
 */
import { SECRET_MASK, type ChannelSettings, type FieldProblem } from '@tickwheel/contract'

/** What a person may see. */
export function maskedSettings(settings: ChannelSettings): ChannelSettings {
  return mapSecrets(settings, (text, field) => (text === '' ? '' : isUrlField(field) ? maskedUrl(text) : SECRET_MASK))
}

/** Settings apart from their secrets, which are named by their fields; empty ones are none. */
export function withoutSecretTexts(settings: ChannelSettings): {
  readonly plain: ChannelSettings
  readonly secrets: Readonly<Record<string, string>>
} {
  const secrets = Object.fromEntries([...secretFields(settings)].filter(([, text]) => text !== ''))
  return { plain: mapSecrets(settings, () => ''), secrets }
}

/** The same put together again. */
export function joinSecrets(plain: ChannelSettings, secrets: Readonly<Record<string, string>>): ChannelSettings {
  return mapSecrets(plain, (text, field) => secrets[field] ?? text)
}

export type Merged =
  { readonly kind: 'merged'; readonly settings: ChannelSettings } | { readonly kind: 'refused'; readonly errors: readonly FieldProblem[] }

/** New settings in which every mask is the secret that was there before. `before` is null for a new channel, and where it cannot be opened. */
export function mergedSettings(before: ChannelSettings | null, next: ChannelSettings): Merged {
  const known = before !== null && before.kind === next.kind ? secretFields(before) : new Map<string, string>()
  const isElsewhere = before !== null && before.kind === next.kind && placeOf(before) !== placeOf(withKept(next, known))
  const errors: FieldProblem[] = []
  const settings = mapSecrets(next, (text, field) => {
    const old = known.get(field)
    if (!isMask(text, field, old)) return text
    if (old === undefined) errors.push(problem(field, 'there is no secret that could be kept: give it'))
    else if (isElsewhere)
      errors.push(problem(field, 'the channel leads to another server now, and secrets are not taken along: give it again'))
    return old ?? ''
  })
  return errors.length > 0 ? { kind: 'refused', errors } : { kind: 'merged', settings }
}

/** Every secret text of it, longest first, to be cut out of answers. */
export function secretsIn(settings: ChannelSettings): string[] {
  const texts = [...secretFields(settings)].flatMap(([field, text]) => (isUrlField(field) ? [text, ...partsOf(text)] : [text]))
  return texts.filter((text) => text !== '').sort((left, right) => right.length - left.length)
}

/** The path and the query of an address, which is what is secret of it. */
function partsOf(text: string): string[] {
  const url = readUrl(text)
  return url === null ? [] : [`${url.pathname}${url.search}`, ...url.searchParams.values()].filter((part) => part.length > 8)
}

function problem(field: string, message: string): FieldProblem {
  return { path: `settings.${field}`, code: 'REQUIRED', message }
}

function isMask(text: string, field: string, old: string | undefined): boolean {
  return text === SECRET_MASK || (isUrlField(field) && (text.endsWith(`/${SECRET_MASK}`) || (old !== undefined && text === maskedUrl(old))))
}

function isUrlField(field: string): boolean {
  return field === 'url'
}

/** `https://oapi.dingtalk.com/***` */
function maskedUrl(text: string): string {
  return `${readUrl(text)?.origin ?? ''}/${SECRET_MASK}`
}

function readUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

/** The server that gets the secrets. */
function placeOf(settings: ChannelSettings): string {
  return settings.kind === 'email' ? `${settings.host.toLowerCase()}:${settings.port}` : (readUrl(settings.url)?.origin ?? settings.url)
}

/** For comparing places: an address that is masked is the one that was there. */
function withKept(next: ChannelSettings, known: ReadonlyMap<string, string>): ChannelSettings {
  return mapSecrets(next, (text, field) =>
    isUrlField(field) && isMask(text, field, known.get(field)) && readUrl(text)?.origin === readUrl(known.get(field) ?? '')?.origin
      ? (known.get(field) ?? text)
      : text,
  )
}

function secretFields(settings: ChannelSettings): Map<string, string> {
  const found = new Map<string, string>()
  mapSecrets(settings, (text, field) => {
    found.set(field, text)
    return text
  })
  return found
}

function mapSecrets(settings: ChannelSettings, change: (text: string, field: string) => string): ChannelSettings {
  switch (settings.kind) {
    case 'email':
      return { ...settings, password: change(settings.password, 'password') }
    case 'webhook':
      return {
        ...settings,
        secret: change(settings.secret, 'secret'),
        headers: Object.fromEntries(Object.entries(settings.headers).map(([name, text]) => [name, change(text, `headers.${name}`)])),
      }
    case 'dingtalk':
    case 'feishu':
      return { ...settings, url: change(settings.url, 'url'), secret: change(settings.secret, 'secret') }
    case 'wecom':
    case 'slack':
      return { ...settings, url: change(settings.url, 'url') }
  }
}
