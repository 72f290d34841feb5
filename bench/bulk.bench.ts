/**
 * Bulk operations: how long it takes until TASKS tasks that match a filter are accepted, and until the last was triggered, stopped, or refused. A server in a
 * process of its own, SQLite in a file (WAL, synchronous FULL), without executors; called over HTTP.
 *
 * BENCH_TASKS (default 2,000; at most 10,000).
 */
import type { Bulk, BulkPreview } from '@tickwheel/contract'
import { type ApiClient } from '../tests/kit/api-client.ts'
import { GENEROUS_BUDGETS, homeGroup } from '../tests/kit/runs.ts'
import { startServer } from '../tests/kit/server-process.ts'
import { waitFor } from '../tests/kit/wait-for.ts'
import { formatTable, machine } from './report.ts'

const TASKS = Number(process.env.BENCH_TASKS ?? 2_000)
const AT_ONCE = 20

async function main(): Promise<void> {
  console.log(machine())
  const server = await startServer({ env: { ...GENEROUS_BUDGETS, TICKWHEEL_EMBEDDED_EXECUTOR: 'false' } })
  try {
    const admin = await server.signIn()
    await makeTasks(admin)
    const rows: string[][] = []
    for (const [name, action] of [
      ['trigger', 'trigger'],
      ['stop', 'stop'],
      ['start, each refused', 'start'],
    ] as const)
      rows.push([name, ...(await measured(admin, { kind: 'task', action, filter: {} }))])
    console.log(formatTable(['action', 'dry run, ms', 'accepted, ms', 'settled, s', 'items/s'], rows))
  } finally {
    await server.close()
  }
}

async function makeTasks(admin: ApiClient): Promise<void> {
  const body = { groupId: await homeGroup(admin), schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'sync' } }
  let next = 0
  const make = async (): Promise<void> => {
    while (next < TASKS) await admin.post('/task', { ...body, name: `task ${String((next += 1))}` })
  }
  await Promise.all(Array.from({ length: AT_ONCE }, make))
}

async function measured(admin: ApiClient, body: unknown): Promise<string[]> {
  const begun = performance.now()
  await admin.post<BulkPreview>('/bulk/preview', body)
  const previewed = performance.now()
  const { bulkId } = await admin.post<{ bulkId: number }>('/bulk', body)
  const accepted = performance.now()
  await waitFor(async () => (await admin.get<Bulk>(`/bulk/${String(bulkId)}`)).state === 'done', {
    what: 'the end of the operation',
    timeoutMs: 600_000,
  })
  const seconds = (performance.now() - accepted) / 1000
  return [(previewed - begun).toFixed(0), (accepted - previewed).toFixed(0), seconds.toFixed(1), (TASKS / seconds).toFixed(0)]
}

await main()
