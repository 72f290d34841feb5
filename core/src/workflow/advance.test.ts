import { describe, expect, it } from 'vitest'
import { advance } from './advance.ts'
import type { Graph, Step } from './graph.ts'
import { edge, RunThrough, task, type Ending } from './run-through.fixture.ts'

const ok: Ending = { state: 'succeeded' }
const bad: Ending = { state: 'failed' }

/** Ends each step as it is told, in the order in which they are named, as soon as it runs; what is not named stays running. */
function play(graph: Graph, endings: Readonly<Record<string, Ending>>, view: Partial<RunThrough['view']> = {}): RunThrough {
  const run = new RunThrough(graph, { view })
  run.go()
  for (;;) {
    const key = Object.keys(endings).find((name) => run.running.includes(name))
    const ending = key === undefined ? undefined : endings[key]
    if (key === undefined || ending === undefined) return run
    run.end(key, ending)
    run.go()
    expect(run.go().filter(({ kind }) => kind !== 'cancel')).toEqual([])
  }
}

const nightly: Graph = {
  steps: [
    task('extract', { input: { day: "=params.day == '' ? run.date : params.day" } }),
    { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' },
    task('load', { input: { file: '=steps.extract.output.file' }, retry: { max: 2 } }),
    task('repair', { input: { why: '=steps.load.error.message' } }),
    task('report'),
  ],
  edges: [
    edge('extract>enough'),
    edge('enough>load branch:true'),
    edge('enough>report branch:false'),
    edge('load>report'),
    edge('load>repair failure'),
    edge('repair>report'),
  ],
}
const rows = { state: 'succeeded', output: { rows: 3, file: '/tmp/a' } } as const

describe('example 1: condition, repair, reunion', () => {
  it.each<[why: string, endings: Record<string, Ending>, states: string, finish: string]>([
    ['a good load', { extract: rows, load: ok, report: ok }, 'succeeded succeeded succeeded skipped succeeded', 'succeeded'],
    ['no rows', { extract: { ...ok, output: { rows: 0 } }, report: ok }, 'succeeded succeeded skipped skipped succeeded', 'succeeded'],
    [
      'a repaired load',
      { extract: rows, load: bad, repair: ok, report: ok },
      'succeeded succeeded failed succeeded succeeded',
      'succeeded',
    ],
    [
      'a load that ran out of time, repaired',
      { extract: rows, load: { state: 'timedOut' }, repair: ok, report: ok },
      'succeeded succeeded timedOut succeeded succeeded',
      'succeeded',
    ],
    ['a load that nothing repaired', { extract: rows, load: bad, repair: bad }, 'succeeded succeeded failed failed skipped', 'failed'],
    [
      'a canceled load is no failure to repair',
      { extract: rows, load: { state: 'canceled' } },
      'succeeded succeeded canceled skipped skipped',
      'failed',
    ],
    ['extract fails', { extract: bad }, 'failed skipped skipped skipped skipped', 'failed'],
    ['extract gives no rows field', { extract: { ...ok, output: {} } }, 'succeeded failed skipped skipped skipped', 'failed'],
    ['report fails', { extract: rows, load: ok, report: bad }, 'succeeded succeeded succeeded skipped failed', 'failed'],
  ])('%s', (_why, endings, states, finish) => {
    const run = play(nightly, endings, { params: { day: '' } })
    expect(Object.values(run.states()).join(' ')).toBe(states)
    expect(run.finish?.state).toBe(finish)
  })

  it('computes what goes into its steps, and says which failed', () => {
    const run = play(nightly, { extract: rows, load: bad, repair: bad }, { params: { day: '' } })
    expect(run.works.get('extract')).toEqual({ kind: 'task', task: 'g/extract', inline: null, params: '{"day":"2026-05-04"}' })
    expect(run.works.get('load')).toMatchObject({ params: '{"file":"/tmp/a"}' })
    expect(run.works.get('repair')).toMatchObject({ params: '{"why":"load failed"}' })
    expect(run.finish).toEqual({ state: 'failed', outputs: null, error: { code: 'STEP_FAILED', message: 'repair' } })
  })

  it('asks for outputs only where an expression needs them', () => {
    const run = play(nightly, { extract: rows, load: ok, report: ok }, { params: { day: 'x' } })
    expect(new Set(run.asked)).toEqual(new Set(['extract']))
    expect(play({ steps: [task('a'), task('b')], edges: [edge('a>b')] }, { a: ok, b: ok }).asked).toEqual([])
  })
})

const monthEnd: Graph = {
  onFailure: 'finish',
  steps: [
    { key: 'list', kind: 'task', task: 'billing/list-accounts' },
    {
      key: 'bill',
      kind: 'fanOut',
      items: '=steps.list.output.accounts',
      concurrency: 20,
      failures: 'collect',
      each: { kind: 'task', task: 'billing/bill-one', input: { account: '=item' } },
    },
    { key: 'check', kind: 'approval', prompt: 'Send the bills?', expiresMs: 86_400_000, onExpire: 'reject', notByStarter: true },
    { key: 'send', kind: 'task', task: 'billing/send' },
    { key: 'clean', kind: 'task', task: 'billing/clean-up', join: 'allDone' },
  ],
  edges: [
    edge('list>bill'),
    edge('bill>check', 'steps.bill.output.failed == 0'),
    edge('check>send branch:approved'),
    edge('send>clean always'),
    edge('bill>clean always'),
  ],
}
const listed = { state: 'succeeded', output: { accounts: ['a', 'b'] } } as const
const billed = { state: 'succeeded', output: { total: 2, succeeded: 2, failed: 0 } } as const

describe('example 2: fan-out, approval, clean-up', () => {
  it.each<[why: string, endings: Record<string, Ending>, states: string, finish: string]>([
    [
      'approved and sent',
      { list: listed, bill: billed, check: { ...ok, branch: 'approved' }, send: ok, clean: ok },
      'succeeded succeeded succeeded succeeded succeeded',
      'succeeded',
    ],
    [
      'rejected',
      { list: listed, bill: billed, check: { ...ok, branch: 'rejected' }, clean: ok },
      'succeeded succeeded succeeded skipped succeeded',
      'succeeded',
    ],
    [
      'a bill failed: nobody is asked',
      { list: listed, bill: { ...ok, output: { total: 2, succeeded: 1, failed: 1 } }, clean: ok },
      'succeeded succeeded skipped skipped succeeded',
      'succeeded',
    ],
    [
      'the approval expired as a failure',
      { list: listed, bill: billed, check: bad, clean: ok },
      'succeeded succeeded failed skipped succeeded',
      'failed',
    ],
    [
      'sending failed, and it is cleaned up all the same',
      { list: listed, bill: billed, check: { ...ok, branch: 'approved' }, send: bad, clean: ok },
      'succeeded succeeded succeeded failed succeeded',
      'failed',
    ],
    ['the fan-out failed', { list: listed, bill: bad, clean: ok }, 'succeeded failed skipped skipped succeeded', 'failed'],
    ['the list failed: clean-up runs by its always edges', { list: bad, clean: ok }, 'failed skipped skipped skipped succeeded', 'failed'],
    [
      'there are no accounts',
      { list: { ...ok, output: { accounts: [] } }, check: { ...ok, branch: 'approved' }, send: ok, clean: ok },
      'succeeded succeeded succeeded succeeded succeeded',
      'succeeded',
    ],
    [
      'the list is no list',
      { list: { ...ok, output: { accounts: 7 } }, clean: ok },
      'succeeded failed skipped skipped succeeded',
      'failed',
    ],
  ])('%s', (_why, endings, states, finish) => {
    const run = play(monthEnd, endings)
    expect(Object.values(run.states()).join(' ')).toBe(states)
    expect(run.finish?.state).toBe(finish)
  })

  it('tells the fan-out its items and the approval its end', () => {
    const run = play(monthEnd, { list: listed, bill: billed })
    expect(run.works.get('bill')).toEqual({ kind: 'fanOut', items: ['a', 'b'] })
    expect(run.works.get('check')).toEqual({ kind: 'approval', prompt: 'Send the bills?', expiresAt: run.now + 86_400_000 })
  })
})

describe('an edge', () => {
  const three = (...edges: Graph['edges']): Graph => ({ steps: [task('a'), task('b'), task('c')], edges })

  it.each<[why: string, graph: Graph, a: Ending, states: string]>([
    ['success after success', three(edge('a>b')), ok, 'running'],
    ['success after failure', three(edge('a>b')), bad, 'skipped'],
    ['failure after success', three(edge('a>b failure')), ok, 'skipped'],
    ['failure after failure', three(edge('a>b failure')), bad, 'running'],
    ['failure after time-out', three(edge('a>b failure')), { state: 'timedOut' }, 'running'],
    ['failure after cancel', three(edge('a>b failure')), { state: 'canceled' }, 'skipped'],
    ['always after success', three(edge('a>b always')), ok, 'running'],
    ['always after failure', three(edge('a>b always')), bad, 'running'],
    ['always after cancel', three(edge('a>b always')), { state: 'canceled' }, 'running'],
    ['success, when it holds', three(edge('a>b', 'steps.a.output.n > 1')), { ...ok, output: { n: 2 } }, 'running'],
    ['success, when it does not hold', three(edge('a>b', 'steps.a.output.n > 1')), { ...ok, output: { n: 1 } }, 'skipped'],
    ['a condition that fails', three(edge('a>b', 'steps.a.output.n > 1')), ok, 'failed'],
    ['a condition on the state', three(edge('a>b always', "steps.a.state == 'timedOut'")), { state: 'timedOut' }, 'running'],
    ['failure, when it does not hold', three(edge('a>b failure', 'false')), bad, 'skipped'],
  ])('%s: %o', (_why, graph, a, state) => {
    expect(play(graph, { a }).stateOf('b')).toBe(state)
  })

  it('fails the step that it leads to, whichever edges else lead there, and says why', () => {
    const run = play(three(edge('a>b', 'steps.a.output.n > 1'), edge('c>b')), { a: ok })
    expect(run.states()).toEqual({ a: 'succeeded', b: 'failed', c: 'running' })
    expect(run.outputs.get('b')?.error).toMatchObject({
      code: 'EXPRESSION_FAILED',
      message: expect.stringContaining('steps.a.output.n > 1'),
    })
    expect(run.records.get('a')?.edges).toEqual({ 0: 'blocked' })
  })

  it('that fails changes nothing for a step that has begun', () => {
    const graph: Graph = {
      steps: [task('a'), task('c'), task('b', { join: 'any' })],
      edges: [edge('c>b'), edge('a>b', 'steps.a.output.n > 1')],
    }
    expect(play(graph, { c: ok, a: ok }).stateOf('b')).toBe('running')
  })

  it('is blocked behind what was blocked and passed behind what was passed; only always goes on, and only after a block', () => {
    const chain = (on: string): Graph => ({ steps: [task('a'), task('b'), task('c')], edges: [edge('a>b'), edge(`b>c${on}`)] })
    const passing: Graph = { ...chain(' always'), edges: [edge('a>b', 'false'), edge('b>c always')] }
    expect(play(chain(''), { a: bad }).records.get('c')).toMatchObject({ state: 'skipped', isBlocked: true })
    expect(play(chain(' failure'), { a: bad }).records.get('c')).toMatchObject({ state: 'skipped', isBlocked: true })
    expect(play(chain(' always'), { a: bad }).stateOf('c')).toBe('running')
    expect(play(passing, { a: ok }).records.get('c')).toMatchObject({ state: 'skipped', isBlocked: false })
  })

  it('of a handled failure passes where it is not the handler, and of one that is not handled blocks', () => {
    const graph: Graph = {
      steps: [task('a'), task('b'), task('c')],
      edges: [edge('a>b failure', "steps.a.error.code == 'failed'"), edge('a>c')],
    }
    expect(play(graph, { a: bad }).records.get('c')).toMatchObject({ state: 'skipped', isBlocked: false })
    const unhandled = play(graph, { a: { state: 'timedOut' } })
    expect(unhandled.records.get('c')).toMatchObject({ state: 'skipped', isBlocked: true })
    expect(unhandled.finish).toMatchObject({ state: 'failed', error: { code: 'STEP_FAILED', message: 'a' } })
  })

  it('sees a success of a step that may fail, and the run has not failed', () => {
    const graph: Graph = {
      steps: [task('a', { continueOnFailure: true }), task('b'), task('c')],
      edges: [edge('a>b'), edge('a>c failure')],
    }
    const run = play(graph, { a: bad, b: ok })
    expect(run.states()).toEqual({ a: 'failed', b: 'succeeded', c: 'skipped' })
    expect(run.finish?.state).toBe('succeeded')
  })
})

describe('a join', () => {
  const three: Step[] = [task('a'), task('b'), task('c')]
  const into = (join: NonNullable<Step['join']>): Graph => ({
    steps: [...three, task('j', { join })],
    edges: [edge('a>j'), edge('b>j'), edge('c>j')],
  })
  const passed: Graph['edges'] = ['a', 'b', 'c'].map((from) => edge(`${from}>j`, `steps.${from}.output == 1`))
  const one: Ending = { ...ok, output: 1 }
  const two: Ending = { ...ok, output: 2 }

  it.each<[join: NonNullable<Step['join']>, endings: Record<string, Ending>, state: string, why: string]>([
    ['all', { a: one, b: one }, 'pending', 'one is open'],
    ['all', { a: one, b: one, c: one }, 'running', 'all are taken'],
    ['all', { a: one, b: two, c: two }, 'running', 'one is taken, the others are passed'],
    ['all', { a: two, b: two, c: two }, 'skipped', 'all are passed'],
    ['all', { a: bad }, 'skipped', 'one is blocked'],
    ['any', { a: two }, 'pending', 'none is taken yet'],
    ['any', { a: bad, b: one }, 'running', 'the first is taken'],
    ['any', { a: two, b: two, c: bad }, 'skipped', 'none was taken'],
    [{ atLeast: 2 }, { a: one }, 'pending', 'one is not enough'],
    [{ atLeast: 2 }, { a: one, b: bad }, 'pending', 'the last can make it'],
    [{ atLeast: 2 }, { a: one, b: bad, c: one }, 'running', 'two are taken'],
    [{ atLeast: 2 }, { a: bad, b: two }, 'skipped', 'two can no longer be reached'],
    ['allDone', { a: one, b: bad }, 'pending', 'one is open'],
    ['allDone', { a: two, b: bad, c: { state: 'canceled' } }, 'running', 'all are decided, whichever way'],
  ])('%j after %j is %s: %s', (join, endings, state) => {
    expect(play({ ...into(join), edges: passed }, endings).stateOf('j')).toBe(state)
  })

  it('starts once: what is taken later changes nothing', () => {
    const run = play(into('any'), { a: ok, j: ok, b: ok, c: bad })
    expect(run.started.filter((key) => key === 'j')).toHaveLength(1)
    expect(run.stateOf('j')).toBe('succeeded')
  })

  it('tells by which edges a step was skipped, and whether one of them was blocked', () => {
    const skips = (graph: Graph, endings: Record<string, Ending>) => play(graph, endings).moves.filter(({ kind }) => kind === 'skip')
    expect(skips({ ...into('all'), edges: passed }, { a: two, b: two, c: two })).toEqual([
      { kind: 'skip', key: 'j', isBlocked: false, edges: [0, 1, 2] },
    ])
    expect(skips(into('all'), { b: bad })).toEqual([{ kind: 'skip', key: 'j', isBlocked: true, edges: [1] }])
    expect(skips({ ...into({ atLeast: 2 }), edges: passed }, { a: two, c: bad })).toEqual([
      { kind: 'skip', key: 'j', isBlocked: true, edges: [0, 2] },
    ])
  })
})

describe('steps that do no work of their own', () => {
  it('end as they start, and so do those behind them, in one answer', () => {
    const graph: Graph = {
      steps: [
        task('e'),
        { key: 'off', kind: 'task', task: 'g/off', disabled: true },
        {
          key: 'which',
          kind: 'switch',
          cases: [
            { branch: 'one', when: 'params.n == 1' },
            { branch: 'two', when: 'params.n == 2' },
          ],
        },
        { key: 'is', kind: 'condition', when: 'params.n > 1' },
        task('other'),
      ],
      edges: [edge('off>which'), edge('which>is branch:two'), edge('which>other branch:default'), edge('is>e branch:true')],
    }
    const run = new RunThrough(graph, { view: { params: { n: 2 } } })
    expect(run.go().map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'end off',
      'decide off',
      'end which',
      'decide which',
      'end is',
      'decide is',
      'skip other',
      'start e',
    ])
    expect(run.outputs.get('off')).toEqual({ output: null, error: null })
    expect(run.records.get('which')?.branch).toBe('two')
    expect(run.records.get('is')?.branch).toBe('true')
    expect(run.go()).toEqual([])
  })

  it('take the branch default where no case holds, and fail where one cannot be told', () => {
    const graph: Graph = {
      steps: [
        {
          key: 's',
          kind: 'switch',
          cases: [
            { branch: 'x', when: 'params.n == 1' },
            { branch: 'y', when: 'params.m' },
          ],
        },
      ],
      edges: [],
    }
    const ended = (params: Record<string, number | boolean>) => {
      const run = new RunThrough(graph, { view: { params } })
      run.go()
      return [run.stateOf('s'), run.records.get('s')?.branch]
    }
    expect(ended({ n: 1 })).toEqual(['succeeded', 'x'])
    expect(ended({ n: 2, m: false })).toEqual(['succeeded', 'default'])
    expect(ended({ n: 2, m: 7 })).toEqual(['failed', null])
    expect(ended({})).toEqual(['failed', null])
  })
})

