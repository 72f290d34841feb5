import { OUTCOME } from '@tickwheel/core'
import { beforeAll, expect, inject, it } from 'vitest'
import { executorsOfAttempts } from '../../server/src/store/attempts.ts'
import type { Database, ReadTx, Tx, Value } from '../../server/src/store/database.ts'
import { openMysql, type MysqlDatabase } from '../../server/src/store/dialect/mysql.ts'
import { batched } from '../../server/src/store/dialect/mysql-statements.ts'
import { deleteFirings, firingsAfter, firstHourWithFirings, foldedSeries, hourCheck } from '../../server/src/store/fold.ts'
import { floorOfInstant } from '../../server/src/store/ids.ts'
import { getInstance, instancesById, listInstances, runHead } from '../../server/src/store/instances.ts'
import { listFirings, whyAt } from '../../server/src/store/ledger.ts'
import { TableLogs } from '../../server/src/store/log-table.ts'
import { migrate } from '../../server/src/store/migrate.ts'
import { groupsWithEndedRuns, pruneAudit, pruneFirings, pruneFoldedHours, pruneRuns, pruneSkips } from '../../server/src/store/prune.ts'
import { report } from '../../server/src/store/report.ts'
import { dueRevisions, dueSeries, seriesById } from '../../server/src/store/series.ts'
import { addGroup, changeAt, T0, taskInput, workflowInput } from '../../server/src/store/store.fixture.ts'
import { createTask } from '../../server/src/store/tasks.ts'
import { getTask, listTasks } from '../../server/src/store/task-list.ts'
import { getWorkflow, listWorkflows } from '../../server/src/store/workflow-list.ts'
import { WorkflowRunReader } from '../../server/src/store/workflow-run-views.ts'
import { WorkflowVersions } from '../../server/src/store/workflow-versions.ts'
import { createWorkflow } from '../../server/src/store/workflows.ts'

const ROWS = 100_000
/** The tables that grow without end, and the names that statements give them. */
const LARGE = new Set([
  'instance',
  'firing',
  'skip',
  'k',
  'log_chunk',
  'log_end',
  'audit',
  'attempt',
  'payload',
  'retry_link',
  'firing_hour',
  'workflow_run',
  'step_run',
  // the names that statements about runs of workflows give them
  'i',
  'sr',
  'sx',
])
/** A page of a list looks at most so far for what no index finds. */
const SCAN_LIMIT = 20_000
/** Such a page is read, kept and read again. */
const READ_LIMIT = 2 * SCAN_LIMIT + 1000
const DAY = 86_400_000
const FIRST_ID = floorOfInstant(T0 - 20 * DAY)

interface Asked {
  readonly sql: string
  readonly params: readonly Value[]
}

/** A line of EXPLAIN. */
interface Step {
  readonly table: string | null
  readonly type: string | null
  readonly rows: string | null
}

/** The real database; it notes every statement that is run by hand or built. */
class Noting implements Database {
  readonly asked = new Map<string, Asked>()
  readonly #real: MysqlDatabase

  constructor(real: MysqlDatabase) {
    this.#real = real
  }

  get dialect(): Database['dialect'] {
    return this.#real.dialect
  }

  read: Database['read'] = (work) => this.#real.read((tx) => work(this.#noting(tx)))
  write: Database['write'] = (lane, work) => this.#real.write(lane, (tx) => work(this.#noting(tx)))
  now = (): Promise<number> => this.#real.now()
  close = (): Promise<void> => this.#real.close()

  #noting<T extends ReadTx | Tx>(tx: T): T {
    return new Proxy(tx, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          this.#note(name, args)
          return member.apply(target, args)
        }
      },
    })
  }

  #note(name: string | symbol, [first, second]: readonly unknown[]): void {
    if (typeof first === 'string' && name === 'runMany') {
      const rows = (second as Value[][]).slice(0, 100)
      const [statement] = rows.length === 0 ? [] : (batched(first, rows) ?? [])
      if (statement !== undefined) this.asked.set(first, statement)
    } else if (typeof first === 'string' && name !== 'insert' && name !== 'insertNew')
      this.asked.set(first, { sql: first, params: (second as Value[] | undefined) ?? [] })
    else if (typeof first === 'object' && first !== null && 'compile' in first) {
      const { sql, parameters } = (first as { compile(): { sql: string; parameters: readonly Value[] } }).compile()
      this.asked.set(sql, { sql, params: parameters })
    }
  }
}

let real: MysqlDatabase | null = null
let db: Noting
let taskId = 0
let workflowId = 0
let seriesId = 0

