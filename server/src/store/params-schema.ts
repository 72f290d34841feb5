import type { FieldProblem } from '@tickwheel/contract'
import { Compile } from 'typebox/compile'

/** Keywords whose value is one schema, several, or schemas by a name that somebody has chosen. */
const ONE = [
  'items',
  'additionalProperties',
  'additionalItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
]
const SEVERAL = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
const BY_NAME = ['properties', '$defs', 'definitions', 'dependentSchemas']

const REFUSED: Readonly<Record<string, string>> = {
  pattern:
    'is not taken: a regular expression could keep the server busy without end; say enum or maxLength, or look at the value in a step',
  patternProperties: 'is not taken: a regular expression could keep the server busy without end; name the fields in properties',
  $ref: 'is not taken: write the schema out where it is used',
  $dynamicRef: 'is not taken: write the schema out where it is used',
}

/**
 * What is wrong with the schema of the params of a workflow. Who starts a run is judged by it in the server, so what could cost without bound is refused:
 * regular expressions, which backtrack, and references, which may go in circles.
 */
export function paramsSchemaProblems(schema: Readonly<Record<string, unknown>> | null | undefined): FieldProblem[] {
  if (schema === null || schema === undefined) return []
  const refused = walk(schema, 'paramsSchema')
  if (refused.length > 0) return refused
  try {
    Compile(schema)
    return []
  } catch (error) {
    const message = `must be a JSON Schema: ${error instanceof Error ? error.message : 'it cannot be read'}`
    return [{ path: 'paramsSchema', code: 'BAD_FORMAT', message, params: { format: 'JSON Schema' } }]
  }
}

function walk(schema: unknown, path: string): FieldProblem[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return []
  const fields: Readonly<Record<string, unknown>> = { ...schema }
  return [
    ...Object.keys(fields).flatMap((name) => refusedAt(name, path)),
    ...ONE.flatMap((name) => walk(fields[name], `${path}.${name}`)),
    ...SEVERAL.flatMap((name) => listOf(fields[name]).flatMap((inner, index) => walk(inner, `${path}.${name}.${index}`))),
    ...BY_NAME.flatMap((name) => Object.entries(mapOf(fields[name])).flatMap(([key, inner]) => walk(inner, `${path}.${name}.${key}`))),
  ]
}

function refusedAt(name: string, path: string): FieldProblem[] {
  const words = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
  if (words === undefined) return []
  return [
    {
      path: `${path}.${name}`,
      code: 'UNKNOWN_FIELD',
      message: words,
      params: { known: 'type, properties, required, enum, const, default, minimum, maximum, minLength, maxLength, items' },
    },
  ]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
