import { describe, expect, it } from 'vitest'
import { VERDICT, walkChain, type ChainLink, type ChainQuestion, type DueInstants } from './chain.ts'

const HOUR = 3_600_000

/** Due every `everyMs` from 0 on. */
function every(everyMs: number, more: Partial<DueInstants> = {}): DueInstants {
  return {
    knowsAll: true,
    next: (after) => (Math.floor(after / everyMs) + 1) * everyMs,
    previous: (before) => (Math.ceil(before / everyMs) - 1) * everyMs,
    count: (from, to, limit) => Math.max(0, Math.min(limit, Math.floor(to / everyMs) - Math.ceil(from / everyMs) + 1)),
    ...more,
  }
}

const fired = (at: number, prev = at - 10): ChainLink => ({
  kind: 'fired',
  fromAt: at,
  toAt: at,
  prevDueAt: prev,
  count: 1,
  code: VERDICT.fired,
})
const skipped = (from: number, to: number, prev = from - 10, count: number | null = null): ChainLink => ({
  kind: 'skipped',
  fromAt: from,
  toAt: to,
  prevDueAt: prev,
  count,
  code: 60,
})

function walk(links: readonly ChainLink[], more: Partial<ChainQuestion> = {}) {
  return walkChain({ state: { settledAt: 0, skipFrom: 0, counted: 0 }, links, due: every(10), endAt: null, maxHours: 100, ...more })
}

describe('the walk of a chain', () => {
  it('finds nothing in one that is whole, and counts it', () => {
    const { state, faults, tallies, filled } = walk([fired(10), skipped(20, 40), fired(50, 40)])
    expect(faults).toEqual([])
    expect(state.settledAt).toBe(50)
    expect(tallies).toEqual([
      { hourAt: 0, code: VERDICT.fired, n: 2 },
      { hourAt: 0, code: 60, n: 3 },
    ])
    expect(filled).toEqual([{ fromAt: 20, toAt: 40, count: 3 }])
  })

  it.each<readonly [string, readonly ChainLink[], unknown]>([
    ['an instant left out', [fired(10), fired(30)], { kind: 'missing', fromAt: 20, toAt: 20, count: 1 }],
    ['several left out', [fired(10), fired(50)], { kind: 'missing', fromAt: 20, toAt: 40, count: 3 }],
    ['the first left out', [fired(20)], { kind: 'missing', fromAt: 10, toAt: 10, count: 1 }],
    ['one that was not due', [fired(10), fired(13, 10), fired(20)], { kind: 'notDue', fromAt: 13, toAt: 13 }],
    ['one in a range that was skipped', [fired(10), skipped(20, 40), fired(30), fired(50, 40)], { kind: 'doubled', fromAt: 30, toAt: 30 }],
    ['a range over what has fired', [fired(10), fired(20), skipped(20, 30), fired(40, 30)], { kind: 'doubled', fromAt: 20, toAt: 20 }],
    ['a name that is wrong', [fired(10), fired(20, 5), fired(30)], { kind: 'broken', fromAt: 20, toAt: 20, named: 5, expected: 10 }],
  ])('finds %s, and nothing behind it', (_what, links, fault) => {
    const { faults, state } = walk(links)
    expect(faults).toEqual([fault])
    expect(state.settledAt).toBe(links.at(-1)?.toAt)
  })

  it('finds the end missing only where the cursor says that it is there', () => {
    expect(walk([fired(10)]).faults).toEqual([])
    expect(walk([fired(10)], { endAt: 30 }).faults).toEqual([{ kind: 'missing', fromAt: 20, toAt: 30, count: 2 }])
  })

  it('goes on with a skip that has grown since, and counts each of its instants once', () => {
    const first = walk([fired(10), skipped(20, 30, 10, 2)])
    const second = walk([skipped(20, 60, 10, 5), fired(70, 60)], { state: first.state })
    expect(second.faults).toEqual([])
    expect(second.tallies).toContainEqual({ hourAt: 0, code: 60, n: 3 })
  })

  it('walks a long range in bounded parts, to the same count', () => {
    const link = skipped(1000, 10 * HOUR, 0)
    let state = { settledAt: 0, skipFrom: 0, counted: 0 }
    let sum = 0
    for (let step = 0; step < 20; step += 1) {
      const part = walk([link], { state, due: every(1000), maxHours: 3 })
      sum += part.tallies.reduce((n, tally) => n + tally.n, 0)
      state = part.state
      if (part.isCut) continue
      expect(part.filled).toEqual([{ fromAt: 1000, toAt: 10 * HOUR, count: 36_000 }])
      break
    }
    expect(sum).toBe(36_000)
  })

  it('believes an entry of instants that only runs know, and its count', () => {
    const due = every(10, { knowsAll: false, next: () => 'unknown' })
    const { faults, tallies } = walk([fired(13, 0), skipped(27, 59, 13, 3), fired(70, 59)], { due })
    expect(faults).toEqual([])
    expect(tallies.map(({ n }) => n)).toEqual([2, 3])
    expect(walk([fired(13, 0), fired(40, 27)], { due }).faults).toEqual([{ kind: 'missing', fromAt: 27, toAt: 27, count: 1 }])
    // begun under a schedule that knows its instants, gone on under one that does not
    expect(walk([fired(10), skipped(20, 33, 10, 3)], { due: every(10, { knowsAll: false }) }).tallies).toContainEqual({
      hourAt: 0,
      code: 60,
      n: 3,
    })
  })
})
