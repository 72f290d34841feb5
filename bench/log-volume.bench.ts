/**
 * Log volume: 50,000 lines a second (100 bytes each) over 100 runs in 2 executors, into one server on SQLite, while 12 viewers watch one run each and one
 * more looks at them all over one connection that it reads slowly. Real processes; every line is counted in the store afterwards.
 *
 *   taken        lines the store has, over the time from the first to the last of them
 *   delay        from the print (the line names its instant) to a live viewer's socket
 *   memory       resident, of server and executors: median of the first and of the last third. What is in use after a collection of the executor's heap
 *                did not change in 100 s (22 MB); resident memory grows until the young heap has the size that V8 gives it, and stays there
 *   behind       how often a viewer was told that it is behind; the slow one must be, and must have every line in the end
 *
 * BENCH_LINES (a second, default 50,000), BENCH_SECONDS (default 60), BENCH_RUNS (default 100), BENCH_SECRETS (that each run is given, so that every line
 * is searched for them, in the executor and again in the server; default 0).
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { LiveClient } from '../tests/live-client.fixture.ts'
import type { ApiClient } from '../tests/kit/api-client.ts'
import { Program } from '../tests/kit/program.ts'
import { startServer, type ServerProcess } from '../tests/kit/server-process.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { formatTable, machine, median } from './report.ts'

const LINES = Number(process.env.BENCH_LINES ?? 50_000)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60)
const RUNS = Number(process.env.BENCH_RUNS ?? 100)
const SECRETS = Number(process.env.BENCH_SECRETS ?? 0)
const EXECUTORS = 2
const VIEWERS = 12
const PER_RUN = Math.round(LINES / RUNS)
const TOTAL = PER_RUN * SECONDS
/** how long a run may go on beyond its time when the executor cannot keep the rate */
const LATE_MS = 60_000

async function main(): Promise<void> {
  console.log(machine())
  const server = await startServer({
    command: 'server',
    env: { TICKWHEEL_LOG_LEVEL: 'warn', TICKWHEEL_RATE_LIMIT_TRIGGER_CAPACITY: '1000000', TICKWHEEL_RATE_LIMIT_WRITE_CAPACITY: '1000000' },
  })
  const spools = Array.from({ length: EXECUTORS }, () => makeDir())
  try {
    const api = await server.signIn()
    const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [1] })
    const executors = spools.map(
      (spool, index) =>
        new Program({
          file: 'bench/log-executor.fixture.ts',
          env: { BENCH_SERVER: server.url, BENCH_TOKEN: token, BENCH_SPOOL: spool, BENCH_NAME: `bench-${index}` },
        }),
    )
    await Promise.all(executors.map((executor) => executor.printed(/joined/)))
    await measure(server, executors, api)
    await Promise.all(executors.map((executor) => executor.stop()))
  } finally {
    await server.close()
    for (const spool of spools) removeDir(spool)
  }
}

async function measure(server: ServerProcess, executors: readonly Program[], api: ApiClient): Promise<void> {
  const task = await api.post<{ id: number }>('/task', {
    groupId: 1,
    name: 'chatter',
    schedule: { kind: 'manual' },
    handler: { kind: 'named', name: 'print' },
    overlap: { policy: 'parallel', max: 1000 },
  })
  const names = Array.from({ length: SECRETS }, (_, index) => `BENCH_${index}`)
  for (const name of names) await api.post('/secret', { groupId: null, name, value: randomBytes(20).toString('hex') })
  const secrets = names.map((name) => `\${{ secrets.${name} }}`)
  const params = JSON.stringify({ perSecond: PER_RUN, total: TOTAL, untilMs: Date.now() + SECONDS * 1000 + LATE_MS, secrets })
  const runs: number[] = []
  for (let run = 0; run < RUNS; run += 1)
    runs.push((await api.post<{ instanceId: number }>(`/task/${task.id}/trigger`, { params })).instanceId)
  const viewers = await Promise.all(runs.slice(0, VIEWERS).map((run) => Viewer.open(server.url, api.token ?? '', [run], false)))
  const slow = await Viewer.open(server.url, api.token ?? '', runs.slice(0, 20), true)
  const processes = [['server', server.program] as const, ...executors.map((executor, index) => [`executor ${index}`, executor] as const)]
  const meters = processes.map(([name, program]) => new Meter(name, program.pid))
  const sampling = setInterval(() => meters.forEach((meter) => meter.sample()), 1000)
  await waitFor(async () => (await api.get<{ total: number }>(`/instance?taskId=${task.id}&state=succeeded&pageSize=1`)).total >= RUNS, {
    what: 'the end of every run',
    timeoutMs: SECONDS * 1000 + 2 * LATE_MS,
    everyMs: 500,
  })
  clearInterval(sampling)
  for (const viewer of viewers) await viewer.ended()
  slow.goOn()
  await slow.ended()
  report(server, { meters, viewers, slow })
  for (const viewer of [...viewers, slow]) viewer.close()
}

