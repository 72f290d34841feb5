import type { Executor, Load, NamedHandler } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { EXECUTOR_STATE } from './executors.ts'
import { namesOfGroups } from './groups.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { ExecutorBeatRow, ExecutorRow } from './schema.ts'
import { groupsOf } from './scope.ts'

/** What the engine knows of an executor beside its row. */
export interface InFlight {
  readonly running: Executor['running']
  readonly load: Load | null
  readonly seenAt: number
  /** it drains itself, because its process stops */
  readonly isStopping: boolean
}

/** null: the executor has no session. */
export type FindInFlight = (executorId: number) => InFlight | null

export interface ExecutorListQuery extends PageRequest {
  readonly groupId?: number | undefined
  readonly state?: Executor['state'] | undefined
}

/** A page of executors as the store has them: plain data, without what an engine knows of them. */
export interface ExecutorList extends Page<ExecutorRecord> {
  readonly groupNames: Readonly<Record<number, string>>
}

/** Executors that are visible, by group and name. */
export async function readExecutorList(db: Database, scope: Scope, { groupId, state, ...page }: ExecutorListQuery): Promise<ExecutorList> {
  const groupIds = groupsOf(scope, groupId)
  const offset = offsetOf(page)
  if (groupIds?.length === 0) return { items: [], total: 0, ...page, groupNames: {} }
  return db.read(async (tx) => {
    let found = rowsOf()
    if (groupIds !== null) found = found.where('executor.group_id', 'in', groupIds)
    if (state === 'offline') found = found.where('executor.state', '=', EXECUTOR_STATE.offline)
    else if (state !== undefined)
      found = found.where('executor.state', '=', EXECUTOR_STATE.online).where('executor.draining', '=', state === 'draining' ? 1 : 0)
    const items = await tx.rows(found.orderBy('executor.group_id').orderBy('executor.name').limit(page.pageSize).offset(offset))
    let counted = query.selectFrom('executor').select((of) => of.fn.countAll<number>().as('total'))
    if (groupIds !== null) counted = counted.where('group_id', 'in', groupIds)
    if (state === 'offline') counted = counted.where('state', '=', EXECUTOR_STATE.offline)
    else if (state !== undefined)
      counted = counted.where('state', '=', EXECUTOR_STATE.online).where('draining', '=', state === 'draining' ? 1 : 0)
    const count = await tx.first(counted)
    return { items, total: count?.total ?? 0, ...page, groupNames: await groupNamesOf(tx, items) }
  })
}

/** The list as the API gives it. */
export function describeExecutors({ items, groupNames, total, page, pageSize }: ExecutorList, find: FindInFlight): Page<Executor> {
  return { items: described(items, groupNames, find), total, page, pageSize }
}

/** Some executors by id; those that do not exist or are not visible are left out. */
export async function executorsById(
  db: Database,
  scope: Scope,
  { ids, find }: { ids: readonly number[]; find: FindInFlight },
): Promise<Executor[]> {
  const groupIds = groupsOf(scope, undefined)
  if (ids.length === 0 || groupIds?.length === 0) return []
  return db.read(async (tx) => {
    let found = rowsOf().where('executor.id', 'in', ids)
    if (groupIds !== null) found = found.where('executor.group_id', 'in', groupIds)
    const rows = await tx.rows(found.orderBy('executor.id'))
    return described(rows, await groupNamesOf(tx, rows), find)
  })
}

/** the newest processes of a group that are looked at for what they can run */
const LOOKED_AT = 200

/**
 * The named functions that live executors of a group can run, by name. Where several declare one, the process that registered last says what its
 * parameters are.
 */
export async function readHandlers(db: Database, groupId: number): Promise<NamedHandler[]> {
  const rows = await db.read((tx) =>
    tx.all<Pick<ExecutorRow, 'handlers'> & { schemas: string | null }>(
      'SELECT e.handlers, s.schemas FROM executor e LEFT JOIN executor_schema s ON s.executor_id = e.id AND s.boot_id = e.boot_id WHERE e.group_id = ? AND e.state = ? ORDER BY e.boot_id DESC LIMIT ?',
      [groupId, EXECUTOR_STATE.online, LOOKED_AT],
    ),
  )
  const found = new Map<string, NamedHandler>()
  for (const { handlers, schemas } of rows) {
    const declared = fieldsOf(schemas ?? '{}')
    for (const { name, description, kind } of handlersOf(handlers))
      if (kind === 'named' && !found.has(name)) found.set(name, { name, description, paramsSchema: schemaIn(declared, name) })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function schemaIn(declared: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> | null {
  const schema = Object.hasOwn(declared, name) ? declared[name] : null
  return typeof schema === 'object' && schema !== null ? Object.fromEntries(Object.entries(schema)) : null
}

function fieldsOf(text: string): Record<string, unknown> {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function rowsOf() {
  return query
    .selectFrom('executor')
    .leftJoin('executor_beat', 'executor_beat.executor_id', 'executor.id')
    .selectAll('executor')
    .select(['executor_beat.seen_at', 'executor_beat.load'])
}

/** An executor's row with its last heartbeat. */
export type ExecutorRecord = ExecutorRow & Pick<Nullable<ExecutorBeatRow>, 'seen_at' | 'load'>
type Nullable<T> = { [Key in keyof T]: T[Key] | null }

async function groupNamesOf(tx: ReadTx, rows: readonly ExecutorRecord[]): Promise<Record<number, string>> {
  return Object.fromEntries(
    await namesOfGroups(
      tx,
      rows.map((row) => row.group_id),
    ),
  )
}

function described(rows: readonly ExecutorRecord[], groupNames: Readonly<Record<number, string>>, find: FindInFlight): Executor[] {
  return rows.map((row) => {
    const live = find(row.id)
    const isOnline = row.state === EXECUTOR_STATE.online
    return {
      id: row.id,
      groupId: row.group_id,
      groupName: groupNames[row.group_id] ?? '',
      name: row.name,
      state: !isOnline ? 'offline' : row.draining === 1 || live?.isStopping === true ? 'draining' : 'online',
      transport: row.transport,
      address: row.address,
      version: row.version,
      host: row.host,
      pid: row.pid,
      capacity: row.capacity,
      inFlight: live?.running.length ?? 0,
      running: live === null ? [] : live.running,
      load: live?.load ?? (row.load === null ? null : loadOf(row.load)),
      labels: recordOf(row.labels),
      handlers: handlersOf(row.handlers),
      registeredAt: instantText(row.registered_at),
      seenAt: instantText(Math.max(row.seen_at ?? row.registered_at, live?.seenAt ?? 0)),
    }
  })
}

function loadOf(text: string): Load | null {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return null
  const { cpu, memory, running, queued } = value as Partial<Load>
  return { cpu: cpu ?? 0, memory: memory ?? 0, running: running ?? 0, queued: queued ?? 0 }
}

function recordOf(text: string): Record<string, string> {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, label]) => [key, String(label)]))
    : {}
}

function handlersOf(text: string): Executor['handlers'] {
  const value = parseJson(text)
  return Array.isArray(value)
    ? value.map((handler: Partial<Executor['handlers'][number]>) => ({
        name: handler.name ?? '',
        description: handler.description ?? '',
        kind: handler.kind ?? 'named',
      }))
    : []
}
