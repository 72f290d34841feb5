import { describe, expect, it } from 'vitest'
import { checkDraft } from './check-draft.ts'
import { emptyDraft, type WorkflowDraft } from './draft.ts'
import { addStep } from './graph-edits.ts'
import { placeOf, problemsAt } from './problem-places.ts'
import { KINDS } from './step-kinds.ts'

const good: WorkflowDraft = {
  ...emptyDraft(1), name: 'nightly',
  steps: [{ key: 'extract', kind: 'task', task: 'default/extract' }, { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' }],
  edges: [{ from: 'extract', to: 'enough' }],
}
const told = (draft: WorkflowDraft) => checkDraft(draft).map(({ path, code }) => `${path} ${code}`)

describe('checking a drawing', () => {
  it('a complete one has no problems', () => {
    expect(told(good)).toEqual([])
  })

  it.each([
    ['no name', { ...good, name: ' ' }, ['name REQUIRED']],
    ['no group', { ...good, groupId: null }, ['groupId REQUIRED']],
    ['no steps', { ...good, steps: [], edges: [] }, ['steps REQUIRED']],
    ['a circle', { ...good, edges: [{ from: 'extract', to: 'enough' }, { from: 'enough', to: 'extract' }] }, ['edges WORKFLOW_HAS_CYCLE']],
    ['a branch that is not there', { ...good, steps: [...good.steps, { key: 'last', kind: 'task', task: 'a/b' }], edges: [...good.edges, { from: 'enough', to: 'last', on: 'branch', branch: 'maybe' }] }, ['edges.1.branch WORKFLOW_UNKNOWN_BRANCH', 'steps.2 WORKFLOW_STEP_UNREACHABLE']],
    ['a step that does not come before', { ...good, steps: [...good.steps, { key: 'other', kind: 'condition', when: 'steps.enough.output == null' }] }, ['steps.2.when WORKFLOW_BAD_REFERENCE']],
    ['an expression that is not one', { ...good, edges: [{ from: 'extract', to: 'enough', when: '1 +' }] }, ['edges.0.when EXPRESSION_INVALID']],
  ] satisfies [string, WorkflowDraft, string[]][])('%s is told at its place', (_why, draft, problems) => {
    expect(told(draft)).toEqual(problems)
  })

  it('a step of any kind says what it still lacks, once for each field', () => {
    const lacking = Object.fromEntries(KINDS.map((kind) => [kind, told({ ...addStep(emptyDraft(1), kind, { at: { x: 0, y: 0 } }).draft, name: 'a' })]))
    expect(lacking).toEqual({
      task: ['steps.0.task REQUIRED'], subWorkflow: ['steps.0.workflow REQUIRED'], condition: ['steps.0.when REQUIRED'], switch: ['steps.0.cases.0.when REQUIRED'],
      wait: [], approval: ['steps.0.prompt REQUIRED'], fanOut: ['steps.0.items REQUIRED', 'steps.0.each.task REQUIRED'],
    })
  })

  it('a problem is found by its place, also after the list it is in has changed', () => {
    const place = placeOf({ path: 'steps.1.cases.0.when' }, good)
    expect(place).toEqual({ kind: 'step', key: 'enough', field: 'cases.0.when' })
    expect(placeOf({ path: 'edges', params: { cycle: ['enough', 'extract', 'enough'] } }, good)).toEqual({ kind: 'step', key: 'enough', field: '' })
    expect(placeOf({ path: 'edges.0.when' }, good)).toEqual({ kind: 'edge', index: 0, field: 'when' })
    expect(placeOf({ path: 'schedule.expression' }, good)).toEqual({ kind: 'settings', field: 'schedule.expression' })
    expect(placeOf({ path: 'steps.9.when' }, good)).toEqual({ kind: 'settings', field: 'steps.9.when' })
    const placed = [{ problem: { path: 'steps.1.when', code: 'REQUIRED' }, place: placeOf({ path: 'steps.1.when' }, good) }]
    expect([...problemsAt(placed, { kind: 'step', key: 'enough' }).keys()]).toEqual(['when'])
    expect(problemsAt(placed, { kind: 'settings' }).size).toBe(0)
  })
})
