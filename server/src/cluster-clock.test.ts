import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClusterClock } from './cluster-clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
})
const clocks: ClusterClock[] = []
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop()
  vi.useRealTimers()
})

/** A clock that follows a source, and what it told. */
async function follow(source: () => Promise<number> = async () => Date.now()) {
  const steps: number[] = []
  const skews: (readonly [number, boolean])[] = []
  const clock = await ClusterClock.start({
    source,
    onStep: (byMs) => steps.push(byMs),
    onSkew: (skewMs, isWrong) => skews.push([Math.round(skewMs), isWrong]),
  })
  clocks.push(clock)
  return { clock, steps, skews }
}

describe('waking', () => {
  it('comes once, at or after the instant, and not when it was canceled', async () => {
    const { clock } = await follow()
    const woken: string[] = []
    const at = clock.now() + 100
    clock.wake(at, () => woken.push('a'))
    clock.wake(at, () => woken.push('b')).cancel()
    clock.wake(clock.now() - 5, () => woken.push('past'))
    vi.advanceTimersByTime(99)
    expect(woken).toEqual(['past'])
    vi.advanceTimersByTime(2)
    expect(woken).toEqual(['past', 'a'])
    expect(clock.now()).toBeGreaterThanOrEqual(at)
  })

  it('comes after a time that has passed, whatever is done to the clock', async () => {
    const { clock } = await follow()
    const woken: string[] = []
    clock.after(20_000, () => woken.push('a'))
    clock.after(20_000, () => woken.push('b')).cancel()
    vi.setSystemTime(Date.now() + 3_600_000)
    await vi.advanceTimersByTimeAsync(19_900)
    expect(woken).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(woken).toEqual(['a'])
  })

  it('sleeps longer than a timer can', async () => {
    const { clock } = await follow()
    let woken = false
    clock.wake(clock.now() + 60 * 86_400_000, () => {
      woken = true
    })
    vi.advanceTimersByTime(59 * 86_400_000)
    expect(woken).toBe(false)
  })
})

describe("on the machine's own clock", () => {
  it('follows one that was set far by a step, and tells it; a small difference slowly and silently', async () => {
    const { clock, steps, skews } = await follow()
    vi.setSystemTime(Date.now() + 60_000)
    await vi.advanceTimersByTimeAsync(5000)
    expect(steps).toEqual([60_000])
    expect(Math.abs(clock.now() - Date.now())).toBeLessThanOrEqual(1)
    vi.setSystemTime(Date.now() + 400)
    await vi.advanceTimersByTimeAsync(6000)
    expect(Date.now() - clock.now()).toBeGreaterThan(300)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(Math.abs(clock.now() - Date.now())).toBeLessThanOrEqual(2)
    expect(steps).toHaveLength(1)
    expect(skews).toEqual([])
  })

  it('neither stands still nor goes back while it slows down', async () => {
    const { clock } = await follow()
    vi.setSystemTime(Date.now() - 450)
    let last = clock.now()
    for (let round = 0; round < 200; round++) {
      await vi.advanceTimersByTimeAsync(100)
      const now = clock.now()
      expect(now - last).toBeGreaterThanOrEqual(94)
      expect(now - last).toBeLessThanOrEqual(101)
      last = now
    }
    expect(Math.abs(clock.now() - Date.now())).toBeLessThanOrEqual(2)
  })
})

describe("on the database's clock", () => {
  it('begins there, whatever the machine thinks, and tells its skew once and its recovery once', async () => {
    let ahead = -2000
    const { clock, steps, skews } = await follow(async () => Date.now() + ahead)
    expect([clock.now() - Date.now(), clock.skewMs()]).toEqual([-2000, 2000])
    await vi.advanceTimersByTimeAsync(60_000)
    expect([steps, skews]).toEqual([[], [[2000, true]]])
    vi.setSystemTime(Date.now() - 2000)
    ahead = 0
    await vi.advanceTimersByTimeAsync(60_000)
    expect([steps, skews]).toEqual([
      [],
      [
        [2000, true],
        [0, false],
      ],
    ])
  })

  it('skips a question that is not answered, and asks again', async () => {
    let isAway = false
    let ahead = 0
    const { clock, steps } = await follow(async () => {
      if (isAway) throw new Error('away')
      return Date.now() + ahead
    })
    isAway = true
    ahead = 10_000
    await vi.advanceTimersByTimeAsync(60_000)
    expect([steps, clock.skewMs()]).toEqual([[], 0])
    isAway = false
    await vi.advanceTimersByTimeAsync(5000)
    expect([steps, clock.skewMs()]).toEqual([[10_000], -10_000])
  })

  it('does not wait for ever at its start', async () => {
    await expect(follow(async () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    let asked = 0
    const { clock } = await follow(async () => {
      asked += 1
      if (asked < 3) throw new Error('away')
      return Date.now() + 7000
    })
    expect(clock.skewMs()).toBe(-7000)
  })
})
