import { afterEach, describe, expect, it } from 'vitest'
import { readdirSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Executor } from './assemble.ts'
import type { ExecutorOptions } from './options.ts'
import type { FakeServer } from './testing/fake-server.fixture.ts'
import { startHarness, type Harness } from './testing/harness.fixture.ts'
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

afterEach(() => harness.close())

describe('a shell run', () => {
  it('reports accepted, started, its lines and its end, in this order, and an end to its log', async () => {
    await start()
    server.dispatch({
      instanceId: 1,
      handler: { kind: 'shell', script: 'echo one; echo two >&2; echo "{\\"saved\\":3}" > "$TICKWHEEL_RESULT"' },
    })
    const end = await server.result(1)
    expect(end).toMatchObject({ outcome: 'succeeded', result: { saved: 3 }, bootId: 100 })
    const types = server.frames.filter((frame) => 'instanceId' in frame).map((frame) => frame.type)
    expect([types[0], types[1], types.at(-2), types.at(-1)]).toEqual(['accepted', 'started', 'logEnd', 'finished'])
    expect(server.texts(1).sort()).toEqual(['one', 'two'])
    expect(server.logs.get('1/1')?.end).toEqual({ lines: 2, bytes: 6, dropped: 0 })
  })

  it('gets the facts of its run as environment and arguments, and nothing else of the executor that is not allowed', async () => {
    process.env['TICKWHEEL_TEST_ALLOWED'] = 'seen'
    process.env['TICKWHEEL_TEST_SECRET'] = 'hidden'
    await start({ envAllow: ['TICKWHEEL_TEST_ALLOWED'] })
    const script =
      'echo "$TICKWHEEL_INSTANCE_ID $TICKWHEEL_ATTEMPT $TICKWHEEL_SCHEDULED_AT $TICKWHEEL_PARAMS $TICKWHEEL_SHARD_INDEX/$TICKWHEEL_SHARD_TOTAL"; echo "$TICKWHEEL_IDEMPOTENCY_KEY $TICKWHEEL_FENCING_TOKEN"; echo "$1 $2 $3"; echo "$TICKWHEEL_TEST_ALLOWED.$TICKWHEEL_TEST_SECRET."; pwd'
    server.dispatch({ instanceId: 2, attempt: 3, handler: { kind: 'shell', script }, params: 'a b', scheduledAt: 1_700_000_000_000 })
    expect((await server.result(2, 3)).outcome).toBe('succeeded')
    expect(server.texts(2, 3)).toEqual([
      '2 3 2023-11-14T22:13:20.000Z a b 0/1',
      'tickwheel-2 0000000000000002000003',
      'a b 0 1',
      'seen..',
      harness.folder,
    ])
  })

  it('gets the part of a sharded run that it is', async () => {
    await start()
    const script =
      'echo "$2/$3 $TICKWHEEL_SHARD_INDEX/$TICKWHEEL_SHARD_TOTAL $TICKWHEEL_SHARD_KEY $TICKWHEEL_SHARD_FROM-$TICKWHEEL_SHARD_TO"'
    const shard = { index: 2, total: 5, key: '20..30', range: { from: 20, to: 30 } }
    server.dispatch({ instanceId: 90, handler: { kind: 'shell', script }, shard })
    expect((await server.result(90)).outcome).toBe('succeeded')
    expect(server.texts(90)).toEqual(['2/5 2/5 20..30 20-30'])
  })

  it('hands parameters that are too long for an argument on in a file', async () => {
    await start()
    server.dispatch({
      instanceId: 3,
      handler: { kind: 'shell', script: 'wc -c < "$TICKWHEEL_PARAMS_FILE"; echo "[$1]"' },
      params: '文'.repeat(60_000),
    })
    expect((await server.result(3)).outcome).toBe('succeeded')
    expect(server.texts(3).map((text) => text.trim())).toEqual(['180000', '[]'])
  })

  it('fails with EXIT_CODE and the last line of stderr', async () => {
    await start()
    server.dispatch({ instanceId: 4, handler: { kind: 'shell', script: 'echo first >&2; echo "no such table" >&2; exit 3' } })
    expect(await server.result(4)).toMatchObject({ outcome: 'failed', error: { code: 'EXIT_CODE', message: 'exit code 3: no such table' } })
  })

  it.each([
    ['too large', 'head -c 70000 /dev/zero | tr "\\0" 1 > "$TICKWHEEL_RESULT"', 'RESULT_TOO_LARGE'],
    ['not JSON', 'echo hello > "$TICKWHEEL_RESULT"', 'RESULT_NOT_JSON'],
    ['killed', 'kill -SEGV $$', 'KILLED_BY_SIGNAL'],
  ])('fails when its result is %s', async (_why, script, code) => {
    await start()
    server.dispatch({ instanceId: 5, handler: { kind: 'shell', script } })
    expect(await server.result(5)).toMatchObject({ outcome: 'failed', error: { code } })
  })

  it('fails with SPAWN_FAILED when its folder is not there', async () => {
    await start({ workDir: '/nowhere/at/all' })
    server.dispatch({ instanceId: 6, handler: { kind: 'shell', script: 'true' } })
    expect(await server.result(6)).toMatchObject({ outcome: 'failed', error: { code: 'SPAWN_FAILED' } })
  })
})

