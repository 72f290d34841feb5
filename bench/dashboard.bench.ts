/**
 * Lists and the dashboard over a store with a million ended runs: how long a real server takes to answer, from the call to the whole answer at the
 * caller, one call after the other over kept connections. On SQLite, or with `BENCH_STORE=mysql` on a private MariaDB (256 MiB of buffers).
 *
 * `BENCH_RUNS` (default 1,000,000) ended runs of seven days, 2,000 tasks that are due once an hour, 20 groups. Each call is made `BENCH_CALLS` times
 * (default 60) after three that warm up; each of the dashboard's differs from the one before, so that no answer is one that was kept. The claim: 99 of 100
 * answers within 100 ms on a machine that does nothing else. Where others work beside it, look at what the server's process computes for a call, which they do
 * not change much.
 */
import { loadavg } from 'node:os'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { ApiClient } from '../tests/kit/api-client.ts'
import { MariaDb } from '../tests/kit/mariadb.ts'
import { startServer } from '../tests/kit/server-process.ts'
import { openCalls, type Call } from './calls.ts'
import { cpuOf } from './cpu.ts'
import { dashboardDatabase, dashboardStore } from './dashboard-store.fixture.ts'
import { formatTable, machine } from './report.ts'

const SIZE = { runs: Number(process.env.BENCH_RUNS ?? 1_000_000), tasks: 2_000, groups: 20 }
const CALLS = Number(process.env.BENCH_CALLS ?? 60)
const WARM_UP = 3
const CLAIM_MS = 100
const HOUR_MS = 3_600_000

const unlimited = { TICKWHEEL_RATE_LIMIT_READ_CAPACITY: '1000000', TICKWHEEL_RATE_LIMIT_READ_REFILL_PER_SECOND: '1000000' }

interface Kind {
  readonly name: string
  /** the path of the n-th call */
  readonly path: (n: number) => string
}

async function main(): Promise<void> {
  console.log(`${machine()}; load ${(loadavg()[0] ?? 0).toFixed(1)}`)
  const dataDir = makeDir()
  await using mariaDb = process.env.BENCH_STORE === 'mysql' ? await MariaDb.start({ durable: true }) : null
  try {
    const store = mariaDb === null ? {} : { TICKWHEEL_DATABASE_URL: await dashboardDatabase(SIZE, mariaDb) }
    if (mariaDb === null) await dashboardStore(SIZE, dataDir)
    await using server = await startServer({ command: 'server', dataDir, env: { ...unlimited, ...store, TICKWHEEL_LOG_LEVEL: 'warn' } })
    const admin = await server.signIn()
    const kinds = await kindsOf(admin)
    const viewer = await viewerOf(admin, server.url)
    const rows: string[][] = []
    for (const [who, token] of [
      ['', admin.token],
      ['viewer: ', viewer.token],
    ] as const) {
      const { call, end } = openCalls({ port: server.port, token: token ?? '', atOnce: 1 })
      for (const kind of kinds) {
        const cpuMs = cpuOf([server.program])
        const taken = await measure(call, kind)
        rows.push([`${who}${kind.name}`, ...tell(taken), (cpuMs() / (CALLS + WARM_UP)).toFixed(1)])
      }
      end()
    }
    console.log(formatTable(['call', 'p50 ms', 'p95 ms', 'p99 ms', 'worst ms', `p99 < ${CLAIM_MS}`, 'CPU ms'], rows))
  } finally {
    removeDir(dataDir)
  }
}

/** Somebody who sees five of the groups. */
async function viewerOf(admin: ApiClient, url: string): Promise<ApiClient> {
  const groups = await admin.get<{ items: { id: number }[] }>('/group?pageSize=200')
  const groupIds = groups.items.slice(0, 5).map((group) => group.id)
  const [given, own] = ['a road to the sea', 'a bridge at dawn']
  await admin.post('/user', { username: 'viewer', password: given, bindings: [{ role: 'viewer', groupIds }] })
  const first = await ApiClient.signIn(url, 'viewer', given)
  const { token } = await first.put<{ token: string }>('/auth/password', { current: given, next: own })
  return new ApiClient(url, token)
}

