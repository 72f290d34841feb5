import type { LogLine } from '@tickwheel/contract'
import { OUTCOME, outcomeOfCode } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ALICE, ALL, World } from '../../engine/world.fixture.ts'
import { SYSTEM } from '../../store/caller.ts'
import { RunIds } from '../../store/ids.ts'
import type { AttemptRow, ExecutorRow, InstanceRow, OpenInstanceRow, WireRow } from '../../store/schema.ts'
import { Links } from '../links.ts'
import { Networks } from '../networks.ts'
import { Access } from './access.ts'
import { listUnclaimed } from '../../store/unclaimed.ts'
import type { RunRequest } from './run-request.ts'
import { DIALECTS, StubExecutor, type Dialect } from './stub-executor.fixture.ts'
import { XxlLink } from './xxl-link.ts'

const QUICK = {
  tickMs: 5,
  pollMinMs: 10,
  pollMaxMs: 30,
  lastPageMs: 20,
  lookMs: 20,
  probeMs: 20,
  idleMs: 20,
  goneMs: 60,
  overtimeMs: 10,
  timeouts: { connectMs: 2000, answerMs: 200 },
}

let world: World
let link: XxlLink
let links: Links
let stubs: StubExecutor[]
let warnings: string[]
let networks: Networks

beforeEach(async () => {
  world = await World.create()
  warnings = []
  networks = Networks.everywhere
  stubs = []
  start()
})
afterEach(async () => {
  await link.close()
  for (const stub of stubs) await stub.die()
  await world.engine.stop()
})

/** The link of a node: another process of it, when there was one already. */
function start(): void {
  links = new Links(world.engine)
  const ids = new RunIds(world.db, () => world.clock.now())
  link = links.add(
    (host) =>
      new XxlLink({
        host,
        db: world.db,
        logs: world.logs,
        takeIds: (count) => ids.take(count),
        register: (groupId, register, reach) => world.engine.registerExecutor(groupId, register, SYSTEM, reach),
        issueToken: ({ executorId, bootId }) => `${String(executorId)}.${String(bootId)}`,
        onExecutors: () => undefined,
        access: new Access({
          db: world.db,
          sharedToken: 'secret',
          openToken: (sealed) => (sealed.startsWith('sealed ') ? sealed.slice(7) : null),
          isSame: (a, b) => a === b,
          keptMs: 0,
          log: { warn: (_facts, text) => void warnings.push(text) },
        }),
        networks,
        capacity: 100,
        logLimitBytes: 1_000_000,
        log: { warn: (_facts, text) => void warnings.push(text) },
        timing: QUICK,
      }),
  )
  Object.assign(world.link, {
    send: links.send.bind(links),
    end: links.end.bind(links),
    drain: links.drain.bind(links),
  })
}

async function stub(dialect: Dialect = '2.3'): Promise<StubExecutor> {
  const made = new StubExecutor(dialect, async (path, body, headers) => {
    const token = headers['XXL-JOB-ACCESS-TOKEN'] ?? ''
    if (path === 'registry') return link.registry(body, { token, isNewDialect: 'XXL-JOB-APPNAME' in headers })
    return path === 'registryRemove' ? link.registryRemove(body, token) : link.callback(body, token)
  })
  stubs.push(await made.listen())
  return made
}

/** An executor that has registered and is given work. */
async function joined(dialect: Dialect = '2.3', token = 'secret'): Promise<StubExecutor> {
  const made = await stub(dialect)
  made.token = token
  expect(await made.register('app-1')).toMatchObject({ code: 200 })
  await until(() => made.calls.some((call) => call.path === 'beat'))
  await until(async () => (await executors()).some((row) => row.address === made.address.slice(0, -1) && row.state === 1))
  await until(() => world.engine.status().liveExecutors > stubs.indexOf(made))
  return made
}

async function until<T>(condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (let looks = 0; looks < 2000; looks += 1) {
    await world.settled()
    const answer = await condition()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`it did not come to that; ${JSON.stringify({ warnings, troubles: world.troubles })}`)
}

