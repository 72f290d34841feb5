import { describe, expect, it } from 'vitest'
import { draftOfDocument, readYaml, yamlOf } from './definition-yaml.ts'
import { definitionOf, emptyDraft, type WorkflowDraft } from './draft.ts'
import { addStep } from './graph-edits.ts'
import { KINDS } from './step-kinds.ts'
import { yamlChange } from './yaml-change.ts'

const drawn: WorkflowDraft = {
  ...emptyDraft(1), name: 'nightly', tags: ['a'], timeoutMs: 5000, outputs: { rows: '=steps.extract.output.rows' },
  steps: [{ key: 'extract', kind: 'task', inline: { handler: { kind: 'shell', script: 'one\ntwo\n' } } }, { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' }],
  edges: [{ from: 'extract', to: 'enough' }], layout: { extract: { x: 0, y: 0 }, enough: { x: 300, y: 0 } },
}

describe('the YAML beside the canvas', () => {
  it('goes both ways, and places stay', () => {
    const read = readYaml(yamlOf(definitionOf(drawn), 'default'))
    expect(read.kind).toBe('good')
    if (read.kind === 'good') expect(draftOfDocument(read.document, 1, drawn.layout)).toEqual(drawn)
  })

  it('is short: what every new workflow has is left out', () => {
    const text = yamlOf(definitionOf(drawn), 'default')
    expect(text).toContain('timeoutMs: 5000')
    for (const field of ['overlap', 'misfire', 'priority', 'layout', 'description']) expect(text).not.toContain(`${field}:`)
  })

  it('takes steps that are not finished', () => {
    let draft: WorkflowDraft = { ...emptyDraft(1), name: 'a' }
    for (const kind of KINDS) draft = addStep(draft, kind, { at: { x: 0, y: 0 } }).draft
    expect(readYaml(yamlOf(definitionOf(draft), 'default')).kind).toBe('good')
  })

  it.each([
    ['a field that nobody knows', 'group: a\nname: b\nschedule: { kind: manual }\nsteps:\n  - { key: a, kind: task, task: a/b, wrong: 1 }\nedges: []\n', [{ line: 5, path: 'steps.0.wrong', code: 'UNKNOWN_FIELD' }]],
    ['a kind that there is not', 'group: a\nname: b\nschedule: { kind: manual }\nsteps:\n  - { key: a, kind: job }\nedges: []\n', [{ line: 5, path: 'steps.0.kind', code: 'NOT_ALLOWED_VALUE' }]],
    ['a field that is missing', 'group: a\nschedule: { kind: manual }\nsteps:\n  - { key: a, kind: task, task: a/b }\nedges: []\n', [{ line: 1, path: 'name', code: 'REQUIRED' }]],
    ['a text that is no YAML', 'group: a\nname: [b\n', [{ line: 3, path: '' }]],
  ] as const)('tells %s with its line', (_why, text, problems) => {
    const read = readYaml(text)
    expect(read.kind).toBe('bad')
    if (read.kind === 'bad') expect(read.problems).toMatchObject(problems)
  })

  it('shows what differs between two definitions, and where steps stand is no difference', () => {
    expect(yamlChange(definitionOf(drawn), definitionOf({ ...drawn, layout: {} }))).toBeNull()
    expect(yamlChange(definitionOf(drawn), definitionOf({ ...drawn, timeoutMs: 6000 }))?.lines?.filter((line) => line.kind !== 'same')).toEqual([{ kind: 'then', text: 'timeoutMs: 5000' }, { kind: 'now', text: 'timeoutMs: 6000' }])
  })
})
