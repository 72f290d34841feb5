import { OBSTACLES } from '@tickwheel/core'
import type { RouteAnswer, RoutePlace } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { isUncertain, placeWords } from './route-words.ts'

const place = (more: Partial<RoutePlace> = {}): RoutePlace => ({ executorId: 1, name: 'a', place: 1, obstacle: null, inFlight: 0, capacity: 10, labels: {}, facts: {}, ...more })
const answer = (strategy: RouteAnswer['strategy'], isDecidedHere = true): RouteAnswer => ({ strategy, executorId: 1, waitingFor: null, isDecidedHere, executors: [] })

describe('why an executor would or would not get it', () => {
  beforeAll(() => loadLocale('en'))
  afterAll(() => loadLocale('en'))

  it.each([
    ['room alone', 'first', {}, 'has a free slot'],
    ['a missing label', 'first', { place: null, obstacle: 'labelsMissing', facts: { labels: 'zone=a' } }, 'lacks the label zone=a'],
    ['the home of a key', 'consistentHash', { facts: { place: 1 } }, 'the home of its key'],
    ['too much at the home', 'consistentHash', { facts: { place: 1, over: 5 } }, 'above its share of 5, so behind the others'],
    ['uses, of one that is full', 'leastUsed', { obstacle: 'full', facts: { uses: 1.5 } }, 'full · 1.5 runs lately'],
    ['no use yet', 'leastRecentlyUsed', { facts: { usedAt: null } }, 'no run yet'],
  ] as const)('%s', (_what, strategy, more, words) => expect(placeWords(place(more), answer(strategy))).toBe(words))

  it.each(['en', 'zh'] as const)('every obstacle has words (%s)', async (locale) => {
    await loadLocale(locale)
    const words = OBSTACLES.map((obstacle) => placeWords(place({ place: null, obstacle }), answer('roundRobin')))
    expect(new Set(words).size).toBe(OBSTACLES.length)
    for (const text of words) expect(text).not.toMatch(/task\.|\{/)
    await loadLocale('en')
  })

  it('an order that rests on what another node remembers is told as uncertain', () => {
    expect(isUncertain(answer('roundRobin', false))).toBe(true)
    expect(isUncertain(answer('roundRobin', true))).toBe(false)
    expect(isUncertain(answer('consistentHash', false))).toBe(false)
  })
})
