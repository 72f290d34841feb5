/** Random graphs with random ends, run through in random order, against what the rules say of each step by itself. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Edge, Graph, Join, Step } from './graph.ts'
import { RunThrough, task, type Ending } from './run-through.fixture.ts'
import { validate } from './validate.ts'

interface Case {
  readonly graph: Graph
  readonly endings: ReadonlyMap<string, Ending>
  /** which of those that run ends next */
  readonly order: readonly number[]
}

const JOINS: readonly Join[] = ['all', 'all', 'all', 'any', 'allDone', { atLeast: 2 }]
const KINDS = ['task', 'task', 'task', 'condition', 'approval', 'switch'] as const
const STATES = ['succeeded', 'succeeded', 'succeeded', 'failed', 'timedOut', 'canceled'] as const

interface Draft {
  readonly kind: (typeof KINDS)[number]
  readonly join: Join
  readonly holds: boolean
  readonly continueOnFailure: boolean
  readonly isDisabled: boolean
  readonly state: (typeof STATES)[number]
  readonly from: readonly { readonly back: number; readonly on: Edge['on'] & {}; readonly holds: boolean | null }[]
}

const drafts = fc.array(
  fc.record<Draft>({
    kind: fc.constantFrom(...KINDS),
    join: fc.constantFrom(...JOINS),
    holds: fc.boolean(),
    continueOnFailure: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    isDisabled: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    state: fc.constantFrom(...STATES),
    from: fc.array(
      fc.record({
        back: fc.integer({ min: 1, max: 6 }),
        on: fc.constantFrom<Edge['on'] & {}>('success', 'success', 'failure', 'always', 'branch'),
        holds: fc.constantFrom(true, false, null),
      }),
      { maxLength: 4 },
    ),
  }),
  { minLength: 1, maxLength: 14 },
)

/** Steps stand in the definition in a drawn order: their place must not matter. */
const cases = fc
  .tuple(drafts, fc.infiniteStream(fc.nat()), fc.array(fc.nat(), { minLength: 40, maxLength: 40 }))
  .map(([list, places, order]): Case => caseOf(list, [...places.take(list.length)], order))

function caseOf(list: readonly Draft[], places: readonly number[], order: readonly number[]): Case {
  const steps = list.map((draft, n) => stepOf(draft, n))
  const edges = list.flatMap(({ from }, n) => from.flatMap(({ back, on, holds }) => edgeOf(steps[n - back], steps[n], on, holds)))
  const unique = [...new Map(edges.map((edge) => [JSON.stringify([edge.from, edge.to, edge.on, edge.branch]), edge])).values()]
  const shuffled = steps.map((step, n) => ({ step, place: places[n] ?? 0 })).toSorted((a, b) => a.place - b.place)
  const endings = new Map(steps.map((step, n) => [step.key, endingOf(step, list[n]?.state ?? 'succeeded', list[n]?.holds === true)]))
  return { graph: { steps: shuffled.map(({ step }) => step), edges: unique }, endings, order }
}

function stepOf({ kind, join, holds, continueOnFailure, isDisabled }: Draft, n: number): Step {
  const base = { key: `s${n}`, join, continueOnFailure }
  switch (kind) {
    case 'condition':
      return { ...base, kind, when: String(holds) }
    case 'switch':
      return { ...base, kind, cases: [{ branch: 'x', when: String(holds) }] }
    case 'approval':
      return { ...base, kind, prompt: '?', expiresMs: 1 }
    case 'task':
      return { ...task(base.key), ...base, disabled: isDisabled }
  }
}

const BRANCHES = { condition: ['true', 'false'], switch: ['x', 'default'], approval: ['approved', 'rejected'] } as const

function edgeOf(from: Step | undefined, to: Step | undefined, on: Edge['on'] & {}, holds: boolean | null): Edge[] {
  if (from === undefined || to === undefined) return []
  const when = holds === null ? {} : { when: String(holds) }
  if (on !== 'branch') return [{ from: from.key, to: to.key, on, ...when }]
  if (!(from.kind in BRANCHES)) return [{ from: from.key, to: to.key, on: 'success', ...when }]
  const branches = BRANCHES[from.kind as keyof typeof BRANCHES]
  return [{ from: from.key, to: to.key, on, branch: branches[holds === false ? 1 : 0], ...when }]
}