describe('a wait', () => {
  const wait = (more: object): Graph => ({ steps: [{ key: 'w', kind: 'wait', ...more }], edges: [] })
  const workOf = (more: object, params = {}) => {
    const run = new RunThrough(wait(more), { view: { params } })
    run.go()
    return run.works.get('w') ?? run.outputs.get('w')?.error
  }

  it('counts from now, goes by an instant, or by the success of another of the same date', () => {
    expect(workOf({ forMs: 5000, maxMs: 60_000 })).toEqual({ kind: 'wait', until: 1_005_000, upstream: null, expiresAt: 1_060_000 })
    expect(workOf({ until: '2026-05-04T00:00:00+08:00' })).toMatchObject({ until: Date.UTC(2026, 4, 3, 16) })
    expect(workOf({ until: "=timestamp(run.scheduledAt) + duration('1h')" })).toMatchObject({ until: Date.UTC(2026, 4, 4, 3) })
    expect(workOf({ upstream: { task: 'g/a' } })).toMatchObject({ upstream: { kind: 'task', name: 'g/a', date: '2026-05-04' } })
    expect(workOf({ upstream: { workflow: 'g/a', date: '2026-05-03' } })).toMatchObject({
      upstream: { kind: 'workflow', date: '2026-05-03' },
    })
  })

  it.each([
    [{ until: '=params.at' }, { at: 'tomorrow' }],
    [{ until: '=params.at' }, { at: 5 }],
    [{ upstream: { task: 'g/a', date: '=params.at' } }, { at: '2026-02-30' }],
    [{ upstream: { task: 'g/a', date: '=params.at' } }, { at: '4 May' }],
  ])('%j fails when it gives %j', (more, params) => {
    expect(workOf(more, params)).toMatchObject({ code: 'EXPRESSION_FAILED' })
  })
})

