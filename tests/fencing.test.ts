import type { Instance, Task } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { OrderStore } from '../examples/billing/store.ts'
import { Program } from './kit/program.ts'
import { executorToken, GENEROUS_BUDGETS, homeGroup, trigger } from './kit/runs.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

it('an executor that was frozen and replaced cannot write when it goes on: its token is smaller than that of the attempt that took over', async () => {
  const reached = Promise.withResolvers<undefined>()
  const mayAnswer = Promise.withResolvers<undefined>()
  // the first write is saved, and its answer waits until the executor stands still
  const store = new OrderStore(async () => {
    if (store.writes.length > 1) return
    reached.resolve(undefined)
    await mayAnswer.promise
  })
  const storeUrl = await store.start()
  await using server = await startServer({
    command: 'server',
    env: { ...GENEROUS_BUDGETS, TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '200', TICKWHEEL_EXECUTOR_DEAD_MS: '1500' },
  })
  const api = await server.signIn()
  const token = await executorToken(api)
  const start = async (name: string): Promise<Program> => {
    const env = { DEAF_SERVER: server.url, DEAF_TOKEN: token, DEAF_NAME: name, DEAF_SPOOL: tempDir(), DEAF_STORE: storeUrl }
    const program = new Program({ file: 'tests/fixtures/deaf-executor.ts', env })
    await program.printed(/joined/)
    return program
  }
  const { id } = await api.post<Task>('/task', {
    groupId: await homeGroup(api),
    name: 'write',
    schedule: { kind: 'manual' },
    handler: { kind: 'named', name: 'write' },
    retry: { max: 1, delayMs: 0 },
  })
  const frozen = await start('frozen')
  const programs = [frozen]
  try {
    const runId = await trigger(api, id)
    await reached.promise
    frozen.freeze()
    mayAnswer.resolve(undefined)
    programs.push(await start('successor'))
    const ended = await waitFor(
      async () => {
        const run = await api.get<Instance>(`/instance/${String(runId)}`)
        return run.endedAt === null ? null : run
      },
      { what: 'the end of the run', timeoutMs: 60_000 },
    )
    expect(ended).toMatchObject({ state: 'succeeded', result: { by: 'successor', statuses: [200, 201] } })

    frozen.thaw()
    await frozen.printed(/attempt \d+ wrote second: 409/)
    expect(store.writes.map(({ order, status }) => [order, status])).toEqual([
      ['first', 201],
      ['first', 200],
      ['second', 201],
      ['second', 409],
    ])
    const [first, second] = store.writes
    expect(first?.key).toBe(second?.key)
    expect(await api.get<Instance>(`/instance/${String(runId)}`)).toMatchObject({ state: 'succeeded', result: { by: 'successor' } })
  } finally {
    for (const program of programs) await program.kill()
    store.stop()
  }
})
