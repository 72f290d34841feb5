import { Type, type Static } from 'typebox'
import { Actor } from './instances.ts'
import { defineRoute } from './route.ts'
import { CursorQuery, Id, IdParams, Instant, listOf, nullable, oneOf, strict } from './shape.ts'

/** Whether something was done, or a call was refused. */
export const AUDIT_OUTCOMES = ['done', 'refused'] as const
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number]

/** Who is named by entries: `system` is Tickwheel itself. */
export const ACTOR_KINDS = ['user', 'token', 'executor', 'system'] as const

/** How an export is written. */
export const EXPORT_FORMATS = ['csv', 'jsonl'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Entries that one export holds at most: more is refused with 422 `EXPORT_TOO_LARGE`, never cut off. */
export const EXPORT_ENTRIES = 100_000

const facts = {
  id: Id,
  at: Instant,
  actor: Actor,
  ip: Type.String({ description: 'empty for what Tickwheel did by itself' }),
  requestId: Type.String(),
  action: Type.String({ description: '`task:edit`, `auth:login` …; of a refusal what was asked for' }),
  resource: strict({
    kind: Type.String(),
    id: nullable(Id),
    key: Type.String({ description: 'its name at that time, `group/name` where it has both' }),
  }),
  groupId: nullable(Id),
  groupName: nullable(Type.String({ description: 'null: it belongs to no group, or the group is deleted' })),
  outcome: oneOf(AUDIT_OUTCOMES),
  code: nullable(Type.String({ description: 'the error code of a refusal' })),
  count: Type.Integer({ minimum: 1, description: 'how many refusals of one minute the entry stands for' }),
}

/** An entry of the audit log, as it is listed. `changed`: which fields were changed, at most 20; empty where the entry has not both a before and an after. */
export const AuditListItem = strict({ ...facts, changed: Type.Array(Type.String()) })
export type AuditListItem = Static<typeof AuditListItem>

const Fields = nullable(Type.Record(Type.String(), Type.Unknown()))

/**
 * One entry. `before` and `after` hold changed fields only: a secret is `"***"`, a value above 8 KiB `{ length, sha256 }`. Both are null, and named in
 * `hidden`, for a caller who may not see the parameters of the thing.
 */
export const AuditEntry = strict({ ...facts, before: Fields, after: Fields, hidden: Type.Optional(Type.Array(Type.String())) })
export type AuditEntry = Static<typeof AuditEntry>

const Word = Type.String({ minLength: 1, maxLength: 255 })
const Filter = {
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  actorKind: Type.Optional(oneOf(ACTOR_KINDS)),
  actorId: Type.Optional(Id),
  actor: Type.Optional({ ...Word, description: 'part of the name of who did it' }),
  action: Type.Optional({ ...Word, description: 'one action, or several joined by commas; `task:*` is every action of tasks' }),
  resourceKind: Type.Optional(Word),
  resourceId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  outcome: Type.Optional(oneOf(AUDIT_OUTCOMES)),
  ip: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  keyword: Type.Optional({ ...Word, description: 'part of the name of the thing, of an action, a code or a request id' }),
}

export const AuditQuery = strict({ ...CursorQuery, ...Filter })
export type AuditQuery = Static<typeof AuditQuery>

export const AuditExportQuery = strict({ ...Filter, format: Type.Optional(oneOf(EXPORT_FORMATS)) })
export type AuditExportQuery = Static<typeof AuditExportQuery>

const tag = 'audit'
export const auditRoutes = [
  defineRoute({
    id: 'listAudit',
    method: 'GET',
    path: '/audit',
    access: 'audit:view',
    budget: 'read',
    tag,
    summary: 'Who did what, newest first',
    query: AuditQuery,
    status: 200,
    answer: listOf(AuditListItem),
  }),
  defineRoute({
    id: 'exportAudit',
    method: 'GET',
    path: '/audit/export',
    access: 'audit:view',
    budget: 'heavy',
    tag,
    summary: 'The entries as CSV, or as JSON lines; the export is an entry too',
    query: AuditExportQuery,
    status: 200,
    answer: Type.String(),
  }),
  defineRoute({
    id: 'getAuditEntry',
    method: 'GET',
    path: '/audit/:id',
    access: 'audit:view',
    budget: 'read',
    tag,
    summary: 'One entry, with what was changed',
    params: IdParams,
    status: 200,
    answer: AuditEntry,
  }),
] as const
