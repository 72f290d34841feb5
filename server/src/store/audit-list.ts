import {
  AppError,
  EXPORT_ENTRIES,
  type ACTOR_KINDS,
  type AuditEntry,
  type AuditListItem,
  type AuditOutcome,
  type AuditQuery,
} from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx, type Value } from './database.ts'
import { parseJson } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { floorOfInstant } from './ids.ts'
import { listOfNumbers } from './list.ts'
import { instantText, likePattern, offsetOf } from './page.ts'
import type { AuditRow } from './schema.ts'
import { groupsOf, isVisible } from './scope.ts'

/*
 * Reads the audit log, newest first. It has no index beside its key: writes of every person pass it, and a filter looks at no more than 20,000 entries a page,
 * so a page may be short and still have a next one. Ids are given out up to 10 s before they are used: a page is put into the order of time, the pages follow each
 * other by id. `from` and `to` narrow the key itself.
 */

/** Entries that one page looks at. */
const SCAN_LIMIT = 20_000
const TOTAL_LIMIT = 10_000
/** Entries that one export looks at. */
const EXPORT_SCAN = 1_000_000
/** Entries that are in memory at a time while they are written out. */
const EXPORT_STEP = 200
const CHANGED_NAMES = 20
const ACTION_WORDS = 20

export type AuditFilter = Omit<AuditQuery, 'page' | 'pageSize' | 'cursor'>

export interface AuditPage {
  readonly items: AuditListItem[]
  readonly total: number
  readonly totalCapped?: boolean
  readonly page: number
  readonly pageSize: number
  readonly nextCursor: string | null
}

/** Whether the parameters of a thing of a kind may be seen in a group. */
export type MayViewParams = (resourceKind: string, groupId: number | null) => boolean

/** Entries of the groups of a scope; with all groups also those that belong to none. `cursor` wins over `page`; 422 `PAGE_TOO_DEEP`. */
export async function listAudit(db: Database, scope: Scope, asked: AuditQuery): Promise<AuditPage> {
  const { page = 1, pageSize = 20, cursor, ...filter } = asked
  const source = sourceOf(scope, filter)
  const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
  const skipped = cursor === undefined ? offsetOf({ page, pageSize }) : 0
  if (source === null) return { items: [], total: 0, page, pageSize, nextCursor: null }
  return db.read(async (tx) => {
    const found = await find(tx, source, below, skipped + pageSize)
    const { matched, isCut } = await count(tx, source, Number.MAX_SAFE_INTEGER)
    const entries = await readEntries(tx, found.ids.slice(skipped))
    const isCapped = isCut || matched > TOTAL_LIMIT
    return {
      items: entries.map(({ before, after, ...facts }) => ({ ...facts, changed: namesIn(before, after) })),
      total: Math.min(matched, TOTAL_LIMIT),
      ...(isCapped ? { totalCapped: true } : {}),
      page,
      pageSize,
      nextCursor: found.next === null ? null : `1.${found.next.toString(36)}`,
    }
  })
}

/** One entry; 404 `AUDIT_ENTRY_NOT_FOUND` when it does not exist or is not visible. */
export async function getAuditEntry(db: Database, scope: Scope, id: number, mayViewParams: MayViewParams): Promise<AuditEntry> {
  const [entry] = await db.read((tx) => readEntries(tx, [id]))
  if (entry === undefined || !isShown(scope, entry.groupId))
    throw new AppError('AUDIT_ENTRY_NOT_FOUND', `There is no entry ${id} of the audit log that you may see.`)
  return veiled(entry, mayViewParams)
}

/**
 * How many entries an export holds. 422 `EXPORT_TOO_LARGE` when it holds more than 100,000, or would look at more than a million: a file that silently lacks
 * its end is worse than none.
 */
export async function sizeOfExport(db: Database, scope: Scope, filter: AuditFilter): Promise<number> {
  const source = sourceOf(scope, filter)
  if (source === null) return 0
  let entries = 0
  let below: number | null = Number.MAX_SAFE_INTEGER
  for (let scanned = 0; below !== null && scanned < EXPORT_SCAN && entries <= EXPORT_ENTRIES; scanned += SCAN_LIMIT) {
    const from: number = below
    const step = await db.read((tx) => count(tx, source, from))
    entries += step.matched
    below = step.isCut ? step.lowest : null
  }
  if (below === null && entries <= EXPORT_ENTRIES) return entries
  const detail = `the export would hold more than ${EXPORT_ENTRIES} entries, or look at more than ${EXPORT_SCAN}: narrow it by from and to`
  throw new AppError('EXPORT_TOO_LARGE', detail, { params: { max: EXPORT_ENTRIES } })
}

