/**
 * How tasks refer to variables and secrets: `${{ vars.NAME }}` and `${{ secrets.NAME }}` inside a text. One dollar more (`$${{ vars.NAME }}`) is the
 * text itself, and stands for one dollar less. Anything else in double braces is no reference, and stays as it is.
 */

export const REFERENCE_KINDS = ['vars', 'secrets'] as const
export type ReferenceKind = (typeof REFERENCE_KINDS)[number]

export interface Reference {
  readonly kind: ReferenceKind
  readonly name: string
}

/** What a variable or a secret may be called: a name that an environment variable may have, too. */
export const REFERENCE_NAME = '^[A-Za-z_][A-Za-z0-9_]{0,63}$'

const REFERENCE = /(\$+)\{\{\s*(vars|secrets)\.([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g
/** What looks as if it were meant to be one. */
const ATTEMPTED = /(\$+)\{\{\s*(?:vars|secrets)\b[^{}\n]{0,200}/g

/** What a text refers to, each once, in the order of the text. */
export function referencesIn(text: string): Reference[] {
  if (!text.includes('${{')) return []
  const found = new Map<string, Reference>()
  for (const [, dollars, kind, name] of text.matchAll(REFERENCE)) {
    if (dollars !== '$' || name === undefined) continue
    found.set(`${kind}.${name}`, { kind: kind === 'vars' ? 'vars' : 'secrets', name })
  }
  return [...found.values()]
}

/** The first part of a text that looks like a reference and is none, such as `${{ secrets.MY-KEY }}`; null: there is none. */
export function brokenReferenceIn(text: string): string | null {
  if (!text.includes('${{')) return null
  for (const attempted of text.replaceAll(REFERENCE, '').matchAll(ATTEMPTED)) if (attempted[1] === '$') return attempted[0].trim()
  return null
}

/**
 * A text with every reference replaced. In a text that is JSON, values are escaped as its strings need it, so that a quote in a value does not break it.
 * Throws when `valueOf` knows a name no value: ask for what the text refers to first.
 */
export function fillReferences(text: string, valueOf: (reference: Reference) => string | undefined): string {
  if (!text.includes('${{')) return text
  const isJson = isJsonText(text)
  return text.replaceAll(REFERENCE, (whole, dollars: string, kind: string, name: string) => {
    if (dollars !== '$') return whole.slice(1)
    const value = valueOf({ kind: kind === 'vars' ? 'vars' : 'secrets', name })
    if (value === undefined) throw new Error(`no value was given for ${kind}.${name}`)
    return isJson ? JSON.stringify(value).slice(1, -1) : value
  })
}

/** A text in which nothing is a reference any more: what a program has computed refers to nothing, whatever it holds. */
export function escapeReferences(text: string): string {
  return text.includes('${{') ? text.replaceAll(REFERENCE, (whole) => `$${whole}`) : text
}

function isJsonText(text: string): boolean {
  if (!/^\s*["[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
