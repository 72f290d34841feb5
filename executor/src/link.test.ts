import { afterEach, describe, expect, it } from 'vitest'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import type { Executor } from './assemble.ts'
import type { ExecutorOptions } from './options.ts'
import { FakeServer } from './testing/fake-server.fixture.ts'
import { Harness, startHarness } from './testing/harness.fixture.ts'
import type { Timing } from './timing.ts'

let harness: Harness
let server: FakeServer
let executor: Executor

async function start(options: Partial<ExecutorOptions> = {}, timing: Partial<Timing> = {}): Promise<void> {
  const started = await startHarness(options, timing)
  harness = started.harness
  server = started.server
  executor = started.executor
}

/** Runs until somebody writes the file `go`. */
const waits = { kind: 'shell', script: 'echo before; while [ ! -e go ]; do sleep 0.02; done; echo after' } as const

function go(): void {
  writeFileSync(join(harness.folder, 'go'), '')
}

afterEach(() => harness.close())

describe('joining', () => {
  it('tells what it is and what it can run', async () => {
    await start({ capacity: 3, labels: { zone: 'a' }, builtIn: { shell: true } })
    expect(server.registrations).toMatchObject([
      {
        appName: 'test',
        name: 'one',
        protocol: { min: 1, max: 2 },
        capacity: 3,
        labels: { zone: 'a' },
        handlers: [{ name: 'shell', kind: 'builtIn' }],
        pid: process.pid,
      },
    ])
    expect(server.of('hello')).toMatchObject([{ executorId: 5, bootId: 100, token: 'tws_test', running: [] }])
  })

  it('names its process in each registration, and another process of the same name is another', async () => {
    await start()
    server.cut(4401)
    await server.until(() => server.registrations.length === 2 && server.isJoined)
    await executor.stop()
    await harness.executor().start()
    const keys = server.registrations.map((asked) => (asked as { processKey?: unknown }).processKey)
    expect(keys[0]).toMatch(/^[\w-]{1,64}$/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  it('tells an older server, which refuses fields that it does not know, what that one takes', async () => {
    harness = new Harness()
    server = harness.server
    await server.start()
    server.unknownFields = (asked) =>
      (asked as { processKey?: unknown }).processKey === undefined ? [] : ['processKey', 'handlers.3.paramsSchema']
    const newer = harness.executor()
    newer.handle('typed', { params: Type.Object({ n: Type.Integer() }), description: 'as before' }, () => null)
    await newer.start()
    expect(server.registrations).toHaveLength(2)
    expect(server.registrations[1]).not.toHaveProperty('processKey')
    expect(server.registrations[1]).toMatchObject({ name: 'one' })
    expect((server.registrations[1] as { handlers: unknown[] }).handlers[3]).toEqual({
      name: 'typed',
      kind: 'named',
      description: 'as before',
    })
  })

  it('does not come again with less when something else is wrong as well', async () => {
    harness = new Harness()
    await harness.server.start()
    harness.server.unknownFields = () => ['processKey', 'nonsense']
    await expect(harness.executor().start()).rejects.toThrow('VALIDATION_FAILED')
    expect(harness.server.registrations).toHaveLength(1)
  })

  it('says recovered once, although nothing had to be recovered', async () => {
    await start()
    await server.until(() => server.of('recovered').length === 1)
    expect(server.of('recovered')).toMatchObject([{ bootId: 100 }])
  })

  it('fails at once when the server refuses it', async () => {
    harness = new Harness()
    await harness.server.start()
    harness.server.registerAnswer = {
      status: 401,
      body: { type: 'about:blank', title: 'x', status: 401, detail: 'no such token', code: 'UNAUTHENTICATED' },
    }
    await expect(harness.executor().start()).rejects.toThrow('UNAUTHENTICATED: no such token')
  })

  it('waits for a server that is away', async () => {
    harness = new Harness()
    const probe = new FakeServer()
    await probe.start()
    const { port } = probe
    await probe.stop()
    const joined = harness.executor({ server: `http://127.0.0.1:${String(port)}` }).start()
    await harness.server.start(port)
    await joined
    expect(harness.server.isJoined).toBe(true)
  })

  it('goes to another server when one is away', async () => {
    harness = new Harness()
    await harness.server.start()
    await harness.executor({ server: ['http://127.0.0.1:1', harness.server.url] }).start()
    expect(harness.server.isJoined).toBe(true)
  })
})

describe('a connection that ends', () => {
  it('leaves runs alone: they go on and are told of in the next hello', async () => {
    await start()
    server.dispatch({ instanceId: 1, handler: waits })
    await server.until(() => server.texts(1).includes('before'))
    server.cut()
    await server.until(() => server.of('hello').length === 2)
    expect(server.of('hello').at(-1)?.running).toEqual([{ instanceId: 1, attempt: 1 }])
    go()
    expect(await server.result(1)).toMatchObject({ outcome: 'succeeded' })
    expect(server.texts(1)).toEqual(['before', 'after'])
  })

  it('has everything sent again that was not acknowledged, with new numbers', async () => {
    await start()
    server.isAcknowledging = false
    server.dispatch({ instanceId: 2, handler: { kind: 'shell', script: 'echo x' } })
    await server.result(2)
    server.cut()
    server.isAcknowledging = true
    await server.until(() => server.of('finished', 2).length === 2)
    const types = ['accepted', 'started', 'log', 'logEnd', 'finished'] as const
    expect(types.map((type) => server.of(type, 2).length)).toEqual([2, 2, 2, 2, 2])
    // the chunk is the same, borders and all
    const [first, second] = server.of('log', 2)
    expect({ ...second, n: 0 }).toEqual({ ...first, n: 0 })
    const hello = server.frames.findLastIndex((frame) => frame.type === 'hello')
    const numbers = server.frames.slice(hello).flatMap((frame) => ('n' in frame ? [frame.n] : []))
    expect(numbers).toEqual(numbers.map((_, place) => place + 1))
  })

  it('because the session is unknown has it register again, in the same boot', async () => {
    await start()
    server.cut(4401)
    await server.until(() => server.registrations.length === 2 && server.isJoined)
    expect(server.registrations[1]).toMatchObject({ bootId: 100 })
  })

  it('because a newer boot came stops its runs and never comes back', async () => {
    await start()
    server.dispatch({ instanceId: 3, handler: waits })
    await server.until(() => server.of('started', 3).length === 1)
    const superseded = new Promise((resolve) => executor.on('superseded', resolve))
    const finished = new Promise((resolve) => executor.on('finished', resolve))
    server.cut(4409)
    await superseded
    expect(await finished).toMatchObject({ instanceId: 3, outcome: 'failed' })
    await executor.stop()
    expect(server.of('hello')).toHaveLength(1)
  })

  it('is made anew when heartbeats are not answered', async () => {
    await start({}, { silentMs: 100 })
    server.isAnsweringBeats = false
    await server.until(() => server.of('hello').length === 2)
    server.isAnsweringBeats = true
  })
})

describe('a server that is lost', () => {
  it('has runs that may be moved stop by themselves at four fifths of the time to be called dead, others go on', async () => {
    harness = new Harness()
    await harness.server.start()
    server = harness.server
    server.deadMs = 500
    executor = harness.executor()
    await executor.start()
    server.dispatch({ instanceId: 4, handler: waits, movable: true })
    server.dispatch({ instanceId: 5, handler: waits })
    await server.until(() => server.of('started').length === 2)
    const finished = new Promise((resolve) => executor.on('finished', resolve))
    server.joinRefusal = 1011
    server.cut()
    expect(await finished).toMatchObject({ instanceId: 4, outcome: 'failed' })
    go()
    server.joinRefusal = null
    expect(await server.result(4)).toMatchObject({ error: { code: 'SERVER_LOST' } })
    expect(await server.result(5)).toMatchObject({ outcome: 'succeeded' })
  })
})

describe('several nodes', () => {
  /** The node that has the executor, and the other one. */
  let here: FakeServer
  let there: FakeServer

  async function startOnTwo(timing: Partial<Timing> = {}): Promise<void> {
    harness = new Harness()
    await harness.server.start()
    await harness.other.start()
    executor = harness.executor({ server: [harness.server.url, harness.other.url] }, timing)
    await executor.start()
    const nodes = [harness.server, harness.other] as const
    ;[here, there] = nodes[0].isJoined ? nodes : [nodes[1], nodes[0]]
  }

  it('are all begun with by some executor', async () => {
    harness = new Harness()
    await harness.server.start()
    await harness.other.start()
    const both = [harness.server.url, harness.other.url]
    for (let each = 0; harness.server.registrations.length === 0 || harness.other.registrations.length === 0; each += 1)
      await harness.executor({ server: both, name: `number-${String(each)}` }).start()
  })

  it('take one that a node sends away as it leaves, with what runs and what was not acknowledged, and without a new registration', async () => {
    await startOnTwo()
    here.dispatch({ instanceId: 1, handler: waits })
    await here.until(() => here.texts(1).includes('before'))
    here.isAcknowledging = false
    here.dispatch({ instanceId: 2, handler: { kind: 'shell', script: 'echo done' } })
    await here.result(2)
    here.joinRefusal = 1012
    here.cut(1012)
    expect(await there.result(2)).toMatchObject({ outcome: 'succeeded' })
    expect(there.texts(2)).toEqual(['done'])
    const running = [1, 2].map((instanceId) => ({ instanceId, attempt: 1 }))
    expect(there.of('hello')).toMatchObject([{ executorId: 5, bootId: 100, token: 'tws_test', running }])
    go()
    expect(await there.result(1)).toMatchObject({ outcome: 'succeeded' })
    expect([...here.registrations, ...there.registrations]).toHaveLength(1)
  })

  it('take one whose node was killed', async () => {
    await startOnTwo()
    await here.stop()
    await there.until(() => there.isJoined)
    expect(there.registrations).toHaveLength(0)
  })

  it('take one back and forth through a rolling restart, and its run goes on', async () => {
    await startOnTwo({ settledMs: 0 })
    here.dispatch({ instanceId: 3, handler: waits, movable: true })
    await here.until(() => here.of('started', 3).length === 1)
    for (const [leaving, next] of [
      [here, there],
      [there, here],
    ] as const) {
      leaving.cut(1012)
      await next.until(() => next.isJoined)
    }
    go()
    expect(await here.result(3)).toMatchObject({ outcome: 'succeeded' })
  })

  it('are tried in turn when the store is away at one of them', async () => {
    await startOnTwo({ silentMs: 300 })
    here.store = 'away'
    await there.until(() => there.isJoined)
    expect(there.registrations).toHaveLength(0)
  })

  it('are passed by when one takes connections and says nothing', async () => {
    await startOnTwo({ silentMs: 300 })
    there.isWelcoming = false
    here.cut(1012)
    await there.until(() => there.of('hello').length > 0)
    await here.until(() => here.of('hello').length === 2)
  })

  it('may stand behind one address: a node that leaves, or has no store, is left there, too', async () => {
    await start({}, { silentMs: 300 })
    server.cut(1012)
    await server.until(() => server.of('hello').length === 2)
    server.store = 'away'
    await server.until(() => server.of('hello').length === 3)
    expect(server.registrations).toHaveLength(1)
  })

  it('that all say the store is away are no reason to stop a run that may be moved', async () => {
    harness = new Harness()
    await harness.server.start()
    server = harness.server
    server.deadMs = 600
    executor = harness.executor()
    await executor.start()
    server.dispatch({ instanceId: 8, handler: waits, movable: true })
    await server.until(() => server.of('started', 8).length === 1)
    server.joinRefusal = 1013
    const refused = server.of('hello').length + 30
    server.cut()
    await server.until(() => server.of('hello').length >= refused)
    server.joinRefusal = null
    go()
    expect(await server.result(8)).toMatchObject({ outcome: 'succeeded' })
  })
})

describe('a server that takes nothing', () => {
  it('does not hold a run up: its lines wait in the spool, and come when it is back', async () => {
    await start()
    server.joinRefusal = 1013
    server.dispatch({
      instanceId: 6,
      handler: { kind: 'shell', script: "while [ ! -e go ]; do sleep 0.02; done; seq -f '%079.0f' 1 200000" },
    })
    await server.until(() => server.of('started', 6).length === 1)
    const ended = new Promise((resolve) => executor.on('finished', resolve))
    server.cut()
    go()
    await ended
    server.joinRefusal = null
    expect(await server.result(6)).toMatchObject({ outcome: 'succeeded' })
    await server.until(() => server.logs.get('6/1')?.lines.size === 200_000)
    expect(server.logs.get('6/1')?.end).toEqual({ lines: 200_000, bytes: 200_000 * 79, dropped: 0 })
  })

  it('loses lines, marked, when the spool is full, but no result; and nothing is accepted without room for one', async () => {
    await start({ spool: { maxBytes: 1_048_576 } })
    server.isAcknowledging = false
    server.store = 'away'
    const beats = server.of('heartbeat').length
    await server.until(() => server.of('heartbeat').length > beats + 1)
    server.dispatch({ instanceId: 7, handler: { kind: 'shell', script: "seq -f '%0999.0f' 1 3000" } })
    await server.result(7)
    // results of 60,000 bytes fill what is left
    for (let instanceId = 100; server.of('rejected').length === 0; instanceId += 1) {
      server.dispatch({ instanceId, handler: { kind: 'shell', script: 'printf \'"%060000d"\' 1 > "$TICKWHEEL_RESULT"' } })
      await server.until(() => server.results.has(`${String(instanceId)}/1`) || server.of('rejected', instanceId).length === 1)
    }
    expect(server.of('rejected')).toMatchObject([{ code: 'capacity' }])
    expect(server.results.size).toBeGreaterThan(10)
    const log = server.logs.get('7/1')
    expect(log?.end).toMatchObject({ lines: 3000, bytes: 2_997_000 })
    expect(log?.end?.dropped).toBeGreaterThan(1000)
    expect((log?.lines.size ?? 0) + (log?.end?.dropped ?? 0)).toBe(3000)
  })
})
