/* XXL-JOB executors against a real server: one made with a real client from the registry, and stubs of each dialect over HTTP. */
import { join } from 'node:path'
import type { Executor, Group, Task, UnclaimedApp } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { DIALECTS, StubExecutor } from '../server/src/link/xxl/stub-executor.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'
import { freePort } from './kit/free-port.ts'
import { Program } from './kit/program.ts'
import { ended, GENEROUS_BUDGETS, inState, trigger, wholeLog } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const TOKEN = 'default_token'
let server: ServerProcess
let admin: ApiClient

beforeAll(async () => {
  server = await startServer({
    env: { ...GENEROUS_BUDGETS, TICKWHEEL_XXL_ACCESS_TOKEN: TOKEN, TICKWHEEL_RATE_LIMIT_ANONYMOUS_CAPACITY: '20' },
  })
  admin = await server.signIn()
})
afterAll(async () => {
  await server.close()
})

async function group(appName: string): Promise<number> {
  return (await admin.post<Group>('/group', { name: appName, appName, description: '' })).id
}

async function task(groupId: number, handler: string, more: object = {}): Promise<number> {
  const body = { groupId, name: handler, schedule: { kind: 'manual' }, handler: { kind: 'named', name: handler }, ...more }
  return (await admin.post<Task>('/task', body)).id
}

async function executorsOf(groupId: number): Promise<Executor[]> {
  return (await admin.get<{ items: Executor[] }>(`/executor?groupId=${String(groupId)}`)).items
}

async function call(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = { 'XXL-JOB-ACCESS-TOKEN': TOKEN },
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

describe('an executor made with the npm package xxl-job', () => {
  it('registers, runs, is read and stopped, without a change to it', { timeout: 120_000 }, async () => {
    const groupId = await group('orders')
    const port = await freePort()
    const client = new Program({
      command: process.execPath,
      args: [join(import.meta.dirname, 'fixtures/xxl-client.mjs'), `${server.url}/xxl-job-admin`, 'orders', String(port), TOKEN],
      cwd: tempDir(),
    })
    onTestFinished(async () => void (await client.kill()))
    const [executor] = await waitFor(async () => {
      const found = await executorsOf(groupId)
      return found.length > 0 && found
    })
    expect(executor).toMatchObject({
      transport: 'xxl',
      address: `http://127.0.0.1:${String(port)}/job`,
      name: `127.0.0.1:${String(port)}_job`,
      state: 'online',
      load: null,
    })

    const greeted = await ended(admin, await trigger(admin, await task(groupId, 'greet', { params: 'Ada' })))
    expect(greeted).toMatchObject({ state: 'succeeded', result: '{"greeted":"Ada"}' })
    // it writes to its file by and by
    const lines = await waitFor(async () => {
      const read = (await wholeLog(admin, greeted.id)).map((line) => line.text.replace(/^.*?: /, ''))
      return read.some((text) => text.includes('is finished')) && read
    })
    expect(lines).toEqual([
      expect.stringContaining('is running'),
      expect.stringContaining('hello Ada'),
      'first',
      'second',
      expect.stringContaining('is finished'),
    ])

    // it masks nothing by itself: what it prints and answers is masked where it comes in
    await admin.post('/secret', { groupId, name: 'WHO', value: 'qZ7-vK2m-secret' })
    const known = await ended(
      admin,
      await trigger(admin, await task(groupId, 'greet', { name: 'greet secretly', params: '${{ secrets.WHO }}' })),
    )
    expect(known.result).toBe('{"greeted":"***"}')
    const said = await waitFor(async () => {
      const texts = (await wholeLog(admin, known.id)).map((line) => line.text).join('\n')
      return texts.includes('is finished') && texts
    })
    expect(said).toContain('hello ***')
    expect(said).not.toContain('qZ7')

    const failed = await ended(admin, await trigger(admin, await task(groupId, 'fail')))
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'XXL_500', message: 'no such luck' } })

    const waiting = await trigger(admin, await task(groupId, 'wait'))
    await inState(admin, waiting, 'running')
    await admin.post(`/instance/${String(waiting)}/cancel`)
    expect(await ended(admin, waiting)).toMatchObject({ state: 'canceled' })

    const unknown = await trigger(admin, await task(groupId, 'nobody'))
    await waitFor(async () => JSON.stringify(await admin.get(`/instance/${String(unknown)}`)).includes('waitsForHandler'))
  })
})

describe('an executor made with the npm package @dalongrong/xxl-job-executor', () => {
  it(
    'registers, runs, is read and leaves, without a change to it; what it cannot stop ends as canceled when it is done',
    {
      timeout: 120_000,
    },
    async () => {
      const groupId = await group('ledgers')
      const port = await freePort()
      const client = new Program({
        command: process.execPath,
        args: [
          join(import.meta.dirname, 'fixtures/xxl-dalongrong-client.mjs'),
          `${server.url}/xxl-job-admin`,
          'ledgers',
          String(port),
          TOKEN,
        ],
        cwd: tempDir(),
      })
      onTestFinished(async () => void (await client.kill()))
      await waitFor(async () => (await executorsOf(groupId))[0]?.state === 'online')

      const greeted = await ended(admin, await trigger(admin, await task(groupId, 'greet', { params: '{"name":"Ada"}' })))
      expect(greeted).toMatchObject({ state: 'succeeded', result: '{"greeted":"Ada"}' })
      await waitFor(async () => (await wholeLog(admin, greeted.id)).some((line) => line.text.includes('hello Ada')))

      const failed = await ended(admin, await trigger(admin, await task(groupId, 'fail')))
      expect(failed).toMatchObject({
        state: 'failed',
        error: { code: 'XXL_500', message: expect.stringContaining('no such luck') as string },
      })

      // it answers /kill with "not yet support", and goes on to its end
      const waiting = await trigger(admin, await task(groupId, 'wait'))
      await inState(admin, waiting, 'running')
      await admin.post(`/instance/${String(waiting)}/cancel`)
      expect(await ended(admin, waiting)).toMatchObject({ state: 'canceled' })

      await client.stop()
      await waitFor(async () => (await executorsOf(groupId))[0]?.state === 'offline')
    },
  )
})

