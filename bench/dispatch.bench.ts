/**
 * Dispatch: how many runs that wait in the queue a second go to executors, are carried out and recorded, with 1, 10 and 100 executors on links of their
 * own that have 1,000 slots together. What a second of it costs the server must hardly depend on how many executors there are.
 *
 * All executors of a step are drained while its runs are triggered, so that these wait; measured is from the first resume to the last final row. Real
 * processes: one server on SQLite (WAL, synchronous FULL), executors made with the SDK, up to 25 in a process. Routing is roundRobin. A first step warms the
 * server up and is not counted; of several rounds the median is printed.
 *
 * BENCH_RUNS (a step, default 4,000), BENCH_ROUNDS (default 1).
 */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Executor, Group, Task } from '@tickwheel/contract'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { Program } from '../tests/kit/program.ts'
import { startServer, type ServerProcess } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { many, openCalls, type Call } from './calls.ts'
import { cpuOf } from './cpu.ts'
import { formatTable, machine, median } from './report.ts'

const RUNS = Number(process.env.BENCH_RUNS ?? 4_000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1)
const COUNTS = [1, 10, 100]
const SLOTS = 1_000
const IN_A_PROCESS = 25
const IN_FLIGHT = 50

interface Fleet {
  readonly count: number
  readonly programs: readonly Program[]
  readonly executorIds: readonly number[]
  readonly taskId: number
}

interface Figure {
  readonly ms: number
  readonly serverMs: number
  readonly executorsMs: number
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
  const figures = new Map(COUNTS.map((count): [number, Figure[]] => [count, []]))
  try {
    // one fleet at a time: heartbeats of the others would be counted too
    const step = async (count: number, name: string): Promise<Figure> => {
      const fleet = await joined({ server, api, spool, count, name })
      const figure = await measure(server, fleet, call)
      await Promise.all(fleet.programs.map((program) => program.stop()))
      return figure
    }
    await step(1, 'warm-up')
    for (let round = 0; round < ROUNDS; round += 1)
      for (const count of COUNTS) figures.get(count)?.push(await step(count, `fleet-${count}-${round}`))
  } finally {
    end()
    await server.close()
    removeDir(spool)
  }
  print(figures)
}

interface FleetOptions {
  readonly server: ServerProcess
  readonly api: ApiClient
  readonly spool: string
  readonly count: number
  readonly name: string
}

/** A group with its executors and a task of theirs that does nothing. */
async function joined({ server, api, spool, count, name }: FleetOptions): Promise<Fleet> {
  const group = await api.post<Group>('/group', { name, appName: name })
  const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [group.id] })
  const processes = Math.ceil(count / IN_A_PROCESS)
  const programs = Array.from(
    { length: processes },
    (_, index) =>
      new Program({
        file: 'bench/fleet-executors.fixture.ts',
        env: {
          BENCH_SERVER: server.url,
          BENCH_TOKEN: token,
          BENCH_APP: name,
          BENCH_NAME: `${name}-${index}`,
          BENCH_SPOOL: join(spool, name),
          BENCH_COUNT: String(count / processes),
          BENCH_CAPACITY: String(SLOTS / count),
        },
      }),
  )
  await Promise.all(programs.map((program) => program.printed(/joined/)))
  const task = await api.post<Task>('/task', {
    groupId: group.id,
    name,
    schedule: { kind: 'manual' },
    handler: { kind: 'named', name: 'noop' },
    overlap: { policy: 'parallel' },
    routing: 'roundRobin',
  })
  const { items } = await api.get<{ items: Executor[] }>(`/executor?groupId=${group.id}&pageSize=200`)
  return { count, programs, executorIds: items.map((executor) => executor.id), taskId: task.id }
}

async function measure(server: ServerProcess, { programs, executorIds, taskId }: Fleet, call: Call): Promise<Figure> {
  const each = (verb: string): Promise<void> =>
    many({ count: executorIds.length, atOnce: IN_FLIGHT }, (index) => call('POST', `/executor/${executorIds[index] ?? 0}/${verb}`, {}))
  await each('drain')
  await many({ count: RUNS, atOnce: IN_FLIGHT }, () => call('POST', `/task/${taskId}/trigger`, {}))
  const [serverCpu, executorsCpu] = [cpuOf([server.program]), cpuOf(programs)]
  const from = performance.now()
  await each('resume')
  await allRecorded(server, taskId)
  return { ms: performance.now() - from, serverMs: serverCpu(), executorsMs: executorsCpu() }
}

/** Until each run of the task has its final row, as a reader beside the server sees it. */
async function allRecorded(server: ServerProcess, taskId: number): Promise<void> {
  const db = new Sqlite(join(server.dataDir, 'tickwheel.db'), { readonly: true })
  const counted = db.prepare<[number], { n: number }>('SELECT COUNT(*) AS n FROM instance WHERE task_id = ? AND outcome = 1')
  await waitFor(() => (counted.get(taskId)?.n ?? 0) >= RUNS, { what: `${RUNS} final rows`, timeoutMs: 60_000, everyMs: 20 })
  db.close()
}

function print(figures: ReadonlyMap<number, readonly Figure[]>): void {
  const rows = [...figures].map(([count, taken]) => {
    const [ms, serverMs, executorsMs] = [
      taken.map((one) => one.ms),
      taken.map((one) => one.serverMs),
      taken.map((one) => one.executorsMs),
    ].map(median)
    return {
      count,
      perSecond: (RUNS / (ms ?? NaN)) * 1000,
      serverUs: ((serverMs ?? NaN) * 1000) / RUNS,
      executorsUs: ((executorsMs ?? NaN) * 1000) / RUNS,
    }
  })
  const [one] = rows
  const ratio = (value: number, base: number | undefined): string => `${(value / (base ?? NaN)).toFixed(2)} ×`
  console.log(
    formatTable(
      ['executors', 'slots each', 'runs/s', 'to one', 'server CPU µs a run', 'to one', 'executors CPU µs a run', 'to one'],
      rows.map(({ count, perSecond, serverUs, executorsUs }) => [
        String(count),
        String(SLOTS / count),
        perSecond.toFixed(0),
        ratio(perSecond, one?.perSecond),
        serverUs.toFixed(0),
        ratio(serverUs, one?.serverUs),
        executorsUs.toFixed(0),
        ratio(executorsUs, one?.executorsUs),
      ]),
    ),
  )
  console.log(`${RUNS} runs a step, median of ${ROUNDS}; store: SQLite WAL, synchronous FULL`)
}

await main()
