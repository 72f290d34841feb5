import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskCreate, WorkflowCreate } from '@tickwheel/contract'
import { SYSTEM, type Change } from './caller.ts'
import type { Database } from './database.ts'
import { openSqlite } from './dialect/sqlite.ts'
import { instantOfId } from './ids.ts'
import { TableLogs } from './log-table.ts'
import { FileLogs, type LogStore } from './logs.ts'
import { migrate } from './migrate.ts'
import { emptyMysqlStore, IS_MYSQL } from './mysql.fixture.ts'
import { NO_SHARDS, NO_WORKFLOW } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'

const { children_open: _open, ...noShards } = NO_SHARDS

/** 2026-11-22T08:00:00.000Z, a Sunday. */
export const T0 = Date.UTC(2026, 10, 22, 8)

/**
 * A store with every table and nothing in it: in memory, or, where the tests run for MySQL, in a database of the file's own that is emptied each time.
 */
export async function memoryStore(now: () => number = () => T0): Promise<Database> {
  if (IS_MYSQL) return emptyMysqlStore(now)
  const db = openSqlite({ path: ':memory:', now })
  await migrate(db)
  return db
}

/** A store in a file of its own, which `remove` deletes; for MySQL as `memoryStore`. */
export async function fileStore(): Promise<{ db: Database; directory: string; remove: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'tickwheel-store-'))
  if (IS_MYSQL) return { db: await emptyMysqlStore(() => T0), directory, remove: async () => rmSync(directory, { recursive: true }) }
  const db = openSqlite({ path: join(directory, 'tickwheel.db'), now: () => T0 })
  await migrate(db)
  const remove = async (): Promise<void> => {
    await db.close()
    rmSync(directory, { recursive: true })
  }
  return { db, directory, remove }
}

let lastAuditId = 1

/** A log store that belongs to a store: in memory, or in tables of its database. */
export function logsOf(db: Database): LogStore {
  return db.dialect.keepsLogs ? new TableLogs(db) : new FileLogs({ directory: ':memory:' })
}

/** A change by the system at an instant, seeing all groups unless told otherwise. */
export function changeAt(now: number, more: Partial<Change> = {}): Change {
  lastAuditId += 1
  return { now, auditId: lastAuditId, scope: 'all', caller: SYSTEM, ...more }
}

/** A group with a given id. */
export async function addGroup(db: Database, id: number, name = `group ${id}`): Promise<void> {
  await db.write('rest', (tx) =>
    tx.insert('task_group', [
      {
        id,
        name,
        name_key: name.toLowerCase(),
        app_name: `app-${id}`,
        description: '',
        version: 1,
        concurrency: null,
        xxl_token: null,
        created_at: T0,
        updated_at: T0,
      },
    ]),
  )
}

/** What a person would send to make a shell task of group 1. */
export function taskInput(more: Partial<TaskCreate> = {}): TaskCreate {
  return {
    groupId: 1,
    name: 'nightly',
    schedule: { kind: 'cron', expression: '0 * * * * *' },
    handler: { kind: 'shell', script: 'echo hello' },
    enabled: true,
    ...more,
  }
}

/** What a person would send to make a workflow of group 1: `a`, then `b`, each defined in place. */
export function workflowInput(more: Partial<WorkflowCreate> = {}): WorkflowCreate {
  return {
    groupId: 1,
    name: 'chain',
    schedule: { kind: 'cron', expression: '0 * * * * *', timezone: 'UTC' },
    enabled: true,
    steps: [
      { key: 'a', kind: 'task', inline: { handler: { kind: 'shell', script: 'echo a' } } },
      { key: 'b', kind: 'task', inline: { handler: { kind: 'shell', script: 'echo b' } } },
    ],
    edges: [{ from: 'a', to: 'b' }],
    ...more,
  }
}

/** A run that has ended; `more` says what is not plain about it. */
export function endedRow(id: number, more: Partial<InstanceRow> = {}): InstanceRow {
  const at = instantOfId(id)
  return {
    id,
    slot: 1,
    group_id: 1,
    task_id: 10,
    task_version: 1,
    cause: 1,
    actor: null,
    series_id: 11,
    due_at: at,
    created_at: at,
    priority: 5,
    retry_of: null,
    attempt: 1,
    tries: 1,
    executor_id: null,
    boot_id: null,
    queued_at: at,
    sent_at: at,
    accepted_at: at,
    started_at: at,
    cancel_at: null,
    cancel_by: null,
    trace: '[]',
    ...noShards,
    ...NO_WORKFLOW,
    outcome: 1,
    ended_at: at + 1500,
    result: null,
    error_code: null,
    error: null,
    ...more,
  }
}

/** A run that waits in its queue. */
export function openRow(id: number, more: Partial<OpenInstanceRow> = {}): OpenInstanceRow {
  const { outcome: _outcome, ended_at: _endedAt, result: _result, error_code: _code, error: _error, ...facts } = endedRow(id)
  return {
    ...facts,
    attempt: 0,
    tries: 0,
    sent_at: null,
    accepted_at: null,
    started_at: null,
    phase: 2,
    lane: 1,
    rank_at: 0,
    on_end: 0,
    tried_executor_id: null,
    wait_code: null,
    wait_facts: null,
    progress: null,
    pinned_executor_id: null,
    children_open: null,
    ...more,
  }
}
