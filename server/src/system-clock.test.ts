import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SystemClock } from './system-clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('wakes once, at or after the instant, and not when it was canceled', () => {
  const clock = new SystemClock(() => undefined)
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
  clock.stop()
})

it('follows a clock that was set far by a step, and tells it; a small difference slowly and silently', () => {
  const steps: number[] = []
  const clock = new SystemClock((byMs) => steps.push(byMs))
  vi.setSystemTime(Date.now() + 60_000)
  vi.advanceTimersByTime(5000)
  expect(steps).toEqual([60_000])
  expect(Math.abs(clock.now() - Date.now())).toBeLessThanOrEqual(1)
  vi.setSystemTime(Date.now() + 200)
  vi.advanceTimersByTime(5000)
  expect(Date.now() - clock.now()).toBeGreaterThan(150)
  vi.advanceTimersByTime(300_000)
  expect(Math.abs(clock.now() - Date.now())).toBeLessThanOrEqual(2)
  expect(steps).toHaveLength(1)
  clock.stop()
})

it('sleeps longer than a timer can', () => {
  const clock = new SystemClock(() => undefined)
  let woken = false
  clock.wake(clock.now() + 60 * 86_400_000, () => {
    woken = true
  })
  vi.advanceTimersByTime(59 * 86_400_000)
  expect(woken).toBe(false)
  clock.stop()
})
