import { AppError, MAP_PROTOCOL, type Load, type Register } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import type { Caller } from './caller.ts'
import type { Database, ReadTx, Tx } from './database.ts'
import { takeEntityId } from './ids.ts'
import { EXECUTORS_LEVEL, requireLevel } from './levels.ts'
import { listOfNumbers } from './list.ts'
import { againWhenTaken } from './lock.ts'
import type { ExecutorBeatRow, ExecutorRow } from './schema.ts'
import { isVisible } from './scope.ts'

/** `state` of an executor's row. A draining one is online and takes nothing new. */
export const EXECUTOR_STATE = { offline: 0, online: 1 } as const

/** How an executor is reached. `address`: where the server sends to; null: it opens a stream by itself. */
export type Reach =
  { readonly transport: 'stream'; readonly address: null } | { readonly transport: 'http' | 'xxl'; readonly address: string }

export const BY_STREAM: Reach = { transport: 'stream', address: null }

/** An executor's row with its last heartbeat. */
export interface KnownExecutor {
  readonly row: ExecutorRow
  readonly seenAt: number
  readonly load: Load | null
}

/** Writes which process holds the link of an executor; null: the one that held it does no more. A newer boot, or a newer link, is left alone. */
export async function saveLink(
  db: Database,
  { executorId, bootId, runId, isHere }: { executorId: number; bootId: number; runId: number; isHere: boolean },
): Promise<void> {
  await db.write('rest', (tx) =>
    isHere
      ? tx.run('UPDATE executor SET link_run = ? WHERE id = ? AND boot_id = ?', [runId, executorId, bootId])
      : tx.run('UPDATE executor SET link_run = NULL WHERE id = ? AND boot_id = ? AND link_run = ?', [executorId, bootId, runId]),
  )
}

/** Where a process of an executor is reached over HTTP; null: it has no address, or is not the newest. */
export async function addressOf(db: Database, { executorId, bootId }: { executorId: number; bootId: number }): Promise<string | null> {
  return db.read(async (tx) => {
    const [row] = await tx.all<Pick<ExecutorRow, 'address'>>(
      "SELECT address FROM executor WHERE id = ? AND boot_id = ? AND transport = 'http'",
      [executorId, bootId],
    )
    return row?.address ?? null
  })
}

/** Executors that are online as far as the store knows. */
export async function onlineExecutors(db: Database): Promise<KnownExecutor[]> {
  return db.read(async (tx) => {
    const rows = await tx.all<ExecutorRow & ExecutorBeatRow>(
      'SELECT e.*, b.seen_at, b.`load` FROM executor e JOIN executor_beat b ON b.executor_id = e.id WHERE e.state = 1 ORDER BY e.id',
    )
    return rows.map(known)
  })
}

/** Some executors by id. */
export async function executorById(db: Database, executorId: number): Promise<KnownExecutor | null> {
  return db.read(async (tx) => {
    const [row] = await tx.all<ExecutorRow & ExecutorBeatRow>(
      'SELECT e.*, b.seen_at, b.`load` FROM executor e JOIN executor_beat b ON b.executor_id = e.id WHERE e.id = ?',
      [executorId],
    )
    return row === undefined ? null : known(row)
  })
}

/** Which group each executor belongs to; one that is gone is not in the map. */
export async function groupsOfExecutors(db: Database, executorIds: readonly number[]): Promise<Map<number, number>> {
  const ids = [...new Set(executorIds)]
  if (ids.length === 0) return new Map()
  return db.read(async (tx) => {
    const list = listOfNumbers(ids)
    const rows = await tx.all<{ id: number; group_id: number }>(`SELECT id, group_id FROM executor WHERE id IN ${list.sql}`, list.params)
    return new Map(rows.map((row) => [row.id, row.group_id]))
  })
}

export interface OfflineExecutor {
  readonly id: number
  readonly name: string
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
  /** names of the handlers that it had */
  readonly handlers: readonly string[]
}

const OFFLINE_SHOWN = 200

