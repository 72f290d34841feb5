import { describe, expect, it } from 'vitest'
import type { Graph } from './graph.ts'
import { planRetry, type RetryQuestion } from './resume.ts'
import type { StepRecord, StepState } from './run.ts'
import { edge, RunThrough, task } from './run-through.fixture.ts'

/** a → b → c, a → x (on failure of b), d apart */
const graph: Graph = { steps: ['a', 'b', 'c', 'd'].map((key) => task(key)), edges: [edge('a>b'), edge('b>c')] }

function records(states: Readonly<Record<string, StepState | [StepState, Partial<StepRecord>]>>): Map<string, StepRecord> {
  return new Map(
    Object.entries(states).map(([key, given]) => {
      const [state, more] = typeof given === 'string' ? [given, {}] : given
      return [key, { state, edges: {}, ...more }]
    }),
  )
}

function plan(question: Partial<RetryQuestion>): string {
  const found = planRetry({ old: graph, next: question.old ?? graph, steps: new Map(), from: null, done: [], ...question })
  return found.kind === 'plan' ? `keep ${found.keep.join()} rerun ${found.rerun.join()}` : `${found.problem.code} ${found.problem.key}`
}

const failed = records({ a: 'succeeded', b: 'failed', c: ['skipped', { isBlocked: true }], d: 'succeeded' })
const fine = records({ a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'succeeded' })

describe('a retry', () => {
  it.each<[why: string, question: Partial<RetryQuestion>, expected: string]>([
    ['runs again what failed and what it blocked', { steps: failed }, 'keep a,d rerun b,c'],
    ['runs again what was canceled or never began', { steps: records({ a: 'succeeded', b: 'canceled' }) }, 'keep a rerun b,c,d'],
    ['from a step runs that and all behind it', { steps: fine, from: ['b'] }, 'keep a,d rerun b,c'],
    ['from two', { steps: fine, from: ['c', 'd'] }, 'keep a,b rerun c,d'],
    ['from another step runs also what failed and nobody handled', { steps: failed, from: ['d'] }, 'keep a rerun b,c,d'],
    ['of a run that succeeded has nothing to do', { steps: fine }, 'keep a,b,c,d rerun '],
    ['takes what somebody did by hand, and runs what is behind it', { steps: failed, done: ['b'] }, 'keep a,d rerun c'],
    ['knows all steps that it is told', { steps: fine, from: ['x'] }, 'unknownStep x'],
    ['knows what is done', { steps: fine, done: ['x'] }, 'unknownStep x'],
  ])('%s', (_why, question, expected) => {
    expect(plan(question)).toBe(expected)
  })

  it('does not run again what was not chosen, unless the way to it does', () => {
    const steps = records({ a: 'succeeded', b: ['skipped', { isBlocked: false }], c: ['skipped', { isBlocked: false }], d: 'failed' })
    expect(plan({ steps })).toBe('keep a rerun b,c,d')
    const next = resumed(graph, { steps, outputs: ['a'], edges: [edge('a>b', 'false'), edge('b>c')] })
    expect(next.states()).toEqual({ a: 'succeeded', b: 'skipped', c: 'skipped', d: 'running' })
  })

  it('keeps a failure that was handled, where another step is asked for', () => {
    const handled: Graph = { ...graph, edges: [edge('a>b failure'), edge('b>c')] }
    const steps = records({ a: ['failed', { edges: { 0: 'taken' } }], b: 'succeeded', c: 'succeeded', d: 'succeeded' })
    expect(plan({ old: handled, steps, from: ['c'] })).toBe('keep a,b,d rerun c')
    expect(plan({ old: handled, steps })).toBe('keep d rerun a,b,c')
  })

  it('keeps a failure that was allowed', () => {
    const allowed: Graph = { ...graph, steps: [task('a', { continueOnFailure: true }), task('b'), task('c'), task('d')] }
    expect(plan({ old: allowed, steps: records({ a: 'failed', b: 'succeeded', c: 'succeeded', d: 'succeeded' }), from: ['c'] })).toBe(
      'keep a,b,d rerun c',
    )
  })

  it('cannot be told the branch of a step that is done by hand', () => {
    const branching: Graph = { steps: [{ key: 'p', kind: 'approval', prompt: '?' }], edges: [] }
    expect(plan({ old: branching, steps: records({ p: 'failed' }), done: ['p'] })).toBe('hasBranches p')
  })
})

describe('a retry by a definition that was mended since', () => {
  it('runs what is new and all behind it', () => {
    const next: Graph = { steps: [...graph.steps, task('n')], edges: [...graph.edges, edge('n>c')] }
    expect(plan({ next, steps: fine })).toBe('keep a,b,d rerun c,n')
  })

  it('needs every step whose result is kept, of the same kind', () => {
    const gone: Graph = { steps: graph.steps.slice(0, 3), edges: graph.edges }
    expect(plan({ next: gone, steps: failed })).toBe('unknownStep d')
    const changed: Graph = { ...graph, steps: [{ key: 'a', kind: 'wait', forMs: 1 }, ...graph.steps.slice(1)] }
    expect(plan({ next: changed, steps: failed })).toBe('kindChanged a')
  })

  it('does without a step that would have run again', () => {
    const gone: Graph = { steps: graph.steps.filter(({ key }) => key !== 'c'), edges: [edge('a>b')] }
    expect(plan({ next: gone, steps: fine, from: ['b'] })).toBe('keep a,d rerun b')
  })
})

/** The run that a retry makes: what is kept stands in it with edges that are not decided. */
function resumed(
  old: Graph,
  { steps, outputs, edges }: { steps: Map<string, StepRecord>; outputs: string[]; edges: Graph['edges'] },
): RunThrough {
  const next: Graph = { ...old, edges }
  const found = planRetry({ old, next, steps, from: null, done: [] })
  if (found.kind === 'problem') throw new Error(found.problem.code)
  const run = new RunThrough(next)
  for (const key of found.keep) run.records.set(key, { ...(steps.get(key) ?? { state: 'pending' }), edges: null })
  for (const key of outputs) run.outputs.set(key, { output: null, error: null })
  run.go()
  return run
}