describe('a script run', () => {
  it.each([
    ['node', 'import { writeFileSync } from "node:fs"; console.log(process.argv[2]); writeFileSync(process.env.TICKWHEEL_RESULT, "1")'],
    [
      'node',
      'const { writeFileSync } = require("node:fs"); console.log(process.argv[2]); writeFileSync(process.env.TICKWHEEL_RESULT, "1")',
    ],
    ['python', 'import os, sys\nprint(sys.argv[1])\nopen(os.environ["TICKWHEEL_RESULT"], "w").write("1")'],
    ['bash', 'x=([0]="$1"); echo "${x[0]}"; echo 1 > "$TICKWHEEL_RESULT"'],
  ] as const)('runs %s', async (language, source) => {
    await start()
    server.dispatch({ instanceId: 10, handler: { kind: 'script', language, source }, params: 'hello' })
    expect(await server.result(10)).toMatchObject({ outcome: 'succeeded', result: 1 })
    expect(server.texts(10)).toEqual(['hello'])
  })
})

describe('a named run', () => {
  it('gives its function the run and reports what it returns, writes and how far it is', async () => {
    await start()
    await executor.stop()
    const again = harness.executor({ name: 'two' })
    again.handle('sum', (run) => {
      run.log.info('first\nsecond')
      run.log.error('bad')
      run.progress(0.5, 'half')
      return { params: run.params, shard: run.shard, isAborted: run.signal.aborted }
    })
    await again.start()
    server.dispatch({ instanceId: 20, handler: { kind: 'named', name: 'sum' }, params: 'p' })
    expect(await server.result(20)).toMatchObject({
      outcome: 'succeeded',
      result: { params: 'p', shard: { index: 0, total: 1 }, isAborted: false },
    })
    expect(server.texts(20)).toEqual(['first', 'second', 'bad'])
    expect(server.of('progress', 20)).toMatchObject([{ value: 0.5, text: 'half' }])
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no luck')), { code: 'HANDLER_ERROR', message: 'no luck' }],
    ['throws with a code', () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })), { code: 'ENOENT', message: 'gone' }],
    ['returns too much', () => 'x'.repeat(70_000), { code: 'RESULT_TOO_LARGE' }],
    ['returns what is no JSON', () => 1n, { code: 'RESULT_NOT_JSON' }],
  ])('fails when it %s', async (_why, run, error) => {
    const started = await startHarness()
    await started.executor.stop()
    harness = started.harness
    server = started.server
    const again = harness.executor({ name: 'two' })
    again.handle('job', run)
    await again.start()
    server.dispatch({ instanceId: 21, handler: { kind: 'named', name: 'job' } })
    expect(await server.result(21)).toMatchObject({ outcome: 'failed', error })
  })

  it('runs on a worker thread when it comes from a module', async () => {
    const started = await startHarness()
    await started.executor.stop()
    harness = started.harness
    server = started.server
    const again = harness.executor({ name: 'two' })
    again.handleModule('count', new URL('./testing/thread-module.fixture.js', import.meta.url), 'count')
    again.handleModule('spin', new URL('./testing/thread-module.fixture.js', import.meta.url), 'spin')
    await again.start()
    server.dispatch({ instanceId: 22, handler: { kind: 'named', name: 'count' }, params: '3' })
    expect(await server.result(22)).toMatchObject({ outcome: 'succeeded', result: { counted: 3, isMain: false } })
    expect(server.texts(22)).toEqual(['1', '2', '3'])
    server.dispatch({ instanceId: 23, handler: { kind: 'named', name: 'spin' }, timeoutMs: 100, killGraceMs: 50 })
    expect(await server.result(23)).toMatchObject({ outcome: 'timedOut' })
  })
})

