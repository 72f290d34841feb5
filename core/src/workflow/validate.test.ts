import { describe, expect, it } from 'vitest'
import type { Graph, Json, Step } from './graph.ts'
import { referencesOf } from './references-of.ts'
import { edge, task } from './run-through.fixture.ts'
import { validate } from './validate.ts'

function problemsOf(steps: readonly unknown[], edges: Graph['edges'] = [], more: Partial<Graph> = {}): string[] {
  return validate({ steps: steps as readonly Step[], edges, ...more }).map(({ path, code }) => `${path} ${code}`)
}

const condition: Step = { key: 'is', kind: 'condition', when: 'params.n > 1' }

describe('a graph is refused for', () => {
  it.each<[why: string, steps: readonly unknown[], edges: Graph['edges'], problems: string[]]>([
    ['nothing', [], [], ['steps REQUIRED']],
    [
      'keys that are none',
      [task('A'), task('a-b'), task('', { task: 'g/a' })],
      [],
      ['steps.0.key BAD_FORMAT', 'steps.1.key BAD_FORMAT', 'steps.2.key BAD_FORMAT'],
    ],
    [
      'words of the language',
      [task('in'), task('null'), task('while')],
      [],
      ['steps.0.key NOT_ALLOWED_VALUE', 'steps.1.key NOT_ALLOWED_VALUE', 'steps.2.key NOT_ALLOWED_VALUE'],
    ],
    ['one key twice', [task('a'), task('b'), task('a')], [], ['steps.2.key NAME_TAKEN']],
    ['no task', [{ key: 'a', kind: 'task' }], [], ['steps.0.task REQUIRED']],
    ['two tasks', [{ key: 'a', kind: 'task', task: 'g/a', inline: { handler: {} } }], [], ['steps.0.inline NOT_ALLOWED_VALUE']],
    [
      'a name without a group',
      [task('a', { task: 'a' }), { key: 'b', kind: 'subWorkflow', workflow: 'a/b/c' }],
      [],
      ['steps.0.task BAD_FORMAT', 'steps.1.workflow BAD_FORMAT'],
    ],
    [
      'retries of what runs nothing',
      [{ ...condition, retry: { max: 1 }, timeoutMs: 5 }],
      [],
      ['steps.0.retry UNKNOWN_FIELD', 'steps.0.timeoutMs UNKNOWN_FIELD'],
    ],
    ['a condition that is disabled', [{ ...condition, disabled: true }], [], ['steps.0.disabled NOT_ALLOWED_VALUE']],
    [
      'cases alike',
      [{ key: 's', kind: 'switch', cases: ['x', 'default', 'x'].map((branch) => ({ branch, when: 'true' })) }],
      [],
      ['steps.0.cases.1.branch NOT_ALLOWED_VALUE', 'steps.0.cases.2.branch NAME_TAKEN'],
    ],
    ['no cases', [{ key: 's', kind: 'switch', cases: [] }], [], ['steps.0.cases REQUIRED']],
    ['a wait for nothing', [{ key: 'w', kind: 'wait' }], [], ['steps.0.forMs REQUIRED']],
    [
      'a wait for two things',
      [{ key: 'w', kind: 'wait', forMs: 1, until: '2026-01-01T00:00:00Z' }],
      [],
      ['steps.0.until NOT_ALLOWED_VALUE'],
    ],
    ['a wait until no instant', [{ key: 'w', kind: 'wait', until: 'tomorrow' }], [], ['steps.0.until BAD_FORMAT']],
    ['a wait for nobody', [{ key: 'w', kind: 'wait', upstream: { date: '=run.date' } }], [], ['steps.0.upstream.task REQUIRED']],
    [
      'a wait for two',
      [{ key: 'w', kind: 'wait', upstream: { task: 'g/a', workflow: 'g/b' } }],
      [],
      ['steps.0.upstream.workflow NOT_ALLOWED_VALUE'],
    ],
    [
      'a wait for no date',
      [{ key: 'w', kind: 'wait', upstream: { task: 'g/a', date: '2026-02-30' } }],
      [],
      ['steps.0.upstream.date BAD_FORMAT'],
    ],
    [
      'items that are a text',
      [{ key: 'f', kind: 'fanOut', items: 'a,b', each: { kind: 'task', task: 'g/a' } }],
      [],
      ['steps.0.items WRONG_TYPE'],
    ],
    [
      'too many items',
      [{ key: 'f', kind: 'fanOut', items: [1, 2, 3], maxItems: 2, each: { kind: 'task', task: 'g/a' } }],
      [],
      ['steps.0.items TOO_LARGE'],
    ],
    ['each of nothing', [{ key: 'f', kind: 'fanOut', items: [1], each: { kind: 'task' } }], [], ['steps.0.each.task REQUIRED']],
    [
      'each that is split again',
      [{ key: 'f', kind: 'fanOut', items: [1], each: { kind: 'task', inline: { handler: {}, sharding: { kind: 'fixed', total: 2 } } } }],
      [],
      ['steps.0.each.inline.sharding NOT_ALLOWED_VALUE'],
    ],
    ['an input above 64 KiB', [task('a', { input: { x: 'x'.repeat(70_000) } })], [], ['steps.0.input PARAMS_TOO_LARGE']],
    ['an input that is nested too deep', [task('a', { input: { x: nested(70) } })], [], ['steps.0.input TOO_LARGE']],
    ['an edge from nowhere to nowhere', [task('a')], [edge('x>y')], ['edges.0.from UNKNOWN_REFERENCE', 'edges.0.to UNKNOWN_REFERENCE']],
    ['an edge twice', [task('a'), task('b')], [edge('a>b'), edge('a>b success', 'true'), edge('a>b failure')], ['edges.1.to NAME_TAKEN']],
    [
      'a branch without its name',
      [condition, task('a')],
      [{ ...edge('is>a'), on: 'branch' }],
      ['edges.0.branch REQUIRED', 'steps.1 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'a branch where none is asked for',
      [condition, task('a')],
      [{ ...edge('is>a'), branch: 'true' }],
      ['edges.0.branch NOT_ALLOWED_VALUE'],
    ],
    [
      'a branch that there is not',
      [condition, task('a')],
      [edge('is>a branch:maybe'), edge('is>a branch:true')],
      ['edges.0.branch WORKFLOW_UNKNOWN_BRANCH'],
    ],
    [
      'a branch of what has none',
      [task('a'), task('b')],
      [edge('a>b branch:true')],
      ['edges.0.branch WORKFLOW_UNKNOWN_BRANCH', 'steps.1 WORKFLOW_STEP_UNREACHABLE'],
    ],
    ['a step behind itself', [task('a')], [edge('a>a')], ['edges WORKFLOW_HAS_CYCLE']],
    ['an expression that is none', [{ ...condition, when: '1 +' }], [], ['steps.0.when EXPRESSION_INVALID']],
    ['a condition that is no boolean', [{ ...condition, when: '1 + 1' }], [], ['steps.0.when EXPRESSION_INVALID']],
    [
      'a case that is no boolean',
      [{ key: 's', kind: 'switch', cases: [{ branch: 'x', when: '"x"' }] }],
      [],
      ['steps.0.cases.0.when EXPRESSION_INVALID'],
    ],
    ['an edge whose condition is no boolean', [task('a'), task('b')], [edge('a>b', '"yes"')], ['edges.0.when EXPRESSION_INVALID']],
    [
      'items that are no list',
      [{ key: 'f', kind: 'fanOut', items: '="a"', each: { kind: 'task', task: 'g/a' } }],
      [],
      ['steps.0.items EXPRESSION_INVALID'],
    ],
    ['an instant that is a number', [{ key: 'w', kind: 'wait', until: '=1 + 1' }], [], ['steps.0.until EXPRESSION_INVALID']],
    ['an unknown name', [task('a', { input: { x: ['=foo'] } })], [], ['steps.0.input.x.0 WORKFLOW_BAD_REFERENCE']],
    ['an item outside of each', [task('a', { input: { x: '=item' } })], [], ['steps.0.input.x WORKFLOW_BAD_REFERENCE']],
    ['a step that there is not', [task('a', { input: { x: '=steps.b.output' } })], [], ['steps.0.input.x WORKFLOW_BAD_REFERENCE']],
    [
      'a step that does not come before',
      [task('a', { input: { x: '=steps.b.output' } }), task('b')],
      [],
      ['steps.0.input.x WORKFLOW_BAD_REFERENCE'],
    ],
    [
      'a step that comes after',
      [task('a', { input: { x: '=steps.b.output' } }), task('b')],
      [edge('a>b')],
      ['steps.0.input.x WORKFLOW_BAD_REFERENCE'],
    ],
    ['the step itself', [task('a', { input: { x: '=steps.a.output' } })], [], ['steps.0.input.x WORKFLOW_BAD_REFERENCE']],
    ['the end of the edge', [task('a'), task('b')], [edge('a>b', 'steps.b.state == "x"')], ['edges.0.when WORKFLOW_BAD_REFERENCE']],
    [
      'a failure of what cannot fail',
      [task('a', { disabled: true }), task('b')],
      [edge('a>b failure')],
      ['steps.1 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'a failure that is seen as a success',
      [task('a', { continueOnFailure: true }), task('b')],
      [edge('a>b failure')],
      ['steps.1 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'what is behind it',
      [task('a', { disabled: true }), task('b'), task('c')],
      [edge('a>b failure'), edge('b>c')],
      ['steps.1 WORKFLOW_STEP_UNREACHABLE', 'steps.2 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'what is behind it, whatever becomes of it',
      [task('a', { disabled: true }), task('b'), task('c')],
      [edge('a>b failure'), edge('b>c always')],
      ['steps.1 WORKFLOW_STEP_UNREACHABLE', 'steps.2 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'it alone, when what is behind it starts after a cancel before it',
      [task('a', { continueOnFailure: true }), task('b'), task('c')],
      [edge('a>b failure'), edge('b>c always')],
      ['steps.1 WORKFLOW_STEP_UNREACHABLE'],
    ],
    [
      'more edges than there are',
      [task('a'), task('b', { join: { atLeast: 2 } })],
      [edge('a>b')],
      ['steps.1.join.atLeast WORKFLOW_JOIN_IMPOSSIBLE'],
    ],
    [
      'both arms of a condition',
      [condition, task('a'), task('b'), task('j', { join: { atLeast: 2 } })],
      [edge('is>a branch:true'), edge('is>b branch:false'), edge('a>j'), edge('b>j')],
      ['steps.3.join.atLeast WORKFLOW_JOIN_IMPOSSIBLE'],
    ],
    [
      'success and failure of one',
      [task('a'), task('j', { join: { atLeast: 2 } })],
      [edge('a>j'), edge('a>j failure')],
      ['steps.1.join.atLeast WORKFLOW_JOIN_IMPOSSIBLE'],
    ],
  ])('%s', (_why, steps, edges, problems) => {
    expect(problemsOf(steps, edges)).toEqual(problems)
  })

  it('a cycle, told step by step', () => {
    const steps = ['a', 'b', 'c', 'd'].map((key) => task(key))
    const [problem, ...others] = validate({ steps, edges: [edge('a>b'), edge('b>c'), edge('c>b'), edge('c>d')] })
    expect(others).toEqual([])
    expect(problem?.params).toEqual({ cycle: ['b', 'c', 'b'] })
    const long = Array.from({ length: 1000 }, (_, n) => task(`s${n}`))
    const round = long.map(({ key }, n) => edge(`${key}>${long[(n + 1) % 1000]?.key ?? ''}`))
    const cycle = validate({ steps: long, edges: round })[0]?.params.cycle as readonly string[]
    expect(cycle).toHaveLength(1001)
    const pairs = new Set(round.map(({ from, to }) => `${from}>${to}`))
    expect(cycle.slice(1).filter((key, n) => !pairs.has(`${cycle[n] ?? ''}>${key}`))).toEqual([])
  })

  it('its size, and then for nothing else', () => {
    const many = Array.from({ length: 1001 }, () => task('BAD'))
    expect(problemsOf(many)).toEqual(['steps WORKFLOW_TOO_LARGE'])
    expect(
      problemsOf(
        [task('a')],
        Array.from({ length: 5001 }, () => edge('a>a')),
      ),
    ).toEqual(['edges WORKFLOW_TOO_LARGE'])
    expect(problemsOf([task('a', { name: 'x'.repeat(1_100_000) })])).toEqual([' WORKFLOW_TOO_LARGE'])
    expect(problemsOf([task('a', { input: { x: nested(100_000) } })])).toEqual([' WORKFLOW_TOO_LARGE'])
  })

  it('its outputs and its params', () => {
    expect(problemsOf([task('a')], [], { outputs: { rows: '=steps.a.output.rows', x: { y: '=steps.b.output' } } })).toEqual([
      'outputs.x.y WORKFLOW_BAD_REFERENCE',
    ])
    expect(problemsOf([task('a')], [], { paramsSchema: { type: 'array' } })).toEqual(['paramsSchema.type NOT_ALLOWED_VALUE'])
  })

  it('everything at once', () => {
    expect(
      problemsOf([task('A'), task('b', { input: { x: '=1 +' } }), { key: 'w', kind: 'wait' }], [edge('b>nowhere'), edge('w>w')], {
        outputs: { x: '=y' },
      }),
    ).toEqual([
      'steps.0.key BAD_FORMAT',
      'steps.2.forMs REQUIRED',
      'edges.0.to UNKNOWN_REFERENCE',
      'edges WORKFLOW_HAS_CYCLE',
      'steps.1.input.x EXPRESSION_INVALID',
      'outputs.x WORKFLOW_BAD_REFERENCE',
    ])
  })

  it('an expression with what is wrong and where', () => {
    const [problem] = validate({ steps: [{ ...condition, when: 'params.a && foo' }], edges: [] })
    expect(problem).toMatchObject({ code: 'WORKFLOW_BAD_REFERENCE', params: { message: 'Unknown variable: foo', position: 13 } })
    const [reference] = validate({ steps: [task('a', { input: { x: '=1 + steps.b.output' } }), task('b')], edges: [] })
    expect(reference).toMatchObject({ params: { name: 'b', position: 5 }, message: 'the step "b" does not come before this (at 5)' })
  })
})

describe('a graph is taken with', () => {
  it.each<[why: string, steps: readonly unknown[], edges: Graph['edges'], more?: Partial<Graph>]>([
    ['one step', [task('a')], []],
    ['outputs of steps anywhere', [task('a'), task('b')], [], { outputs: { a: '=steps.a.output', b: '=steps.b.state' } }],
    ['references over several edges', [task('a'), task('b'), task('c', { input: { x: '=steps.a.output' } })], [edge('a>b'), edge('b>c')]],
    ['an edge that speaks of where it comes from', [task('a'), task('b')], [edge('a>b', 'steps.a.output.n > 1')]],
    ['success and failure to one step', [task('a'), task('b')], [edge('a>b'), edge('a>b failure')]],
    [
      'items and their index',
      [
        {
          key: 'f',
          kind: 'fanOut',
          items: '=params.list',
          each: { kind: 'subWorkflow', workflow: 'g/w', input: { x: '=item', n: '=index' } },
        },
      ],
      [],
    ],
    ['a literal equals sign', [task('a', { input: { x: '==foo' } })], []],
    [
      'atLeast that one arm can reach',
      [condition, task('a'), task('b'), task('c'), task('j', { join: { atLeast: 2 } })],
      [edge('is>a branch:true'), edge('is>b branch:false'), edge('a>j'), edge('b>j'), edge('c>j')],
    ],
    [
      'atLeast over a reunion',
      [condition, task('a'), task('b'), task('j', { join: { atLeast: 2 } })],
      [edge('is>a branch:true'), edge('is>b branch:false'), edge('a>j always'), edge('b>j always')],
    ],
    [
      'the failure of an approval that expires',
      [{ key: 'p', kind: 'approval', prompt: '?', expiresMs: 1000 }, task('a')],
      [edge('p>a failure')],
    ],
    ['allDone behind what is never taken', [task('a', { disabled: true }), task('b', { join: 'allDone' })], [edge('a>b failure')]],
    ['an instant from a timestamp', [{ key: 'w', kind: 'wait', until: '=timestamp(run.scheduledAt) + duration("1h")' }], []],
    [
      'an inline task',
      [{ key: 'a', kind: 'task', inline: { handler: { kind: 'shell', script: 'true' }, sharding: { kind: 'fixed', total: 2 } } }],
      [],
    ],
  ])('%s', (_why, steps, edges, more) => {
    expect(problemsOf(steps, edges, more)).toEqual([])
  })
})

it('what a graph refers to in the store is told with its places', () => {
  const steps: Step[] = [
    task('a'),
    { key: 'i', kind: 'task', inline: { handler: {} } },
    { key: 's', kind: 'subWorkflow', workflow: 'g/w' },
    { key: 'f', kind: 'fanOut', items: [1], each: { kind: 'task', task: 'g/t' } },
    { key: 'g', kind: 'fanOut', items: [1], each: { kind: 'subWorkflow', workflow: 'g/v' } },
    { key: 'w', kind: 'wait', upstream: { task: 'g/u' } },
    { key: 'x', kind: 'wait', upstream: { workflow: 'g/u' } },
  ]
  expect(referencesOf({ steps, edges: [] }).map(({ kind, name, path, use }) => `${path} ${kind} ${name} ${use}`)).toEqual([
    'steps.0.task task g/a run',
    'steps.2.workflow workflow g/w run',
    'steps.3.each.task task g/t run',
    'steps.4.each.workflow workflow g/v run',
    'steps.5.upstream.task task g/u watch',
    'steps.6.upstream.workflow workflow g/u watch',
  ])
})

function nested(depth: number): Json {
  let value: Json = 1
  for (let n = 0; n < depth; n++) value = [value]
  return value
}
