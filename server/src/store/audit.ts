import { createHash } from 'node:crypto'
import type { Caller } from './caller.ts'
import type { Tx } from './database.ts'

export interface AuditEntry {
  /** `task:edit`, `auth:login` … */
  readonly action: string
  readonly resource: { readonly kind: string; readonly id: number | null; readonly key: string }
  readonly groupId: number | null
  readonly outcome?: 'done' | 'refused'
  readonly code?: string
  /** how many gathered refusals this entry stands for */
  readonly count?: number
  /** changed fields only; a secret is `"***"`; a value above 8 KiB becomes its length and SHA-256 */
  readonly before?: unknown
  readonly after?: unknown
}

/**
 * Writes what a person changed, in the transaction of the change: a change without its entry cannot be committed.
 * `id` is a run id taken before the transaction.
 */
export async function writeAudit(tx: Tx, at: number, id: number, caller: Caller, entry: AuditEntry): Promise<void> {
  await tx.insert('audit', [
    {
      id,
      at,
      actor_kind: caller.actor.kind,
      actor_id: caller.actor.id,
      actor_name: caller.actor.name,
      ip: caller.ip,
      request_id: caller.requestId,
      action: entry.action,
      resource_kind: entry.resource.kind,
      resource_id: entry.resource.id,
      resource_key: entry.resource.key,
      group_id: entry.groupId,
      outcome: entry.outcome ?? 'done',
      code: entry.code ?? null,
      count: entry.count ?? 1,
      before: text(entry.before),
      after: text(entry.after),
    },
  ])
}

/** Programs trigger by the thousand: the run of an API token keeps who made it, and is record enough. */
export async function auditPerson(
  tx: Tx,
  { at, auditId, caller }: { readonly at: number; readonly auditId: number; readonly caller: Caller },
  entry: AuditEntry,
): Promise<void> {
  if (caller.actor.kind !== 'token') await writeAudit(tx, at, auditId, caller, entry)
}

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

const VALUE_LIMIT_BYTES = 8192
const MASK = '***'
/** Names of headers and of environment variables whose values are secrets. */
const SECRET_WORD = /authorization|cookie|token|secret|passw|passphrase|credential|key/i
/** Names of fields whose texts are secrets wherever they stand. */
const SECRET_FIELD = /(password|passphrase|token|secret|apiKey|privateKey|accessKey)$/i
/** In addresses: the user and password before the host, and what such parts of the query say. */
const USER_IN_ADDRESS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi
const SECRET_IN_QUERY = /([?&][^=&#\s]*(?:token|secret|passw|key|sign)[^=&#\s]*=)[^&#\s"'<>]+/gi

/**
 * The fields in which two states of a resource differ, ready for an entry: secrets are `"***"` (by the names of fields, headers and environment variables, and
 * in addresses), a value above 8 KiB becomes its length and SHA-256. A state that is absent (before a creation, after a removal) is null.
 */
export function changedFields(before: Fields | null, after: Fields | null): { before?: Fields; after?: Fields } {
  const names = Object.keys({ ...before, ...after }).filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]))
  return { ...(before === null ? {} : { before: pick(before, names) }), ...(after === null ? {} : { after: pick(after, names) }) }
}

type Fields = Readonly<Record<string, unknown>>

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, shownOf(name, fields[name])]))
}

/** Masked before it is measured: the digest of a short secret could be guessed. */
function shownOf(name: string, value: unknown): unknown {
  return bounded(maskedField(name, value))
}

/** Secrets are masked wherever they stand: a workflow has handlers in its steps. */
function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskedText(value)
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
  // `{ secret: NAME }` names a secret, and does not hold it
  if (fields.length === 1 && 'secret' in value) return value
  return Object.fromEntries(fields.map(([name, inner]: [string, unknown]) => [name, maskedField(name, inner)]))
}

function maskedField(name: string, value: unknown): unknown {
  if (name === 'headers' || name === 'env') return maskedWords(value)
  return typeof value === 'string' && value !== '' && SECRET_FIELD.test(name) ? MASK : masked(value)
}

function maskedWords(words: unknown): unknown {
  if (typeof words !== 'object' || words === null) return {}
  return Object.fromEntries(
    Object.entries(words).map(([name, inner]: [string, unknown]) => [
      name,
      typeof inner === 'string' && SECRET_WORD.test(name) ? MASK : masked(inner),
    ]),
  )
}

function maskedText(text: string): string {
  return text.replace(USER_IN_ADDRESS, `$1${MASK}@`).replace(SECRET_IN_QUERY, `$1${MASK}`)
}

function bounded(value: unknown): unknown {
  const text = value === undefined ? 'null' : JSON.stringify(value)
  const length = Buffer.byteLength(text)
  return length <= VALUE_LIMIT_BYTES ? value : { length, sha256: createHash('sha256').update(text).digest('hex') }
}
