/**
 * End to end: how many no-op runs a second Tickwheel carries from "due" (or "triggered") to "recorded as succeeded", every state durable on SQLite (WAL,
 * synchronous FULL, group commit), every run kept. Real processes: one server, one executor made with the SDK, this one as the producer.
 *
 *   due at once   10,000 tasks that are all due in the same second: the midnight herd, from the instant to the last final row
 *   triggered     10,000 calls of POST /task/:id/trigger, 100 in flight, from the first call to the last final row
 *
 * Beside it in the same minutes, as the bound that the disk sets: the same five row writes a run in transactions of 500 by a bare SQLite connection.
 */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Program } from '../tests/kit/program.ts'
import { startServer, type ServerProcess } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { many, openCalls, type Call } from './calls.ts'
import { cpuOf } from './cpu.ts'
import { formatTable, machine } from './report.ts'

const RUNS = Number(process.env.BENCH_RUNS ?? 10_000)
const IN_FLIGHT = 100
const unlimited = Object.fromEntries(
  ['READ', 'WRITE', 'TRIGGER'].flatMap((budget) => [
    [`TICKWHEEL_RATE_LIMIT_${budget}_CAPACITY`, '1000000'],
    [`TICKWHEEL_RATE_LIMIT_${budget}_REFILL_PER_SECOND`, '1000000'],
  ]),
)

interface Figure {
  readonly name: string
  readonly runs: number
  readonly ms: number
  readonly cpuMs: number | null
  readonly late: string
}

async function main(): Promise<void> {
  console.log(machine())
  const server = await startServer({ command: 'server', env: { ...unlimited, TICKWHEEL_LOG_LEVEL: 'warn' } })
  const spool = makeDir()
  const figures: Figure[] = []
  try {
    const api = await server.signIn()
    const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [1] })
    const executor = new Program({
      file: 'bench/noop-executor.fixture.ts',
      env: { BENCH_SERVER: server.url, BENCH_TOKEN: token, BENCH_SPOOL: spool },
    })
    await executor.printed(/joined/)
    const { call, end } = openCalls({ port: server.port, token: api.token ?? '', atOnce: IN_FLIGHT })
    figures.push(await triggered(server, executor, call))
    figures.push(await dueAtOnce(server, executor, call))
    end()
    await executor.stop()
  } finally {
    await server.close()
    removeDir(spool)
  }
  figures.push(bareRows())
  const bound = figures.at(-1)
  const perSecond = (figure: Figure): number => (figure.runs / figure.ms) * 1000
  console.log(
    formatTable(
      ['', 'runs', 'seconds', 'runs/s', 'of the bound', 'CPU µs a run', 'lateness p50 / p99 / max ms'],
      figures.map((figure) => [
        figure.name,
        String(figure.runs),
        (figure.ms / 1000).toFixed(2),
        perSecond(figure).toFixed(0),
        bound === undefined ? '' : `${((perSecond(figure) / perSecond(bound)) * 100).toFixed(0)} %`,
        figure.cpuMs === null ? '' : ((figure.cpuMs * 1000) / figure.runs).toFixed(0),
        figure.late,
      ]),
    ),
  )
  console.log('store: SQLite WAL, synchronous FULL; CPU: server and executor processes')
}

const handler = { kind: 'named', name: 'noop' }

async function triggered(server: ServerProcess, executor: Program, call: Call): Promise<Figure> {
  const task = (await call('POST', '/task', {
    groupId: 1,
    name: 'by-hand',
    schedule: { kind: 'manual' },
    handler,
    overlap: { policy: 'parallel' },
  })) as { id: number }
  const cpu = cpuOf([server.program, executor])
  const from = performance.now()
  await many({ count: RUNS, atOnce: IN_FLIGHT }, () => call('POST', `/task/${task.id}/trigger`, {}))
  await allRecorded(server, RUNS)
  const ms = performance.now() - from
  return { name: 'triggered over HTTP', runs: RUNS, ms, cpuMs: cpu(), late: '' }
}

