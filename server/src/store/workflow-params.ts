import type { FieldCode } from '@tickwheel/contract'
import type { JsonObject } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { parseJson } from './definition.ts'

/** What a start of a workflow gives, with the defaults of its schema, or why it does not fit. `text`: as it is stored. */
export type StartParams =
  | { readonly kind: 'params'; readonly params: JsonObject; readonly text: string }
  | { readonly kind: 'problems'; readonly problems: readonly ParamsProblem[] }

/** `path` is dotted, from `params` on. */
export interface ParamsProblem {
  readonly path: string
  readonly code: FieldCode
  readonly message: string
}

const PROBLEMS_TOLD = 20

/** Reads the params that a run of a workflow is given. Empty text is an object without fields. `schema` null: any object. */
export function startParams(schema: JsonObject | null | undefined, text: string): StartParams {
  const given = text.trim() === '' ? {} : parseJson(text)
  if (!isFields(given)) return { kind: 'problems', problems: [{ path: 'params', code: 'WRONG_TYPE', message: 'must be an object' }] }
  const params = withDefaults(schema, given)
  const problems = schema === null || schema === undefined ? [] : problemsOf(schema, params)
  if (problems.length > 0) return { kind: 'problems', problems: problems.slice(0, PROBLEMS_TOLD) }
  return { kind: 'params', params: params as JsonObject, text: JSON.stringify(params) }
}

/** The words of problems, in one line. */
export function wordsOf(problems: readonly ParamsProblem[]): string {
  return problems.map(({ path, message }) => `${path} ${message}`).join('; ')
}

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

function problemsOf(schema: JsonObject, params: unknown): ParamsProblem[] {
  const check = compiled.get(schema) ?? Compile(schema)
  compiled.set(schema, check)
  if (check.Check(params)) return []
  const problems = check.Errors(params).flatMap(problemOf)
  return problems.length > 0 ? problems : [{ path: 'params', code: 'NOT_ALLOWED_VALUE', message: 'do not fit the schema' }]
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

function problemOf({ keyword, instancePath, message, params }: SchemaError): ParamsProblem[] {
  const path = `params${instancePath.replaceAll('/', '.')}`
  if (keyword === 'required')
    return listIn(params, 'requiredProperties').map((name) => ({ path: `${path}.${name}`, code: 'REQUIRED', message: 'is missing' }))
  if (keyword === 'additionalProperties')
    return listIn(params, 'additionalProperties').map((name) => ({
      path: `${path}.${name}`,
      code: 'UNKNOWN_FIELD',
      message: 'is not a field here',
    }))
  if (keyword === 'enum')
    return [{ path, code: 'NOT_ALLOWED_VALUE', message: `must be one of ${listIn(params, 'allowedValues').join(', ')}` }]
  // what an unknown field is called twice
  return keyword === 'boolean' ? [] : [{ path, code: CODES[keyword] ?? 'NOT_ALLOWED_VALUE', message }]
}

const CODES: Readonly<Record<string, FieldCode>> = {
  type: 'WRONG_TYPE',
  minLength: 'TOO_SHORT',
  minItems: 'TOO_SHORT',
  maxLength: 'TOO_LONG',
  maxItems: 'TOO_LONG',
  minimum: 'TOO_SMALL',
  exclusiveMinimum: 'TOO_SMALL',
  maximum: 'TOO_LARGE',
  exclusiveMaximum: 'TOO_LARGE',
  pattern: 'BAD_FORMAT',
  format: 'BAD_FORMAT',
}

function listIn(params: object, name: string): string[] {
  const list: unknown = Reflect.get(params, name)
  return Array.isArray(list) ? list.map(String) : []
}

/** Fields that are missing get the default that the schema names, also in objects within. */
function withDefaults(schema: unknown, value: unknown): unknown {
  if (!isFields(schema) || !isFields(schema['properties']) || !isFields(value)) return value
  const filled: Record<string, unknown> = { ...value }
  for (const [name, inner] of Object.entries(schema['properties'])) {
    const given = Object.hasOwn(value, name) ? value[name] : isFields(inner) ? structuredClone(inner['default']) : undefined
    const field = withDefaults(inner, given)
    if (field !== undefined) filled[name] = field
  }
  return filled
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
