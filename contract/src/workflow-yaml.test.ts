import { validate, type Graph } from '@tickwheel/core'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { readWorkflowYaml, workflowToYaml } from './workflow-yaml.ts'
import { WorkflowDocument } from './workflows.ts'

const check = Compile(WorkflowDocument)

const nightly = `# every night
group: default
name: nightly-orders
schedule: { kind: cron, expression: "0 0 2 * * ?", timezone: Asia/Shanghai }
paramsSchema: { type: object, properties: { day: { type: string, default: "" } } }
steps:
  - { key: extract, kind: task, task: default/extract-orders, input: { day: "=params.day == '' ? run.date : params.day" } }
  - { key: enough,  kind: condition, when: "steps.extract.output.rows > 0" }
  - { key: load,    kind: task, inline: { handler: { kind: shell, script: "./load.sh" } }, input: { file: "=steps.extract.output.file" }, retry: { max: 2, delayMs: 5000, backoff: exponential, maxDelayMs: 60000 } }
  - { key: repair,  kind: task, task: default/repair-load, input: { why: "=steps.load.error.message" } }
  - { key: report,  kind: task, task: default/send-report }
edges:
  - { from: extract, to: enough }
  - { from: enough, to: load, on: branch, branch: "true" }
  - { from: enough, to: report, on: branch, branch: "false" }
  - { from: load, to: report }
  - { from: load, to: repair, on: failure }
  - { from: repair, to: report }
`

function documentOf(text: string): WorkflowDocument {
  const found = readWorkflowYaml(text)
  if (found.kind === 'problems') throw new Error(JSON.stringify(found.problems))
  if (!check.Check(found.document)) throw new Error(JSON.stringify(check.Errors(found.document)))
  return found.document
}

