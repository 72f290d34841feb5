/** A small executor for tests: it holds what the engine's store would, applies the moves of `advance` and ends what runs as it is told. */
import { advance, type Finish, type Move } from './advance.ts'
import type { Edge, Graph, Json, Step } from './graph.ts'
import type { EndedStepState, StepOutput, StepRecord, WorkflowRunView } from './run.ts'
import type { Work } from './work.ts'

export interface Ending {
  readonly state: Exclude<EndedStepState, 'skipped'>
  readonly output?: Json
  readonly branch?: string
}

export const VIEW: WorkflowRunView = {
  params: {},
  vars: {},
  run: { id: 1, scheduledAt: '2026-05-04T02:00:00.000Z', date: '2026-05-04', cause: 'schedule' },
  isPaused: false,
  ending: null,
}

export class RunThrough {
  readonly graph: Graph
  view: WorkflowRunView
  now = 1_000_000
  readonly records = new Map<string, StepRecord>()
  readonly outputs = new Map<string, StepOutput>()
  /** every step that began to work, in order */
  readonly started: string[] = []
  readonly works = new Map<string, Work>()
  readonly moves: Move[] = []
  readonly asked: string[] = []
  finish: Finish | null = null
  /** what `advance` is given at first; the rest only when it asks */
  readonly #isStingy: boolean

  constructor(graph: Graph, { view = {}, isStingy = true }: { view?: Partial<WorkflowRunView>; isStingy?: boolean } = {}) {
    this.graph = graph
    this.view = { ...VIEW, ...view }
    this.#isStingy = isStingy
  }

  get running(): string[] {
    return [...this.records].filter(([, { state }]) => state === 'running' || state === 'waiting').map(([key]) => key)
  }

  stateOf(key: string): string {
    return this.records.get(key)?.state ?? 'pending'
  }

  states(): Record<string, string> {
    return Object.fromEntries(this.graph.steps.map(({ key }) => [key, this.stateOf(key)]))
  }

  /** One turn: everything that can happen now. */
  go(): Move[] {
    const given = new Map(this.#isStingy ? [] : this.outputs)
    for (;;) {
      const answer = advance({ graph: this.graph, view: this.view, steps: this.records, outputs: given, now: this.now })
      if (answer.kind === 'go') return this.#apply(answer.moves, answer.finish)
      const missing = answer.outputs.filter((key) => !given.has(key))
      if (missing.length === 0) throw new Error(`it asks again for ${answer.outputs.join()}`)
      this.asked.push(...missing)
      for (const key of missing) given.set(key, this.outputs.get(key) ?? { output: null, error: null })
    }
  }

  end(key: string, { state, output = null, branch }: Ending): void {
    const record = this.records.get(key)
    if (record?.state !== 'running' && record?.state !== 'waiting') throw new Error(`${key} does not run`)
    this.records.set(key, { state, edges: null, ...(branch === undefined ? {} : { branch }) })
    const error = state === 'succeeded' ? null : { code: state, message: `${key} ${state}` }
    this.outputs.set(key, { output, error })
  }

  #apply(moves: readonly Move[], finish: Finish | null): Move[] {
    for (const move of moves) this.#applyOne(move)
    this.moves.push(...moves)
    this.finish = finish
    return [...moves]
  }

  #applyOne(move: Move): void {
    const record = this.records.get(move.key)
    const isPending = record === undefined || record.state === 'pending'
    switch (move.kind) {
      case 'decide':
        if (record === undefined || record.edges !== null)
          throw new Error(`the edges of ${move.key} were decided before, or it has not ended`)
        return void this.records.set(move.key, { ...record, edges: move.edges })
      case 'skip':
        if (!isPending) throw new Error(`${move.key} is not pending`)
        return void this.records.set(move.key, { state: 'skipped', isBlocked: move.isBlocked, edges: null })
      case 'start':
        if (!isPending) throw new Error(`${move.key} is not pending`)
        this.started.push(move.key)
        this.works.set(move.key, move.work)
        return void this.records.set(move.key, { state: 'running', edges: null })
      case 'end':
        if (!isPending) throw new Error(`${move.key} is not pending`)
        this.outputs.set(move.key, { output: move.output, error: move.error })
        return void this.records.set(move.key, { state: move.state, branch: move.branch, edges: null })
      case 'cancel':
        if (isPending) throw new Error(`${move.key} does not run`)
    }
  }
}

/** A task step that runs `g/KEY`. */
export function task(key: string, more: Partial<Extract<Step, { kind: 'task' }>> = {}): Step {
  return { key, kind: 'task', task: `g/${key}`, ...more }
}

/** `a>b` by success; `a>b failure`, `a>b always`, `a>b branch:true`. */
export function edge(text: string, when?: string): Edge {
  const [ends = '', on] = text.split(' ')
  const [from = '', to = ''] = ends.split('>')
  const [kind, branch] = (on ?? 'success').split(':')
  return {
    from,
    to,
    ...(on === undefined ? {} : { on: kind as Exclude<Edge['on'], undefined> }),
    ...(branch === undefined ? {} : { branch }),
    ...(when === undefined ? {} : { when }),
  }
}
