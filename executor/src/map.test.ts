import type { Dispatch, MappedShard, ShardResult } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Executor } from './assemble.ts'
import type { FakeServer } from './testing/fake-server.fixture.ts'
import { Harness } from './testing/harness.fixture.ts'

let harness: Harness
let server: FakeServer
let executor: Executor

beforeEach(async () => {
  harness = new Harness()
  server = harness.server
  await server.start()
  executor = harness.executor()
})
afterEach(() => harness.close())

async function started(): Promise<void> {
  await executor.start()
}

function dispatch(instanceId: number, more: Partial<Dispatch> = {}): void {
  server.dispatch({ instanceId, handler: { kind: 'named', name: 'it' }, ...more })
}

function mapped(instanceId: number): MappedShard[] {
  return server.of('map', instanceId).flatMap((frame) => frame.shards)
}

function result(index: number, more: Partial<ShardResult> = {}): ShardResult {
  return { index, key: String(index), state: 'succeeded', result: index * 10, error: null, ...more }
}

describe('run.map', () => {
  it('makes a shard of each item, in numbered frames, before the end that counts them', async () => {
    executor.handle('it', async (run) => run.map(['a', { b: 1 }, 3], { key: (item) => `key of ${JSON.stringify(item)}` }))
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ outcome: 'succeeded', result: 3, map: { shards: 3, reduce: false } })
    expect(server.of('map', 1)).toMatchObject([{ seq: 1, attempt: 1, bootId: 100 }])
    expect(mapped(1)).toEqual([
      { key: 'key of "a"', items: ['a'] },
      { key: 'key of {"b":1}', items: [{ b: 1 }] },
      { key: 'key of 3', items: [3] },
    ])
    const types = server.frames.filter((frame) => 'instanceId' in frame).map((frame) => frame.type)
    expect(types.indexOf('map')).toBeLessThan(types.indexOf('finished'))
  })

  it('takes items as they are made, so many to a shard, and never more than 64 KiB', async () => {
    executor.handle('it', async (run) => {
      async function* numbers() {
        for (let n = 0; n < 5; n += 1) yield Promise.resolve(n)
      }
      const small = await run.map(numbers(), { size: 2 })
      return [small, await run.map(['x'.repeat(40_000), 'y'.repeat(40_000)], { size: 2 })]
    })
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ result: [3, 2], map: { shards: 5 } })
    expect(mapped(1).map((shard) => shard.key.slice(0, 6))).toEqual(['0..1', '2..3', '4', 'xxxxxx', 'yyyyyy'])
    expect(server.of('map', 1).map((frame) => frame.seq)).toEqual([1, 2])
  })

  it('holds up whoever splits faster than the server writes, and ends only when the server has everything', async () => {
    const made: number[] = []
    executor.handle('it', (run) => {
      function* items() {
        for (let n = 0; n < 10_000; n += 1) {
          made.push(n)
          yield 'x'.repeat(1_000)
        }
      }
      // not waited for: the end waits
      void run.map(items()).catch(() => undefined)
    })
    await started()
    server.isAcknowledging = false
    dispatch(1)
    await server.until(() => server.of('map', 1).length === 4)
    expect(made.length).toBeLessThan(2_000)
    expect(server.results.size).toBe(0)
    server.isAcknowledging = true
    server.acknowledgeWithheld()
    expect(await server.result(1)).toMatchObject({ map: { shards: 10_000, reduce: false } })
    expect(mapped(1)).toHaveLength(10_000)
  })

  it('sends again what was not acknowledged when the connection is cut', async () => {
    executor.handle('it', async (run) => run.map([1, 2]))
    await started()
    server.isAcknowledging = false
    dispatch(1)
    await server.until(() => server.of('map', 1).length === 1)
    server.isAcknowledging = true
    server.cut()
    expect(await server.result(1)).toMatchObject({ map: { shards: 2 } })
    expect(server.of('map', 1).map((frame) => [frame.seq, frame.shards])).toEqual([
      [1, mapped(1).slice(0, 2)],
      [1, mapped(1).slice(0, 2)],
    ])
  })

  it.each([
    ['more than 10,000 shards', 'MAP_TOO_MANY', Array.from({ length: 10_001 }, () => 0)],
    ['an item of more than 64 KiB', 'MAP_ITEM_INVALID', ['x'.repeat(65_536)]],
    ['an item that is no JSON', 'MAP_ITEM_INVALID', [() => 1]],
  ])('fails with %s: %s', async (_why, code, items) => {
    executor.handle('it', async (run) => run.map<unknown>(items))
    await started()
    dispatch(1)
    const end = await server.result(1)
    expect(end).toMatchObject({ outcome: 'failed', error: { code } })
    expect(end.map).toBeUndefined()
  })

  it.each([
    ['in a shard', { shard: { index: 0, total: 1, key: '' } }],
    ['where results are combined', { reduce: { total: 1 } }],
  ])('fails %s', async (_where, more) => {
    executor.handle('it', { split: () => [1], work: async (run) => run.map([1]), reduce: async (run) => run.map([1]) })
    await started()
    dispatch(1, 'shard' in more ? { shard: { ...more.shard, items: [1], mapped: true } } : more)
    expect(await server.result(1)).toMatchObject({ outcome: 'failed', error: { code: 'MAP_UNSUPPORTED' } })
  })

  it.each(['bad', 'stale'] as const)('fails when the server calls a frame %s', async (verdict) => {
    server.verdictOf = (frame) => (frame.type === 'map' ? verdict : 'done')
    executor.handle('it', async (run) => run.map([1]))
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ outcome: 'failed', error: { code: 'MAP_REFUSED' } })
  })

  it('tells clearly that a server of an older release cannot do it, also when it comes to one on the way', async () => {
    executor.handle('it', async (run) => run.map([1]))
    server.protocol = 1
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ error: { code: 'MAP_UNSUPPORTED', message: expect.stringContaining('upgrade') } })
    server.protocol = 2
    server.cut()
    await server.until(() => server.of('hello').length === 2 && server.isJoined)
    server.isAcknowledging = false
    dispatch(2)
    await server.until(() => server.of('map', 2).length === 1)
    server.protocol = 1
    server.isAcknowledging = true
    server.cut()
    expect(await server.result(2)).toMatchObject({ error: { code: 'MAP_REFUSED', message: expect.stringContaining('upgrade') } })
  })

  it('is given up when the run is canceled, and nothing of it counts', async () => {
    executor.handle('it', async (run) => run.map([1]))
    await started()
    server.isAcknowledging = false
    dispatch(1)
    await server.until(() => server.of('map', 1).length === 1)
    server.cancel(1)
    await server.until(() => server.results.size === 1)
    const end = await server.result(1)
    expect(end.outcome).toBe('canceled')
    expect(end.map).toBeUndefined()
  })
})

