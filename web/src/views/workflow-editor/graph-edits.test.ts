import { describe, expect, it } from 'vitest'
import { copyText, pasteText } from './clipboard.ts'
import { bodyOf, definitionOf, emptyDraft, type WorkflowDraft } from './draft.ts'
import { edgeIds, handleOf, wayFrom } from './edge-ids.ts'
import { addStep, connect, moveSteps, removeParts, replaceStep, SUCCESS, upstreamOf, wouldCircle } from './graph-edits.ts'
import { namesAt } from './scope-names.ts'

const drawn: WorkflowDraft = {
  ...emptyDraft(1), name: 'nightly',
  steps: [
    { key: 'extract', kind: 'task', task: 'default/extract' },
    { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' },
    { key: 'load', kind: 'task', task: 'default/load', input: { file: '=steps.extract.output.file', note: 'steps.extract is not one', deep: [{ to: '=steps.extract.output.to' }], literal: '==steps.extract' } },
    { key: 'report', kind: 'task', task: 'default/report' },
  ],
  edges: [
    { from: 'extract', to: 'enough' },
    { from: 'enough', to: 'load', on: 'branch', branch: 'true' },
    { from: 'enough', to: 'report', on: 'branch', branch: 'false' },
    { from: 'load', to: 'report', when: 'steps.extract.state == "succeeded" && steps.extract2.output == null' },
  ],
  outputs: { rows: '=steps.extract.output.rows' },
  layout: { extract: { x: 0, y: 0 }, enough: { x: 300, y: 0 } },
}

describe('drawing', () => {
  it('a step is added under a free key and joined to the one before it', () => {
    const first = addStep(emptyDraft(1), 'task', { at: { x: 8, y: 8 } })
    const second = addStep(first.draft, 'task', { at: { x: 300, y: 8 }, behind: first.key })
    expect([first.key, second.key]).toEqual(['task1', 'task2'])
    expect(second.draft.edges).toEqual([{ from: 'task1', to: 'task2' }])
    expect(second.draft.layout).toEqual({ task1: { x: 8, y: 8 }, task2: { x: 300, y: 8 } })
  })

  it('behind a condition the branch that nothing follows yet is taken', () => {
    const base = addStep(emptyDraft(1), 'condition', { at: { x: 0, y: 0 } })
    const yes = addStep(base.draft, 'task', { at: { x: 0, y: 0 }, behind: base.key })
    const no = addStep(yes.draft, 'task', { at: { x: 0, y: 0 }, behind: base.key })
    expect(no.draft.edges.map((edge) => edge.branch)).toEqual(['true', 'false'])
  })

  it('the same edge is not drawn twice, another way between the same steps is another edge', () => {
    expect(connect(drawn, { from: 'extract', to: 'enough', way: SUCCESS })).toBe(drawn)
    expect(connect(drawn, { from: 'extract', to: 'extract', way: SUCCESS })).toBe(drawn)
    expect(connect(drawn, { from: 'extract', to: 'enough', way: { on: 'failure', branch: null } }).edges.at(-1)).toEqual({ from: 'extract', to: 'enough', on: 'failure' })
  })

  it('knows what is upstream, and what would close a circle', () => {
    expect([...upstreamOf(drawn.edges, 'report')].sort()).toEqual(['enough', 'extract', 'load'])
    expect(wouldCircle(drawn.edges, 'report', 'extract')).toBe(true)
    expect(wouldCircle(drawn.edges, 'extract', 'report')).toBe(false)
  })

  it('a step that is removed takes its edges and its place along', () => {
    const left = removeParts(drawn, { steps: new Set(['enough']), edges: new Set([3]) })
    expect(left.steps.map((step) => step.key)).toEqual(['extract', 'load', 'report'])
    expect(left.edges).toEqual([])
    expect(left.layout).toEqual({ extract: { x: 0, y: 0 } })
  })

  it('a new key is followed by edges, places and expressions, and by nothing that only looks like one', () => {
    const draft = replaceStep(drawn, 'extract', { key: 'pull', kind: 'task', task: 'default/extract' })
    expect(draft.edges[0]).toEqual({ from: 'pull', to: 'enough' })
    expect(draft.steps[1]).toMatchObject({ when: 'steps.pull.output.rows > 0' })
    expect(draft.steps[2]).toMatchObject({ input: { file: '=steps.pull.output.file', note: 'steps.extract is not one', deep: [{ to: '=steps.pull.output.to' }], literal: '==steps.extract' } })
    expect(draft.edges[3]?.when).toBe('steps.pull.state == "succeeded" && steps.extract2.output == null')
    expect(draft.outputs).toEqual({ rows: '=steps.pull.output.rows' })
    expect(draft.layout['pull']).toEqual({ x: 0, y: 0 })
  })

  it('a key that another step has is not taken', () => {
    const draft = replaceStep(drawn, 'extract', { key: 'load', kind: 'task', task: 'default/other' })
    expect(draft.steps[0]).toEqual({ key: 'extract', kind: 'task', task: 'default/other' })
    expect(draft.edges).toEqual(drawn.edges)
  })

  it('a branch of a switch that gets another name keeps its edges', () => {
    const chosen = { ...emptyDraft(1), steps: [{ key: 'pick', kind: 'switch', cases: [{ branch: 'a', when: 'true' }] }, { key: 'next', kind: 'task' }], edges: [{ from: 'pick', to: 'next', on: 'branch', branch: 'a' }] } satisfies WorkflowDraft
    expect(replaceStep(chosen, 'pick', { key: 'pick', kind: 'switch', cases: [{ branch: 'large', when: 'true' }] }).edges[0]?.branch).toBe('large')
  })

  it('a place that did not change is no change', () => {
    expect(moveSteps(drawn, { extract: { x: 0, y: 0 } })).toBe(drawn)
    expect(moveSteps(drawn, { extract: { x: 8, y: 0 } }).layout['extract']).toEqual({ x: 8, y: 0 })
  })

  it('what is saved has no places of steps that are gone, and nothing empty', () => {
    const body = bodyOf({ ...drawn, outputs: {}, layout: { ...drawn.layout, gone: { x: 1, y: 1 }, load: { x: 1.4, y: 2.6 } } }, 7, false)
    expect(body.layout).toEqual({ extract: { x: 0, y: 0 }, enough: { x: 300, y: 0 }, load: { x: 1, y: 3 } })
    expect(body).not.toHaveProperty('outputs')
    expect(body).not.toHaveProperty('paramsSchema')
    expect(definitionOf(drawn).outputs).toEqual({ rows: '=steps.extract.output.rows' })
  })
})

describe('edges', () => {
  it('keep their ids while others come and go, and begin at the handle of their way', () => {
    const ids = edgeIds(drawn.edges)
    expect(edgeIds(drawn.edges.slice(1))).toEqual(ids.slice(1))
    expect(new Set(edgeIds([...drawn.edges, ...drawn.edges])).size).toBe(8)
    expect(drawn.edges.map((edge) => handleOf(edge, drawn.steps.find((step) => step.key === edge.from)))).toEqual(['out', 'branch:true', 'branch:false', 'out'])
    expect(handleOf({ from: 'enough', to: 'load', on: 'branch', branch: 'maybe' }, drawn.steps[1])).toBe('out')
  })

  it.each([['failure', { on: 'failure', branch: null }], ['branch:a:b', { on: 'branch', branch: 'a:b' }], ['out', SUCCESS], [null, SUCCESS]] as const)('%s stands for its way', (handle, way) => {
    expect(wayFrom(handle)).toEqual(way)
  })
})

describe('copy and paste', () => {
  it('gives free keys, and expressions between the copies follow them', () => {
    const text = copyText(drawn, new Set(['extract', 'enough']))
    const pasted = pasteText(drawn, text ?? '')
    expect(pasted?.keys).toEqual(['extract2', 'enough2'])
    expect(pasted?.draft.steps.at(-1)).toEqual({ key: 'enough2', kind: 'condition', when: 'steps.extract2.output.rows > 0' })
    expect(pasted?.draft.edges.at(-1)).toEqual({ from: 'extract2', to: 'enough2' })
    expect(pasted?.draft.layout['extract2']).toEqual({ x: 32, y: 48 })
  })

  it('keeps keys that are free, such as in another workflow', () => {
    expect(pasteText(emptyDraft(2), copyText(drawn, new Set(['load'])) ?? '')?.keys).toEqual(['load'])
  })

  it('takes steps that are not finished', () => {
    const { draft, key } = addStep(emptyDraft(1), 'switch', { at: { x: 0, y: 0 } })
    expect(pasteText(draft, copyText(draft, new Set([key])) ?? '')?.keys).toEqual(['choose2'])
  })

  it.each(['', 'hello', '{"a":1}', '{"format":"tickwheel/steps","steps":[{"key":"a","kind":"nothing"}],"edges":[],"layout":{}}', '{"format":"tickwheel/steps","steps":[],"edges":[],"layout":{"a":1}}'])('refuses %s', (text) => {
    expect(pasteText(drawn, text)).toBeNull()
  })
})

describe('names that an expression is offered', () => {
  it('are those of steps before it, of the parameters and of the run', () => {
    const draft = { ...drawn, paramsSchema: { type: 'object', properties: { day: {}, 'not-a-name': {} } } }
    expect(namesAt(draft, { kind: 'step', key: 'enough' })).toEqual(['steps.extract.output', 'steps.extract.state', 'steps.extract.error.message', 'steps.extract.error.code', 'params.day', 'run.date', 'run.scheduledAt', 'run.id', 'run.cause', 'params', 'vars'])
    expect(namesAt(draft, { kind: 'edge', index: 3 })[0]).toBe('steps.load.output')
    expect(namesAt(draft, { kind: 'edge', index: 3 })).not.toContain('steps.report.output')
    expect(namesAt(draft, { kind: 'step', key: 'load', isItem: true }).slice(0, 2)).toEqual(['item', 'index'])
    expect(namesAt(draft, { kind: 'outputs' })).toContain('steps.report.output')
  })
})