/** The entries below an id, newest first, read a few at a time, each time anew: no transaction stays open while somebody reads slowly. */
export async function* exportAudit(
  db: Database,
  scope: Scope,
  { filter, belowId, mayViewParams }: { filter: AuditFilter; belowId: number; mayViewParams: MayViewParams },
): AsyncGenerator<AuditEntry> {
  const source = sourceOf(scope, filter)
  let below: number | null = source === null ? null : belowId
  while (source !== null && below !== null) {
    const from: number = below
    const { entries, next } = await db.read(async (tx) => {
      const found = await find(tx, source, from, EXPORT_STEP)
      return { entries: await readEntries(tx, found.ids), next: found.next }
    })
    for (const entry of entries) yield veiled(entry, mayViewParams)
    below = next
  }
}

function isShown(scope: Scope, groupId: number | null): boolean {
  return groupId === null ? scope === 'all' : isVisible(scope, groupId)
}

/** What was changed holds parameters and scripts: whoever may not see those of the thing does not see them here. */
function veiled(entry: AuditEntry, mayViewParams: MayViewParams): AuditEntry {
  if (mayViewParams(entry.resource.kind, entry.groupId)) return entry
  return { ...entry, before: null, after: null, hidden: ['before', 'after'] }
}

/** `where` is served by the key, `residual` looks at an entry. */
interface Source {
  readonly where: string
  readonly params: readonly Value[]
  readonly residual: string
  readonly residualParams: readonly Value[]
}

interface Clause {
  readonly sql: string
  readonly params: readonly Value[]
}

/** Ids are given out up to 10 s before they are used: the range is wider than asked for, and `at` decides. */
const ID_SLACK_MS = 11_000

/** Null: nothing is visible. */
function sourceOf(scope: Scope, filter: AuditFilter): Source | null {
  const groups = groupsOf(scope, filter.groupId)
  if (groups?.length === 0) return null
  const from = filter.from === undefined ? null : Date.parse(filter.from)
  const to = filter.to === undefined ? null : Date.parse(filter.to)
  const byKey: Clause[] = [
    ...(from === null ? [] : [{ sql: 'id >= ?', params: [floorOfInstant(from - ID_SLACK_MS)] }]),
    ...(to === null ? [] : [{ sql: 'id < ?', params: [floorOfInstant(to + 1000)] }]),
  ]
  const byRow: Clause[] = [
    ...(groups === null ? [] : [groupClause(groups)]),
    ...(from === null ? [] : [{ sql: '`at` >= ?', params: [from] }]),
    ...(to === null ? [] : [{ sql: '`at` < ?', params: [to] }]),
    ...rowClauses(filter),
  ]
  return {
    where: byKey.length === 0 ? '1 = 1' : byKey.map(({ sql }) => sql).join(' AND '),
    params: byKey.flatMap(({ params }) => params),
    residual: byRow.map(({ sql }) => sql).join(' AND '),
    residualParams: byRow.flatMap(({ params }) => params),
  }
}

function rowClauses({ actorKind, actorId, actor, action, resourceKind, resourceId, outcome, ip, keyword }: AuditFilter): Clause[] {
  return [
    ...is('actor_kind', actorKind),
    ...is('actor_id', actorId),
    ...(actor === undefined ? [] : [holds(['actor_name'], actor)]),
    ...(action === undefined ? [] : [actionClause(action)]),
    ...is('resource_kind', resourceKind),
    ...is('resource_id', resourceId),
    ...is('outcome', outcome),
    ...is('ip', ip),
    ...(keyword === undefined ? [] : [holds(['resource_key', '`action`', 'code', 'request_id'], keyword)]),
  ]
}

function is(column: string, value: string | number | undefined): Clause[] {
  return value === undefined ? [] : [{ sql: `${column} = ?`, params: [value] }]
}

function holds(names: readonly string[], text: string): Clause {
  const pattern = likePattern(text)
  return { sql: `(${names.map((name) => `lower(${name}) LIKE lower(?) ESCAPE '!'`).join(' OR ')})`, params: names.map(() => pattern) }
}

function actionClause(text: string): Clause {
  const words = [...new Set(text.split(',').map((word) => word.trim()))].filter((word) => word !== '')
  if (words.length === 0 || words.length > ACTION_WORDS) {
    const message = `names 1 to ${ACTION_WORDS} actions, joined by commas`
    throw new AppError('VALIDATION_FAILED', `action ${message}.`, { errors: [{ path: 'action', code: 'BAD_FORMAT', message }] })
  }
  return {
    sql: `(${words.map((word) => (word.endsWith(':*') ? "`action` LIKE ? ESCAPE '!'" : '`action` = ?')).join(' OR ')})`,
    params: words.map((word) => (word.endsWith(':*') ? likePattern(word.slice(0, -1)).slice(1) : word)),
  }
}

function groupClause(groups: readonly number[]): Clause {
  if (groups.length > 1000) return { sql: `group_id IN (${groups.join(', ')})`, params: [] }
  const list = listOfNumbers(groups)
  return { sql: `group_id IN ${list.sql}`, params: list.params }
}