describe('what is not accepted', () => {
  it.each([
    ['another boot', { bootId: 99 }, 'otherBoot'],
    ['an order that lay around for over 10 s', { at: Date.now() - 11_000 }, 'tooOld'],
    ['a handler that nobody defined', { handler: { kind: 'named', name: 'nobody' } }, 'unknownHandler'],
    ['a built-in handler that is not allowed', { handler: { kind: 'http', url: 'http://127.0.0.1:1/' } }, 'handlerNotAllowed'],
    ['an order that is not valid', { handler: { kind: 'magic' } }, 'badDispatch'],
  ] as const)('%s', async (_why, order, code) => {
    await start({ builtIn: { shell: true } })
    server.send({
      ...server.dispatch({ instanceId: 999, handler: { kind: 'named', name: 'probe' } }),
      instanceId: 30,
      handler: { kind: 'shell', script: 'true' },
      ...order,
    })
    await server.until(() => server.of('rejected', 30).length === 1)
    expect(server.of('rejected', 30)).toMatchObject([{ code }])
  })

  it('judges age by the clock of the server, not by its own', async () => {
    await start()
    await executor.stop()
    server.clockOffsetMs = -3_600_000
    const again = harness.executor({ name: 'two' })
    await again.start()
    server.dispatch({ instanceId: 31, handler: { kind: 'shell', script: 'true' } })
    expect((await server.result(31)).outcome).toBe('succeeded')
  })

  it('more than runs and waits; what waits goes by priority', async () => {
    await start({ capacity: 1, queue: 2 })
    const handler = { kind: 'shell', script: 'read -r go < gate' } as const
    const { execFileSync } = await import('node:child_process')
    execFileSync('mkfifo', [join(harness.folder, 'gate')])
    server.dispatch({ instanceId: 40, handler })
    await server.until(() => server.of('started', 40).length === 1)
    server.dispatch({ instanceId: 41, handler: { kind: 'shell', script: 'true' }, priority: 1 })
    server.dispatch({ instanceId: 42, handler: { kind: 'shell', script: 'true' }, priority: 9 })
    server.dispatch({ instanceId: 43, handler: { kind: 'shell', script: 'true' } })
    await server.until(() => server.of('rejected', 43).length === 1)
    expect(server.of('rejected', 43)).toMatchObject([{ code: 'capacity' }])
    execFileSync('/bin/sh', ['-c', 'echo go > gate'], { cwd: harness.folder })
    await Promise.all([server.result(41), server.result(42)])
    const order = server.frames.flatMap((frame) => (frame.type === 'started' ? [frame.instanceId] : []))
    expect(order).toEqual([40, 42, 41])
  })

  it('an attempt whose cancel came first', async () => {
    await start()
    server.cancel(44)
    server.dispatch({ instanceId: 44, handler: { kind: 'shell', script: 'true' } })
    await server.until(() => server.of('rejected', 44).length === 1)
    expect(server.of('rejected', 44)).toMatchObject([{ code: 'canceledFirst' }])
  })

  it('an attempt a second time: it is answered with its state and never run twice', async () => {
    await start()
    const handler = { kind: 'shell', script: 'echo x >> runs' } as const
    const dispatch = server.dispatch({ instanceId: 45, handler })
    server.send(dispatch)
    await server.result(45)
    server.send({ ...dispatch, at: server.now() })
    await server.until(() => server.of('finished', 45).length === 2)
    expect(server.of('started', 45).length).toBeGreaterThan(0)
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(join(harness.folder, 'runs'), 'utf8')).toBe('x\n')
  })

  it('a rejected attempt a second time, whatever has changed since', async () => {
    await start()
    server.cancel(46)
    const dispatch = server.dispatch({ instanceId: 46, handler: { kind: 'shell', script: 'true' } })
    await server.until(() => server.of('rejected', 46).length === 1)
    // an answer to a heartbeat comes after the acknowledgement of the rejection
    const beats = server.of('heartbeat').length
    await server.until(() => server.of('heartbeat').length > beats + 1)
    server.send({ ...dispatch, at: server.now() })
    await server.until(() => server.of('rejected', 46).length === 2)
    expect(server.of('accepted', 46)).toEqual([])
  })
})

