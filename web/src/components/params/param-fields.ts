/** What a form makes of the schema of a handler's parameters: fields for what it can show plainly, JSON for the rest. */

type Fields = Readonly<Record<string, unknown>>
export type JsonSchema = Fields
export type ParamKind = 'string' | 'number' | 'integer' | 'boolean' | 'enum' | 'json'

export interface ParamField {
  readonly name: string
  readonly kind: ParamKind
  readonly isRequired: boolean
  readonly title: string
  readonly description: string
  /** used by the handler where the field is left out; undefined: none */
  readonly preset: unknown
  readonly options: readonly (string | number | boolean)[]
  readonly minimum: number | null
  readonly maximum: number | null
  readonly minLength: number | null
  readonly maxLength: number | null
  readonly pattern: RegExp | null
}

/** What is wrong with one field; `facts` word it. */
export interface ParamProblem {
  readonly code: 'required' | 'wrongType' | 'notWhole' | 'tooSmall' | 'tooLarge' | 'tooShort' | 'tooLong' | 'badForm' | 'notOneOf' | 'badJson' | 'unknown'
  readonly facts: Readonly<Record<string, string | number>>
}

/** The fields of a schema, in its order; null when it is not that of an object with fields: then there is only JSON. */
export function fieldsOf(schema: JsonSchema | null): ParamField[] | null {
  if (schema === null || !isFields(schema['properties']) || (schema['type'] !== undefined && schema['type'] !== 'object')) return null
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const fields = Object.entries(schema['properties']).map(([name, inner]) => fieldOf(name, isFields(inner) ? inner : {}, required.has(name)))
  return fields.length === 0 ? null : fields
}

function fieldOf(name: string, inner: Fields, isRequired: boolean): ParamField {
  const options = optionsOf(inner)
  return {
    name, kind: options.length > 0 ? 'enum' : kindOf(inner['type']), isRequired, title: textOf(inner['title']) || name, description: textOf(inner['description']), preset: inner['default'], options,
    minimum: numberOf(inner['minimum']), maximum: numberOf(inner['maximum']), minLength: numberOf(inner['minLength']), maxLength: numberOf(inner['maxLength']), pattern: patternOf(inner['pattern']),
  }
}

/** `enum`, or a union of constants as TypeBox writes it. */
function optionsOf(inner: Fields): readonly (string | number | boolean)[] {
  const union = Array.isArray(inner['anyOf']) ? inner['anyOf'].map((one: unknown) => (isFields(one) ? one['const'] : undefined)) : []
  const listed: readonly unknown[] = Array.isArray(inner['enum']) ? inner['enum'] : union
  const plain = listed.filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
  return plain.length === listed.length ? plain : []
}

function kindOf(type: unknown): ParamKind {
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean' ? type : 'json'
}

/** The object that a text is; null when it is none. Empty text is an object without fields. */
export function valuesOf(text: string): Fields | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

/** The text with one field changed, or left out where the value is undefined. Fields that the schema does not name stay. */
export function withValue(text: string, name: string, value: unknown): string {
  const { [name]: _before, ...others } = valuesOf(text) ?? {}
  const kept = Object.fromEntries(Object.keys(valuesOf(text) ?? {}).flatMap((key) => (key === name ? (value === undefined ? [] : [[key, value] as const]) : [[key, others[key]] as const])))
  return JSON.stringify(value === undefined || Object.hasOwn(kept, name) ? kept : { ...kept, [name]: value }, null, 2)
}

/** What the handler would refuse, by field; one under the empty name is about the whole. Objects and lists within are the handler's to judge. */
export function problemsOf(schema: JsonSchema | null, text: string): ReadonlyMap<string, ParamProblem> {
  const fields = fieldsOf(schema)
  const problems = new Map<string, ParamProblem>()
  if (fields === null) return problems
  const values = valuesOf(text)
  if (values === null) return problems.set('', { code: 'badJson', facts: {} })
  for (const field of fields) {
    const problem = problemOf(field, values[field.name])
    if (problem !== null) problems.set(field.name, problem)
  }
  const unknown = Object.keys(values).filter((name) => !fields.some((field) => field.name === name))
  if (schema?.['additionalProperties'] === false && unknown.length > 0) problems.set('', { code: 'unknown', facts: { names: unknown.join(', ') } })
  return problems
}

function problemOf(field: ParamField, value: unknown): ParamProblem | null {
  if (value === undefined) return field.isRequired && field.preset === undefined ? { code: 'required', facts: {} } : null
  switch (field.kind) {
    case 'enum':
      return field.options.some((option) => option === value) ? null : { code: 'notOneOf', facts: { options: field.options.join(', ') } }
    case 'boolean':
      return typeof value === 'boolean' ? null : wrongType()
    case 'string':
      return typeof value === 'string' ? textProblem(field, value) : wrongType()
    case 'integer':
    case 'number':
      return typeof value === 'number' ? numberProblem(field, value) : wrongType()
    case 'json':
      return null
  }
}

const wrongType = (): ParamProblem => ({ code: 'wrongType', facts: {} })

function textProblem({ minLength, maxLength, pattern }: ParamField, value: string): ParamProblem | null {
  const length = Array.from(value).length
  if (minLength !== null && length < minLength) return { code: 'tooShort', facts: { n: minLength } }
  if (maxLength !== null && length > maxLength) return { code: 'tooLong', facts: { n: maxLength } }
  return pattern?.test(value) === false ? { code: 'badForm', facts: { pattern: pattern.source } } : null
}

function numberProblem({ kind, minimum, maximum }: ParamField, value: number): ParamProblem | null {
  if (kind === 'integer' && !Number.isInteger(value)) return { code: 'notWhole', facts: {} }
  if (minimum !== null && value < minimum) return { code: 'tooSmall', facts: { n: minimum } }
  return maximum !== null && value > maximum ? { code: 'tooLarge', facts: { n: maximum } } : null
}

function patternOf(source: unknown): RegExp | null {
  try {
    return typeof source === 'string' ? new RegExp(source, 'u') : null
  } catch {
    return null
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown) => (typeof value === 'number' ? value : null)

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