describe('how many steps run', () => {
  const wide: Graph = { stepConcurrency: 2, steps: ['a', 'b', 'c', 'd'].map((key) => task(key)), edges: [] }

  it('is limited, and the next begins when one has ended', () => {
    const run = play(wide, {})
    expect(run.running).toEqual(['a', 'b'])
    run.end('a', ok)
    run.go()
    expect(run.running).toEqual(['b', 'c'])
  })

  it('does not count what ends as it starts', () => {
    const graph: Graph = {
      ...wide,
      stepConcurrency: 1,
      steps: [task('a'), { key: 'is', kind: 'condition', when: 'true' }, task('off', { disabled: true })],
    }
    expect(play(graph, {}).states()).toEqual({ a: 'running', is: 'succeeded', off: 'succeeded' })
  })
})

describe('a failure under stop', () => {
  const graph: Graph = { onFailure: 'stop', steps: ['a', 'b', 'c', 'd'].map((key) => task(key)), edges: [edge('b>c'), edge('a>d always')] }

  it('cancels what runs, starts nothing more, and the run has failed', () => {
    const run = play(graph, { a: bad })
    expect(run.moves.filter(({ kind }) => kind === 'cancel')).toContainEqual({ kind: 'cancel', key: 'b' })
    expect(run.finish).toBeNull()
    expect(run.go()).toEqual([{ kind: 'cancel', key: 'b' }])
    run.end('b', { state: 'canceled' })
    run.go()
    expect(run.states()).toEqual({ a: 'failed', b: 'canceled', c: 'skipped', d: 'pending' })
    expect(run.finish).toEqual({ state: 'failed', outputs: null, error: { code: 'STEP_FAILED', message: 'a' } })
  })

  it('holds what was about to start before it in the same moment', () => {
    const late: Graph = { onFailure: 'stop', steps: [task('a'), { key: 'is', kind: 'condition', when: 'params.no' }], edges: [] }
    const run = play(late, {})
    expect(run.states()).toEqual({ a: 'pending', is: 'failed' })
    expect(run.finish?.state).toBe('failed')
  })

  it('is none where it is handled', () => {
    const handled: Graph = { ...graph, edges: [edge('a>c failure')] }
    expect(play(handled, { a: bad }).states()).toEqual({ a: 'failed', b: 'running', c: 'running', d: 'running' })
  })
})