describe('a run that is told to stop', () => {
  const stubborn = 'trap "" TERM; (trap "" TERM; while :; do sleep 0.05; done) & echo ready; while :; do sleep 0.05; done'

  it('ends as canceled with its whole group, also when it ignores SIGTERM', async () => {
    await start()
    server.dispatch({ instanceId: 50, handler: { kind: 'shell', script: `echo $$ > pid; ${stubborn}` } })
    await server.until(() => server.texts(50).includes('ready'))
    server.cancel(50)
    expect(await server.result(50)).toMatchObject({ outcome: 'canceled', error: { code: 'CANCELED' } })
    expect(await livingMembers(join(harness.folder, 'pid'))).toEqual([])
  })

  it('ends as timedOut at its time limit', async () => {
    await start()
    server.dispatch({ instanceId: 51, handler: { kind: 'shell', script: `echo $$ > pid; ${stubborn}` }, timeoutMs: 200 })
    expect(await server.result(51)).toMatchObject({ outcome: 'timedOut', error: { code: 'TIMED_OUT' } })
    expect(await livingMembers(join(harness.folder, 'pid'))).toEqual([])
  })

  it('is canceled by an answer to a heartbeat, too', async () => {
    await start()
    server.dispatch({ instanceId: 52, handler: { kind: 'shell', script: 'sleep 60' } })
    await server.until(() => server.of('started', 52).length === 1)
    server.beatCancel = [{ instanceId: 52, attempt: 1 }]
    expect(await server.result(52)).toMatchObject({ outcome: 'canceled' })
  })

  it('never starts when it still waits', async () => {
    await start({ capacity: 1 })
    server.dispatch({ instanceId: 53, handler: { kind: 'shell', script: 'sleep 60' } })
    server.dispatch({ instanceId: 54, handler: { kind: 'shell', script: 'true' } })
    await server.until(() => server.of('accepted', 54).length === 1)
    server.cancel(54)
    expect(await server.result(54)).toMatchObject({ outcome: 'canceled', startedAt: null })
    server.cancel(53)
  })

  it('ends without its function when that does not end, and keeps the slot until it does', async () => {
    const started = await startHarness()
    await started.executor.stop()
    harness = started.harness
    server = started.server
    const again = harness.executor({ name: 'two', capacity: 1 })
    const gate = Promise.withResolvers<null>()
    let reason = ''
    again.handle('deaf', (run) => {
      run.signal.addEventListener('abort', () => (reason = String(run.signal.reason)))
      return gate.promise
    })
    again.handle('next', () => 1)
    await again.start()
    server.dispatch({ instanceId: 55, handler: { kind: 'named', name: 'deaf' }, timeoutMs: 50, killGraceMs: 50 })
    expect(await server.result(55)).toMatchObject({ outcome: 'timedOut' })
    expect(reason).toContain('timedOut')
    server.dispatch({ instanceId: 56, handler: { kind: 'named', name: 'next' } })
    await server.until(() => server.of('accepted', 56).length === 1)
    expect(server.of('started', 56)).toEqual([])
    gate.resolve(null)
    expect((await server.result(56)).outcome).toBe('succeeded')
  })

  it('is stopped also by a cancel that comes in the same message as its dispatch', async () => {
    const started = await startHarness()
    await started.executor.stop()
    harness = started.harness
    server = started.server
    const again = harness.executor({ name: 'two' })
    const gate = Promise.withResolvers<null>()
    again.handle('deaf', () => gate.promise)
    await again.start()
    const template = server.dispatch({ instanceId: 998, handler: { kind: 'named', name: 'nobody' } })
    const dispatch = { ...template, instanceId: 59, handler: { kind: 'named', name: 'deaf' }, killGraceMs: 20 }
    server.send(dispatch, { type: 'cancel', instanceId: 59, attempt: 1, bootId: server.bootId, at: server.now() })
    expect(await server.result(59)).toMatchObject({ outcome: 'canceled' })
    gate.resolve(null)
  })

  it('leaves no process behind that it started in the background', async () => {
    await start({}, { leftoverGraceMs: 200 })
    server.dispatch({
      instanceId: 57,
      handler: { kind: 'shell', script: 'echo $$ > pid; (trap "" TERM; while :; do sleep 0.05; done) & echo gone' },
    })
    expect(await server.result(57)).toMatchObject({ outcome: 'succeeded' })
    expect(await livingMembers(join(harness.folder, 'pid'))).toEqual([])
  })

  it('ends although a process that left its group holds its output open', async () => {
    await start()
    // the leader stays until the other is out of its group: else it would be ended with it
    const script = "setsid sh -c 'echo > out; exec sleep 10' & while [ ! -e out ]; do sleep 0.02; done; echo done"
    server.dispatch({ instanceId: 58, handler: { kind: 'shell', script } })
    expect(await server.result(58)).toMatchObject({ outcome: 'succeeded' })
    expect(server.texts(58)).toEqual(['done', expect.stringMatching(/left the group of this run still holds its output/)])
  })
})