/** Executors of a group that are not online, by name; the first 200. */
export async function offlineExecutors(tx: ReadTx, groupId: number): Promise<OfflineExecutor[]> {
  const rows = await tx.all<Pick<ExecutorRow, 'id' | 'name' | 'capacity' | 'labels' | 'handlers'>>(
    'SELECT id, name, capacity, labels, handlers FROM executor WHERE group_id = ? AND state = 0 ORDER BY name LIMIT ?',
    [groupId, OFFLINE_SHOWN],
  )
  return rows.map((row) => ({
    ...row,
    labels: JSON.parse(row.labels) as Record<string, string>,
    handlers: (JSON.parse(row.handlers) as readonly { name: string }[]).map(({ name }) => name),
  }))
}

/** The names of some executors, online or not, by id; those that are forgotten are left out. */
export async function executorNames(db: Database, executorIds: readonly number[]): Promise<Map<number, string>> {
  if (executorIds.length === 0) return new Map()
  const list = listOfNumbers(executorIds)
  const rows = await db.read((tx) =>
    tx.all<{ id: number; name: string }>(`SELECT id, name FROM executor WHERE id IN ${list.sql}`, list.params),
  )
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** An executor by its name in a group. */
export async function executorByName(db: Database, groupId: number, name: string): Promise<ExecutorRow | null> {
  return db.read(async (tx) => {
    const [row] = await tx.all<ExecutorRow>('SELECT * FROM executor WHERE group_id = ? AND name = ?', [groupId, name])
    return row ?? null
  })
}

function known({ seen_at: seenAt, load, ...rest }: ExecutorRow & ExecutorBeatRow): KnownExecutor {
  const { executor_id: _, ...row } = rest
  return { row, seenAt, load: load === null ? null : (JSON.parse(load) as Load) }
}

/** Ids of two nodes come from blocks of their own: the boot that was given is not larger than the one before. Take another, from a new block. */
export class BootTooOld extends Error {
  constructor() {
    super('a boot must be larger than the one before')
    this.name = 'BootTooOld'
  }
}

/**
 * A process start of an executor. The same name in the same group is the same executor; a new process gets a larger boot, and the newest wins. A process
 * that registers again, with the boot it has or with the key of the process that has the newest boot, keeps that boot: an earlier request of its own that
 * is handled late does not supersede it. With a boot that is not the newest, or with the key of an earlier process, it is refused
 * (`EXECUTOR_SUPERSEDED`): a late request of a process that was replaced does not supersede its successor. Throws `BootTooOld`.
 * With an address it is refused (`NODE_TOO_OLD`) while a node lives that could not reach it.
 */
export async function registerExecutor(
  db: Database,
  {
    at,
    bootId,
    groupId,
    register,
    reach = BY_STREAM,
  }: { at: number; bootId: number; groupId: number; register: Register; reach?: Reach | undefined },
): Promise<KnownExecutor> {
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      if (reach.address !== null)
        await requireLevel(tx, EXECUTORS_LEVEL, await tx.now(), {
          what: 'reach executors at an address',
          remedy: 'let the executor open the stream',
        })
      const [old] = await tx.all<ExecutorRow>('SELECT * FROM executor WHERE group_id = ? AND name = ?' + tx.locks.update, [
        groupId,
        register.name,
      ])
      const keeps = old !== undefined && (register.bootId === old.boot_id || isSameProcess(old, register))
      if (old !== undefined && !keeps && isOlder(old, register)) {
        throw new AppError(
          'EXECUTOR_SUPERSEDED',
          `A newer process has registered as "${register.name}": stop this one, or give it another name.`,
          { params: { name: register.name } },
        )
      }
      if (old !== undefined && !keeps && bootId <= old.boot_id) throw new BootTooOld()
      const row: ExecutorRow = {
        id: old?.id ?? (await takeEntityId(tx)),
        group_id: groupId,
        name: register.name,
        boot_id: keeps ? old.boot_id : bootId,
        recovered_boot: old?.recovered_boot ?? 0,
        registered_at: keeps ? old.registered_at : at,
        state: EXECUTOR_STATE.online,
        draining: old?.draining ?? 0,
        transport: reach.transport,
        version: register.version,
        host: register.host,
        pid: register.pid,
        capacity: register.capacity,
        labels: JSON.stringify(register.labels ?? {}),
        handlers: JSON.stringify(register.handlers.map(({ paramsSchema: _, ...handler }) => handler)),
        link_run: keeps ? old.link_run : null,
        process_key: keysWith(old, register),
        // without a key the newest one stays that of another boot
        process_boot: register.processKey === undefined ? (old?.process_boot ?? null) : keeps ? old.boot_id : bootId,
        address: reach.address,
        map_boot: register.protocol.max >= MAP_PROTOCOL ? (keeps ? old.boot_id : bootId) : null,
      }
      await put(tx, row, old !== undefined)
      await putSchemas(tx, row, register.handlers)
      return { row, seenAt: at, load: null }
    }),
  )
}

