/* A run that is split, on real executors: what one had that is killed runs elsewhere, and every shard stands once in the result. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance, InstanceListItem, LogPage, Problem, ShardPage, Task } from '@tickwheel/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startExecutor, type ExecutorProcess } from './kit/executor-process.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, inState, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const QUICK_LOSS = { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '500', TICKWHEEL_EXECUTOR_DEAD_MS: '3000' }

async function serve(): Promise<ServerProcess> {
  const server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS, ...QUICK_LOSS } })
  onTestFinished(async () => void (await server.program.kill()))
  return server
}

async function join3(server: ServerProcess, token: string): Promise<ExecutorProcess[]> {
  const executors: ExecutorProcess[] = []
  // one after the other: a broadcast has them in the order in which they came first
  for (const name of ['a', 'b', 'c']) executors.push(await startExecutor({ serverUrl: server.url, token, name, args: ['--capacity', '4'] }))
  onTestFinished(async () => void (await Promise.all(executors.map((executor) => executor.program.kill()))))
  return executors
}

describe('a run that is split', { timeout: 120_000 }, () => {
  it('has every shard once in its result although an executor is killed half-way', async () => {
    const server = await serve()
    const admin = await server.signIn()
    const [, victim] = await join3(server, await executorToken(admin))
    const folder = tempDir()
    const items = Array.from({ length: 30 }, (_, n) => `city-${String(n)}`)
    // the first shards wait for a sign, so that some are running when the executor is killed
    const script = `touch "${folder}/began-$2"; echo "$2 of $3: $1"; if [ "$2" -lt 12 ]; then while [ ! -e "${folder}/go" ]; do sleep 0.05; done; fi; echo "{\\"part\\": $1}" > "$TICKWHEEL_RESULT"`
    const task = await shellTask(admin, 'cities', script, {
      params: JSON.stringify(items),
      sharding: { kind: 'list', itemsFrom: 'params', size: 1 },
      retry: { max: 2, delayMs: 10 },
    })
    const runId = await trigger(admin, task.id)
    await waitFor(() => readdirSync(folder).length >= 12, { what: 'twelve shards to begin', timeoutMs: 60_000 })
    await victim?.program.kill()
    writeFileSync(join(folder, 'go'), '')
    const run = await ended(admin, runId)
    expect(run).toMatchObject({ state: 'succeeded', result: { shards: 30, succeeded: 30 }, shards: { total: 30, made: 30 } })
    const page = await admin.get<ShardPage>(`/instance/${String(runId)}/shards?pageSize=200`)
    expect(page.counts).toEqual({ succeeded: 30 })
    expect(page.items.map((item) => [item.shard?.index, item.shard?.key])).toEqual(items.map((key, index) => [index, key]))
    expect(page.items.some((item) => item.attempt > 1)).toBe(true)
    expect(new Set(page.items.map((item) => item.executorName))).toEqual(new Set(['a', 'c']))
    const last = page.items[29]
    const shard = await admin.get<Instance>(`/instance/${String(last?.id)}`)
    expect(shard).toMatchObject({ parentId: runId, params: '["city-29"]', result: { part: ['city-29'] }, cause: 'shard' })
    const log = await admin.get<LogPage>(`/instance/${String(last?.id)}/logs`)
    expect(log.lines.map((line) => line.text)).toContain('29 of 30: ["city-29"]')
    const found = await admin.get<{ items: InstanceListItem[] }>('/instance?shardKey=city-7')
    expect(found.items.map((item) => [item.parentId, item.shard?.index])).toEqual([[runId, 7]])
    expect((await admin.get<{ items: InstanceListItem[] }>('/instance')).items.map((item) => item.id)).toEqual([runId])
    expect((await admin.get<{ items: InstanceListItem[] }>('/instance?shards=true&pageSize=200')).items).toHaveLength(31)
  })

  it('is broadcast to every executor, is canceled with its shards, and one shard runs again by itself', async () => {
    const server = await serve()
    const admin = await server.signIn()
    await join3(server, await executorToken(admin))
    const folder = tempDir()
    const script = `touch "${folder}/began-$TICKWHEEL_SHARD_KEY"; while [ ! -e "${folder}/go" ]; do sleep 0.05; done`
    const task = await shellTask(admin, 'everywhere', script, { sharding: { kind: 'broadcast' } })
    const runId = await trigger(admin, task.id)
    await waitFor(() => ['a', 'b', 'c'].every((name) => existsSync(join(folder, `began-${name}`))), {
      what: 'all to begin',
      timeoutMs: 60_000,
    })
    await admin.post(`/instance/${String(runId)}/cancel`)
    expect(await ended(admin, runId)).toMatchObject({ state: 'canceled', result: { shards: 3, canceled: 3 } })
    const { items } = await admin.get<ShardPage>(`/instance/${String(runId)}/shards`)
    expect(items.map((item) => [item.shard?.key, item.executorName, item.state])).toEqual(
      ['a', 'b', 'c'].map((name) => [name, name, 'canceled']),
    )
    const { instanceId } = await admin.post<{ instanceId: number }>(`/instance/${String(items[1]?.id)}/retry`)
    await inState(admin, instanceId, 'running')
    writeFileSync(join(folder, 'go'), '')
    expect(await ended(admin, instanceId)).toMatchObject({
      state: 'succeeded',
      executorName: 'b',
      parentId: runId,
      retryOf: items[1]?.id,
      shard: { index: 1, total: 3, key: 'b' },
    })
    expect(await admin.get<Instance>(`/instance/${String(runId)}`)).toMatchObject({ state: 'canceled' })
  })

  it('is refused where it can be seen that it cannot work, by field, and shown as it was saved where it can', async () => {
    const server = await serve()
    const admin = await server.signIn()
    const body = {
      groupId: await homeGroup(admin),
      name: 'x',
      schedule: { kind: 'fixedRate', everyMs: 60_000 },
      handler: { kind: 'shell', script: 'true' },
    }
    const refused = async (more: object): Promise<unknown> => {
      const answer = await admin.call<Problem>('POST', '/task', { ...body, ...more })
      return [answer.status, answer.body.errors?.map(({ path, code }) => `${path} ${code}`)]
    }
    expect(await refused({ sharding: { kind: 'range', from: 5, to: 5, size: 1 } })).toEqual([422, ['sharding.to RANGE_EMPTY']])
    expect(await refused({ sharding: { kind: 'range', from: 0, to: 20_000, size: 1 } })).toEqual([422, ['sharding.size TOO_MANY_SHARDS']])
    expect(await refused({ sharding: { kind: 'list', itemsFrom: 'params', size: 1 }, params: 'a' })).toEqual([
      422,
      ['params PARAMS_NOT_A_LIST'],
    ])
    expect(await refused({ sharding: { kind: 'fixed', total: 10_001 } })).toEqual([400, ['sharding.total TOO_LARGE']])
    expect(await refused({ sharding: { kind: 'fixed' } })).toEqual([400, ['sharding.total REQUIRED']])
    expect(await refused({ sharding: { kind: 'half' } })).toEqual([400, ['sharding.kind NOT_ALLOWED_VALUE']])
    const saved = await admin.post<Task>('/task', { ...body, sharding: { kind: 'fixed', total: 3 } })
    expect(saved.sharding).toEqual({ kind: 'fixed', total: 3 })
    const plain = await admin.put<Task>(`/task/${String(saved.id)}`, { ...body, version: saved.version })
    expect(plain.sharding).toEqual({ kind: 'none' })
  })
})