async function named(more: object = {}): Promise<number> {
  return world.task({ handler: { kind: 'named', name: 'demo' }, schedule: { kind: 'manual' }, ...more })
}

async function trigger(taskId: number): Promise<number> {
  return (await world.engine.trigger(taskId, {}, null, ALL, ALICE)).instanceId
}

async function ran(executor: StubExecutor, count = 1): Promise<RunRequest> {
  await until(() => executor.runs.length >= count)
  const run = executor.runs[count - 1]
  if (run === undefined) throw new Error('no run')
  return run
}

async function open(instanceId: number): Promise<OpenInstanceRow | undefined> {
  return (await world.open()).find((row) => row.id === instanceId)
}

async function end(instanceId: number): Promise<InstanceRow> {
  return until(async () => (await world.ended()).find((row) => row.id === instanceId))
}

async function outcome(instanceId: number): Promise<string> {
  return outcomeOfCode((await end(instanceId)).outcome)
}

async function lines(instanceId: number): Promise<LogLine[]> {
  return (await world.logs.read(instanceId, { after: 0, limit: 1000, ended: true })).lines
}

async function wires(): Promise<WireRow[]> {
  return world.db.read((tx) => tx.all<WireRow>('SELECT * FROM wire ORDER BY id'))
}

async function executors(): Promise<ExecutorRow[]> {
  return world.db.read((tx) => tx.all<ExecutorRow>('SELECT * FROM executor ORDER BY id'))
}

async function lateResults(): Promise<AttemptRow[]> {
  return world.db.read((tx) => tx.all<AttemptRow>('SELECT * FROM attempt WHERE late = 1'))
}

describe.each(DIALECTS)('an executor of XXL-JOB %s', (dialect) => {
  it('registers, runs what it is given, is read while it prints, and its result is kept', async () => {
    const executor = await joined(dialect)
    const taskId = await named({ params: '{"n":1}', timeoutMs: 60_000 })
    const instanceId = await trigger(taskId)
    const run = await ran(executor)
    expect(run).toMatchObject({
      jobId: taskId,
      executorHandler: 'demo',
      executorParams: '{"n":1}',
      glueType: 'BEAN',
      executorTimeout: 60,
      broadcastTotal: 1,
    })
    expect((await wires()).map((wire) => wire.id)).toEqual([run.logId])
    await until(async () => (await open(instanceId))?.started_at)
    executor.print(run.logId, 'one', 'two<br>three')
    await until(async () => (await lines(instanceId)).length === 3)
    executor.print(run.logId, 'four')
    expect(await executor.finish(run.logId, 200, 'saved 3')).toEqual({ code: 200, msg: null, content: null, data: null })
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.succeeded, result: '"saved 3"', attempt: 1 })
    // it writes to the log after the end
    executor.print(run.logId, 'callback done')
    await until(async () => (await lines(instanceId)).length === 5)
    expect((await lines(instanceId)).map((line) => line.text)).toEqual(['one', 'two', 'three', 'four', 'callback done'])
  })

  it('fails, and tells why', async () => {
    const executor = await joined(dialect)
    const instanceId = await trigger(await named())
    await executor.finish((await ran(executor)).logId, 500, 'boom')
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.failed, error_code: 'XXL_500', error: 'boom' })
  })

  it('is stopped by a kill', async () => {
    const executor = await joined(dialect)
    const taskId = await named()
    const instanceId = await trigger(taskId)
    await ran(executor)
    await world.engine.cancelInstance(instanceId, ALL, ALICE)
    await until(async () => {
      await world.pass(1000)
      return executor.calls.some((call) => call.path === 'kill' && call.body['jobId'] === taskId)
    })
    expect(await outcome(instanceId)).toBe('canceled')
  })
})