/** as many keys as a `name` holds */
const KEYS_CHARS = 255

/** Keys of the processes that have had the name, the newest first. */
function keysOf(row: ExecutorRow | undefined): readonly string[] {
  return row?.process_key?.split(' ') ?? []
}

/** A key that stands beside another boot was written for an earlier process, before a node that knows no keys registered the next one. */
function isSameProcess(row: ExecutorRow, { processKey }: Register): boolean {
  return processKey !== undefined && keysOf(row)[0] === processKey && row.process_boot === row.boot_id
}

function isOlder(row: ExecutorRow, { bootId, processKey }: Register): boolean {
  return (bootId !== undefined && bootId < row.boot_id) || (processKey !== undefined && keysOf(row).includes(processKey))
}

function keysWith(row: ExecutorRow | undefined, { processKey }: Register): string | null {
  const earlier = keysOf(row)
  const keys = processKey === undefined ? [...earlier] : [processKey, ...earlier.filter((key) => key !== processKey)]
  while (keys.join(' ').length > KEYS_CHARS) keys.pop()
  return keys.length === 0 ? null : keys.join(' ')
}

async function put(tx: Tx, row: ExecutorRow, exists: boolean): Promise<void> {
  if (!exists) {
    await tx.insert('executor', [row])
    await tx.insert('executor_beat', [{ executor_id: row.id, boot_id: row.boot_id, seen_at: row.registered_at, load: null }])
    return
  }
  await tx.run(
    'UPDATE executor SET boot_id = ?, registered_at = ?, state = ?, transport = ?, address = ?, version = ?, host = ?, pid = ?, capacity = ?, labels = ?, handlers = ?, process_key = ?, process_boot = ?, map_boot = ? WHERE id = ?',
    [
      row.boot_id,
      row.registered_at,
      row.state,
      row.transport,
      row.address,
      row.version,
      row.host,
      row.pid,
      row.capacity,
      row.labels,
      row.handlers,
      row.process_key,
      row.process_boot,
      row.map_boot,
      row.id,
    ],
  )
  await tx.run('UPDATE executor_beat SET boot_id = ?, seen_at = CASE WHEN seen_at < ? THEN ? ELSE seen_at END WHERE executor_id = ?', [
    row.boot_id,
    row.registered_at,
    row.registered_at,
    row.id,
  ])
}

async function putSchemas(tx: Tx, { id, boot_id }: ExecutorRow, handlers: Register['handlers']): Promise<void> {
  const declared = handlers.flatMap(({ name, kind, paramsSchema }) =>
    paramsSchema === undefined || kind === 'builtIn' ? [] : [[name, paramsSchema] as const],
  )
  await tx.run('DELETE FROM executor_schema WHERE executor_id = ?', [id])
  if (declared.length > 0)
    await tx.insert('executor_schema', [{ executor_id: id, boot_id, schemas: JSON.stringify(Object.fromEntries(declared)) }])
}

export interface BeatWrite {
  readonly executorId: number
  readonly bootId: number
  readonly seenAt: number
  readonly load: Load | null
}

