/* A run that its handler splits, on a real executor that is killed: every item stands once in what reduce makes of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance, InstanceListItem, ShardPage, Task, TaskCreate } from '@tickwheel/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HttpMapper } from './fixtures/http-mapper.ts'
import type { ApiClient } from './kit/api-client.ts'
import { Program } from './kit/program.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, inState, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const QUICK_LOSS = { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '500', TICKWHEEL_EXECUTOR_DEAD_MS: '3000' }

interface Scene {
  readonly server: ServerProcess
  readonly admin: ApiClient
  readonly folder: string
  readonly start: () => Promise<Program>
}

async function scene(): Promise<Scene> {
  const server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS, ...QUICK_LOSS } })
  onTestFinished(async () => void (await server.program.kill()))
  const admin = await server.signIn()
  const [folder, spool, token] = [tempDir(), tempDir(), await executorToken(admin)]
  const env = { MAPPER_SERVER: server.url, MAPPER_TOKEN: token, MAPPER_SPOOL: spool, MAPPER_FOLDER: folder }
  const start = async (): Promise<Program> => {
    const program = new Program({ file: 'tests/fixtures/mapper.ts', env })
    onTestFinished(async () => void (await program.kill()))
    await program.printed(/joined/)
    return program
  }
  return { server, admin, folder, start }
}

async function run(admin: ApiClient, params: object, more: Partial<TaskCreate> = {}): Promise<number> {
  const body = { groupId: await homeGroup(admin), name: 'count', schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'count' } }
  const task = await admin.post<Task>('/task', { ...body, retry: { max: 2, delayMs: 10 }, ...more })
  return (await admin.post<{ instanceId: number }>(`/task/${String(task.id)}/trigger`, { params: JSON.stringify(params) })).instanceId
}

function workedOn(folder: string): number[] {
  return readFileSync(join(folder, 'worked'), 'utf8').trim().split('\n').map(Number)
}

const TOTAL = 10_000

describe('a run that its handler splits', { timeout: 180_000 }, () => {
  it('has every item once in its result although the executor is killed half-way through its ten thousand shards', async () => {
    const { admin, start } = await scene()
    const first = await start()
    const runId = await run(admin, { items: TOTAL })
    const done = async (): Promise<boolean> =>
      ((await admin.get<Instance>(`/instance/${String(runId)}`)).shards?.ended['succeeded'] ?? 0) >= 3_000
    await waitFor(done, { what: 'three thousand shards to end', timeoutMs: 120_000 })
    await first.kill()
    await start()
    const result = await ended(admin, runId, { timeoutMs: 150_000 })
    expect(result).toMatchObject({
      state: 'succeeded',
      result: { count: TOTAL, distinct: TOTAL, sum: (TOTAL * (TOTAL - 1)) / 2 },
      shards: { total: TOTAL, made: TOTAL, ended: { succeeded: TOTAL }, mapped: true, reduce: 'begun' },
    })
    const found = await admin.get<{ items: InstanceListItem[] }>('/instance?shardKey=item-7777')
    expect(found.items.map((item) => [item.parentId, item.shard?.index])).toEqual([[runId, 7777]])
    const page = await admin.get<ShardPage>(`/instance/${String(runId)}/shards?pageSize=200&page=50`)
    expect(page.items.at(-1)?.shard).toEqual({ index: TOTAL - 1, total: TOTAL, key: `item-${String(TOTAL - 1)}` })
  })

  it('begins to split anew when its executor is killed meanwhile, and works on no item of what was split before', async () => {
    const { admin, folder, start } = await scene()
    const first = await start()
    const runId = await run(admin, { items: 2_000, holdsAt: 1_500 })
    await first.printed(/holds/)
    await inState(admin, runId, 'running')
    await first.kill()
    writeFileSync(join(folder, 'go'), '')
    await start()
    const result = await ended(admin, runId)
    expect(result).toMatchObject({ state: 'succeeded', result: { count: 2_000, distinct: 2_000 } })
    expect(result.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'lost'],
      [2, 'succeeded'],
      [3, 'succeeded'],
    ])
    expect(workedOn(folder).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, item) => item))
  })

  it('is split and combined by an executor over HTTP, too', async () => {
    const { admin, server } = await scene()
    const mapper = new HttpMapper(server.url)
    onTestFinished(() => mapper.close())
    await mapper.join(await executorToken(admin))
    const body = { groupId: await homeGroup(admin), name: 'doubles', schedule: { kind: 'manual' }, params: '20' }
    const task = await admin.post<Task>('/task', { ...body, handler: { kind: 'named', name: 'doubles' } })
    const result = await ended(admin, await trigger(admin, task.id))
    expect(result).toMatchObject({ state: 'succeeded', result: { sum: 380 }, shards: { total: 20, ended: { succeeded: 20 } } })
    expect(mapper.verdicts.slice(0, 3)).toEqual(['done', 'already', 'done'])
    expect(mapper.dispatches.filter((one) => one.shard !== undefined)).toHaveLength(20)
  })
})
