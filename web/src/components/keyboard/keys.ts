/** What keys do anywhere in the console. Keys of one letter can be switched off (WCAG 2.1.4), and never work while somebody types. */

/** `g`, then one of these, goes to a page. The pages are names of routes; one that somebody may not open has no key. */
export const GO_KEYS = { d: 'dashboard', t: 'tasks', w: 'workflows', r: 'runs', e: 'executors', g: 'groups', a: 'alarms', v: 'variables', s: 'system' } as const
export type GoPage = (typeof GO_KEYS)[keyof typeof GO_KEYS]

export type KeyCommand =
  | { readonly kind: 'palette' | 'help' | 'filter' | 'create' | 'next' | 'previous' }
  | { readonly kind: 'go'; readonly page: GoPage }
  /** the first key of two */
  | { readonly kind: 'begin' }

export interface Pressed {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  /** held down */
  readonly repeat: boolean
}

export interface Surroundings {
  /** keys of one letter are wanted, and nobody types: only then do they count */
  readonly takesLetters: boolean
  /** `g` was the key before */
  readonly hasBegun: boolean
}

const OF_LETTERS = { '?': 'help', '/': 'filter', n: 'create', j: 'next', k: 'previous' } as const

/** Null: not ours. */
export function keyCommand({ key, ctrlKey, metaKey, altKey, repeat }: Pressed, { takesLetters, hasBegun }: Surroundings): KeyCommand | null {
  if (ctrlKey !== metaKey && !altKey) return key.toLowerCase() === 'k' && !repeat ? { kind: 'palette' } : null
  if (ctrlKey || metaKey || altKey || !takesLetters) return null
  if (hasBegun) return isGoKey(key) ? { kind: 'go', page: GO_KEYS[key] } : null
  if (key === 'g' && !repeat) return { kind: 'begin' }
  if (!isLetter(key) || (repeat && key !== 'j' && key !== 'k')) return null
  return { kind: OF_LETTERS[key] }
}

function isGoKey(key: string): key is keyof typeof GO_KEYS {
  return Object.hasOwn(GO_KEYS, key)
}

function isLetter(key: string): key is keyof typeof OF_LETTERS {
  return Object.hasOwn(OF_LETTERS, key)
}
