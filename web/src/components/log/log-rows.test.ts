import type { LogLine } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { LogRows, NO_FILTER } from './log-rows.ts'
import { LogStore } from './log-store.ts'

const line = (number: number): LogLine => ({ seq: 2 ** 32 + number, at: '2026-11-22T08:00:00.000Z', attempt: 1, stream: number % 3 === 0 ? 'stderr' : 'stdout', level: number % 3 === 0 ? 'error' : 'info', text: '' })
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => line(from + index))

describe('the rows of a log', () => {
  it('are its entries while nothing is filtered', () => {
    const store = new LogStore()
    store.append(lines(1, 5))
    const rows = new LogRows(store, NO_FILTER)
    expect([rows.update(), rows.entryAt(3), rows.rowOf(3)]).toEqual([5, 3, 3])
  })

  it('are those that pass a filter, also as more arrive', () => {
    const store = new LogStore()
    store.append(lines(1, 7))
    const rows = new LogRows(store, { streams: 0b0010, level: 0 })
    expect(rows.update()).toBe(2)
    store.append(lines(8, 3_000 * 3))
    expect(rows.update()).toBe(3_000)
    expect([rows.entryAt(0), rows.entryAt(2_999)]).toEqual([2, 8_999])
    expect([rows.rowOf(2), rows.rowOf(3), rows.rowOf(9_000)]).toEqual([0, 1, 3_000])
  })
})