function endingOf(step: Step, state: Exclude<Ending['state'], 'skipped'>, holds: boolean): Ending {
  return step.kind === 'approval' && state === 'succeeded' ? { state, branch: holds ? 'approved' : 'rejected' } : { state }
}

/** How a run ends by the rules, a step at a time, without any order of events. */
function expected({ graph, endings }: Case): Record<string, string> {
  const found = new Map<string, { state: string; branch: string | null; isBlocked: boolean }>()
  const edgesOf = (key: string, side: 'from' | 'to') => graph.edges.filter((edge) => edge[side] === key)
  const judge = (key: string): { state: string; branch: string | null; isBlocked: boolean } => {
    const known = found.get(key)
    if (known !== undefined) return known
    const step = graph.steps.find((one) => one.key === key)
    if (step === undefined) throw new Error(key)
    const made = judgeStep(step, edgesOf(key, 'to').map(decide))
    found.set(key, made)
    return made
  }
  const judgeStep = (step: Step, decisions: readonly string[]) => {
    const taken = decisions.filter((decision) => decision === 'taken').length
    const isBlocked = decisions.includes('blocked')
    const join = step.join ?? 'all'
    const runs =
      decisions.length === 0 ||
      join === 'allDone' ||
      (join === 'all' ? taken > 0 && !isBlocked : taken >= (typeof join === 'object' ? join.atLeast : 1))
    if (!runs) return { state: 'skipped', branch: null, isBlocked }
    const ended = (state: string, branch: string | null = null) => ({ state, branch, isBlocked: false })
    if (step.disabled === true) return ended('succeeded')
    if (step.kind === 'condition') return ended('succeeded', step.when)
    if (step.kind === 'switch') return ended('succeeded', step.cases[0]?.when === 'true' ? 'x' : 'default')
    const ending = endings.get(step.key)
    return ended(ending?.state ?? '', ending?.branch ?? null)
  }
  const decide = ({ from, on, branch, when }: Edge): string => {
    const source = judge(from)
    const step = graph.steps.find((one) => one.key === from)
    const narrowed = when === 'false' ? 'passed' : 'taken'
    if (source.state === 'skipped') return source.isBlocked ? (on === 'always' ? narrowed : 'blocked') : 'passed'
    if (on === 'always') return narrowed
    if (source.state === 'canceled') return 'blocked'
    const isSuccess = source.state === 'succeeded' || step?.continueOnFailure === true
    if (isSuccess) return on === 'success' || (on === 'branch' && branch === source.branch) ? narrowed : 'passed'
    if (on === 'failure') return narrowed
    return edgesOf(from, 'from').some((edge) => edge.on === 'failure' && edge.when !== 'false') ? 'passed' : 'blocked'
  }
  return Object.fromEntries(graph.steps.map(({ key }) => [key, judge(key).state]))
}

/** Ends what runs in the drawn order until nothing runs; `each` is asked after every turn. */
function runThrough(run: RunThrough, { endings, order }: Case, each: (turn: number) => void = () => undefined): void {
  for (let turn = 0; turn < 200; turn++) {
    run.go()
    each(turn)
    const running = run.running
    const key = running[(order[turn % order.length] ?? 0) % Math.max(1, running.length)]
    if (key === undefined) return
    run.end(key, endings.get(key) ?? { state: 'succeeded' })
  }
  throw new Error('the run does not end')
}

/** Also once more: what has been said once is not said again. */
function hasNothingToSay(run: RunThrough): boolean {
  return run.go().every(({ kind }) => kind === 'cancel')
}

function failed(run: RunThrough): boolean {
  return run.finish?.state === 'failed'
}

