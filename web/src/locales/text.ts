import type { Messages } from './en.ts'
import { i18n } from './i18n.ts'

type Path<Node> = { [Key in keyof Node & string]: Node[Key] extends string ? Key : `${Key}.${Path<Node[Key]>}` }[keyof Node & string]

/** The dotted name of a text: a misspelt one does not compile. */
export type MessageKey = Path<Messages>

export type Named = Readonly<Record<string, string | number>>

/** The text of `key` in the language shown. `n` among the values also chooses between the plural forms (`one | many`). */
export function t(key: MessageKey, named: Named = {}): string {
  const count = named['n']
  return typeof count === 'number' ? i18n.global.t(key, { ...named }, { plural: count }) : i18n.global.t(key, { ...named })
}

/** The text of a key that came over the wire (an error code, a reason), or null when this console does not know it. */
export function tMaybe(key: string, named: Named = {}): string | null {
  return i18n.global.te(key) ? i18n.global.t(key, { ...named }) : null
}