describe('registrations', () => {
  it('are heartbeats: one that stays away for 90 s is lost with its runs, one that stays away for less is not', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    await ran(executor)
    await until(async () => (await open(instanceId))?.accepted_at)
    await world.pass(80_000)
    expect(await open(instanceId)).toBeDefined()
    await executor.register('app-1')
    await world.pass(80_000)
    expect(await open(instanceId)).toBeDefined()
    await world.pass(12_000)
    expect(await outcome(instanceId)).toBe('lost')
    expect(await executors()).toMatchObject([{ state: 0, transport: 'xxl' }])
  })

  it('after a loss, are a new boot of the same executor', async () => {
    const executor = await joined()
    const [before] = await executors()
    await world.pass(92_000)
    await executor.register('app-1')
    await until(() => world.engine.status().liveExecutors === 1)
    const [after] = await executors()
    expect(after?.id).toBe(before?.id)
    expect(after?.boot_id).toBeGreaterThan(before?.boot_id ?? Infinity)
  })

  it('again and again are one executor with one boot', async () => {
    const executor = await joined()
    const before = await executors()
    for (let times = 0; times < 3; times += 1) await executor.register('app-1')
    expect(await executors()).toEqual(before)
  })

  it('taken back, take effect at once', async () => {
    const executor = await joined()
    expect(await executor.unregister('app-1')).toMatchObject({ code: 200 })
    await until(async () => (await executors())[0]?.state === 0)
    const instanceId = await trigger(await named())
    await world.pass(1000)
    expect(executor.runs).toEqual([])
    await executor.register('app-1')
    await ran(executor)
    expect(await open(instanceId)).toBeDefined()
  })

  it('taken back while a run goes on, leave it its time to say how it ended', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    const run = await ran(executor)
    await executor.unregister('app-1')
    await executor.finish(run.logId, 200, null)
    expect(await outcome(instanceId)).toBe('succeeded')
    await until(async () => (await executors())[0]?.state === 0)
  })

  it('under a name that no group has are accepted and kept for a person to see', async () => {
    const executor = await stub()
    expect(await executor.register('Nobodys')).toMatchObject({ code: 200 })
    const unclaimed = { groupAppName: 'nobodys', addresses: [executor.address.slice(0, -1)], seenAt: world.clock.now() }
    expect(await listUnclaimed(world.db, 0)).toEqual([{ appName: 'Nobodys', ...unclaimed }])
    expect(await executors()).toEqual([])
    await executor.unregister('Nobodys')
    expect(await listUnclaimed(world.db, 0)).toEqual([])
  })

  it('of an address that cannot be called are refused with the reason', async () => {
    const executor = await stub()
    expect(await executor.register('app-1', 'file:///etc/passwd')).toMatchObject({
      code: 500,
      msg: expect.stringContaining('registryValue') as string,
    })
  })

  it('of an address where executors are not called are refused with the setting that would let them in', async () => {
    networks = new Networks({ listed: '10.0.0.0/8', isLoopbackOpen: true })
    start()
    const executor = await stub()
    for (const address of [executor.address, executor.address.replace('127.0.0.1', 'localhost')])
      expect(await executor.register('app-1', address)).toMatchObject({
        code: 500,
        msg: expect.stringContaining('TICKWHEEL_EXECUTOR_NETWORKS') as string,
      })
    expect(await executors()).toEqual([])
    expect(executor.calls).toEqual([])
  })

  it('of an executor that does not let the server in give it no work, and say so', async () => {
    const executor = await stub()
    executor.wants = 'another'
    await executor.register('app-1')
    await until(() => warnings.some((text) => text.includes('cannot be called')))
    await trigger(await named())
    await world.pass(2000)
    expect(executor.runs).toEqual([])
    executor.wants = null
    await ran(executor)
  })
})

