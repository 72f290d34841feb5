import { expect, it } from 'vitest'
import { paramsSchemaProblems } from './params-schema.ts'

it.each<[why: string, schema: Record<string, unknown> | null, paths: string[]]>([
  ['there is none', null, []],
  [
    'a schema as a form needs it',
    {
      type: 'object',
      properties: { day: { type: 'string', default: '', enum: ['', 'today'] }, rows: { type: 'integer', minimum: 1 } },
      required: ['day'],
    },
    [],
  ],
  ['a param may have the name of a keyword', { type: 'object', properties: { pattern: { type: 'string' }, $ref: { type: 'string' } } }, []],
  ['a default is data, not schema', { type: 'object', properties: { a: { default: { pattern: '(a+)+$' } } } }, []],
  [
    'regular expressions backtrack',
    { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } },
    ['paramsSchema.properties.a.pattern'],
  ],
  ['also in the names of fields', { type: 'object', patternProperties: { '^(a+)+$': {} } }, ['paramsSchema.patternProperties']],
  [
    'a reference may go in a circle',
    { type: 'object', properties: { a: { anyOf: [{ $ref: '#' }] } } },
    ['paramsSchema.properties.a.anyOf.0.$ref'],
  ],
  [
    'within lists',
    { type: 'object', properties: { a: { type: 'array', items: { pattern: 'x' } } } },
    ['paramsSchema.properties.a.items.pattern'],
  ],
])('a schema of params: %s', (_why, schema, paths) => {
  expect(paramsSchemaProblems(schema).map(({ path }) => path)).toEqual(paths)
})
