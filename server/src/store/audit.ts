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

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

const VALUE_LIMIT_BYTES = 8192
const SECRET_HEADER = /authorization|cookie|token|secret|password|key/i

/**
 * The fields in which two states of a resource differ, ready for an entry: values of headers that carry secrets are `"***"`, a value above 8 KiB
 * becomes its length and SHA-256. A state that is absent (before a creation, after a removal) is null.
 */
export function changedFields(before: Fields | null, after: Fields | null): { before?: Fields; after?: Fields } {
  const names = Object.keys({ ...before, ...after }).filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]))
  return { ...(before === null ? {} : { before: pick(before, names) }), ...(after === null ? {} : { after: pick(after, names) }) }
}

type Fields = Readonly<Record<string, unknown>>

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, bounded(masked(fields[name]))]))
}

/** The values of headers that carry secrets are masked wherever they stand: a workflow has handlers in its steps. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [name, name === 'headers' ? maskedHeaders(inner) : masked(inner)]),
  )
}

function maskedHeaders(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]: [string, unknown]) => [name, SECRET_HEADER.test(name) ? '***' : text]),
  )
}

function bounded(value: unknown): unknown {
  const text = value === undefined ? 'null' : JSON.stringify(value)
  const length = Buffer.byteLength(text)
  return length <= VALUE_LIMIT_BYTES ? value : { length, sha256: createHash('sha256').update(text).digest('hex') }
}
