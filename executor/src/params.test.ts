import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { Type } from 'typebox'
import type { Executor } from './assemble.ts'
import type { FakeServer } from './testing/fake-server.fixture.ts'
import { Harness } from './testing/harness.fixture.ts'

const Params = Type.Object(
  {
    from: Type.Integer({ minimum: 1 }),
    mode: Type.Enum(['fast', 'safe']),
    batch: Type.Integer({ default: 100 }),
    filter: Type.Optional(Type.Object({ region: Type.String({ default: 'eu' }) })),
  },
  { additionalProperties: false },
)

let harness: Harness
let server: FakeServer
let executor: Executor
let calls = 0

beforeEach(async () => {
  harness = new Harness()
  server = harness.server
  await server.start()
  executor = harness.executor({ builtIn: {} })
  calls = 0
})
afterEach(() => harness.close())

async function run(params: string, name = 'sync'): Promise<unknown> {
  await executor.start()
  server.dispatch({ instanceId: 1, handler: { kind: 'named', name }, params })
  return server.result(1)
}

function defineSync(): void {
  executor.handle('sync', { params: Params, description: 'copies orders', concurrency: 2 }, (given) => {
    calls += 1
    expectTypeOf(given.params.from).toEqualTypeOf<number>()
    expectTypeOf(given.params.mode).toEqualTypeOf<'fast' | 'safe'>()
    return given.params
  })
}

describe('a handler that declares its parameters', () => {
  it('gets a value that fits, with the defaults of the schema', async () => {
    defineSync()
    expect(await run('{"from":7,"mode":"fast","filter":{}}')).toMatchObject({
      outcome: 'succeeded',
      result: { from: 7, mode: 'fast', batch: 100, filter: { region: 'eu' } },
    })
  })

  it.each([
    ['a field is missing', '{"mode":"fast"}', 'params.from is missing'],
    ['there are none', '', 'params.from is missing; params.mode is missing'],
    ['a field is of another type', '{"from":"7","mode":"fast"}', 'params.from must be integer'],
    ['a number is out of range', '{"from":0,"mode":"fast"}', 'params.from must be >= 1'],
    ['a word is not one of those', '{"from":7,"mode":"slow"}', 'params.mode must be one of fast, safe'],
    ['a field is not known', '{"from":7,"mode":"fast","form":8}', 'params.form is not a field here'],
    ['a field of an object within is wrong', '{"from":7,"mode":"fast","filter":{"region":1}}', 'params.filter.region must be string'],
    ['they are not JSON', 'from=7', 'params: expected JSON'],
  ])('is not called when %s: the run fails and names the field', async (_why, params, message) => {
    defineSync()
    expect(await run(params)).toMatchObject({
      outcome: 'failed',
      error: { code: 'PARAMS_INVALID', message: expect.stringContaining(message) },
    })
    expect(calls).toBe(0)
  })

  it('may do so with a plain JSON schema, whose type its function gets, too', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } as const
    executor.handle('plain', { params: schema }, (given) => {
      expectTypeOf(given.params.n).toEqualTypeOf<number>()
      return given.params.n + 1
    })
    expect(await run('{"n":1}', 'plain')).toMatchObject({ outcome: 'succeeded', result: 2 })
  })

  it('may run on a worker thread, which gets the value', async () => {
    executor.handleModule('double', new URL('./testing/thread-module.fixture.js', import.meta.url), 'double', {
      params: Type.Object({ n: Type.Integer() }),
    })
    expect(await run('{"n":21}', 'double')).toMatchObject({ outcome: 'succeeded', result: { doubled: 42, key: 'tickwheel-1' } })
  })

  it('tells the server its schema', async () => {
    defineSync()
    await executor.start()
    expect(server.registrations).toMatchObject([
      {
        handlers: [
          {
            name: 'sync',
            kind: 'named',
            description: 'copies orders',
            paramsSchema: { type: 'object', required: expect.arrayContaining(['from']) },
          },
        ],
      },
    ])
  })

  it('keeps to itself the schemas that no request would hold, and goes by them all the same', async () => {
    const long = { type: 'object', required: ['n'], description: 'x'.repeat(16_000) }
    for (let each = 0; each < 40; each += 1) executor.handle(`job-${String(each)}`, { params: long }, () => null)
    expect(await run('{}', 'job-39')).toMatchObject({ outcome: 'failed', error: { code: 'PARAMS_INVALID' } })
    const [asked] = server.registrations as { handlers: { paramsSchema?: unknown }[] }[]
    expect(asked?.handlers).toHaveLength(40)
    expect(asked?.handlers.filter((handler) => handler.paramsSchema !== undefined)).toHaveLength(32)
  })
})

describe('what makes no sense is refused where it is written', () => {
  it.each([
    ['a schema over 16 KiB', { params: { description: 'x'.repeat(16_384) } }, 'at most 16384 are allowed'],
    ['a schema that is no object', { params: ['from'] }, 'expected a JSON schema'],
  ])('%s', (_why, options, message) => {
    expect(() => executor.handle<object>('bad', options, () => null)).toThrow(message)
  })

  it.each([0, 1.5, -1])('a limit of %d', (concurrency) => {
    expect(() => executor.handle('bad', { concurrency }, () => null)).toThrow(
      'concurrency of the handler bad: expected a whole number from 1',
    )
  })
})

it("a handler's own limit makes its runs wait, while those of others pass", async () => {
  const gate = Promise.withResolvers<undefined>()
  let most = 0
  let running = 0
  executor.handle('narrow', { concurrency: 2 }, async () => {
    most = Math.max(most, (running += 1))
    await gate.promise
    running -= 1
  })
  executor.handle('wide', () => null)
  await executor.start()
  for (let instanceId = 1; instanceId <= 5; instanceId += 1) server.dispatch({ instanceId, handler: { kind: 'named', name: 'narrow' } })
  server.dispatch({ instanceId: 6, handler: { kind: 'named', name: 'wide' } })
  expect(await server.result(6)).toMatchObject({ outcome: 'succeeded' })
  expect(server.of('started').filter((frame) => frame.instanceId < 6)).toHaveLength(2)
  gate.resolve(undefined)
  for (let instanceId = 1; instanceId <= 5; instanceId += 1) expect(await server.result(instanceId)).toMatchObject({ outcome: 'succeeded' })
  expect(most).toBe(2)
})
