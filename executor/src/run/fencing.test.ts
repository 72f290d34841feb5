import { expect, it } from 'vitest'
import { fencingTokenOf, idempotencyHeaders, idempotencyKeyOf } from './fencing.ts'

it('a fencing token grows with each attempt of a run and from run to run, as text and as a number', () => {
  const keys = [
    { instanceId: 9, attempt: 999 },
    { instanceId: 10, attempt: 1 },
    { instanceId: 10, attempt: 2 },
    { instanceId: 10, attempt: 10 },
    { instanceId: Number.MAX_SAFE_INTEGER, attempt: 1 },
  ]
  const tokens = keys.map(fencingTokenOf)
  expect(tokens.toSorted()).toEqual(tokens)
  expect(tokens.toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))).toEqual(tokens)
  expect(new Set(tokens.map((token) => token.length))).toEqual(new Set([22]))
})

it('the idempotency key is the same for every attempt of a run; each of several requests of a run may have its own', () => {
  const facts = (attempt: number) => ({
    idempotencyKey: idempotencyKeyOf({ instanceId: 7 }),
    fencingToken: fencingTokenOf({ instanceId: 7, attempt }),
  })
  const [first, second] = [idempotencyHeaders(facts(1)), idempotencyHeaders(facts(2))]
  expect(first['Idempotency-Key']).toBe(second['Idempotency-Key'])
  expect(first['Tickwheel-Fencing-Token'] < second['Tickwheel-Fencing-Token']).toBe(true)
  expect(idempotencyHeaders(facts(1), 'order 文')).toMatchObject({ 'Idempotency-Key': 'tickwheel-7-order%20%E6%96%87' })
})