describe('a group with an access of its own', () => {
  const set = async (token: string | null): Promise<void> =>
    world.db.write('rest', async (tx) => void (await tx.run('UPDATE task_group SET xxl_token = ? WHERE id = 1', [token])))

  it.each([
    ['all send the token of the settings', null, 'secret', ['own', '']],
    ['one that has its own token wants that one', 'sealed own', 'own', ['secret', '']],
    ['one whose token cannot be opened lets nobody in', 'unreadable', null, ['secret', 'own', '']],
  ])('%s', async (_what, kept, right, wrong) => {
    await set(kept)
    const executor = await stub()
    for (executor.token of wrong) {
      expect(await executor.register('app-1')).toMatchObject({ code: 500, msg: 'The access token is wrong.' })
      expect(await executor.unregister('app-1')).toMatchObject({ code: 500 })
    }
    if (right === null) return
    executor.token = right
    expect(await executor.register('app-1')).toMatchObject({ code: 200 })
    const instanceId = await trigger(await named())
    const run = await ran(executor)
    expect(executor.calls.every((call) => call.token === right)).toBe(true)
    for (executor.token of wrong)
      expect(await executor.finish(run.logId, 200, null)).toMatchObject({ code: 500, msg: 'The access token is wrong.' })
    expect(await open(instanceId)).toBeDefined()
    executor.token = right
    await executor.finish(run.logId, 200, null)
    expect(await outcome(instanceId)).toBe('succeeded')
  })

  it('asks for none, and sends none', async () => {
    await set('')
    const executor = await joined('2.3', '')
    const instanceId = await trigger(await named())
    const run = await ran(executor)
    await executor.finish(run.logId, 200, null)
    expect(await outcome(instanceId)).toBe('succeeded')
    expect(await link.admits('')).toBe(true)
    await set(null)
    expect(await link.admits('')).toBe(false)
  })

  it('does not open the door to app names that no group has', async () => {
    await set('')
    const executor = await stub()
    executor.token = ''
    expect(await executor.register('nobodys')).toMatchObject({ code: 500 })
    expect(await listUnclaimed(world.db, 0)).toEqual([])
  })

  it('changes its token while executors are there: they are called with the new one from then on', async () => {
    const executor = await joined()
    await set('sealed newer')
    executor.token = 'newer'
    const instanceId = await trigger(await named())
    const run = await ran(executor)
    await executor.finish(run.logId, 200, null)
    expect(await outcome(instanceId)).toBe('succeeded')
  })
})

