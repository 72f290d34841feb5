import { describe, expect, it } from 'vitest'
import type { ExpressionScope } from './expression.ts'
import { fanOutOutput, itemKey, ordersOf, outcomeOfFanOut } from './fan-out.ts'
import type { FanOutStep, Json } from './graph.ts'
import { VIEW } from './run-through.fixture.ts'

const scope: ExpressionScope = {
  ...VIEW,
  stepOf: (key) => (key === 'away' ? null : { state: 'succeeded', output: { bucket: 'b' }, error: null }),
}
const items: Json[] = [{ id: 1 }, { id: 2 }, 'three']
const step = (each: FanOutStep['each']): FanOutStep => ({ key: 'f', kind: 'fanOut', items, each })

describe('the orders of a fan-out', () => {
  it('have the item and its index, and what the run knows', () => {
    const input = { account: '=item', n: '=index', bucket: '=steps.list.output.bucket', day: '=run.date' }
    const found = ordersOf(step({ kind: 'task', task: 'g/t', input }), items, scope)
    if (found.kind === 'need') throw new Error('nothing is needed')
    const params = { account: { id: 2 }, n: 1, bucket: 'b', day: '2026-05-04' }
    expect(found.orderAt(1)).toEqual({ kind: 'value', value: { kind: 'task', task: 'g/t', inline: null, params: JSON.stringify(params) } })
  })

  it('may be for workflows, and without input', () => {
    const found = ordersOf(step({ kind: 'subWorkflow', workflow: 'g/w' }), items, scope)
    expect(found.kind === 'orders' && found.orderAt(0)).toEqual({
      kind: 'value',
      value: { kind: 'subWorkflow', workflow: 'g/w', params: null },
    })
  })

  it('fail for an item alone', () => {
    const found = ordersOf(step({ kind: 'task', task: 'g/t', input: { id: '=item.id' } }), items, scope)
    if (found.kind === 'need') throw new Error('nothing is needed')
    expect([0, 1, 2].map((index) => found.orderAt(index).kind)).toEqual(['value', 'value', 'failed'])
  })

  it('ask for outputs that are not at hand before the first is made', () => {
    const input = { a: '=steps.away.output', b: ['=steps.away.error', '=steps.list.state'] }
    expect(ordersOf(step({ kind: 'task', task: 'g/t', input }), items, scope)).toEqual({ kind: 'need', steps: ['away'] })
  })
})

it('an item is found by its text, cut at 200 characters and never within one', () => {
  expect(['a', 7, { id: 1 }, null].map((item) => itemKey(item))).toEqual(['a', '7', '{"id":1}', 'null'])
  const long = itemKey(`${'x'.repeat(198)}${'😀'.repeat(3)}`)
  expect(long.length).toBeLessThanOrEqual(200)
  expect(long.isWellFormed()).toBe(true)
})

describe('what a fan-out gives', () => {
  it('counts its children and has their results, unless these are more than 256 KiB', () => {
    expect(fanOutOutput({ total: 2, succeeded: 1, items: ['a', null] })).toEqual({ total: 2, succeeded: 1, failed: 1, items: ['a', null] })
    expect(fanOutOutput({ total: 2, succeeded: 2 })).toEqual({ total: 2, succeeded: 2, failed: 0 })
    const large = Array.from({ length: 5 }, () => 'x'.repeat(60_000))
    expect(fanOutOutput({ total: 5, succeeded: 5, items: large })).toEqual({ total: 5, succeeded: 5, failed: 0 })
  })

  it.each([
    [3, 'stop', false, 'succeeded'],
    [2, 'stop', false, 'failed'],
    [2, undefined, false, 'failed'],
    [0, 'collect', false, 'succeeded'],
    [2, 'collect', true, 'canceled'],
    [2, 'stop', true, 'canceled'],
    [3, 'stop', true, 'succeeded'],
  ] as const)('with %d of 3 well, under %s, canceled %s: %s', (succeeded, failures, isCanceled, outcome) => {
    expect(outcomeOfFanOut({ total: 3, succeeded, failures, isCanceled })).toBe(outcome)
  })
})
