import { Readable } from 'node:stream'
import type { AuditEntry, AuditExportQuery, ExportFormat } from '@tickwheel/contract'
import { id, may, type Permission } from '@tickwheel/core'
import type { SignedUser } from '../../auth/signed-user.ts'
import { writeAudit } from '../../store/audit.ts'
import { exportAudit, getAuditEntry, listAudit, sizeOfExport, type MayViewParams } from '../../store/audit-list.ts'
import type { Caller } from '../../store/caller.ts'
import type { Database } from '../../store/database.ts'
import type { MakeChange } from '../change.ts'
import { csvRow } from '../csv.ts'
import { Streamed, type HandlersOf } from '../handlers.ts'

export function auditHandlers({
  db,
  change,
}: {
  db: Database
  change: MakeChange
}): HandlersOf<'listAudit' | 'getAuditEntry' | 'exportAudit'> {
  return {
    listAudit: async ({ query, scope }) => listAudit(db, scope, query),
    getAuditEntry: async ({ params, scope, who }) => getAuditEntry(db, scope, params.id, mayViewParams(who)),
    exportAudit: async (asked) => {
      const { format = 'csv', ...filter } = asked.query
      const entries = await sizeOfExport(db, asked.scope, filter)
      const { now, auditId } = await change(asked)
      await noteExport(db, { now, auditId, caller: asked.caller, query: asked.query, entries })
      const rows = exportAudit(db, asked.scope, { filter, belowId: auditId, mayViewParams: mayViewParams(asked.who) })
      return new Streamed(FORMATS[format].contentType, Readable.from(FORMATS[format].write(rows)), fileName(now, format))
    },
  }
}

/** Of what has no parameters, what was changed may be seen by whoever may see the entry. */
const VIEW_PARAMS: Readonly<Record<string, Permission>> = {
  task: 'task:viewParams',
  instance: 'task:viewParams',
  workflow: 'workflow:viewParams',
  workflowRun: 'workflow:viewParams',
}

function mayViewParams({ grants }: SignedUser): MayViewParams {
  return (kind, groupId) => {
    const permission = VIEW_PARAMS[kind]
    return permission === undefined || may(grants, permission, groupId === null ? null : id<'group'>(groupId)).allowed
  }
}

/** Before the first byte of it, so that none goes out without its entry. */
async function noteExport(
  db: Database,
  { now, auditId, caller, query, entries }: { now: number; auditId: number; caller: Caller; query: AuditExportQuery; entries: number },
): Promise<void> {
  await db.write('rest', (tx) =>
    writeAudit(tx, now, auditId, caller, {
      action: 'audit:export',
      resource: { kind: 'audit', id: null, key: '' },
      groupId: query.groupId ?? null,
      after: { ...query, entries },
    }),
  )
}

interface Format {
  readonly contentType: string
  readonly write: (entries: AsyncIterable<AuditEntry>) => AsyncIterable<string>
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  csv: { contentType: 'text/csv; charset=utf-8', write: asCsv },
  jsonl: { contentType: 'application/x-ndjson; charset=utf-8', write: asLines },
}

const COLUMNS = [
  ...['id', 'at', 'actorKind', 'actorId', 'actor', 'ip', 'requestId', 'action', 'resourceKind', 'resourceId', 'resource'],
  ...['groupId', 'group', 'outcome', 'code', 'count', 'before', 'after'],
]

/** With a mark in front that tells programs for tables that it is UTF-8: without it they read Chinese as something else. */
async function* asCsv(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  yield `\uFEFF${csvRow(COLUMNS)}`
  for await (const entry of entries) {
    const { actor, resource } = entry
    yield csvRow([
      ...[entry.id, entry.at, actor.kind, actor.id, actor.name, entry.ip, entry.requestId, entry.action],
      ...[resource.kind, resource.id, resource.key, entry.groupId, entry.groupName, entry.outcome, entry.code, entry.count],
      ...[entry.before, entry.after].map((fields) => (fields === null ? null : JSON.stringify(fields))),
    ])
  }
}

async function* asLines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`
}

/** `audit-20261123T081500Z.csv`: when it was made. */
function fileName(now: number, format: ExportFormat): string {
  return `audit-${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z.${format}`
}