beforeAll(async () => {
  const base = inject('mariaDbUrl')
  if (base === null) return undefined
  const server = openMysql({ url: `${base}mysql` })
  await server.write('rest', (tx) => tx.run('CREATE DATABASE large CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'))
  await server.close()
  real = openMysql({ url: `${base}large`, limitMs: 120_000 })
  await migrate(real)
  await real.makePartitions(T0)
  await addGroup(real, 1)
  const tasks = []
  for (let n = 0; n < 49; n += 1)
    tasks.push(
      await createTask(
        real,
        { input: taskInput({ name: `task ${n}`, schedule: { kind: 'fixedRate', everyMs: 1000 } }), serverZone: 'UTC' },
        changeAt(T0 - ROWS * 1000),
      ),
    )
  const schedule = { kind: 'fixedRate', everyMs: 1000 } as const
  const flow = { input: workflowInput({ schedule }), serverZone: 'UTC', mayRun: { tasks: 'all', workflows: 'all' } } as const
  workflowId = (await createWorkflow(real, flow, changeAt(T0 - ROWS * 1000))).taskId
  taskId = tasks[0]?.taskId ?? 0
  seriesId = tasks[0]?.seriesId ?? 0
  for (const statement of fill()) await real.write('rest', (tx) => tx.run(statement))
  await real.write('rest', (tx) =>
    tx.all(
      `ANALYZE TABLE ${['instance', 'attempt', 'payload', 'retry_link', 'firing', 'firing_hour', 'skip', 'log_chunk', 'log_end', 'audit', 'series', 'task', 'workflow_run', 'step_run'].join(', ')}`,
    ),
  )
  db = new Noting(real)
  return () => real?.close()
})

/** Fifty series, the last of a workflow, with a firing each second in turn, five groups, one run in ten a failure, ids in the order of time. */
function fill(): string[] {
  const id = `${FIRST_ID} + seq * 8000000`
  const from = `FROM seq_1_to_${ROWS}`
  return [
    `INSERT INTO instance (id, slot, group_id, task_id, task_version, cause, series_id, due_at, created_at, priority, attempt, tries, trace, outcome, ended_at, runs_workflow) SELECT ${id}, 1, 1 + seq % 5, ${taskId} + 2 * (seq % 50), 1, 1, ${seriesId} + 2 * (seq % 50), ${T0 - ROWS * 1000} + seq * 1000, ${T0 - ROWS * 1000} + seq * 1000, 5, 1, 1, '[]', IF(seq % 10 = 0, 2, 1), ${T0}, IF(seq % 50 = 49, 1, NULL) ${from}`,
    `INSERT INTO workflow_run (run_id, workflow_id, version, run_date, depth) SELECT ${id}, IF(seq % 50 = 49, ${workflowId}, 1), 1, '2026-11-22', 0 ${from}`,
    `INSERT INTO step_run (run_id, step_no, round, state) SELECT ${id}, seq % 2, 0, 3 ${from}`,
    `INSERT INTO attempt (instance_id, attempt, late, ended_at, outcome) SELECT ${id}, 1, 0, ${T0}, 2 ${from}`,
    `INSERT INTO payload (instance_id, kind, body) SELECT ${id}, 1, 'x' ${from}`,
    `INSERT INTO retry_link (instance_id, retry_id) SELECT ${id}, 1 ${from}`,
    `INSERT INTO firing (due_at, series_id, prev_due_at, task_version, instance_id) SELECT ${T0 - ROWS * 1000} + seq * 1000, ${seriesId} + 2 * (seq % 50), 0, 1, ${id} ${from}`,
    `INSERT INTO firing_hour (hour_at, series_id, fired, first_due_at, last_due_at, first_id, last_id) SELECT ${T0 - (T0 % 3_600_000)} - 3600000 * (seq DIV 50), ${seriesId} + 2 * (seq % 50), 61, 0, 0, 1, 1 ${from}`,
    `INSERT INTO skip (series_id, from_at, to_at, prev_due_at, count, reason, facts, decided_at) SELECT ${seriesId} + 2 * (seq % 50), ${T0 - ROWS * 1000} + seq * 1000 + 500, ${T0 - ROWS * 1000} + seq * 1000 + 500, 0, 1, 60, '{}', 0 ${from}`,
    `INSERT INTO log_chunk (instance_id, attempt, first_seq, \`lines\`, bytes, dropped, \`at\`, codec, body) SELECT ${id}, 1, 1, 1, 2, 0, ${T0}, 0, '[]' ${from}`,
    `INSERT INTO log_end (instance_id, attempt, \`lines\`, bytes, dropped) SELECT ${id}, 1, 1, 2, 0 ${from}`,
    `INSERT INTO audit (id, at, actor_kind, actor_name, ip, request_id, action, resource_kind, resource_key, outcome, count) SELECT ${id}, ${T0 - ROWS * 1000} + seq * 1000, 'user', '', '', '', 'x', 'x', 'x', 'done', 1 ${from}`,
  ]
}

