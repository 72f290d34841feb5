/** What a key does on the canvas. */
import type { StepKind } from './step-kinds.ts'

export type KeyAction = { readonly kind: 'add'; readonly step: StepKind } | { readonly kind: 'undo' | 'redo' | 'selectAll' | 'remove' | 'save' | 'leave' | 'layout' | 'fit' }

/** The letter that adds a step of a kind; the palette shows it. */
export const KIND_LETTER: Readonly<Record<StepKind, string>> = { task: 't', subWorkflow: 'w', condition: 'c', switch: 's', wait: 'p', approval: 'a', fanOut: 'e' }

export interface Pressed {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
}

/** Null: not ours. While somebody types in a field only saving is. Copy, cut and paste are events of their own. */
export function keyAction({ key, ctrlKey, metaKey, shiftKey, altKey }: Pressed, isTyping: boolean): KeyAction | null {
  const letter = key.toLowerCase()
  if (ctrlKey || metaKey) {
    if (letter === 's' && !shiftKey) return { kind: 'save' }
    return isTyping || altKey ? null : withControl(letter, shiftKey)
  }
  if (isTyping || altKey) return null
  if (key === 'Delete' || key === 'Backspace') return { kind: 'remove' }
  if (key === 'Escape') return { kind: 'leave' }
  if (shiftKey) return null
  if (letter === 'l') return { kind: 'layout' }
  if (letter === 'f') return { kind: 'fit' }
  const step = kindOf(letter)
  return step === null ? null : { kind: 'add', step }
}

function withControl(letter: string, shiftKey: boolean): KeyAction | null {
  if (letter === 'z') return { kind: shiftKey ? 'redo' : 'undo' }
  if (letter === 'y') return { kind: 'redo' }
  return letter === 'a' ? { kind: 'selectAll' } : null
}

function kindOf(letter: string): StepKind | null {
  for (const [kind, its] of Object.entries(KIND_LETTER)) if (its === letter && isKind(kind)) return kind
  return null
}

function isKind(word: string): word is StepKind {
  return Object.hasOwn(KIND_LETTER, word)
}