async function dueAtOnce(server: ServerProcess, executor: Program, call: Call): Promise<Figure> {
  const began = performance.now()
  await many({ count: 200, atOnce: IN_FLIGHT }, (index) =>
    call('POST', '/task', herdTask(`warm-${index}`, new Date(Date.now() + 86_400_000))),
  )
  const secondsEach = (performance.now() - began) / 200_000
  const dueAt = new Date(Math.ceil((Date.now() + RUNS * secondsEach * 2000 + 5000) / 1000) * 1000)
  await many({ count: RUNS, atOnce: IN_FLIGHT }, (index) => call('POST', '/task', herdTask(`herd-${index}`, dueAt)))
  if (Date.now() > dueAt.getTime()) throw new Error('making the tasks took longer than expected; run again')
  await waitFor(() => Date.now() >= dueAt.getTime() - 500, { what: 'the instant', timeoutMs: 300_000 })
  const cpu = cpuOf([server.program, executor])
  await waitFor(() => Date.now() >= dueAt.getTime(), { what: 'the instant', everyMs: 1 })
  await allRecorded(server, 2 * RUNS)
  const ms = Date.now() - dueAt.getTime()
  return { name: 'due in one second', runs: RUNS, ms, cpuMs: cpu(), late: lateness(server, dueAt.getTime()) }
}

function herdTask(name: string, at: Date): unknown {
  const expression = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} ${at.getUTCDate()} ${at.getUTCMonth() + 1} ?`
  return { groupId: 1, name, schedule: { kind: 'cron', expression, timezone: 'UTC' }, handler, enabled: true }
}

/** Until so many runs have their final row, as a reader beside the server sees it. */
async function allRecorded(server: ServerProcess, count: number): Promise<void> {
  const db = new Sqlite(join(server.dataDir, 'tickwheel.db'), { readonly: true })
  const counted = db.prepare<[], { n: number }>('SELECT COUNT(*) AS n FROM instance WHERE outcome = 1')
  await waitFor(() => (counted.get()?.n ?? 0) >= count, { what: `${count} final rows`, timeoutMs: 300_000, everyMs: 20 })
  db.close()
}

function lateness(server: ServerProcess, dueAt: number): string {
  const db = new Sqlite(join(server.dataDir, 'tickwheel.db'), { readonly: true })
  const starts = db
    .prepare<[number], { late: number }>('SELECT started_at - due_at AS late FROM instance WHERE due_at = ? ORDER BY 1')
    .all(dueAt)
    .map((row) => row.late)
  db.close()
  const at = (share: number): number => starts[Math.min(starts.length - 1, Math.floor(starts.length * share))] ?? NaN
  return `${at(0.5)} / ${at(0.99)} / ${at(1)}`
}

/** What the disk allows: ledger row, open row, cursor, delete, final row, for each run, 500 runs a transaction. */
function bareRows(): Figure {
  const dir = makeDir()
  const db = new Sqlite(join(dir, 'bare.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(
    'CREATE TABLE firing (due INTEGER, series INTEGER, a INTEGER, b INTEGER, PRIMARY KEY (due, series)) WITHOUT ROWID; CREATE TABLE open (id INTEGER PRIMARY KEY, body TEXT); CREATE TABLE ended (id INTEGER PRIMARY KEY, task INTEGER, body TEXT); CREATE INDEX ended_task ON ended (task, id); CREATE TABLE series (id INTEGER PRIMARY KEY, next INTEGER)',
  )
  const body = 'x'.repeat(300)
  const statements = [
    'INSERT INTO firing VALUES (1, ?, 1, 1)',
    `INSERT INTO open VALUES (?, '${body}')`,
    'INSERT OR REPLACE INTO series VALUES (?, 1)',
    'DELETE FROM open WHERE id = ?',
    `INSERT INTO ended VALUES (?, 1, '${body}')`,
  ].map((sql) => db.prepare(sql))
  const from = performance.now()
  for (let first = 0; first < RUNS; first += 500) {
    for (const part of [statements.slice(0, 3), statements.slice(3)]) {
      db.transaction(() => {
        for (let run = first; run < Math.min(RUNS, first + 500); run += 1) for (const statement of part) statement.run(run)
      })()
    }
  }
  const ms = performance.now() - from
  db.close()
  removeDir(dir)
  return { name: 'bare rows in SQLite', runs: RUNS, ms, cpuMs: null, late: '' }
}

await main()