describe('a run that is paused', () => {
  const graph: Graph = { steps: [task('a'), task('b'), task('c')], edges: [edge('a>b'), edge('a>c failure')] }

  it('starts nothing, decides what has ended, and goes on when it is resumed', () => {
    const run = play(graph, {})
    run.view = { ...run.view, isPaused: true }
    run.end('a', ok)
    run.go()
    expect(run.states()).toEqual({ a: 'succeeded', b: 'pending', c: 'skipped' })
    expect(run.finish).toBeNull()
    run.view = { ...run.view, isPaused: false }
    run.go()
    expect(run.running).toEqual(['b'])
  })

  it('ends where nothing is left to do', () => {
    const run = play(graph, { a: ok })
    run.view = { ...run.view, isPaused: true }
    run.end('b', ok)
    run.go()
    expect(run.finish?.state).toBe('succeeded')
  })
})

describe.each(['canceled', 'timedOut'] as const)('a run that is being ended (%s)', (ending) => {
  const graph: Graph = { steps: [task('a'), task('b'), task('c')], edges: [edge('a>c')] }

  it('cancels what runs, starts nothing, and ends so when all has ended', () => {
    const run = play(graph, { a: ok })
    run.view = { ...run.view, ending }
    expect(run.go()).toEqual([
      { kind: 'cancel', key: 'b' },
      { kind: 'cancel', key: 'c' },
    ])
    expect(run.finish).toBeNull()
    run.end('b', { state: 'canceled' })
    run.end('c', bad)
    run.go()
    expect(run.finish).toEqual({ state: ending, outputs: null, error: null })
  })

  it('before it began has done nothing', () => {
    const run = play(graph, {}, { ending })
    expect(run.started).toEqual([])
    expect(run.finish?.state).toBe(ending)
  })

  it('too late has succeeded', () => {
    const run = play(graph, { a: ok, b: ok })
    run.view = { ...run.view, ending }
    run.end('c', ok)
    run.go()
    expect(run.finish?.state).toBe('succeeded')
  })
})

