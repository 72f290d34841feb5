import { constants, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CAUSE, latenessBucket, OUTCOME, seededRandom } from '@tickwheel/core'
import { addCounts, METRIC, type Count } from '../server/src/store/counters.ts'
import type { Database } from '../server/src/store/database.ts'
import { openMysql } from '../server/src/store/dialect/mysql.ts'
import { openSqlite } from '../server/src/store/dialect/sqlite.ts'
import { createGroup } from '../server/src/store/groups.ts'
import { floorOfInstant } from '../server/src/store/ids.ts'
import { migrate, SCHEMA_LEVEL } from '../server/src/store/migrate.ts'
import type { InstanceRow } from '../server/src/store/schema.ts'
import { changeAt, endedRow } from '../server/src/store/store.fixture.ts'
import { createTask } from '../server/src/store/tasks.ts'
import type { MariaDb } from '../tests/kit/mariadb.ts'

/** How much the store has. */
export interface StoreSize {
  readonly runs: number
  readonly tasks: number
  readonly groups: number
}

const HOUR_MS = 3_600_000
const HOURS = 168
const BATCH = 2_000
/** The last hours of an older one would be empty. */
const KEPT_MS = 6 * HOUR_MS

/**
 * A data folder whose store has many ended runs of the last seven days, with their counters, and tasks that are due once an hour. It is made once and kept
 * for six hours in the temporary folder of the machine (about half a gibibyte for a million runs, one at a time); each caller gets a copy of its own.
 */
export async function dashboardStore(size: StoreSize, into: string): Promise<void> {
  const home = join(tmpdir(), 'tickwheel-bench-dashboard')
  const file = join(home, `${SCHEMA_LEVEL}-${size.runs}-${size.tasks}-${size.groups}.db`)
  if (!existsSync(file) || Date.now() - statSync(file).mtimeMs > KEPT_MS) {
    mkdirSync(home, { recursive: true })
    for (const old of readdirSync(home)) rmSync(join(home, old))
    const from = performance.now()
    await make(`${file}.part`, size)
    renameSync(`${file}.part`, file)
    console.log(
      `the store was made in ${((performance.now() - from) / 1000).toFixed(0)} s, ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB`,
    )
  }
  copyFileSync(file, join(into, 'tickwheel.db'), constants.COPYFILE_FICLONE)
}

/** The same in a new database of a MariaDB, made each time: where a server finds it. */
export async function dashboardDatabase(size: StoreSize, server: MariaDb): Promise<string> {
  server.sql('CREATE DATABASE bench')
  const from = performance.now()
  const now = Date.now()
  const db = openMysql({ url: server.url('bench'), now: () => now })
  await migrate(db)
  await db.makePartitions(now - HOURS * HOUR_MS)
  await fill(db, now, size)
  await db.close()
  server.sql('ANALYZE TABLE instance, task, counter', 'bench')
  console.log(`the database was made in ${((performance.now() - from) / 1000).toFixed(0)} s`)
  return server.url('bench')
}

async function make(path: string, size: StoreSize): Promise<void> {
  const now = Date.now()
  const db = openSqlite({ path, now: () => now })
  await migrate(db)
  await fill(db, now, size)
  await db.write('rest', (tx) => tx.run('ANALYZE'))
  await db.close()
}

async function fill(db: Database, now: number, { runs, tasks, groups }: StoreSize): Promise<void> {
  const groupIds: number[] = []
  for (let n = 1; n <= groups; n += 1)
    groupIds.push((await createGroup(db, { input: { name: `group ${n}`, appName: `group-${n}` } }, changeAt(now))).groupId)
  const known: { id: number; groupId: number }[] = []
  for (let n = 0; n < tasks; n += 1) {
    const groupId = groupIds[n % groups] ?? 0
    const schedule = { kind: 'cron', expression: `${n % 60} ${(n * 7) % 60} * * * ?`, timezone: 'UTC' } as const
    const input = {
      groupId,
      name: `task ${n}`,
      tags: [`tag-${n % 10}`],
      enabled: true,
      schedule,
      handler: { kind: 'shell', script: 'true' } as const,
    }
    known.push({ id: (await createTask(db, { input, serverZone: 'UTC' }, changeAt(now))).taskId, groupId })
  }
  await addRuns(db, { runs, tasks: known, now })
}

async function addRuns(
  db: Database,
  { runs, tasks, now }: { runs: number; tasks: readonly { id: number; groupId: number }[]; now: number },
): Promise<void> {
  const random = seededRandom(1)
  const begin = now - HOURS * HOUR_MS
  for (let made = 0; made < runs; made += BATCH) {
    const rows: InstanceRow[] = []
    const counts = new Map<number, Count[]>()
    for (let n = made; n < Math.min(runs, made + BATCH); n += 1) {
      const at = begin + Math.floor(((now - begin) * n) / runs)
      const task = tasks[Math.floor(random.next() * tasks.length)] ?? { id: 0, groupId: 0 }
      const lateMs = Math.round(2 ** (random.next() * 12))
      const outcome = outcomeOf(random.next())
      const run = {
        id: floorOfInstant(at) + n,
        task_id: task.id,
        group_id: task.groupId,
        cause: CAUSE.schedule,
        outcome,
        due_at: at,
        created_at: at,
      }
      const times = { queued_at: at + 1, sent_at: at + 2, accepted_at: at + 3, started_at: at + lateMs, ended_at: at + lateMs + 500 }
      const failed = outcome === OUTCOME.succeeded ? {} : { error_code: 'EXIT_CODE', error: 'the process ended with the exit code 1' }
      rows.push(endedRow(run.id, { ...run, ...times, ...failed, executor_id: 1 + (n % 40), trace: '[[14,2,{"attempt":1}],[29,500,{}]]' }))
      const ofHour = counts.get(Math.floor(at / HOUR_MS)) ?? []
      ofHour.push(
        { groupId: task.groupId, metric: outcome, n: 1 },
        { groupId: task.groupId, metric: METRIC.start + latenessBucket(lateMs), n: 1 },
      )
      counts.set(Math.floor(at / HOUR_MS), ofHour)
    }
    await db.write('rest', async (tx) => {
      await tx.insert('instance', rows)
      for (const [hour, ofHour] of counts) await addCounts(tx, hour * HOUR_MS, ofHour)
    })
  }
}

function outcomeOf(chance: number): number {
  if (chance < 0.97) return OUTCOME.succeeded
  if (chance < 0.99) return OUTCOME.failed
  return chance < 0.995 ? OUTCOME.timedOut : OUTCOME.canceled
}
