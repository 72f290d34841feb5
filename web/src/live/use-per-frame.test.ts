import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { usePerFrame } from './use-per-frame.ts'

describe('what live events bring', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())
  const gathered = () => {
    const taken: (readonly number[])[] = []
    const scope = effectScope()
    const bring = scope.run(() => usePerFrame<number>((items) => taken.push(items)))
    return { taken, scope, bring: (...items: number[]) => bring?.(items) }
  }

  it('is taken once a frame, all of it, in order', () => {
    const { taken, bring } = gathered()
    bring(1)
    bring(2, 3)
    bring()
    expect(taken).toEqual([])
    vi.advanceTimersToNextFrame()
    expect(taken).toEqual([[1, 2, 3]])
    bring(4)
    vi.advanceTimersToNextFrame()
    vi.advanceTimersByTime(5_000)
    expect(taken).toEqual([[1, 2, 3], [4]])
  })

  it('is taken behind another tab, too, where there are no frames', () => {
    vi.stubGlobal('requestAnimationFrame', () => 1)
    const { taken, bring } = gathered()
    bring(1)
    bring(2)
    vi.advanceTimersByTime(1_000)
    vi.unstubAllGlobals()
    expect(taken).toEqual([[1, 2]])
  })

  it('is dropped when the component has ended', () => {
    const { taken, bring, scope } = gathered()
    bring(1)
    scope.stop()
    vi.advanceTimersByTime(1_000)
    expect(taken).toEqual([])
  })
})
