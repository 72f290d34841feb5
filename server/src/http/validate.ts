import { type FieldCode, type FieldProblem } from '@tickwheel/contract'
import { parseInstant } from '@tickwheel/core'
import type { TSchema } from 'typebox'
import { didYouMean } from '../config/did-you-mean.ts'
import { wordsOfPattern } from './pattern-words.ts'

/** The parts of JSON Schema that the contract uses. */
interface Shape {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'
  readonly anyOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
  readonly maxProperties?: number
  readonly items?: Shape | readonly Shape[]
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Every wrong field of a value, in the order of the schema; an empty list means that the value is valid. A union of objects that differ in
 * `kind` (or `type`) is judged by the variant that the value chose, so that the messages are about what the caller meant.
 */
export function problemsOf(schema: TSchema, value: unknown): FieldProblem[] {
  return judge(schema, value, '')
}

/** The text values of a query or a path, turned into the types of the schema where they read as such. */
export function fromTexts(schema: TSchema, texts: Fields): Fields {
  const properties = (schema as Shape).properties ?? {}
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, typeof text === 'string' ? fromText(properties[name], text) : text]),
  )
}

function fromText(shape: Shape | undefined, text: string): unknown {
  if (shape?.type === 'integer' || shape?.type === 'number') return /^-?\d{1,17}(\.\d+)?$/.test(text) ? Number(text) : text
  if (shape?.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function judge(shape: Shape, value: unknown, path: string): FieldProblem[] {
  if (shape.anyOf !== undefined) return judgeUnion(shape.anyOf, value, path)
  if (shape.enum !== undefined) return shape.enum.includes(value) ? [] : [notAllowed(path, value, shape.enum)]
  if (shape.const !== undefined) return shape.const === value ? [] : [notAllowed(path, value, [shape.const])]
  return shape.type === undefined ? [] : judgeType(shape, shape.type, { value, path })
}

function judgeType(shape: Shape, type: NonNullable<Shape['type']>, { value, path }: { value: unknown; path: string }): FieldProblem[] {
  switch (type) {
    case 'null':
      return value === null ? [] : [wrongType(path, value, 'null')]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [wrongType(path, value, 'true or false')]
    case 'integer':
      return Number.isInteger(value) ? judgeNumber(shape, Number(value), path) : [wrongType(path, value, 'a whole number')]
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? judgeNumber(shape, value, path) : [wrongType(path, value, 'a number')]
    case 'string':
      return typeof value === 'string' ? judgeText(shape, value, path) : [wrongType(path, value, 'text')]
    case 'array':
      return Array.isArray(value) ? judgeList(shape, value, path) : [wrongType(path, value, 'a list')]
    case 'object':
      return isFields(value) ? judgeObject(shape, value, path) : [wrongType(path, value, 'an object')]
  }
}

function judgeUnion(variants: readonly Shape[], value: unknown, path: string): FieldProblem[] {
  if (variants.some((variant) => judge(variant, value, path).length === 0)) return []
  const real = variants.filter((variant) => variant.type !== 'null')
  const [only] = real
  if (only !== undefined && real.length === 1) return judge(only, value, path)
  const key = ['kind', 'type'].find((name) => real.every((variant) => variant.properties?.[name]?.const !== undefined))
  if (key === undefined) return [wrongType(path, value, 'one of the documented forms')]
  if (!isFields(value)) return [wrongType(path, value, 'an object')]
  const choices = real.map((variant) => variant.properties?.[key]?.const)
  const chosen = real[choices.indexOf(value[key])]
  if (chosen !== undefined) return judge(chosen, value, path)
  return [value[key] === undefined ? required(below(path, key), choices) : notAllowed(below(path, key), value[key], choices)]
}

function judgeObject(shape: Shape, value: Fields, path: string): FieldProblem[] {
  const properties = shape.properties ?? {}
  const needed = new Set(shape.required)
  const known = Object.entries(properties).flatMap(([name, inner]) => {
    const field = value[name]
    if (field !== undefined) return judge(inner, field, below(path, name))
    return needed.has(name) ? [required(below(path, name), inner.enum)] : []
  })
  const others = Object.keys(value).filter((name) => !Object.hasOwn(properties, name))
  return [...known, ...judgeOthers(shape, value, { others, path })]
}

function judgeOthers(shape: Shape, value: Fields, { others, path }: { others: readonly string[]; path: string }): FieldProblem[] {
  const [named] = Object.entries(shape.patternProperties ?? {})
  if (named !== undefined) {
    const [pattern, entry] = named
    const isClosed = shape.additionalProperties === false
    const tooMany =
      shape.maxProperties !== undefined && others.length > shape.maxProperties
        ? [
            problem(path, 'TOO_LONG', `must have at most ${shape.maxProperties} entries, not ${others.length}`, {
              max: shape.maxProperties,
            }),
          ]
        : []
    const judged = others.flatMap((name) => {
      const isWrong = isClosed && !patternOf(pattern).test(name)
      return isWrong ? [badName(below(path, name), name, pattern)] : judge(entry, value[name], below(path, name))
    })
    return [...tooMany, ...judged]
  }
  if (shape.additionalProperties !== false) return []
  const names = Object.keys(shape.properties ?? {})
  return others.map((name) =>
    problem(below(path, name), 'UNKNOWN_FIELD', `is not a field here${didYouMean(name, names)}; known are: ${names.join(', ') || 'none'}`, {
      known: names.join(', '),
    }),
  )
}

function badName(path: string, name: string, pattern: string): FieldProblem {
  return problem(path, 'BAD_FORMAT', `must be called by ${wordsOfPattern(pattern)}, not ${shown(name)}`, { format: pattern })
}

function judgeList(shape: Shape, value: readonly unknown[], path: string): FieldProblem[] {
  const { minItems = 0, maxItems = Infinity, items } = shape
  if (value.length < minItems)
    return [problem(path, 'TOO_SHORT', `must have at least ${minItems} entries, not ${value.length}`, { min: minItems })]
  if (value.length > maxItems)
    return [problem(path, 'TOO_LONG', `must have at most ${maxItems} entries, not ${value.length}`, { max: maxItems })]
  const inner = value.flatMap((item, index) => {
    const each = isTuple(items) ? items[index] : items
    return each === undefined ? [] : judge(each, item, below(path, String(index)))
  })
  if (inner.length > 0 || shape.uniqueItems !== true) return inner
  const first = new Map<unknown, number>()
  for (const [index, item] of value.entries()) if (!first.has(item)) first.set(item, index)
  const repeated = value.findIndex((item, index) => first.get(item) !== index)
  return repeated < 0
    ? []
    : [problem(below(path, String(repeated)), 'NOT_ALLOWED_VALUE', 'stands here twice; each entry may appear once', {})]
}

function isTuple(items: Shape['items']): items is readonly Shape[] {
  return Array.isArray(items)
}

function judgeText(shape: Shape, value: string, path: string): FieldProblem[] {
  const { minLength = 0, maxLength = Infinity } = shape
  const length = value.length <= maxLength ? value.length : Array.from(value).length
  if (length < minLength)
    return [
      problem(path, 'TOO_SHORT', minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters, not ${length}`, {
        min: minLength,
      }),
    ]
  if (length > maxLength) return [problem(path, 'TOO_LONG', `must have at most ${maxLength} characters, not ${length}`, { max: maxLength })]
  if (shape.format === 'date-time' && parseInstant(value) === null)
    return [problem(path, 'BAD_FORMAT', `must be an instant like 2026-11-22T08:00:00.000Z, not ${shown(value)}`, { format: 'instant' })]
  if (shape.pattern === undefined || patternOf(shape.pattern).test(value)) return []
  return [problem(path, 'BAD_FORMAT', `must be ${wordsOfPattern(shape.pattern)}, not ${shown(value)}`, { format: shape.pattern })]
}

const patterns = new Map<string, RegExp>()

function patternOf(source: string): RegExp {
  const pattern = patterns.get(source) ?? new RegExp(source, 'u')
  patterns.set(source, pattern)
  return pattern
}

function judgeNumber(shape: Shape, value: number, path: string): FieldProblem[] {
  const { minimum = -Infinity, maximum = Infinity } = shape
  if (value < minimum) return [problem(path, 'TOO_SMALL', `must be at least ${minimum}, not ${value}`, { min: minimum })]
  if (value > maximum) return [problem(path, 'TOO_LARGE', `must be at most ${maximum}, not ${value}`, { max: maximum })]
  return []
}

function required(path: string, choices?: readonly unknown[]): FieldProblem {
  return problem(
    path,
    'REQUIRED',
    choices === undefined ? 'is required' : `is required: one of ${choices.join(', ')}`,
    choices === undefined ? {} : { allowed: choices.join(', ') },
  )
}

function notAllowed(path: string, value: unknown, choices: readonly unknown[]): FieldProblem {
  return problem(path, 'NOT_ALLOWED_VALUE', `must be ${choices.length === 1 ? '' : 'one of '}${choices.join(', ')}, not ${shown(value)}`, {
    allowed: choices.join(', '),
  })
}

function wrongType(path: string, value: unknown, expected: string): FieldProblem {
  return problem(path, 'WRONG_TYPE', `must be ${expected}, not ${shown(value)}`, { expected })
}

function problem(path: string, code: FieldCode, message: string, params: Readonly<Record<string, string | number>>): FieldProblem {
  return { path, code, message, params }
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
