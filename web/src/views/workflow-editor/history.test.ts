import { describe, expect, it } from 'vitest'
import { begin, LONGEST, record, redo, settle, undo } from './history.ts'

describe('steps back and forward', () => {
  it('go back one change at a time, and forward again', () => {
    const history = record(record(begin('a'), 'b', null), 'c', null)
    expect(undo(undo(history)).present).toBe('a')
    expect(redo(undo(undo(history))).present).toBe('b')
    expect(redo(history)).toBe(history)
    expect(undo(begin('a')).present).toBe('a')
  })

  it('a change after going back forgets what was ahead', () => {
    expect(redo(record(undo(record(begin('a'), 'b', null)), 'c', null)).present).toBe('c')
  })

  it('typing in one field is one step back, unless something came between', () => {
    const typed = record(record(begin(''), 'h', 'name'), 'hi', 'name')
    expect(undo(typed).present).toBe('')
    expect(undo(record(settle(typed), 'hi!', 'name')).present).toBe('hi')
    expect(undo(record(typed, 'hi!', 'other')).present).toBe('hi')
    expect(undo(record(undo(typed), 'x', 'name')).present).toBe('')
  })

  it('a value that did not change is no step', () => {
    const history = begin('a')
    expect(record(history, 'a', null)).toBe(history)
  })

  it('forgets what is long ago', () => {
    let history = begin(0)
    for (let number = 1; number <= LONGEST + 50; number += 1) history = record(history, number, null)
    expect(history.past).toHaveLength(LONGEST)
  })
})