/** Writes heartbeats of many executors in one commit. An executor that had been given up is online again. */
export async function beatExecutors(db: Database, beats: readonly BeatWrite[]): Promise<void> {
  await db.write('report', async (tx) => {
    const sorted = beats.toSorted((a, b) => a.executorId - b.executorId)
    await tx.runMany(
      'UPDATE executor_beat SET seen_at = ?, `load` = ? WHERE executor_id = ? AND boot_id = ?',
      sorted.map((beat) => [beat.seenAt, beat.load === null ? null : JSON.stringify(beat.load), beat.executorId, beat.bootId]),
    )
    await tx.runMany(
      'UPDATE executor SET state = 1 WHERE id = ? AND boot_id = ? AND state = 0',
      sorted.map((beat) => [beat.executorId, beat.bootId]),
    )
  })
}

/**
 * Declares an executor lost, by compare-and-set on its boot and the last heartbeat that the caller knows of. False: it was seen since, or is another
 * boot by now.
 */
export async function loseExecutor(db: Database, executorId: number, bootId: number, seenAt: number): Promise<boolean> {
  return db.write('rest', async (tx) => {
    const matched = await tx.run(
      'UPDATE executor SET state = 0 WHERE id = ? AND boot_id = ? AND state = 1 AND EXISTS (SELECT 1 FROM executor_beat b WHERE b.executor_id = executor.id AND b.boot_id = ? AND b.seen_at = ?)',
      [executorId, bootId, bootId, seenAt],
    )
    return matched > 0
  })
}

/** The results of all boots before this one have been delivered. */
export async function recoverExecutor(db: Database, executorId: number, bootId: number): Promise<void> {
  await db.write('rest', (tx) =>
    tx.run('UPDATE executor SET recovered_boot = ? WHERE id = ? AND boot_id = ? AND recovered_boot < ?', [
      bootId,
      executorId,
      bootId,
      bootId,
    ]),
  )
}

/** Gives an executor nothing new, or work again. */
export async function drainExecutor(
  db: Database,
  request: { at: number; auditId: number; executorId: number; draining: boolean; scope: Scope; caller: Caller },
): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await visibleExecutor(tx, request.executorId, request.scope)
    if ((row.draining === 1) === request.draining) return
    await tx.run('UPDATE executor SET draining = ? WHERE id = ?', [request.draining ? 1 : 0, row.id])
    if (request.caller.actor.kind === 'executor') return
    await writeAudit(tx, request.at, request.auditId, request.caller, {
      action: request.draining ? 'executor:drain' : 'executor:resume',
      resource: { kind: 'executor', id: row.id, key: row.name },
      groupId: row.group_id,
    })
  })
}

/** Forgets an executor that is offline; its runs keep its id. Throws `EXECUTOR_ONLINE`. */
export async function forgetExecutor(
  db: Database,
  request: { at: number; auditId: number; executorId: number; scope: Scope; caller: Caller },
): Promise<{ groupId: number }> {
  return db.write('rest', async (tx) => {
    const row = await visibleExecutor(tx, request.executorId, request.scope)
    if (row.state === EXECUTOR_STATE.online)
      throw new AppError('EXECUTOR_ONLINE', `Executor "${row.name}" is online: stop its process first.`, { params: { name: row.name } })
    await tx.run('DELETE FROM executor WHERE id = ?', [row.id])
    await tx.run('DELETE FROM executor_beat WHERE executor_id = ?', [row.id])
    await tx.run('DELETE FROM executor_schema WHERE executor_id = ?', [row.id])
    await writeAudit(tx, request.at, request.auditId, request.caller, {
      action: 'executor:delete',
      resource: { kind: 'executor', id: row.id, key: row.name },
      groupId: row.group_id,
    })
    return { groupId: row.group_id }
  })
}

async function visibleExecutor(tx: Tx, executorId: number, scope: Scope): Promise<ExecutorRow> {
  const [row] = await tx.all<ExecutorRow>('SELECT * FROM executor WHERE id = ?' + tx.locks.update, [executorId])
  if (row === undefined || !isVisible(scope, row.group_id))
    throw new AppError('EXECUTOR_NOT_FOUND', `There is no executor ${executorId}.`, { params: { id: executorId } })
  return row
}
