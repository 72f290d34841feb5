import { describe, expect, it } from 'vitest'
import { KIND_LETTER, keyAction } from './key-actions.ts'
import { KINDS } from './step-kinds.ts'

const press = (key: string, held: readonly string[] = []) => ({ key, ctrlKey: held.includes('ctrl'), metaKey: held.includes('meta'), shiftKey: held.includes('shift'), altKey: held.includes('alt') })

describe('keys of the canvas', () => {
  it.each([
    ['z', ['ctrl'], 'undo'], ['Z', ['meta', 'shift'], 'redo'], ['y', ['ctrl'], 'redo'], ['a', ['ctrl'], 'selectAll'], ['s', ['meta'], 'save'],
    ['Delete', [], 'remove'], ['Backspace', [], 'remove'], ['Escape', [], 'leave'], ['l', [], 'layout'], ['f', [], 'fit'],
  ] as const)('%s with %j is %s', (key, held, kind) => {
    expect(keyAction(press(key, held), false)).toEqual({ kind })
  })

  it('each kind of step has a letter of its own', () => {
    expect(new Set(KINDS.map((kind) => KIND_LETTER[kind])).size).toBe(KINDS.length)
    for (const kind of KINDS) expect(keyAction(press(KIND_LETTER[kind]), false)).toEqual({ kind: 'add', step: kind })
  })

  it('are a field’s own while somebody types, except to save', () => {
    for (const [key, held] of [['t', []], ['Delete', []], ['z', ['ctrl']], ['a', ['ctrl']]] as const) expect(keyAction(press(key, held), true)).toBeNull()
    expect(keyAction(press('s', ['ctrl']), true)).toEqual({ kind: 'save' })
  })

  it.each([['t', ['alt']], ['T', ['shift']], ['x', []], ['r', ['ctrl']]] as const)('%s with %j is not ours', (key, held) => {
    expect(keyAction(press(key, held), false)).toBeNull()
  })
})