const COLUMNS =
  'id, `at`, actor_kind, actor_id, actor_name, ip, request_id, `action`, resource_kind, resource_id, resource_key, group_id, outcome, code'

function windowOf({ where }: Source): string {
  return `SELECT ${COLUMNS} FROM audit WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ${SCAN_LIMIT}`
}

/** At most `limit` ids below `below`; `next`: the id below which to go on, null when nothing follows. */
async function find(tx: ReadTx, source: Source, below: number, limit: number): Promise<{ ids: number[]; next: number | null }> {
  const { where, params, residual, residualParams } = source
  const sql =
    residual === ''
      ? `SELECT id FROM audit WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ${limit + 1}`
      : `SELECT id FROM (${windowOf(source)}) AS s WHERE ${residual} ORDER BY id DESC LIMIT ${limit + 1}`
  const ids = (await tx.all<{ id: number }>(sql, [...params, below, ...residualParams])).map((row) => row.id)
  const page = ids.slice(0, limit)
  if (ids.length > limit) return { ids: page, next: page.at(-1) ?? null }
  if (residual === '') return { ids: page, next: null }
  const { isCut, lowest } = await extent(tx, source, below)
  return { ids: page, next: isCut ? lowest : null }
}

/** Whether what is looked at from an id ends at the bound, and where. */
async function extent(tx: ReadTx, { where, params }: Source, below: number): Promise<{ scanned: number; isCut: boolean; lowest: number }> {
  const [end] = await tx.all<{ scanned: number; lowest: number | null }>(
    `SELECT COUNT(*) AS scanned, MIN(id) AS lowest FROM (SELECT id FROM audit WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ${SCAN_LIMIT}) AS s`,
    [...params, below],
  )
  const scanned = end?.scanned ?? 0
  return { scanned, isCut: scanned >= SCAN_LIMIT, lowest: end?.lowest ?? 0 }
}

/** How many entries match among the next 20,000; `isCut`: there may be more below `lowest`. */
async function count(tx: ReadTx, source: Source, below: number): Promise<{ matched: number; isCut: boolean; lowest: number }> {
  const { scanned, isCut, lowest } = await extent(tx, source, below)
  const { params, residual, residualParams } = source
  if (residual === '') return { matched: scanned, isCut, lowest }
  const [row] = await tx.all<{ matched: number | null }>(
    `SELECT SUM(CASE WHEN ${residual} THEN 1 ELSE 0 END) AS matched FROM (${windowOf(source)}) AS s`,
    [...residualParams, ...params, below],
  )
  return { matched: row?.matched ?? 0, isCut, lowest }
}

/** A cursor carries its version: `1.<id in base 36>`. */
function readCursor(cursor: string): number {
  const below = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(below)) return below
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

async function readEntries(tx: ReadTx, ids: readonly number[]): Promise<AuditEntry[]> {
  if (ids.length === 0) return []
  const rows = await tx.rows(query.selectFrom('audit').selectAll().where('id', 'in', ids).orderBy('id', 'desc'))
  const groups = await namesOfGroups(
    tx,
    rows.flatMap((row) => (row.group_id === null ? [] : [row.group_id])),
  )
  const inTime = rows.toSorted((a, b) => b.at - a.at || b.id - a.id)
  return inTime.map((row) => entryOf(row, row.group_id === null ? null : (groups.get(row.group_id) ?? null)))
}

function entryOf(row: AuditRow, groupName: string | null): AuditEntry {
  return {
    id: row.id,
    at: instantText(row.at),
    actor: { kind: actorKindOf(row.actor_kind), id: row.actor_id, name: row.actor_name },
    ip: row.ip,
    requestId: row.request_id,
    action: row.action,
    resource: { kind: row.resource_kind, id: row.resource_id, key: row.resource_key },
    groupId: row.group_id,
    groupName,
    outcome: outcomeOf(row.outcome),
    code: row.code,
    count: row.count,
    before: fieldsOf(row.before),
    after: fieldsOf(row.after),
  }
}

const KINDS: Readonly<Record<string, (typeof ACTOR_KINDS)[number]>> = { user: 'user', token: 'token', executor: 'executor' }

function actorKindOf(kind: string): (typeof ACTOR_KINDS)[number] {
  return KINDS[kind] ?? 'system'
}

function outcomeOf(outcome: string): AuditOutcome {
  return outcome === 'refused' ? 'refused' : 'done'
}

function fieldsOf(text: string | null): AuditEntry['before'] {
  const value = text === null ? null : parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
}

/** Of what was made, taken away or asked for nothing has changed. */
function namesIn(before: AuditEntry['before'], after: AuditEntry['before']): string[] {
  if (before === null || after === null) return []
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].slice(0, CHANGED_NAMES)
}
