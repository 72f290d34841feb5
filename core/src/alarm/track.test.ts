import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failuresInARow, isSlow, slideWindow, usualMs, withLate, withTook } from './track.ts'

describe('a sliding window', () => {
  it('is reached exactly when so many failures lie within its length, in whatever order they are told', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(instants, fc.integer({ min: 2, max: 6 }), fc.integer({ min: 5, max: 40 }), (told, times, windowMs) => {
        let failures: readonly number[] = []
        let isReached = false
        for (const at of told) {
          ;({ failures, isReached } = slideWindow(failures, at, { times, windowMs }))
          expect(failures.length).toBeLessThanOrEqual(times)
        }
        const newest = Math.max(...told)
        expect(isReached).toBe(told.filter((at) => at > newest - windowMs).length >= times)
      }),
    )
  })

  it('leaves out what is as old as it is long', () => {
    expect(slideWindow([0], 10, { times: 2, windowMs: 10 }).isReached).toBe(false)
    expect(slideWindow([1], 10, { times: 2, windowMs: 10 }).isReached).toBe(true)
  })
})

it('failures in a row end at the first that is none', () => {
  const outcomes = (text: string): { isFailure: boolean }[] => [...text].map((letter) => ({ isFailure: letter === 'f' }))
  expect(['', 's', 'f', 'ffs', 'ff', 'sff'].map((text) => failuresInARow(outcomes(text)))).toEqual([0, 0, 1, 2, 2, 0])
})

describe('what is usual', () => {
  it('is known from 20 successes on, and is their 95th percentile', () => {
    const twenty = Array.from({ length: 20 }, (_, index) => index + 1)
    expect([usualMs(twenty.slice(1)), usualMs(twenty)]).toEqual([null, 19])
  })

  it('keeps the last 50', () => {
    let known: readonly number[] = []
    for (let ms = 0; ms < 80; ms += 1) known = withTook(known, ms)
    expect([known.length, known[0], known.at(-1)]).toEqual([50, 30, 79])
  })

  it.each([
    ['more than twice', 4001, 2000, true],
    ['just twice', 4000, 2000, false],
    ['nothing is known', 9999, null, false],
    ['it took less than a second', 999, 10, false],
  ])('%s', (_why, took, usual, isIt) => {
    expect(isSlow(took, usual, 200)).toBe(isIt)
  })
})

it('a late run is taken in once, and 50 are remembered', () => {
  let late: readonly number[] = []
  for (let id = 1; id <= 60; id += 1) late = withLate(late, id) ?? late
  expect([late.length, withLate(late, 60), withLate(late, 61)?.at(-1)]).toEqual([50, null, 61])
})