describe('a run of any graph', () => {
  it('ends each step as the rules say, whatever the order in which they end, and says nothing twice', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const run = new RunThrough(drawn.graph)
        runThrough(run, drawn, () => expect(hasNothingToSay(run)).toBe(true))
        expect(run.states()).toEqual(expected(drawn))
        expect(new Set(run.started).size).toBe(run.started.length)
        expect(run.finish).not.toBeNull()
      }),
      { numRuns: 2000 },
    )
  })

  it('starts every step exactly once, after all that it depends on, where all succeed', () => {
    fc.assert(
      fc.property(cases, ({ graph: { steps, edges }, order }) => {
        const graph: Graph = {
          steps: steps.map(({ key }) => task(key)),
          edges: edges.map(({ from, to }) => ({ from, to })),
        }
        const run = new RunThrough(graph)
        const seen = new Set<string>()
        runThrough(run, { graph, endings: new Map(), order }, () => {
          for (const key of run.started.filter((one) => !seen.has(one))) {
            const sources = graph.edges.filter(({ to }) => to === key).map(({ from }) => run.stateOf(from))
            expect(sources.every((state) => state === 'succeeded')).toBe(true)
            seen.add(key)
          }
        })
        expect(run.started.toSorted()).toEqual(steps.map(({ key }) => key).toSorted())
        expect(run.finish?.state).toBe('succeeded')
      }),
      { numRuns: 500 },
    )
  })

  it('comes to the same end under a limit of steps, which is never exceeded, and with pauses', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
        (drawn, limit, pauses) => {
          const run = new RunThrough({ ...drawn.graph, stepConcurrency: limit })
          const isPausedAt = (turn: number): boolean => pauses[turn % pauses.length] === true
          runThrough(run, drawn, (turn) => {
            expect(run.running.length).toBeLessThanOrEqual(limit)
            run.view = { ...run.view, isPaused: isPausedAt(turn) }
            const before = run.started.length
            if (run.view.isPaused) run.go()
            expect(run.view.isPaused ? run.started.length : before).toBe(before)
            // A run that is paused for good would not end.
            if (run.running.length === 0) run.view = { ...run.view, isPaused: false }
            if (run.running.length === 0) run.go()
          })
          expect(run.states()).toEqual(expected(drawn))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('starts nothing once it is canceled, and ends so unless everything had succeeded', () => {
    fc.assert(
      fc.property(cases, fc.nat(10), (drawn, at) => {
        const run = new RunThrough(drawn.graph)
        let startedBefore = -1
        runThrough(run, drawn, (turn) => {
          if (turn !== at) return
          run.view = { ...run.view, ending: 'canceled' }
          startedBefore = run.started.length
          const cancels = run.go().filter(({ kind }) => kind === 'cancel')
          expect(cancels.map(({ key }) => key).toSorted()).toEqual(run.running.toSorted())
        })
        if (startedBefore < 0) return
        expect(run.started).toHaveLength(startedBefore)
        const isWhole = !Object.values(run.states()).includes('pending')
        expect(['canceled', ...(isWhole ? ['succeeded'] : [])]).toContain(run.finish?.state)
      }),
      { numRuns: 500 },
    )
  })

  it('starts nothing after a failure that nobody handled, under stop, and has failed', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const free = new RunThrough(drawn.graph)
        runThrough(free, drawn)
        const run = new RunThrough({ ...drawn.graph, onFailure: 'stop' })
        let started = -1
        runThrough(run, drawn, () => {
          if (started >= 0) expect(run.started).toHaveLength(started)
          if (started < 0 && run.moves.some(({ kind }) => kind === 'cancel')) started = run.started.length
        })
        expect(failed(run)).toBe(failed(free))
        if (!failed(free)) expect(run.states()).toEqual(free.states())
      }),
      { numRuns: 500 },
    )
  })

  it('does nothing other than it says for what it is given: the same question has the same answer', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        const [one, other] = [new RunThrough(drawn.graph), new RunThrough(structuredClone(drawn.graph), { isStingy: false })]
        runThrough(one, drawn)
        runThrough(other, drawn)
        expect(other.moves).toEqual(one.moves)
      }),
      { numRuns: 200 },
    )
  })
})

it('a drawn graph may be refused only for steps that nothing starts and joins that cannot be met', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const problems = validate(drawn.graph)
      const soft = ['WORKFLOW_STEP_UNREACHABLE', 'WORKFLOW_JOIN_IMPOSSIBLE']
      expect(problems.filter(({ code }) => !soft.includes(code))).toEqual([])
      const states = expected(drawn)
      for (const { code, path } of problems) {
        const step = drawn.graph.steps[Number(path.split('.')[1])]
        // It would start with the run; that is refused because nobody can have meant it.
        if (!drawn.graph.edges.some(({ to }) => to === step?.key)) continue
        expect([code, states[step?.key ?? '']]).toEqual([code, 'skipped'])
      }
    }),
    { numRuns: 1000 },
  )
})
