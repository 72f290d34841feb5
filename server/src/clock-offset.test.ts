import { expect, it } from 'vitest'
import { ClockOffset } from './clock-offset.ts'

/** A sample whose answer took `out` ms there and `back` ms back, from a clock that is 1,000 ms ahead unless told otherwise. */
const sample = (sentAt: number, [out, back]: readonly [number, number], ahead = 1000) => ({
  sentAt,
  answeredAt: sentAt + out + back,
  told: sentAt + out + ahead,
})

it('believes the shortest round trip of the last eight', () => {
  const offset = new ClockOffset()
  expect(offset.take(sample(0, [400, 0]))).toBe(1200)
  expect(offset.take(sample(5000, [1, 1]))).toBe(1000)
  for (let round = 2; round < 9; round++) expect(offset.take(sample(round * 5000, [80, 0]))).toBe(1000)
  expect(offset.take(sample(45_000, [80, 0])), 'the ninth since').toBe(1040)
})

it.each([
  ['was set ahead', 61_000],
  ['was set back', -59_000],
])('drops what it knew when that clock %s', (_why, ahead) => {
  const offset = new ClockOffset()
  offset.take(sample(0, [1, 1]))
  expect(offset.take(sample(5000, [30, 30], ahead))).toBe(ahead)
  expect(offset.take(sample(10_000, [1, 1], ahead))).toBe(ahead)
})

it('does not take a slow answer for a clock that was set', () => {
  const offset = new ClockOffset()
  offset.take(sample(0, [1, 1]))
  expect(offset.take(sample(5000, [9000, 0]))).toBe(1000)
})