describe('http', () => {
  it('sends the request and returns status and body', async () => {
    await start()
    server.dispatch({ instanceId: 60, handler: { kind: 'http', url: `${server.url}/any`, method: 'POST' }, params: '{"a":1}' })
    expect(await server.result(60)).toMatchObject({ outcome: 'succeeded', result: { status: 200 } })
    expect(server.registrations.at(-1)).toEqual({ a: 1 })
  })

  it('names the run and the attempt in headers, so that a server can take no more than one, and the headers of the task replace them', async () => {
    await start()
    const seen: IncomingHttpHeaders[] = []
    const target = createServer((request, answer) => {
      seen.push(request.headers)
      answer.end()
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${String((target.address() as AddressInfo).port)}/`
    server.dispatch({ instanceId: 62, attempt: 3, handler: { kind: 'http', url } })
    await server.result(62, 3)
    server.dispatch({ instanceId: 63, handler: { kind: 'http', url, headers: { 'idempotency-key': 'own' } } })
    await server.result(63)
    target.close()
    expect(seen).toMatchObject([
      { 'idempotency-key': 'tickwheel-62', 'tickwheel-fencing-token': '0000000000000062000003', 'tickwheel-attempt': '3' },
      { 'idempotency-key': 'own', 'tickwheel-fencing-token': '0000000000000063000001' },
    ])
  })

  it.each([
    ['the status is not the expected one', { expectStatus: [204] }, 'HTTP_STATUS'],
    ['nobody listens', { url: 'http://127.0.0.1:1/' }, 'HTTP_FAILED'],
  ])('fails when %s', async (_why, call, code) => {
    await start()
    server.dispatch({ instanceId: 61, handler: { kind: 'http', url: `${server.url}/any`, method: 'POST', body: '{}', ...call } })
    expect(await server.result(61)).toMatchObject({ outcome: 'failed', error: { code } })
  })
})

describe('stopping', () => {
  it('lets runs end, rejects new ones, delivers everything and leaves an empty spool', async () => {
    await start()
    server.dispatch({ instanceId: 70, handler: { kind: 'shell', script: 'while [ ! -e go ]; do sleep 0.02; done; echo bye' } })
    await server.until(() => server.of('started', 70).length === 1)
    const stopped = executor.stop()
    await server.until(() => server.of('drain').length === 1)
    server.dispatch({ instanceId: 71, handler: { kind: 'shell', script: 'true' } })
    await server.until(() => server.of('rejected', 71).length === 1)
    expect(server.of('rejected', 71)).toMatchObject([{ code: 'draining' }])
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(harness.folder, 'go'), '')
    await stopped
    expect(server.results.get('70/1')).toMatchObject({ outcome: 'succeeded' })
    expect(readdirSync(join(harness.folder, 'spool', 'test@one'))).toEqual([])
  })

  it('stops what still runs at the end of the grace', async () => {
    await start()
    server.dispatch({ instanceId: 72, handler: { kind: 'shell', script: 'sleep 60' } })
    await server.until(() => server.of('started', 72).length === 1)
    await executor.stop({ graceMs: 10 })
    expect(server.results.get('72/1')).toMatchObject({ outcome: 'failed', error: { code: 'EXECUTOR_STOPPED' } })
  })
})

async function livingMembers(pidFile: string): Promise<readonly number[]> {
  const { readFileSync } = await import('node:fs')
  const { membersOf } = await import('./spool/process-identity.ts')
  return membersOf(Number(readFileSync(pidFile, 'utf8')))
}
