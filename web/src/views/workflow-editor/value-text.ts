/** A value of an input as a person types it: JSON where it is JSON, else a text, and behind a `=` an expression. */

/** The text of a value. A text that would be read as something else stands in quotes. */
export function textOfValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return parsed(value).isJson ? JSON.stringify(value) : value
}

export function valueOfText(text: string): unknown {
  const read = parsed(text)
  return read.isJson ? read.value : text
}

function parsed(text: string): { readonly isJson: boolean; readonly value?: unknown } {
  try {
    return { isJson: true, value: JSON.parse(text) as unknown }
  } catch {
    return { isJson: false }
  }
}

export interface ValueRow {
  readonly name: string
  readonly text: string
}

export function rowsOf(values: Readonly<Record<string, unknown>>): ValueRow[] {
  return Object.entries(values).map(([name, value]) => ({ name, text: textOfValue(value) }))
}

/** A row without a name is not meant; of two with one name the later counts. */
export function valuesOfRows(rows: readonly ValueRow[]): Record<string, unknown> {
  return Object.fromEntries(rows.filter(({ name }) => name.trim() !== '').map(({ name, text }) => [name.trim(), valueOfText(text)]))
}
