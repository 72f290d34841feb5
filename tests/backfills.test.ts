/* A backfill over HTTP: what it would do, what it does, also when the server is killed in the middle; who may, and who may not. */
import type { Backfill, BackfillPreview, BackfillRun, InstanceListItem, LedgerEntry, Problem, Task } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { type ApiClient } from './kit/api-client.ts'
import { GENEROUS_BUDGETS, homeGroup } from './kit/runs.ts'
import { startServer, type ServerOptions, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const WANTED = 6

async function serve(options: ServerOptions): Promise<ServerProcess> {
  const server = await startServer({ ...options, env: GENEROUS_BUDGETS })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

/** A task that was due `WANTED` times and skipped nearly all of them, because its first run did not end. */
async function taskWithGaps(admin: ApiClient): Promise<Task> {
  const task = await admin.post<Task>('/task', {
    groupId: await homeGroup(admin),
    name: 'import',
    schedule: { kind: 'fixedRate', everyMs: 200 },
    overlap: { policy: 'skip' },
    handler: { kind: 'shell', script: 'sleep 0.4' },
    // the one that is killed with the server's executor
    retry: { max: 3 },
    enabled: true,
  })
  await waitFor(async () => (await skipped(admin, task.id)) >= WANTED, { what: 'skipped firings', timeoutMs: 30_000 })
  await admin.post(`/task/${String(task.id)}/stop`)
  return task
}

async function skipped(admin: ApiClient, taskId: number): Promise<number> {
  const { items } = await admin.get<{ items: LedgerEntry[] }>(`/task/${String(taskId)}/firing?pageSize=200`)
  return items.reduce((sum, entry) => sum + (entry.kind === 'skipped' ? (entry.count ?? 0) : 0), 0)
}

it('makes up for what was skipped, once each, through a kill -9 in the middle', { timeout: 120_000 }, async () => {
  const dataDir = tempDir()
  const server = await serve({ dataDir })
  const admin = await server.signIn()
  const task = await taskWithGaps(admin)
  const path = `/task/${String(task.id)}/backfill`
  const from = new Date(Date.now() - 600_000).toISOString()
  // what is younger than two seconds is left to the schedule
  const preview = await waitFor(async () => {
    const found = await admin.post<BackfillPreview>(`${path}/preview`, { from, to: new Date().toISOString() })
    return found.total >= WANTED ? found : null
  })
  expect(preview.items.map((item) => item.state)).toEqual(preview.items.map(() => null))
  const body = { from, to: new Date(Date.parse(preview.items.at(-1)?.dueAt ?? '') + 1).toISOString() }
  const start = async (): Promise<number> =>
    (await admin.post<{ backfillId: number }>(path, body, { 'Idempotency-Key': 'once' })).backfillId
  const id = await start()
  expect(await start()).toBe(id)
  const view = async (client: ApiClient): Promise<Backfill> => client.get<Backfill>(`/backfill/${String(id)}`)
  await waitFor(async () => (await view(admin)).made > 2, { what: 'some runs' })
  await server.program.kill()

  const again = await (await serve({ dataDir })).signIn()
  await waitFor(async () => (await view(again)).state === 'done', { what: 'the end of the backfill', timeoutMs: 60_000 })
  const { total, made, open } = await view(again)
  expect([total, made, open]).toEqual([preview.total, preview.total, 0])
  const { items } = await again.get<{ items: BackfillRun[] }>(`/backfill/${String(id)}/run?pageSize=200`)
  expect(items.map((item) => item.dueAt)).toEqual(preview.items.map((item) => item.dueAt))
  const runs = await again.get<{ items: InstanceListItem[] }>(`/instance?taskId=${String(task.id)}&cause=backfill&pageSize=200`)
  expect(new Set(runs.items.map((run) => run.scheduledAt))).toEqual(new Set(items.map((item) => item.dueAt)))
  expect(runs.items).toHaveLength(items.length)

  const refused = await again.call<Problem>('POST', path, body)
  expect([refused.status, refused.body.errors?.map((error) => error.code)]).toEqual([422, ['BACKFILL_NOTHING_DUE']])
  expect((await again.call<Problem>('POST', `/backfill/${String(id)}/cancel`)).body.code).toBe('BACKFILL_ENDED')
  expect((await again.call<Problem>('GET', '/backfill/999999')).body.code).toBe('BACKFILL_NOT_FOUND')
  expect((await again.call<Problem>('POST', `/workflow/${String(task.id)}/backfill`, body)).body.code).toBe('WORKFLOW_NOT_FOUND')
})
