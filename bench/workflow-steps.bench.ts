/**
 * Workflows: how many steps a second a wide and a deep graph do, beside as many plain runs of a task, and how long after a step has ended its successor
 * starts at an executor. Wide: a step, then hundreds beside each other, then one that waits for all. Deep: a chain. Steps do nothing.
 *
 * Plain runs and the wide graph share commits; runs in a row cannot, each waits for the end of the one before. So the chain is to be held against plain
 * runs in a row.
 *
 * Real processes: one server on SQLite (WAL, synchronous FULL), one executor with 200 slots made with the SDK. A first run of each kind warms up and is not
 * counted. Delays are read from the final rows: the start of the successor less the end of the step before, by the cluster's clock.
 *
 * BENCH_WIDE (steps beside each other, default 500), BENCH_DEEP (default 200), BENCH_ROUNDS (default 3).
 */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Group, Task, Workflow } from '@tickwheel/contract'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { Program } from '../tests/kit/program.ts'
import { startServer, type ServerProcess } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { many, openCalls, type Call } from './calls.ts'
import { cpuOf } from './cpu.ts'
import { formatTable, machine, median } from './report.ts'

const WIDE = Number(process.env.BENCH_WIDE ?? 500)
const DEEP = Number(process.env.BENCH_DEEP ?? 200)
const LONE = 50
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const IN_FLIGHT = 50

interface Figure {
  readonly ms: number
  readonly serverMs: number
  readonly delays: readonly number[]
}

interface Kind {
  readonly name: string
  readonly steps: number
  readonly once: () => Promise<Figure>
}

async function main(): Promise<void> {
  console.log(machine())
  const budgets = Object.fromEntries(
    ['READ', 'WRITE', 'TRIGGER', 'EXECUTOR'].flatMap((budget) => [
      [`TICKWHEEL_RATE_LIMIT_${budget}_CAPACITY`, '1000000'],
      [`TICKWHEEL_RATE_LIMIT_${budget}_REFILL_PER_SECOND`, '1000000'],
    ]),
  )
  const server = await startServer({ command: 'server', env: { ...budgets, TICKWHEEL_LOG_LEVEL: 'warn' } })
  const spool = makeDir()
  const api = await server.signIn()
  const { call, end } = openCalls({ port: server.port, token: api.token ?? '', atOnce: IN_FLIGHT })
  const db = new Sqlite(join(server.dataDir, 'tickwheel.db'), { readonly: true })
  try {
    const group = await api.post<Group>('/group', { name: 'bench', appName: 'bench' })
    const program = await joined(server, api, { groupId: group.id, spool })
    const kinds = await kindsOf({ server, api, call, db, groupId: group.id })
    const figures = new Map(kinds.map((kind): [Kind, Figure[]] => [kind, []]))
    for (const kind of kinds) await kind.once()
    for (let round = 0; round < ROUNDS; round += 1) for (const kind of kinds) figures.get(kind)?.push(await kind.once())
    await program.stop()
    print(figures)
  } finally {
    db.close()
    end()
    await server.close()
    removeDir(spool)
  }
}

async function joined(server: ServerProcess, api: ApiClient, { groupId, spool }: { groupId: number; spool: string }): Promise<Program> {
  const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [groupId] })
  const env = { BENCH_SERVER: server.url, BENCH_TOKEN: token, BENCH_APP: 'bench', BENCH_NAME: 'bench', BENCH_SPOOL: spool }
  const program = new Program({ file: 'bench/fleet-executors.fixture.ts', env: { ...env, BENCH_COUNT: '1', BENCH_CAPACITY: '200' } })
  await program.printed(/joined/)
  return program
}

interface Scene {
  readonly server: ServerProcess
  readonly api: ApiClient
  readonly call: Call
  readonly db: Sqlite.Database
  readonly groupId: number
}

async function kindsOf(scene: Scene): Promise<Kind[]> {
  const { api, groupId } = scene
  const noop = { kind: 'named', name: 'noop' }
  const task = await api.post<Task>('/task', {
    groupId,
    name: 'plain',
    schedule: { kind: 'manual' },
    handler: noop,
    overlap: { policy: 'parallel' },
  })
  const step = (key: string): object => ({ key, kind: 'task', inline: { handler: noop } })
  const beside = Array.from({ length: WIDE }, (_, index) => `b${String(index)}`)
  const chain = Array.from({ length: DEEP }, (_, index) => `c${String(index)}`)
  const workflow = async (name: string, keys: readonly string[], edges: readonly object[]): Promise<number> =>
    (await api.post<Workflow>('/workflow', { groupId, name, schedule: { kind: 'manual' }, steps: keys.map(step), edges })).id
  const wide = await workflow(
    'wide',
    ['first', ...beside, 'last'],
    beside.flatMap((key) => [
      { from: 'first', to: key },
      { from: key, to: 'last' },
    ]),
  )
  const deep = await workflow(
    'deep',
    chain,
    chain.slice(1).map((to, index) => ({ from: chain[index], to })),
  )
  return [
    { name: `${String(WIDE)} plain runs`, steps: WIDE, once: () => plainRuns(scene, task.id) },
    { name: `${String(LONE)} plain runs in a row`, steps: LONE, once: () => loneRuns(scene, task.id) },
    { name: `wide: 1, ${String(WIDE)} beside each other, 1`, steps: WIDE + 2, once: () => oneRun(scene, wide) },
    { name: `deep: ${String(DEEP)} in a row`, steps: DEEP, once: () => oneRun(scene, deep) },
  ]
}