describe('a run at an XXL-JOB executor', () => {
  it('that nobody reached goes to another, without spending a try', async () => {
    const dead = await joined()
    const live = await joined()
    await dead.die()
    const ids = [await trigger(await named()), await trigger(await named())]
    await until(async () => {
      await world.pass(1000)
      return live.runs.length === 2
    })
    for (const run of live.runs) await live.finish(run.logId, 200, null)
    for (const instanceId of ids) expect(await outcome(instanceId)).toBe('succeeded')
    await dead.listen()
  })

  it('is not sent again by a node that takes over, which goes on with its log where the other stopped', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    const run = await ran(executor)
    executor.print(run.logId, 'a', 'b<br>c')
    await until(async () => (await lines(instanceId)).length === 3)
    await link.close()
    await world.crash(1000)
    start()
    await executor.register('app-1')
    executor.print(run.logId, 'd')
    await until(async () => (await lines(instanceId)).length === 4)
    await world.pass(5000)
    expect(executor.runs).toHaveLength(1)
    await executor.finish(run.logId, 200, null)
    expect(await outcome(instanceId)).toBe('succeeded')
    expect((await lines(instanceId)).map((line) => line.text)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('may call back before the answer to its dispatch', async () => {
    const executor = await joined()
    executor.onRun = async (run) => {
      await executor.finish(run.logId, 200, 'quick')
      return { code: 200 }
    }
    const instanceId = await trigger(await named())
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.succeeded, result: '"quick"' })
  })

  it('that the executor forgot, because it restarted at the same address, is lost after it was asked for', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    await ran(executor)
    await until(async () => (await open(instanceId))?.accepted_at)
    await executor.die()
    await executor.listen()
    await until(async () => {
      await executor.register('app-1')
      return (await world.ended()).some((row) => row.id === instanceId)
    })
    expect(await outcome(instanceId)).toBe('lost')
  })

  it('is retried under a number of its own, so that a late result of the first attempt ends nothing', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named({ retry: { max: 1, delayMs: 1 } }))
    const first = await ran(executor)
    await executor.finish(first.logId, 500, 'boom')
    await world.pass(100)
    const second = await ran(executor, 2)
    expect(second.logId).toBeGreaterThan(first.logId)
    expect(await executor.finish(first.logId, 200, 'late')).toMatchObject({ code: 200 })
    expect(await open(instanceId)).toMatchObject({ attempt: 2 })
    await executor.finish(second.logId, 200, 'second')
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.succeeded, attempt: 2, result: '"second"' })
    expect(await lateResults()).toMatchObject([{ attempt: 1 }])
  })

  it('whose handler the executor does not know waits and says so, and is not sent there again and again', async () => {
    const executor = await joined()
    executor.onRun = () => ({ code: 500, msg: 'job handler [demo] not found.' })
    const instanceId = await trigger(await named())
    await ran(executor)
    await world.pass(5000)
    expect(executor.runs).toHaveLength(1)
    expect(await open(instanceId)).toMatchObject({ wait_code: 9 })
  })

  it('that a busy client refuses is offered again', async () => {
    const executor = await joined()
    executor.onRun = () => ({ code: 500, msg: 'There is already have a same job is running.' })
    const instanceId = await trigger(await named())
    await ran(executor)
    executor.onRun = () => ({ code: 200 })
    await until(async () => {
      await world.pass(1000)
      return executor.runs.length > 1
    })
    await executor.finish((await ran(executor, 2)).logId, 200, null)
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.succeeded, tries: 0 })
  })

  it('that is over its time is stopped from here when the executor does not do it, and its failure is a time-out', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named({ timeoutMs: 1000 }))
    await ran(executor)
    await until(async () => (await open(instanceId))?.accepted_at)
    await world.pass(2000)
    await until(() => executor.calls.some((call) => call.path === 'kill'))
    expect(await outcome(instanceId)).toBe('timedOut')
  })

  it('that no client stops ends all the same', async () => {
    const executor = await joined()
    executor.onKill = () => undefined
    const instanceId = await trigger(await named())
    await ran(executor)
    await world.engine.cancelInstance(instanceId, ALL, ALICE)
    await world.pass(25_000)
    expect(await outcome(instanceId)).toBe('canceled')
  })

  it('that an HTTP handler is for waits for an executor that can make it', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named({ handler: { kind: 'http', url: 'http://127.0.0.1:1/' } }))
    await world.pass(1000)
    expect(executor.runs).toEqual([])
    expect(await open(instanceId)).toMatchObject({ wait_code: 9 })
  })

  it('of a script carries it with the instant at which its version was saved', async () => {
    const executor = await joined()
    const savedAt = world.clock.now()
    const taskId = await named({ handler: { kind: 'shell', script: 'date' } })
    await world.pass(5000)
    await trigger(taskId)
    expect(await ran(executor)).toMatchObject({ glueType: 'GLUE_SHELL', glueSource: 'date', glueUpdatetime: savedAt })
  })
})

describe('callbacks', () => {
  it('are final the first time, and a repeat changes nothing', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    const { logId } = await ran(executor)
    await executor.finish(logId, 500, 'first')
    expect(await executor.finish(logId, 500, 'first')).toMatchObject({ code: 200 })
    expect(await executor.finish(logId, 200, 'second')).toMatchObject({ code: 200 })
    expect(await end(instanceId)).toMatchObject({ outcome: OUTCOME.failed, error: 'first' })
  })

  it('of unknown runs and odd ones are passed over, so that the others of the batch count', async () => {
    const executor = await joined()
    const instanceId = await trigger(await named())
    const { logId } = await ran(executor)
    const answer = await executor.callBack([
      null,
      { logId: 12, handleCode: 200 },
      { logId, handleCode: 0 },
      { logId, handleCode: 200, handleMsg: 'ok' },
    ])
    expect(answer).toMatchObject({ code: 200 })
    expect(await outcome(instanceId)).toBe('succeeded')
  })

  it('that are no list are refused', async () => {
    expect(await link.callback('x', 'secret')).toMatchObject({ code: 500 })
    expect(await link.callback([], 'secret')).toMatchObject({ code: 200 })
  })
})
