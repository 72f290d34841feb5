import type { LogLine } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { LogSearch } from './log-search.ts'
import { BLOCK, LogStore } from './log-store.ts'

const line = (number: number, text: string): LogLine => ({ seq: 2 ** 32 + number, at: '2026-11-22T08:00:00.000Z', attempt: 1, stream: 'stdout', level: 'info', text })
const all = () => true

function storeOf(texts: readonly string[], maxText?: number): LogStore {
  const store = new LogStore(maxText)
  store.append(texts.map((text, index) => line(index + 1, text)))
  return store
}

describe('searching a log', () => {
  it('finds without regard to case, through colours, and only in what is shown', () => {
    const store = storeOf(['An ERROR', 'fine', '\u001b[31mer\u001b[0mror', 'error too'])
    const search = new LogSearch(store, 'Error', (index) => index !== 3)
    expect(search.step()).toBeNull()
    expect(search.hits).toEqual([0, 2])
    expect(search.isDone()).toBe(true)
  })

  it('goes on with lines that arrive later', () => {
    const store = storeOf(['error'])
    const search = new LogSearch(store, 'error', all)
    search.step()
    store.append([line(2, 'another error')])
    expect(search.isDone()).toBe(false)
    search.step()
    expect(search.hits).toEqual([0, 1])
  })

  it('asks for texts that were given up, and goes on when they are back', () => {
    const store = storeOf(Array.from({ length: BLOCK * 2 + 1 }, (_, index) => `row ${index}`), 20)
    const search = new LogSearch(store, 'row 7', all)
    expect(search.step()).toBe(0)
    store.restore(0, Array.from({ length: BLOCK }, (_, index) => line(index + 1, `row ${index}`)))
    // so little room that the first block goes again as soon as the second is wanted
    expect(search.isDone()).toBe(false)
  })

  it('begins at what is seen and goes round', () => {
    const store = storeOf(['x', 'a', 'x', 'a'])
    const search = new LogSearch(store, 'x', all)
    search.step()
    expect([search.from(0), search.from(1), search.from(3)]).toEqual([0, 1, 0])
    expect(new LogSearch(store, 'nothing', all).from(0)).toBe(-1)
  })
})