/** What the console, the engine and the housekeeping ask. */
async function askEverything(): Promise<void> {
  const run = FIRST_ID + 50_000 * 8_000_000
  const [group, other] = [1, 2]
  for (const query of [
    {},
    { taskId },
    { groupId: group },
    { groupId: group, state: 'failed' },
    { state: 'failed,lost' },
    { cause: 'manual' as const },
    { taskId, state: 'failed' },
    { from: new Date(T0 - DAY).toISOString(), to: new Date(T0).toISOString() },
    { cursor: `1.${run.toString(36)}` },
  ]) {
    await listInstances(db, 'all', query)
    await listInstances(db, [], query)
  }
  await getInstance(db, 'all', run, () => true)
  await runHead(db, 'all', run)
  await instancesById(db, 'all', [run, run + 8_000_000])
  await executorsOfAttempts(db, [{ instanceId: run, attempt: 1 }])
  await listTasks(db, 'all', {})
  const versions = new WorkflowVersions()
  const runs = new WorkflowRunReader({ db, versions, serverZone: 'UTC' })
  for (const query of [
    {},
    { workflowId },
    { groupId: group },
    { state: 'failed' },
    { workflowId, date: '2026-11-21' },
    { cause: 'manual' as const },
  ])
    await runs.list('all', query)
  const { items } = await runs.list('all', { workflowId, pageSize: 1 })
  const workflowRunId = items[0]?.id ?? 0
  await runs.get('all', workflowRunId, () => true)
  await runs.step('all', { workflowRunId, key: 'a', mayViewParams: () => true })
  await runs.items('all', { workflowRunId, key: 'a' })
  await runs.grid('all', workflowId, 20)
  await listInstances(db, 'all', { workflowRunId })
  await listWorkflows(db, 'all', { versions })
  await getWorkflow(db, 'all', { workflowId, versions, mayViewParams: () => true })
  await getTask(db, 'all', taskId, () => true)
  for (const page of [{}, { to: new Date(T0 - 3_600_000).toISOString() }]) await listFirings(db, 'all', { taskId, ...page })
  await whyAt(db, 'all', { taskId, at: T0 - 7_200_000, now: T0 })
  await seriesById(
    db,
    Array.from({ length: 50 }, (_, n) => seriesId + 2 * n),
  )
  await dueSeries(
    db,
    Array.from({ length: 256 }, (_, slot) => slot),
    T0,
    100,
  )
  await dueRevisions(
    db,
    Array.from({ length: 256 }, (_, slot) => slot),
    T0,
    100,
  )
  await report(db, T0, 1, [])
  const first = await firstHourWithFirings(db, T0 - DAY)
  await firingsAfter(db, { dueAt: first ?? 0, seriesId: 0 }, T0, 500)
  await foldedSeries(db, first ?? 0)
  await hourCheck(db, seriesId, first ?? 0)
  await deleteFirings(db, [{ due_at: 1, series_id: 1, prev_due_at: 0, task_version: 1, instance_id: 1 }])
  const logs = new TableLogs(db)
  await logs.append([
    { instanceId: run, attempt: 2, firstSeq: 1, lines: [[T0, 0, 1, 'x']] },
    { instanceId: run, attempt: 2, firstSeq: 2, lines: [], dropped: 3 },
  ])
  await logs.append([], [{ instanceId: run, attempt: 2, lines: 4, bytes: 1, dropped: 3 }])
  await logs.read(run, { after: 0, limit: 100, ended: true })
  await logs.prune(FIRST_ID + 100 * 8_000_000)
  await groupsWithEndedRuns(db)
  await pruneRuns(db, { groupId: other, outcome: OUTCOME.succeeded, beforeId: FIRST_ID + 1000 * 8_000_000 })
  await pruneFirings(db, T0 - ROWS * 1000 + 100_000)
  await pruneFoldedHours(db, T0 - DAY * 30)
  await pruneSkips(db, T0 - ROWS * 1000 + 100_000, 0)
  await pruneAudit(db, FIRST_ID + 1000 * 8_000_000, T0)
}

/** How often the server asks the tables for a row: of the table itself and of what was made of it on the way. */
async function rowsRead({ sql, params }: Asked): Promise<number> {
  const work = async (tx: ReadTx): Promise<number> => {
    const count = async (): Promise<number> =>
      (await tx.all<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read%'")).reduce((sum, row) => sum + Number(row.Value), 0)
    const before = await count()
    await tx.all(sql, params)
    return (await count()) - before
  }
  return (await real?.read(work)) ?? 0
}

it('no statement of the engine, the console or the housekeeping reads a large table from end to end', async () => {
  await askEverything()
  const problems: string[] = []
  const seen = new Set<string>()
  for (const { sql, params } of db.asked.values()) {
    if (sql.startsWith('INSERT')) continue
    const plan = (await real?.write('rest', (tx) => tx.all<Step>(`EXPLAIN ${sql}`, params))) ?? []
    let isLarge = false
    for (const { table, type, rows } of plan) {
      if (table === null || !LARGE.has(table)) continue
      seen.add(table)
      if (type === 'ALL') problems.push(`${type} of ${rows} rows of ${table}: ${sql}`)
      isLarge = true
    }
    // a walk along an index may stop at its limit, which EXPLAIN does not tell: what is read is counted
    const read = isLarge && sql.startsWith('SELECT') ? await rowsRead({ sql, params }) : 0
    if (read > READ_LIMIT) problems.push(`${read} rows read: ${sql}`)
  }
  expect(problems).toEqual([])
  expect(
    [...LARGE].filter((table) => !seen.has(table)),
    'tables that nothing was asked of',
  ).toEqual([])
})
