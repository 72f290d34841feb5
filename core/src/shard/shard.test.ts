import { describe, expect, it } from 'vitest'
import { addShards, endedShards, outcomeOfParent } from './outcome.ts'
import { MAX_SHARDS, planShards, type ShardPart, type ShardQuestion } from './plan.ts'

const question = { params: '', executors: [] }

function parts(asked: Partial<ShardQuestion> & Pick<ShardQuestion, 'sharding'>): ShardPart[] {
  const plan = planShards({ ...question, ...asked })
  if (plan.kind === 'refused') throw new Error(plan.problem)
  return Array.from({ length: plan.total }, (_, index) => plan.partAt(index))
}

describe('the shards of a run', () => {
  it('are as many as a fixed number says, each with its index as key', () => {
    expect(parts({ sharding: { kind: 'fixed', total: 3 } })).toEqual([{ key: '0' }, { key: '1' }, { key: '2' }])
  })

  it('are one for each executor of a broadcast, tied to it', () => {
    const executors = [
      { executorId: 7, name: 'a' },
      { executorId: 9, name: 'b' },
    ]
    expect(parts({ sharding: { kind: 'broadcast' }, executors })).toEqual([
      { key: 'a', executorId: 7 },
      { key: 'b', executorId: 9 },
    ])
  })

  it.each([
    [0, 10, 5],
    [0, 11, 5],
    [-7, 3, 4],
    [5, 6, 1000],
    [0, 1_000_000, 100],
    [Number.MAX_SAFE_INTEGER - 10, Number.MAX_SAFE_INTEGER, 3],
  ])('of the range %d to %d by %d cover it without a gap or a repeat', (from, to, size) => {
    const ranges = parts({ sharding: { kind: 'range', from, to, size } }).map((part) => part.range)
    expect(ranges[0]?.from).toBe(from)
    expect(ranges.at(-1)?.to).toBe(to)
    for (const [index, range] of ranges.entries()) {
      expect(range?.to).toBeGreaterThan(range?.from ?? Infinity)
      if (index > 0) expect(range?.from).toBe(ranges[index - 1]?.to)
    }
  })

  it('of a list are its chunks, with the text of their items as key', () => {
    const params = JSON.stringify(['amsterdam', 2, { a: 1 }, 'x'.repeat(300)])
    expect(parts({ sharding: { kind: 'list', itemsFrom: 'params', size: 2 }, params: '["a","b","c"]' })).toEqual([
      { key: 'a..b', items: ['a', 'b'] },
      { key: 'c', items: ['c'] },
    ])
    const single = parts({ sharding: { kind: 'list', itemsFrom: 'params', size: 1 }, params })
    expect(single.slice(0, 3).map((part) => part.key)).toEqual(['amsterdam', '2', '{"a":1}'])
    expect(single[3]?.key.length).toBeLessThanOrEqual(200)
    expect(parts({ sharding: { kind: 'list', itemsFrom: 'params', size: 5 }, params: '[]' })).toEqual([])
  })

  it.each([
    ['a range that ends before it begins', { kind: 'range', from: 5, to: 5, size: 1 }, '', 'rangeEmpty'],
    ['a range with too many parts', { kind: 'range', from: 0, to: MAX_SHARDS + 1, size: 1 }, '', 'tooManyShards'],
    ['a number beyond the bound', { kind: 'fixed', total: MAX_SHARDS + 1 }, '', 'tooManyShards'],
    ['params that are no JSON', { kind: 'list', itemsFrom: 'params', size: 1 }, 'a,b', 'paramsNotAList'],
    ['params that are no array', { kind: 'list', itemsFrom: 'params', size: 1 }, '{"a":1}', 'paramsNotAList'],
  ] as const)('refuses %s', (_why, sharding, params, problem) => {
    expect(planShards({ ...question, sharding, params })).toMatchObject({ kind: 'refused', problem })
  })
})

describe('the end of a parent', () => {
  it.each([
    ['succeeds when every shard did', { succeeded: 4 }, false, 'succeeded'],
    ['fails when one failed', { succeeded: 3, failed: 1 }, false, 'failed'],
    ['fails when one was canceled by itself', { succeeded: 3, canceled: 1 }, false, 'failed'],
    ['is canceled when somebody asked for it', { succeeded: 1, canceled: 2 }, true, 'canceled'],
    ['succeeds when the wish to cancel came too late', { succeeded: 4 }, true, 'succeeded'],
  ] as const)('%s', (_title, counts, isCanceled, outcome) => {
    expect(outcomeOfParent({ total: 4, counts, isCanceled })).toBe(outcome)
  })

  it('counts every end once', () => {
    const counts = addShards(addShards({}, ['succeeded', 'failed']), ['succeeded', 'lost'])
    expect(counts).toEqual({ succeeded: 2, failed: 1, lost: 1 })
    expect(endedShards(counts)).toBe(4)
  })
})