describe.each(DIALECTS)('a stub of XXL-JOB %s over HTTP', (dialect) => {
  it('registers, runs, is read, calls back and leaves', { timeout: 120_000 }, async () => {
    const appName = `stub-${dialect.replace('.', '-')}`
    const groupId = await group(appName)
    const stub = new StubExecutor(dialect, async (path, body, headers) => {
      // up to 3.4.0 under the path of the admin, from then on at the root; and one slash too many
      const answer = await call(dialect < '3.3' ? `/xxl-job-admin//api/${path}` : `//api/${path}`, body, headers)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toContain('application/json')
      return answer.json()
    })
    stub.token = TOKEN
    await stub.listen()
    onTestFinished(() => stub.die())
    expect(await stub.register(appName)).toMatchObject({ code: 200 })
    const taskId = await task(groupId, 'x', { params: '界' })
    const instanceId = await trigger(admin, taskId)
    const run = await waitFor(() => stub.runs[0])
    expect(run).toMatchObject({ jobId: taskId, executorParams: '界' })
    stub.print(run.logId, 'line')
    await stub.finish(run.logId, 200, 'done')
    expect(await ended(admin, instanceId)).toMatchObject({ state: 'succeeded', result: 'done' })
    expect((await wholeLog(admin, instanceId)).map((line) => line.text)).toEqual(['line'])
    await stub.unregister(appName)
    await waitFor(async () => (await executorsOf(groupId))[0]?.state === 'offline')
  })
})

describe('executors whose app name no group has', () => {
  it('are listed until somebody makes the group, which may have a token of its own', async () => {
    const stub = new StubExecutor('2.3', async (path, body, headers) => (await call(`/api/${path}`, body, headers)).json())
    stub.token = TOKEN
    await stub.listen()
    onTestFinished(() => stub.die())
    expect(await stub.register('Stock Keeper')).toMatchObject({ code: 200 })
    const address = stub.address.slice(0, -1)
    const listed = async () => (await admin.get<{ items: UnclaimedApp[] }>('/executor/unclaimed')).items
    expect(await listed()).toMatchObject([{ appName: 'Stock Keeper', groupAppName: 'stock-keeper', addresses: [address] }])

    const made = await admin.post<Group>('/group', { name: 'Stock', appName: 'stock-keeper', xxlToken: 'only-ours' })
    expect(made).toMatchObject({ xxlAccess: 'own' })
    expect(await listed()).toEqual([])
    // a node may know of it a second later
    await waitFor(async () => JSON.stringify(await stub.register('Stock Keeper')).includes('The access token is wrong.'))
    stub.token = 'only-ours'
    await waitFor(async () => JSON.stringify(await stub.register('Stock Keeper')).includes('200'))
    const instanceId = await trigger(admin, await task(made.id, 'x'))
    const run = await waitFor(() => stub.runs[0])
    await stub.finish(run.logId, 200, 'done')
    expect(await ended(admin, instanceId)).toMatchObject({ state: 'succeeded' })
    expect(stub.calls.at(-1)?.token).toBe('only-ours')
  })
})

describe('the calls of XXL-JOB executors', () => {
  it('are answered 200 with code 500 when the token is wrong, which costs the address of its budget', async () => {
    const registry = { registryGroup: 'EXECUTOR', registryKey: 'x', registryValue: 'http://127.0.0.1:1/' }
    const wrong = await call('/api/registry', registry, { 'XXL-JOB-ACCESS-TOKEN': 'wrong' })
    expect(wrong.status).toBe(200)
    expect(await wrong.json()).toEqual({ code: 500, msg: 'The access token is wrong.', content: null, data: null })
    for (let times = 0; times < 40; times += 1) await call('/api/registry', registry, {})
    expect(await (await call('/api/registry', registry, {})).json()).toMatchObject({
      code: 500,
      msg: expect.stringContaining('Too many') as string,
    })
    // who has the token goes on
    expect(await (await call('/api/registry', registry)).json()).toMatchObject({ code: 200 })
  })

  it('take a batch of 20 MB, and say what is wrong with a body that is none', async () => {
    const element = { logId: 1, logDateTim: 1, handleCode: 200, handleMsg: 'x'.repeat(50_000) }
    expect(
      await (
        await call(
          '/api/callback',
          Array.from({ length: 400 }, () => element),
        )
      ).json(),
    ).toMatchObject({ code: 200 })
    const odd = await fetch(`${server.url}/api/callback`, {
      method: 'POST',
      headers: { 'XXL-JOB-ACCESS-TOKEN': TOKEN, 'content-type': 'text/plain' },
      body: '{',
    })
    expect(odd.status).toBe(200)
    expect(await odd.json()).toMatchObject({ code: 500, msg: expect.stringContaining('list of callbacks') as string })
  })

  it('are not there without a token in the settings', async () => {
    const without = await startServer()
    onTestFinished(() => without.close())
    const answer = await fetch(`${without.url}/api/registry`, { method: 'POST', headers: { 'XXL-JOB-ACCESS-TOKEN': '' }, body: '{}' })
    expect(answer.status).toBe(404)
  })
})
