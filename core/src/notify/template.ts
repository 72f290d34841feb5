/*
 * Templates of notices: plain text with names in double braces, `{{task}} failed: {{error}}`. There is no code in them, no condition and no loop, and what
 * is put in is never read again as a template. A name is of a closed list; any other is told when the template is saved, not when the alarm is sent.
 */
const PLACEHOLDER = /\{\{\s*([A-Za-z][A-Za-z0-9]{0,39})\s*\}\}/g
/** Two braces that open and are no placeholder: a mistake of typing that would be sent as it stands. */
const OPENING = /\{\{/g

export const TEMPLATE_LIMITS = { subjectChars: 200, bodyChars: 4_000, filledChars: 16_000 } as const

export type TemplateProblem = { readonly code: 'UNKNOWN_NAME'; readonly name: string } | { readonly code: 'BAD_PLACEHOLDER' }

/** What is wrong with a template; null: nothing. */
export function templateProblem(template: string, names: readonly string[]): TemplateProblem | null {
  const found = [...template.matchAll(PLACEHOLDER)]
  const unknown = found.find(([, name = '']) => !names.includes(name))
  if (unknown !== undefined) return { code: 'UNKNOWN_NAME', name: unknown[1] ?? '' }
  return [...template.matchAll(OPENING)].length === found.length ? null : { code: 'BAD_PLACEHOLDER' }
}

/** A template with its names filled in, at most 16,000 characters. A name that has no value is empty. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const text = template.replace(PLACEHOLDER, (_whole, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? '') : ''))
  return cutText(text, TEMPLATE_LIMITS.filledChars)
}

/** A text of at most so many characters, an ellipsis at the end of one that was longer; never half of a surrogate pair. */
export function cutText(text: string, chars: number): string {
  if (text.length <= chars) return text
  const end = text.codePointAt(chars - 2) ?? 0
  return `${text.slice(0, end > 0xffff ? chars - 2 : chars - 1)}…`
}