describe('a workflow in YAML', () => {
  it('is read: the example of the guide is valid', () => {
    const document = documentOf(nightly)
    expect(document.steps.map(({ key }) => key)).toEqual(['extract', 'enough', 'load', 'repair', 'report'])
    expect(document.edges[1]).toEqual({ from: 'enough', to: 'load', on: 'branch', branch: 'true' })
    expect(validate(document as unknown as Graph)).toEqual([])
  })

  it('is written so that it reads back the same, an edge a line, in an order that a person expects', () => {
    const document = documentOf(nightly)
    const { name, group, ...rest } = document
    const text = workflowToYaml({ ...rest, layout: { load: { x: 1, y: 2 } }, name, group })
    expect(documentOf(text)).toEqual({ ...document, layout: { load: { x: 1, y: 2 } } })
    expect(text.split('\n').slice(0, 3)).toEqual([
      'group: default',
      'name: nightly-orders',
      'schedule: { kind: cron, expression: 0 0 2 * * ?, timezone: Asia/Shanghai }',
    ])
    expect(text).toContain('\n  - { from: enough, to: load, on: branch, branch: "true" }\n')
    expect(text).toContain('\n  load: { x: 1, y: 2 }\n')
    expect(text).toMatch(/key: load\n {4}kind: task\n {4}inline:\n {6}handler:/)
  })

  it('keeps a script of several lines as a block', () => {
    const document = documentOf(nightly)
    const script = '#!/bin/sh\nset -e\necho "a: b" # c\n\n\techo done  \n'
    const text = workflowToYaml({
      ...document,
      steps: [{ key: 'a', kind: 'task', inline: { handler: { kind: 'shell', script } } }],
      edges: [],
    })
    expect(documentOf(text).steps[0]).toMatchObject({ inline: { handler: { script } } })
    expect(text).toContain('        script: |\n          #!/bin/sh\n          set -e\n')
  })

  it.each([' \n', '\n \n', '  \n \n', '\n', ' ', ''])('keeps a text of blank lines as it is: %j', (description) => {
    expect(documentOf(workflowToYaml({ ...documentOf(nightly), description }))).toMatchObject({ description })
  })

  it('reads back whatever it writes, value for value', () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from('ab \n\t:#-{}[]&*!|>%@`\'"=?~,01.e+'), 'é', '中', '😀', 'true', 'null', '<<', '__proto__'),
    })
    const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }).filter((value) => !Object.is(value, -0))
    const name = fc.string({ unit: fc.constantFrom(...Array.from('ab1.-_'), '<<', 'true', 'constructor') })
    fc.assert(
      fc.property(text, text, fc.dictionary(name, fc.oneof(json, text)), fc.array(json), (one, other, input, items) => {
        const document: WorkflowDocument = {
          ...documentOf(nightly),
          description: one,
          steps: [
            { key: 'a', kind: 'task', task: 'g/a', name: other, input },
            { key: 'b', kind: 'fanOut', items, each: { kind: 'task', task: 'g/b', input } },
            { key: 'c', kind: 'approval', prompt: other },
          ],
          edges: [{ from: 'a', to: 'b', when: one }],
          outputs: input,
        }
        const found = readWorkflowYaml(workflowToYaml(document))
        if (found.kind === 'problems') throw new Error(JSON.stringify(found.problems))
        expect(JSON.stringify(sortKeys(found.document))).toBe(JSON.stringify(sortKeys(document)))
      }),
      { numRuns: 200 },
    )
  })

  it('takes JSON, which is YAML too', () => {
    expect(documentOf(JSON.stringify(documentOf(nightly)))).toEqual(documentOf(nightly))
  })

  it('takes aliases, which stand for what they name', () => {
    const text = nightly
      .replace('retry: {', 'retry: &often {')
      .replace('task: default/send-report }', 'task: default/send-report, retry: *often }')
    expect(documentOf(text).steps[4]).toMatchObject({ retry: { max: 2, delayMs: 5000 } })
    expect(workflowToYaml(documentOf(text))).not.toMatch(/[*&]often/)
  })

  it('knows where a field stands, or what is around it', () => {
    const found = readWorkflowYaml(nightly)
    if (found.kind === 'problems') throw new Error('it was refused')
    const at = (path: string) => {
      const { line, col } = found.positionOf(path)
      return nightly.split('\n')[line - 1]?.slice(col - 1)
    }
    expect(at('name')).toMatch(/^name: nightly/)
    expect(at('schedule.expression')).toMatch(/^expression: "0 0 2/)
    expect(at('steps.1.when')).toMatch(/^when: "steps/)
    expect(at('steps.1.maxMs')).toMatch(/^{ key: enough/)
    expect(at('edges.3.from')).toMatch(/^from: load, to: report/)
    expect(at('nowhere.at.all')).toMatch(/^group/)
    expect(at('')).toMatch(/^group/)
  })
})

describe('a text that is no workflow', () => {
  it.each<[why: string, text: string, line: number, col: number, message: RegExp]>([
    ['nothing', '', 1, 1, /expected the fields/],
    ['a list', '- a', 1, 1, /expected the fields/],
    ['a broken list', 'name: x\nsteps: [1,\n', 3, 1, /sequence/],
    ['wrong indentation', 'name: x\n  group: y', 1, 7, /mappings/],
    ['a tab', 'schedule:\n\tkind: manual', 2, 1, /Tabs/],
    ['a key twice', 'name: x\ngroup: y\nname: z', 3, 1, /"name" stands here twice/],
    ['a key twice within', 'steps:\n  - { key: a, kind: task, key: b }', 2, 27, /"key" stands here twice/],
    ['a tag', 'name: !mine x', 1, 7, /tag/],
    ['a tag of the library', 'name: !!binary aGk=', 1, 7, /tag/],
    ['two documents', 'name: x\n---\nname: y', 2, 1, /multiple documents/],
    ['another YAML', '%YAML 1.1\n---\nname: x', 1, 1, /only 1\.2/],
    ['a number without end', 'timeoutMs: .inf', 1, 12, /finite/],
    ['a key that is a list', '? [1]\n: 2', 1, 3, /keys must be strings/],
    ['an alias of nothing', 'name: *x', 1, 7, /marked &x/],
  ])('%s is refused with its place', (_why, text, line, col, message) => {
    const found = readWorkflowYaml(text)
    if (found.kind === 'document') throw new Error('it was taken')
    const [first] = found.problems
    expect(first?.message).toMatch(message)
    expect(first?.line).toBe(line)
    expect(first?.col).toBe(col)
  })

  it.each<[why: string, text: string]>([
    [
      'aliases that repeat aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefghi')
        .map(
          (key, n) =>
            `${key}: &${key} [${Array(9)
              .fill(`*${'abcdefgh'[n] ?? ''}`)
              .join()}]`,
        )
        .join('\n')}`,
    ],
    ['a hundred thousand lists in each other', '['.repeat(100_000)],
    ['more aliases than steps', `a: &a 1\nb: [${Array(2000).fill('*a').join()}]`],
    ['lists in each other by dashes', `${'- '.repeat(50_000)}a`],
    ['more than a megabyte', `name: ${'x'.repeat(1_100_000)}`],
  ])('%s is refused, and takes neither memory nor the process', (_why, text) => {
    const found = readWorkflowYaml(text)
    expect(found.kind).toBe('problems')
    if (found.kind === 'problems') expect(found.problems.length).toBeLessThanOrEqual(100)
  })

  it('does not change what objects are made of', () => {
    const found = readWorkflowYaml('name: x\n__proto__: { isAdmin: true }')
    expect(found.kind === 'document' && 'isAdmin' in found.document).toBe(false)
    expect('isAdmin' in {}).toBe(false)
  })
})

/** The order of fields has no meaning; that of lists has. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, sortKeys(part)])
}
