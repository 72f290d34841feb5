import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { usePoll } from './use-poll.ts'

function turnPage(state: 'visible' | 'hidden'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
  document.dispatchEvent(new Event('visibilitychange'))
}

describe('a poll', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    turnPage('visible')
  })
  afterEach(() => vi.useRealTimers())

  function start(work: () => Promise<void>) {
    const own = effectScope()
    own.run(() => usePoll(work, 2_000))
    return own
  }

  it('works at once, and again a while after each end, so that a slow answer is never asked for twice', async () => {
    const ends: (() => void)[] = []
    const own = start(() => new Promise((resolve) => ends.push(resolve)))
    expect(ends).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await vi.advanceTimersByTimeAsync(1_999)
    expect(ends).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(ends).toHaveLength(2)
    own.stop()
  })

  it('rests while the page is hidden, and does not wait when it is back', async () => {
    const work = vi.fn(() => Promise.resolve())
    const own = start(work)
    turnPage('hidden')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(work).toHaveBeenCalledTimes(1)
    turnPage('visible')
    expect(work).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(work).toHaveBeenCalledTimes(3)
    own.stop()
  })

  it('is over with its component, also when an answer comes after that', async () => {
    let end = () => {}
    const work = vi.fn(() => new Promise<void>((resolve) => (end = resolve)))
    start(work).stop()
    end()
    await vi.advanceTimersByTimeAsync(10_000)
    turnPage('visible')
    expect(work).toHaveBeenCalledTimes(1)
  })
})
