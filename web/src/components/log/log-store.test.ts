import type { LogLine } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { BLOCK, lineName, LogStore, seqOfHash } from './log-store.ts'

const seqOf = (number: number, attempt = 1) => attempt * 2 ** 32 + number
const line = (number: number, over: Partial<LogLine> = {}): LogLine => {
  const attempt = over.attempt ?? 1
  return { seq: seqOf(number, attempt), at: '2026-11-22T08:00:00.000Z', attempt, stream: 'stdout', level: 'info', text: `line ${number}`, ...over }
}
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => line(from + index))
const words = (store: LogStore) =>
  Array.from({ length: store.length }, (_, index) => {
    const entry = store.entry(index)
    return entry === null ? 'null' : entry.kind === 'line' ? entry.text : entry.kind === 'gap' ? `gap ${entry.count}` : `attempt ${entry.attempt}`
  })

describe('the log store', () => {
  it('keeps lines in order and leaves out what it has already, so that a repeat after a reconnect is harmless', () => {
    const store = new LogStore()
    store.append(lines(1, 3))
    store.append(lines(2, 5))
    expect(words(store)).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5'])
    expect(store.lastSeq).toBe(seqOf(5))
  })

  it('gives the facts of a line back as they came', () => {
    const store = new LogStore()
    store.append([line(1, { stream: 'stderr', level: 'error', text: 'no', at: '2026-11-22T08:00:00.123Z' })])
    expect(store.entry(0)).toEqual({ kind: 'line', seq: seqOf(1), atMs: Date.parse('2026-11-22T08:00:00.123Z'), stream: 'stderr', level: 'error', text: 'no' })
    expect(store.entry(1)).toBeNull()
  })

  it.each([
    ['lines lost in the middle', [line(1), line(5)], ['line 1', 'gap 3', 'line 5']],
    ['lines lost at the beginning', [line(4)], ['gap 3', 'line 4']],
    ['a hole that the server ends with a line of its own, once', [line(1), line(8, { stream: 'system', text: '… 7 lines were dropped here …' }), line(9)], ['line 1', 'gap 7', 'line 9']],
    ['no hole where Tickwheel itself prints a line', [line(1), line(2, { stream: 'system', text: 'killed' })], ['line 1', 'killed']],
    ['a second attempt', [line(1), line(1, { attempt: 2 })], ['line 1', 'attempt 2', 'line 1']],
    ['a first attempt that printed nothing', [line(1, { attempt: 2 })], ['attempt 2', 'line 1']],
    ['a hole at the beginning of an attempt', [line(1), line(3, { attempt: 2 })], ['line 1', 'attempt 2', 'gap 2', 'line 3']],
  ])('marks %s', (_why, given, expected) => {
    const store = new LogStore()
    store.append(given)
    expect(words(store)).toEqual(expected)
  })

  it('finds a line by its number, and the next one where it is lost', () => {
    const store = new LogStore()
    store.append([...lines(1, 3), line(10), line(1, { attempt: 2 })])
    const at = (seq: number) => store.entry(store.indexOf(seq))
    expect(at(seqOf(2))).toMatchObject({ seq: seqOf(2) })
    expect(at(seqOf(7))).toMatchObject({ seq: seqOf(10) })
    expect(at(seqOf(1, 2))).toMatchObject({ seq: seqOf(1, 2) })
    expect(store.indexOf(seqOf(9, 2))).toBe(-1)
  })

  it('filters by stream and level without needing the texts', () => {
    const store = new LogStore()
    store.append([line(1), line(2, { stream: 'stderr', level: 'warn' }), line(3, { stream: 'log', level: 'error' })])
    const shown = (streams: number, level: number) => [0, 1, 2].filter((index) => store.passes(index, streams, level))
    expect(shown(0b1111, 0)).toEqual([0, 1, 2])
    expect(shown(0b0010, 0)).toEqual([1])
    expect(shown(0b1111, 2)).toEqual([1, 2])
  })

  it('gives up the texts that were not looked at for longest, and takes them back', () => {
    const store = new LogStore(BLOCK * 2.5 * 9)
    for (let from = 1; from <= BLOCK * 4; from += BLOCK) {
      store.append(Array.from({ length: BLOCK }, (_, index) => line(from + index, { text: 'ninechars' })))
      store.entry(0)
    }
    expect(store.textSize).toBeLessThanOrEqual(BLOCK * 2.5 * 9)
    expect(store.entry(0)).toMatchObject({ text: 'ninechars' })
    expect(store.entry(BLOCK)).toMatchObject({ text: null, seq: seqOf(BLOCK + 1) })
    const missing = store.missing(BLOCK)
    expect(missing).toEqual({ block: 1, after: seqOf(BLOCK), limit: BLOCK })
    store.restore(1, Array.from({ length: BLOCK }, (_, index) => line(BLOCK + 1 + index, { text: 'back' })))
    expect(store.entry(BLOCK)).toMatchObject({ text: 'back' })
    expect(store.missing(BLOCK)).toBeNull()
    expect(store.lineCount).toBe(BLOCK * 4)
  })

  it('takes a million lines', () => {
    const store = new LogStore(1_000_000)
    for (let from = 1; from <= 1_000_000; from += 5_000) store.append(lines(from, from + 4_999))
    expect(store.length).toBe(1_000_000)
    expect(store.textSize).toBeLessThanOrEqual(1_000_000)
    expect(store.indexOf(seqOf(777_777))).toBe(777_776)
  })

  it.each([
    ['#L12', seqOf(12)],
    ['#L2.7', seqOf(7, 2)],
    ['', null],
    ['#attempts', null],
    ['#L', null],
  ])('reads the address %s', (hash, seq) => {
    expect(seqOfHash(hash)).toBe(seq)
    if (seq !== null) expect(`#L${lineName(seq)}`).toBe(hash)
  })
})
