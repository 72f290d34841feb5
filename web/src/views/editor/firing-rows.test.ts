import { describe, expect, it } from 'vitest'
import { firingRows } from './firing-rows.ts'

const shown = (day: number) => ({ at: `2026-10-${String(day).padStart(2, '0')}T01:00:00.000Z`, local: '', offset: '' })
const out = (day: number) => ({ ...shown(day), why: 'dayOff' as const, name: null })
const line = (firings: number[], outs: number[]) => firingRows(firings.map(shown), outs.map(out)).map((row) => (row.kind === 'firing' ? Number(row.firing.at.slice(8, 10)) : row.kind === 'out' ? -Number(row.out.at.slice(8, 10)) : `+${row.count}`))

describe('firings with what is left out between them', () => {
  it.each([
    ['nothing is left out', [1, 2], [], [1, 2]],
    ['in their order', [1, 3], [2], [1, -2, 3]],
    ['before the first', [3], [1, 2], [-1, -2, 3]],
    ['three in a row are all shown', [4], [1, 2, 3], [-1, -2, -3, 4]],
    ['of many the first two', [8, 10], [1, 2, 3, 4, 5, 6, 7, 9], [-1, -2, '+5', 8, -9, 10]],
    ['what lies after the last is not told', [1], [2], [1]],
  ])('%s', (_why, firings, outs, rows) => expect(line(firings, outs)).toEqual(rows))
})
