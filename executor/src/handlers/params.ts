/** Typed parameters: a handler declares a schema, and gets a value that fits it or is not called. */
import { PARAMS_INVALID, PARAMS_SCHEMA_BYTES } from '@tickwheel/contract'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { XStatic } from 'typebox/schema'
import { messageOf } from '../logger.ts'
import { RunFailure } from '../run/run.ts'

/** A TypeBox schema, or a JSON schema as a plain object; at most 16 KiB as JSON. */
export type ParamsSchema = object

/** The type of the values that fit a schema. */
export type ParamsOf<Schema extends ParamsSchema> = Schema extends { readonly '~kind': string }
  ? Schema extends TSchema
    ? Static<Schema>
    : never
  : XStatic<Schema>

/** What a declared schema makes of the text of a run's parameters. */
export interface ParamsReader {
  /** as `register` tells it */
  readonly schema: Readonly<Record<string, unknown>>
  /** The value, with the defaults of the schema; empty text is read as an object without fields. Throws RunFailure: PARAMS_INVALID. */
  read(text: string): unknown
}

/** Throws a TypeError when the schema is no JSON object, or longer than 16 KiB as JSON. */
export function paramsReader(handler: string, declared: ParamsSchema): ParamsReader {
  const schema = asJson(handler, declared)
  const compiled = Compile(schema)
  return {
    schema,
    read: (text) => {
      const value = withDefaults(schema, parse(text))
      if (compiled.Check(value)) return value
      const problems = compiled.Errors(value).flatMap(problemsOf)
      throw unfit(problems.slice(0, PROBLEMS_TOLD).join('; ') || 'params do not fit the schema of the handler')
    },
  }
}

const PROBLEMS_TOLD = 10

function asJson(handler: string, declared: ParamsSchema): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(declared)
  const schema: unknown = JSON.parse(text)
  if (!isFields(schema)) throw new TypeError(`params of the handler ${handler}: expected a JSON schema, an object`)
  const bytes = Buffer.byteLength(text)
  if (bytes > PARAMS_SCHEMA_BYTES)
    throw new TypeError(
      `params of the handler ${handler}: the schema has ${String(bytes)} bytes of JSON, at most ${String(PARAMS_SCHEMA_BYTES)} are allowed`,
    )
  return schema
}

function parse(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw unfit(`params: expected JSON, ${messageOf(thrown)}`)
  }
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

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/** `params.from must be integer`; a field that is missing, or is not in the schema, is named itself. */
function problemsOf({ keyword, instancePath, message, params }: SchemaError): string[] {
  const path = `params${instancePath.replaceAll('/', '.')}`
  if (keyword === 'required') return listIn(params, 'requiredProperties').map((name) => `${path}.${name} is missing`)
  if (keyword === 'additionalProperties') return listIn(params, 'additionalProperties').map((name) => `${path}.${name} is not a field here`)
  if (keyword === 'enum') return [`${path} must be one of ${listIn(params, 'allowedValues').join(', ')}`]
  // what an unknown field is called twice
  return keyword === 'boolean' ? [] : [`${path} ${message}`]
}

function listIn(params: object, name: string): string[] {
  const list: unknown = Reflect.get(params, name)
  return Array.isArray(list) ? list.map(String) : []
}

function unfit(message: string): RunFailure {
  return new RunFailure(PARAMS_INVALID, message)
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
