import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AGAIN_GAPS_MS, decidePace, FIRST_PACE, NEWS_GAPS_MS, type Pace } from './pace.ts'

const SECOND = 1000
const HOUR = 3_600_000

interface Second {
  readonly news: number
  readonly again: number
}

/** Plays seconds of trouble; when messages went out, and how long anything had waited for its own. */
function play(seconds: readonly Second[]): { readonly saidAt: number[]; readonly waitedMs: { news: number; again: number } } {
  let pace: Pace = FIRST_PACE
  let since: { news: number | null; again: number | null } = { news: null, again: null }
  const saidAt: number[] = []
  const waitedMs = { news: 0, again: 0 }
  let pending: Second = { news: 0, again: 0 }
  for (const [index, more] of seconds.entries()) {
    const now = index * SECOND
    pending = { news: pending.news + more.news, again: Math.max(pending.again, more.again) }
    since = { news: pending.news > 0 ? (since.news ?? now) : null, again: pending.again > 0 ? (since.again ?? now) : null }
    const decision = decidePace({ pace, ...pending, now })
    if (decision.says) {
      expect(pending.news + pending.again).toBeGreaterThan(0)
      pace = decision.pace
      saidAt.push(now)
      pending = { news: 0, again: 0 }
      since = { news: null, again: null }
      continue
    }
    if (decision.at === null) expect(pending).toEqual({ news: 0, again: 0 })
    else expect(decision.at).toBeGreaterThan(now)
    if (since.news !== null) waitedMs.news = Math.max(waitedMs.news, now - since.news)
    if (since.again !== null) waitedMs.again = Math.max(waitedMs.again, now - since.again)
  }
  return { saidAt, waitedMs }
}

const storms = fc
  .array(
    fc.record({
      seconds: fc.integer({ min: 1, max: 1200 }),
      news: fc.constantFrom(0, 0, 1, 50),
      again: fc.constantFrom(0, 1),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.flatMap(({ seconds, news, again }) => Array.from({ length: seconds }, () => ({ news, again }))))

describe('when a rule speaks', () => {
  it('tells the first news at once, and of a storm of news after 1, 2, 5, 5 … minutes', () => {
    const { saidAt } = play(Array.from({ length: 1200 }, () => ({ news: 1, again: 0 })))
    expect(saidAt.map((at) => at / 60_000)).toEqual([0, 1, 3, 8, 13, 18])
  })

  it('tells that something goes on after 5 and 15 minutes, an hour, and then every 4 hours', () => {
    const { saidAt } = play([{ news: 1, again: 0 }, ...Array.from({ length: 11 * 3600 }, () => ({ news: 0, again: 1 }))])
    expect(saidAt.map((at) => at / 60_000)).toEqual([0, 5, 20, 80, 320, 560])
  })

  it('begins anew after a calm of twice the gap', () => {
    const calm = Array.from({ length: 900 }, () => ({ news: 0, again: 0 }))
    const news = { news: 1, again: 0 }
    expect(play([...Array.from({ length: 500 }, () => news), ...calm, news, ...calm.slice(0, 59), news]).saidAt.slice(-2)).toEqual([
      1400 * SECOND,
      1460 * SECOND,
    ])
  })

  it('never holds news back for longer than 5 minutes, nor what goes on for longer than 4 hours; never more than 30 messages an hour', () => {
    fc.assert(
      fc.property(storms, (seconds) => {
        const { saidAt, waitedMs } = play(seconds)
        expect(waitedMs.news).toBeLessThan(NEWS_GAPS_MS[2])
        expect(waitedMs.again).toBeLessThan(AGAIN_GAPS_MS[3])
        for (const at of saidAt) expect(saidAt.filter((other) => other >= at && other < at + HOUR).length).toBeLessThanOrEqual(30)
        for (const [index, at] of saidAt.entries()) if (index > 0) expect(at - (saidAt[index - 1] ?? 0)).toBeGreaterThanOrEqual(60_000)
      }),
      { numRuns: 60 },
    )
  })
})
