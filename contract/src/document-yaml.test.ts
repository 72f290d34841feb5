import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documentToYaml } from './document-yaml.ts'
import type { TickwheelDocument } from './documents.ts'
import { readYaml } from './yaml-reading.ts'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom('a', ' ', '\n', '\t', '#', ':', '- ', '|', '中')).map((parts) => parts.join('')),
)
const document: fc.Arbitrary<TickwheelDocument> = fc.record({
  tickwheel: fc.constant(1 as const),
  groups: fc.array(fc.record({ name: text, appName: fc.constant('app'), description: text }), { minLength: 1, maxLength: 3 }),
  tasks: fc.array(
    fc.record({
      group: text,
      name: text,
      schedule: fc.constant({ kind: 'manual' as const }),
      handler: fc.record({ kind: fc.constant('shell' as const), script: text, env: fc.dictionary(text, text, { maxKeys: 3 }) }),
      params: text,
      tags: fc.array(text, { maxLength: 3 }),
      labels: fc.dictionary(text, text, { maxKeys: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})

describe('a document as YAML', () => {
  it('reads back the same, whatever its texts are', () => {
    fc.assert(
      fc.property(document, (given) => {
        const read = readYaml([...documentToYaml(given)].join(''), { maxCharacters: 1e6 })
        expect(read.kind === 'problems' ? read.problems : read.value).toEqual(given)
      }),
      { numRuns: 150 },
    )
  })

  it('has a script as a block, and small things on a line', () => {
    const task = {
      group: '结算',
      name: 'nightly',
      schedule: { kind: 'fixedRate' as const, everyMs: 5000 },
      handler: { kind: 'shell' as const, script: 'set -e\n\n./run.sh\n' },
      tags: ['a', 'b'],
    }
    expect([...documentToYaml({ tickwheel: 1, tasks: [task, { ...task, name: 'other' }] })].join('')).toBe(`tickwheel: 1

tasks:
  - group: 结算
    name: nightly
    schedule: { kind: fixedRate, everyMs: 5000 }
    handler:
      kind: shell
      script: |
        set -e

        ./run.sh
    tags: [ a, b ]
  - group: 结算
    name: other
    schedule: { kind: fixedRate, everyMs: 5000 }
    handler:
      kind: shell
      script: |
        set -e

        ./run.sh
    tags: [ a, b ]
`)
  })
})

describe('a text that is no YAML that is taken', () => {
  it.each([
    ['an alias of nothing', 'a: *b'],
    ['an alias inside what it names', 'a: &a [*a]'],
    ['aliases that repeat too much', `a: &a [${'x, '.repeat(100)}]\nb: &b [${'*a, '.repeat(100)}]\nc: [${'*b, '.repeat(100)}]`],
    ['a name that stands twice', 'a: 1\na: 2'],
    ['a text that is too long', `a: ${'x'.repeat(1000)}`],
  ])('is refused: %s', (_what, given) => {
    expect(readYaml(given, { maxCharacters: 1000 })).toMatchObject({ kind: 'problems' })
  })
})