describe('a handler in three parts', () => {
  function adding(): string[] {
    const seen: string[] = []
    executor.handle('it', {
      split: (run) => {
        seen.push(`split ${run.idempotencyKey}`)
        return [1, 2, 3]
      },
      work: (run, item) => {
        seen.push(`work ${String(item)} of ${run.shard.key}: ${JSON.stringify(run.shard.item)}`)
        return item * 10
      },
      reduce: async (run, results) => {
        let sum = 0
        for await (const one of results) sum += one.state === 'succeeded' ? one.result : -1
        seen.push(`reduce ${run.idempotencyKey}`)
        return { sum }
      },
      key: (item) => `no ${String(item)}`,
    })
    return seen
  }

  it('splits, works and combines, each in an attempt of its own', async () => {
    const seen = adding()
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ outcome: 'succeeded', map: { shards: 3, reduce: true } })
    expect(mapped(1).map((shard) => shard.key)).toEqual(['no 1', 'no 2', 'no 3'])
    dispatch(2, { shard: { index: 1, total: 3, key: 'no 2', items: [2], mapped: true } })
    expect(await server.result(2)).toMatchObject({ outcome: 'succeeded', result: 20 })
    server.shardResults = [result(0), result(1), result(2, { state: 'failed', result: null, error: { code: 'E', message: '' } }), result(3)]
    server.resultsAway = 1
    dispatch(1, { attempt: 2, reduce: { total: 4 } })
    expect(await server.result(1, 2)).toMatchObject({ outcome: 'succeeded', result: { sum: 39 } })
    expect((await server.result(1, 2)).map).toBeUndefined()
    expect(seen).toEqual(['split tickwheel-1', 'work 2 of no 2: 2', 'reduce tickwheel-1-reduce'])
  })

  it('fails rather than combine less than all', async () => {
    adding()
    await started()
    server.shardResults = [result(0), result(1), result(3)]
    dispatch(1, { reduce: { total: 4 } })
    expect(await server.result(1)).toMatchObject({ outcome: 'failed', error: { code: 'SHARD_RESULTS_INCOMPLETE' } })
    server.shardResults = [result(0), result(1)]
    dispatch(2, { reduce: { total: 4 } })
    expect(await server.result(2)).toMatchObject({ outcome: 'failed', error: { code: 'SHARD_RESULTS_INCOMPLETE' } })
  })

  it('wants its results also when there was nothing to split', async () => {
    executor.handle('it', { split: () => [], work: () => 1, reduce: () => 'nothing' })
    await started()
    dispatch(1)
    expect(await server.result(1)).toMatchObject({ map: { shards: 0, reduce: true } })
    dispatch(2, { reduce: { total: 0 } })
    expect(await server.result(2)).toMatchObject({ result: 'nothing' })
  })

  it('says what is wrong with a task that is sharded by its settings, and with results that it cannot combine', async () => {
    executor.handle('it', { split: () => [1], work: () => 1 })
    executor.handle('plain', () => 1)
    await started()
    dispatch(1, { shard: { index: 0, total: 2, key: '0' } })
    expect(await server.result(1)).toMatchObject({ error: { code: 'MAP_SHARDED' } })
    dispatch(2, { reduce: { total: 0 } })
    expect(await server.result(2)).toMatchObject({ error: { code: 'REDUCE_UNSUPPORTED' } })
    dispatch(3, { reduce: { total: 0 }, handler: { kind: 'named', name: 'plain' } })
    expect(await server.result(3)).toMatchObject({ error: { code: 'REDUCE_UNSUPPORTED' } })
  })

  it('is refused where it lacks a part, or has one that is no function', () => {
    const handle: unknown = Reflect.get(executor, 'handle')
    const define = (name: string, parts: object): void => {
      if (typeof handle === 'function') Reflect.apply(handle, executor, [name, parts])
    }
    const lacking = { split: () => [1] }
    expect(() => define('a', lacking)).toThrow('handle a: expected work to be a function')
    expect(() => define('b', { ...lacking, work: () => 1, reduce: 1 })).toThrow('expected reduce')
  })
})