describe('the outputs of a run', () => {
  const graph = (outputs: Graph['outputs'] & {}): Graph => ({ steps: [task('a')], edges: [], outputs })

  it('are computed when it has succeeded', () => {
    const run = play(graph({ n: '=steps.a.output.n + 1', text: 'as it is', equals: '==x', deep: [{ day: '=run.date' }] }), {
      a: { ...ok, output: { n: 1 } },
    })
    expect(run.finish).toEqual({
      state: 'succeeded',
      outputs: { n: 2, text: 'as it is', equals: '=x', deep: [{ day: '2026-05-04' }] },
      error: null,
    })
  })

  it('fail the run where they fail', () => {
    expect(play(graph({ n: '=steps.a.output.n' }), { a: ok }).finish).toMatchObject({
      state: 'failed',
      error: { code: 'EXPRESSION_FAILED' },
    })
    const large = play(graph({ a: '=steps.a.output', b: '=steps.a.output' }), { a: { ...ok, output: 'x'.repeat(40_000) } })
    expect(large.finish).toMatchObject({ state: 'failed', error: { code: 'RESULT_TOO_LARGE' } })
  })

  it('are none of a run that failed, and need nothing', () => {
    const run = play(graph({ n: '=steps.a.output.n' }), { a: bad })
    expect(run.finish).toMatchObject({ state: 'failed', outputs: null })
    expect(run.asked).toEqual([])
  })
})

describe('a graph that validate refuses', () => {
  const view = new RunThrough({ steps: [], edges: [] }).view
  it.each<[why: string, graph: Graph]>([
    ['a cycle', { steps: [task('a'), task('b')], edges: [edge('a>b'), edge('b>a')] }],
    ['an edge to nowhere', { steps: [task('a')], edges: [edge('a>b')] }],
    ['one key twice', { steps: [task('a'), task('a')], edges: [] }],
  ])('is no run: %s', (_why, graph) => {
    expect(() => advance({ graph, view, steps: new Map(), outputs: new Map(), now: 0 })).toThrow(RangeError)
  })
})
