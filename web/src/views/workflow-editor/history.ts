/** Steps back and forward over values that are never changed in place. */

/** Older ones are forgotten. They share what did not change, so that each costs little. */
export const LONGEST = 200

export interface History<Value> {
  readonly past: readonly Value[]
  readonly present: Value
  readonly future: readonly Value[]
  /** what the last change was about: typing in one field is one step back */
  readonly about: string | null
}

export function begin<Value>(present: Value): History<Value> {
  return { past: [], present, future: [], about: null }
}

/** `about`: a change about the same thing as the one before it joins it; null stands alone. */
export function record<Value>(history: History<Value>, next: Value, about: string | null): History<Value> {
  if (next === history.present) return history
  const joins = about !== null && about === history.about && history.future.length === 0
  return { past: joins ? history.past : [...history.past, history.present].slice(-LONGEST), present: next, future: [], about }
}

/** What comes next stands alone, whatever it is about. */
export function settle<Value>(history: History<Value>): History<Value> {
  return history.about === null ? history : { ...history, about: null }
}

export function undo<Value>(history: History<Value>): History<Value> {
  const previous = history.past.at(-1)
  if (previous === undefined) return history
  return { past: history.past.slice(0, -1), present: previous, future: [history.present, ...history.future], about: null }
}

export function redo<Value>(history: History<Value>): History<Value> {
  const [next, ...later] = history.future
  if (next === undefined) return history
  return { past: [...history.past, history.present], present: next, future: later, about: null }
}
