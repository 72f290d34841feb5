import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { nodeWith, slotWith, viewWith } from './cluster.fixture.ts'
import { countStates, slotByKey, slotCells } from './slot-cells.ts'
import { leaseWords, ownerWords, remainingWords } from './slot-words.ts'

const places = new Map([[1, 0], [2, 1]])
const cellOf = (over: Parameters<typeof slotWith>[1]) => {
  const cell = slotCells(viewWith({ nodes: [nodeWith(1), nodeWith(2, { isAlive: false })], slots: [slotWith(0, over)] }), places)[0]
  if (cell === undefined) throw new Error('slotCells gave no cell')
  return cell
}

describe('the cells of the slots', () => {
  it('are all there, in order, also those that the answer leaves out', () => {
    const cells = slotCells(viewWith({ slots: [slotWith(200), slotWith(3)] }), places)
    expect(cells.map((cell) => cell.slot)).toEqual(Array.from({ length: 256 }, (_, slot) => slot))
    expect(countStates(cells)).toEqual({ owned: 2, orphaned: 0, free: 254 })
  })

  it.each([
    ['owned', 1, 'A'],
    ['orphaned', 2, 'B'],
    ['orphaned', 77, null],
    ['free', null, null],
  ])('are %s when the owner is %s', (state, owner, letter) => {
    const cell = cellOf({ owner })
    expect([cell.state, cell.mark?.letter ?? null]).toEqual([state, letter])
  })

  it('know when a slot was never taken', () => {
    expect(cellOf({ owner: null, fence: 0 }).takenAt).toBeNull()
    expect(cellOf({ owner: null, fence: 4 }).takenAt).not.toBeNull()
  })
})

describe('the words about a slot', () => {
  beforeAll(() => loadLocale('en'))

  it.each([[1, 'node-1'], [2, 'node-2, silent'], [77, 'node 77, silent'], [null, 'no node']])('say of the owner %s: %s', (owner, words) => expect(ownerWords(cellOf({ owner }))).toBe(words))

  it('say who holds the lease, that it is not the owner, or why nobody does', () => {
    expect(leaseWords(cellOf({ lease: { owner: 1, remainingMs: 2_400 } }), 'ok')).toBe('node-1')
    expect(remainingWords(cellOf({ lease: { owner: 1, remainingMs: 2_400 } }))).toBe('2.4 s')
    expect(leaseWords(cellOf({ lease: { owner: 2, remainingMs: 10 } }), 'ok')).toContain('node-2, not the owner')
    expect(leaseWords(cellOf({}), 'away')).toBe('Redis is away')
    expect(leaseWords(cellOf({}), 'none')).toBe('Redis is not used')
    expect(remainingWords(cellOf({}))).toBe('–')
  })
})

describe('the keys on the map', () => {
  it.each([
    [0, 'ArrowLeft', 0], [16, 'ArrowLeft', 15], [255, 'ArrowRight', 255], [5, 'ArrowUp', 5], [21, 'ArrowUp', 5], [250, 'ArrowDown', 250], [5, 'ArrowDown', 21],
    [37, 'Home', 32], [37, 'End', 47], [37, 'PageUp', 5], [37, 'PageDown', 245], [37, 'Enter', null], [37, 'Tab', null],
  ])('from %d, %s leads to %s', (slot, key, next) => expect(slotByKey(slot, key)).toBe(next))
})