async function kindsOf(admin: ApiClient): Promise<Kind[]> {
  const { items } = await admin.get<{ items: { id: number; groupId: number }[] }>('/task?pageSize=200')
  const group = (n: number): number => items[n % items.length]?.groupId ?? 1
  const task = (n: number): number => items[n % items.length]?.id ?? 1
  const ago = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString()
  const always = (name: string, path: string): Kind => ({ name, path: () => path })
  const deep = await cursorAfter(admin, 40)
  return [
    { name: '/dashboard, 1 to 168 hours', path: (n) => `/dashboard?hours=${1 + ((n * 37) % 168)}` },
    { name: '/dashboard of a group', path: (n) => `/dashboard?groupId=${group(n)}&hours=${24 + (n % 100)}` },
    always('/dashboard, kept for a second', '/dashboard'),
    always('/instance', '/instance?pageSize=50'),
    always('/instance, 200 a page', '/instance?pageSize=200'),
    { name: '/instance, page 41', path: () => `/instance?pageSize=50&cursor=${deep}` },
    { name: '/instance of a task', path: (n) => `/instance?pageSize=50&taskId=${task(n)}` },
    { name: '/instance of a group', path: (n) => `/instance?pageSize=50&groupId=${group(n)}` },
    always('/instance, succeeded', '/instance?pageSize=50&state=succeeded'),
    always('/instance, failures', '/instance?pageSize=50&state=failed,timedOut,lost'),
    { name: '/instance, failures of 24 hours', path: () => `/instance?pageSize=50&state=failed,timedOut,lost&from=${ago(24)}` },
    { name: '/instance, failures of a group', path: (n) => `/instance?pageSize=50&state=failed&groupId=${group(n)}` },
    { name: '/instance of an hour', path: (n) => `/instance?pageSize=50&from=${ago((n % 100) + 2)}&to=${ago((n % 100) + 1)}` },
    { name: '/instance, by schedule, 24 hours', path: () => `/instance?pageSize=50&cause=schedule&from=${ago(24)}` },
    always('/instance by hand (there is none)', '/instance?pageSize=50&cause=manual'),
    { name: '/instance of an executor', path: (n) => `/instance?pageSize=50&executorId=${1 + (n % 40)}` },
    always('/instance, open ones', '/instance?pageSize=50&state=waiting,queued,dispatched,running'),
    always('/task', '/task'),
    always('/task, 100 a page', '/task?pageSize=100'),
    { name: '/task of a group', path: (n) => `/task?groupId=${group(n)}` },
    { name: '/task by a word', path: (n) => `/task?keyword=task ${n * 17}` },
    always('/task, by tag', '/task?tag=tag-3'),
    always('/workflow', '/workflow'),
    always('/executor', '/executor'),
    always('/group', '/group'),
  ]
}

async function cursorAfter(admin: ApiClient, pages: number): Promise<string> {
  let cursor = ''
  for (let page = 0; page < pages; page += 1) {
    const { nextCursor } = await admin.get<{ nextCursor: string | null }>(
      `/instance?pageSize=50${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    cursor = nextCursor ?? cursor
  }
  return cursor
}

/** How long each call took, ms. */
async function measure(call: Call, { path }: Kind): Promise<number[]> {
  const taken: number[] = []
  for (let n = -WARM_UP; n < CALLS; n += 1) {
    const from = performance.now()
    await call('GET', encodeURI(path(n + WARM_UP)), undefined)
    if (n >= 0) taken.push(performance.now() - from)
  }
  return taken
}

function tell(taken: readonly number[]): string[] {
  const sorted = taken.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
  return [...[at(0.5), at(0.95), at(0.99), at(1)].map((ms) => ms.toFixed(1)), at(0.99) < CLAIM_MS ? 'yes' : 'NO']
}

await main()