function report(
  server: ServerProcess,
  { meters, viewers, slow }: { meters: readonly Meter[]; viewers: readonly Viewer[]; slow: Viewer },
): void {
  const stored = storedIn(server)
  const delays = viewers.flatMap((viewer) => viewer.delays).sort((a, b) => a - b)
  const at = (share: number): string => String(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? NaN)
  const wanted = TOTAL * RUNS
  console.log(
    formatTable(
      ['', 'value'],
      [
        ['lines asked for, a second', String(PER_RUN * RUNS)],
        ['lines taken, a second', (stored.lines / ((stored.to - stored.from) / 1000)).toFixed(0)],
        ['lines printed / in the store / dropped', `${wanted} / ${stored.lines} / ${stored.dropped}`],
        ['live delay p50 / p99 / max ms', `${at(0.5)} / ${at(0.99)} / ${at(1)}`],
        ['lines seen live by the viewers', `${delays.length} of ${TOTAL * viewers.length}`],
        ['"behind" told to viewers / to the slow one', `${viewers.reduce((sum, viewer) => sum + viewer.behind, 0)} / ${slow.behind}`],
        ['lines that the slow one has in the end', `${slow.delays.length} of ${TOTAL * 20}`],
      ],
    ),
  )
  console.log(
    formatTable(
      ['memory MiB', 'first third', 'last third', 'most', 'CPU %'],
      meters.map((meter) => [meter.name, ...meter.figures().map((value) => value.toFixed(0))]),
    ),
  )
}

function storedIn(server: ServerProcess): { lines: number; dropped: number; from: number; to: number } {
  const [file = ''] = readdirSync(server.dataDir).filter((name) => /^logs-.*\.db$/.test(name))
  const db = new Sqlite(join(server.dataDir, file), { readonly: true })
  const row = db
    .prepare<[], { lines: number; dropped: number; from: number; to: number }>(
      'SELECT SUM(lines) AS lines, SUM(dropped) AS dropped, MIN(at) AS "from", MAX(at) AS "to" FROM log_chunk',
    )
    .get()
  db.close()
  if (row === undefined) throw new Error('no lines were stored')
  return row
}

/** Somebody who looks at logs. A slow one stops reading from its socket, nine seconds of ten, until it may go on. */
class Viewer {
  readonly delays: number[] = []
  behind = 0
  readonly #client: LiveClient
  readonly #open: Set<number>
  readonly #slowly: NodeJS.Timeout | null

  private constructor(client: LiveClient, topics: readonly number[], isSlow: boolean) {
    this.#client = client
    this.#open = new Set(topics.keys().map((key) => key + 1))
    // what LiveClient would keep is counted here, and let go
    client.socket.removeAllListeners('message')
    client.socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Message))
    this.#slowly = isSlow ? setInterval(() => this.#rest(), 10_000) : null
  }

  static async open(url: string, token: string, runs: readonly number[], isSlow: boolean): Promise<Viewer> {
    const client = await new LiveClient(url, token).open()
    const viewer = new Viewer(client, runs, isSlow)
    for (const [index, run] of runs.entries()) client.send({ type: 'subscribe', id: index + 1, topic: `instance:${run}:logs`, after: 0 })
    return viewer
  }

  async ended(): Promise<void> {
    await waitFor(() => this.#open.size === 0, { what: 'the end of the logs', timeoutMs: 120_000, everyMs: 50 })
  }

  goOn(): void {
    if (this.#slowly !== null) clearInterval(this.#slowly)
    this.#client.socket.resume()
  }

  close(): void {
    this.#client.socket.terminate()
  }

  #rest(): void {
    this.#client.socket.pause()
    setTimeout(() => this.#client.socket.resume(), 9000)
  }

  #take(message: Message): void {
    if (message.type === 'behind') this.behind += 1
    if (message.type !== 'event' || message.data === undefined || message.id === undefined) return
    const now = Date.now()
    for (const { text, stream } of message.data.lines) if (stream === 'log') this.delays.push(now - Number(text.slice(0, 13)))
    if (message.data.end === true) this.#open.delete(message.id)
  }
}

interface Message {
  readonly type: string
  readonly id?: number
  readonly data?: { readonly lines: readonly { readonly text: string; readonly stream: string }[]; readonly end?: true }
}

/** Resident memory and CPU of a process over time (from /proc). */
class Meter {
  readonly name: string
  readonly #pid: number
  readonly #resident: number[] = []
  readonly #since = performance.now()
  readonly #ticks: number
  #lastTicks = 0
  #lastAt = 0

  constructor(name: string, pid: number) {
    this.name = name
    this.#pid = pid
    this.#ticks = this.#readTicks()
  }

  sample(): void {
    this.#resident.push((Number(readFileSync(`/proc/${this.#pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1_048_576)
    this.#lastTicks = this.#readTicks()
    this.#lastAt = performance.now()
  }

  /** first third, last third, most, CPU */
  figures(): readonly number[] {
    const third = Math.ceil(this.#resident.length / 3)
    return [
      median(this.#resident.slice(0, third)),
      median(this.#resident.slice(-third)),
      Math.max(...this.#resident),
      ((this.#lastTicks - this.#ticks) * 1000) / (this.#lastAt - this.#since),
    ]
  }

  #readTicks(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
}

await main()
