/** The schema of the parameters as text. Empty text: none. */
export function schemaText(schema: Readonly<Record<string, unknown>> | null): string {
  return schema === null ? '' : JSON.stringify(schema, null, 2)
}

/** Undefined while the text is no JSON object. */
export function schemaOfText(text: string): Readonly<Record<string, unknown>> | null | undefined {
  if (text.trim() === '') return null
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