async function plainRuns({ server, call, db }: Scene, taskId: number): Promise<Figure> {
  const counted = db.prepare<[number], { n: number }>('SELECT COUNT(*) AS n FROM instance WHERE task_id = ? AND outcome = 1')
  const before = counted.get(taskId)?.n ?? 0
  const cpu = cpuOf([server.program])
  const from = performance.now()
  await many({ count: WIDE, atOnce: IN_FLIGHT }, () => call('POST', `/task/${String(taskId)}/trigger`, {}))
  await waitFor(() => (counted.get(taskId)?.n ?? 0) >= before + WIDE, { what: 'plain runs', timeoutMs: 60_000, everyMs: 10 })
  return { ms: performance.now() - from, serverMs: cpu(), delays: [] }
}

/** Each is triggered when the one before has ended. */
async function loneRuns({ server, call, db }: Scene, taskId: number): Promise<Figure> {
  const ended = db.prepare<[number], { outcome: number }>('SELECT outcome FROM instance WHERE id = ?')
  const cpu = cpuOf([server.program])
  const from = performance.now()
  for (let run = 0; run < LONE; run += 1) {
    const { instanceId } = (await call('POST', `/task/${String(taskId)}/trigger`, {})) as { instanceId: number }
    await waitFor(() => ended.get(instanceId) !== undefined, { what: 'a plain run', timeoutMs: 60_000, everyMs: 1 })
  }
  return { ms: performance.now() - from, serverMs: cpu(), delays: [] }
}

async function oneRun({ server, call, db }: Scene, workflowId: number): Promise<Figure> {
  const ended = db.prepare<[number], { outcome: number }>('SELECT outcome FROM instance WHERE id = ?')
  const cpu = cpuOf([server.program])
  const from = performance.now()
  const { workflowRunId } = (await call('POST', `/workflow/${String(workflowId)}/trigger`, {})) as { workflowRunId: number }
  await waitFor(() => ended.get(workflowRunId) !== undefined, { what: 'the run', timeoutMs: 120_000, everyMs: 10 })
  const figure = { ms: performance.now() - from, serverMs: cpu(), delays: delaysOf(db, workflowRunId) }
  if (ended.get(workflowRunId)?.outcome !== 1) throw new Error(`run ${String(workflowRunId)} did not succeed`)
  return figure
}

/** From the end of the last step that a step waited for to its start: the one before it in a chain; the first, and the last of all beside each other. */
function delaysOf(db: Sqlite.Database, runId: number): number[] {
  const rows = db
    .prepare<[number], { step_no: number; started_at: number; ended_at: number }>(
      'SELECT i.step_no, i.started_at, i.ended_at FROM step_run s JOIN instance i ON i.id = s.instance_id WHERE s.run_id = ? ORDER BY i.step_no',
    )
    .all(runId)
  const isChain = rows.length === DEEP
  const first = rows[0]
  const last = rows.at(-1)
  if (first === undefined || last === undefined) return []
  if (isChain) return rows.slice(1).map((row, index) => row.started_at - (rows[index]?.ended_at ?? NaN))
  const middle = rows.slice(1, -1)
  const lastEnd = middle.reduce((latest, row) => Math.max(latest, row.ended_at), 0)
  return [...middle.map((row) => row.started_at - first.ended_at), last.started_at - lastEnd]
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

function print(figures: ReadonlyMap<Kind, readonly Figure[]>): void {
  const rows = [...figures].map(([{ name, steps }, taken]) => ({
    name,
    perSecond: (steps / median(taken.map((one) => one.ms))) * 1000,
    cpuUs: (median(taken.map((one) => one.serverMs)) * 1000) / steps,
    delays: taken.flatMap((one) => one.delays),
  }))
  const plain = rows[0]
  const ms = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(0))
  console.log(
    formatTable(
      ['graph', 'steps/s', 'to plain', 'server CPU µs a step', 'to plain', 'end → start p50 ms', 'p99 ms'],
      rows.map(({ name, perSecond, cpuUs, delays }) => [
        name,
        perSecond.toFixed(0),
        `${(perSecond / (plain?.perSecond ?? NaN)).toFixed(2)} ×`,
        cpuUs.toFixed(0),
        `${(cpuUs / (plain?.cpuUs ?? NaN)).toFixed(2)} ×`,
        ms(quantile(delays, 0.5)),
        ms(quantile(delays, 0.99)),
      ]),
    ),
  )
  console.log(`median of ${String(ROUNDS)} rounds; store: SQLite WAL, synchronous FULL`)
}

await main()
