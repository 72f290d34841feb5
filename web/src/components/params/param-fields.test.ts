import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { fieldsOf, problemsOf, valuesOf, withValue } from './param-fields.ts'

const schema = JSON.parse(
  JSON.stringify(
    Type.Object(
      {
        from: Type.Integer({ minimum: 1, maximum: 9, title: 'First order' }), mode: Type.Enum(['fast', 'safe']), kind: Type.Union([Type.Literal('a'), Type.Literal('b')]),
        ratio: Type.Optional(Type.Number()), dry: Type.Boolean({ default: false }), name: Type.Optional(Type.String({ minLength: 2, maxLength: 4, pattern: '^[a-z]+$' })), list: Type.Optional(Type.Array(Type.Integer())),
      },
      { additionalProperties: false },
    ),
  ),
) as Record<string, unknown>
const good = { from: 1, mode: 'fast', kind: 'b' }

describe('the fields of a schema', () => {
  it('are those that a form can show, and JSON for the rest', () => {
    expect(fieldsOf(schema)?.map(({ name, kind, isRequired }) => [name, kind, isRequired])).toEqual([
      ['from', 'integer', true], ['mode', 'enum', true], ['kind', 'enum', true], ['ratio', 'number', false], ['dry', 'boolean', true], ['name', 'string', false], ['list', 'json', false],
    ])
    expect(fieldsOf(schema)?.find(({ name }) => name === 'kind')?.options).toEqual(['a', 'b'])
    expect(fieldsOf(schema)?.[0]?.title).toBe('First order')
  })

  it.each([[null], [{ type: 'array' }], [{ type: 'object' }], [{ anyOf: [{ type: 'object' }] }], [{ type: 'object', properties: {} }], [{ type: 'string', properties: { a: {} } }]])('are none where it is not that of an object with fields: %j', (given) => {
    expect(fieldsOf(given)).toBeNull()
    expect(problemsOf(given, 'anything').size).toBe(0)
  })

  it('take a pattern that is no pattern as none', () => {
    expect(problemsOf({ properties: { a: { type: 'string', pattern: '(' } } }, '{"a":"x"}').size).toBe(0)
  })
})

describe('the problems of parameters', () => {
  it('are none for what fits; a field with a default may be left out', () => {
    expect([...problemsOf(schema, JSON.stringify({ ...good, ratio: 1.5, name: 'abc', list: [1] }))]).toEqual([])
    expect([...problemsOf(schema, JSON.stringify(good))]).toEqual([])
  })

  it.each([
    ['from', undefined, 'required'], ['from', '1', 'wrongType'], ['from', 1.5, 'notWhole'], ['from', 0, 'tooSmall'], ['from', 10, 'tooLarge'], ['mode', 'slow', 'notOneOf'], ['dry', 'yes', 'wrongType'],
    ['name', 'a', 'tooShort'], ['name', 'abcde', 'tooLong'], ['name', 'AB', 'badForm'], ['name', 7, 'wrongType'],
  ])('%s: %j is %s', (name, value, code) => {
    expect([...problemsOf(schema, JSON.stringify({ ...good, [name]: value }))].map(([field, problem]) => [field, problem.code])).toEqual([[name, code]])
  })

  it('are about the whole when it is no object, or has what the handler does not know', () => {
    expect(problemsOf(schema, '[1]').get('')?.code).toBe('badJson')
    expect(problemsOf(schema, '{').get('')?.code).toBe('badJson')
    expect(problemsOf(schema, JSON.stringify({ ...good, form: 2 })).get('')).toEqual({ code: 'unknown', facts: { names: 'form' } })
  })
})

describe('a field that is changed', () => {
  it('stays at its place, and the others stay as they are', () => {
    expect(JSON.parse(withValue('{"a":1,"b":2,"c":3}', 'b', 5))).toEqual({ a: 1, b: 5, c: 3 })
    expect(Object.keys(valuesOf(withValue('{"a":1,"b":2,"c":3}', 'b', 5)) ?? {})).toEqual(['a', 'b', 'c'])
  })

  it('is left out when it is emptied, and added when it is new', () => {
    expect(JSON.parse(withValue('{"a":1,"b":2}', 'a', undefined))).toEqual({ b: 2 })
    expect(JSON.parse(withValue('', 'a', false))).toEqual({ a: false })
  })
})
