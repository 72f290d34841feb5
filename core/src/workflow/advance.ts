/**
 * What a run of a workflow does next.
 *
 * A step leaves `pending` once and ends once. When it has ended, each of its edges is decided, once and for ever:
 *
 * - `taken`: its `on` matches the outcome and its `when` holds. `always` matches every outcome, also that of a step that was skipped because of a
 *   blocked edge.
 * - `passed`: it was not chosen. Another branch, `when` is false, the `failure` edge of a success, the other edges of a failure that is *handled*
 *   (one of its `failure` edges is taken), and every edge of a step that was skipped by passing.
 * - `blocked`: what it waits for cannot come any more. The source failed or timed out and nobody handled it, was canceled, or was skipped by blocking.
 *
 * `continueOnFailure` lets the edges of a step see a success. When the edges that lead to a step say enough (`join.ts`), it starts or is skipped. A step
 * that does no work of its own (a condition, a switch, one that is disabled, a fan-out of nothing) ends as it starts, and so does one whose expression
 * fails; an edge whose `when` fails is blocked, and the step that it leads to has failed, if it is still pending.
 *
 * Nothing starts while the run is paused, is being ended, or, under `onFailure: stop`, once there is a failure that nobody handled; in the last two
 * cases what runs is canceled. Edges are decided and steps skipped all the same, so that the run tells how far it came. It ends when nothing runs and
 * nothing can start any more. Pending steps of a run that was stopped stay pending.
 *
 * The walk goes through the steps once in topological order, because what a step does depends on those before it only. Steps that have ended come
 * first: whether there was a failure must be known before anything starts.
 */
import { compileGraph, type CompiledGraph, type CompiledStep } from './compiled-graph.ts'
import { decideEdges, outcomeOfStep, type StepOutcome } from './decide-edges.ts'
import { evaluateCondition, type ExpressionScope } from './expression.ts'
import type { Edge, Graph, Json, Step } from './graph.ts'
import { decideJoin } from './join.ts'
import type { EdgeDecision, EndedStepState, StepError, StepOutput, StepRecord, WorkflowRunView } from './run.ts'
import { scopeOf } from './run-scope.ts'
import { evaluateTemplate } from './template.ts'
import { beginStep, failedEnd, type EndOfStep, type Work } from './work.ts'

export interface AdvanceInput {
  readonly graph: Graph
  readonly view: WorkflowRunView
  /** by key; a step that is absent is pending */
  readonly steps: ReadonlyMap<string, StepRecord>
  /** outputs of steps that have ended, as far as they are at hand; one that is missing and needed is asked for by `need` */
  readonly outputs: ReadonlyMap<string, StepOutput>
  /** cluster time, epoch ms */
  readonly now: number
}

/**
 * What a run of a workflow does next. `need`: give the outputs of these steps and ask again (nothing was decided). `go`: apply the moves in their order;
 * steps that do no work of their own end within them, and so do those behind them, so that the answer is complete: asked again with the moves applied
 * and nothing new it has no moves but cancels.
 */
export type Advance =
  | { readonly kind: 'need'; readonly outputs: readonly string[] }
  | { readonly kind: 'go'; readonly moves: readonly Move[]; readonly finish: Finish | null }

export type Move =
  /** the outgoing edges of a step that has ended, all of them, once and for ever; none for a step without any */
  | { readonly kind: 'decide'; readonly key: string; readonly edges: Readonly<Record<number, EdgeDecision>> }
  /** `edges`: the incoming ones that made it so */
  | { readonly kind: 'skip'; readonly key: string; readonly isBlocked: boolean; readonly edges: readonly number[] }
  | { readonly kind: 'start'; readonly key: string; readonly work: Work }
  /** a step that ends without work. `output` at most 64 KiB as JSON */
  | {
      readonly kind: 'end'
      readonly key: string
      readonly state: Exclude<EndedStepState, 'skipped' | 'canceled'>
      readonly output: Json
      readonly error: StepError | null
      readonly branch: string | null
    }
  /** what runs or waits of this step is to be canceled (`onFailure: stop`, or the run is being ended); repeated until it has ended */
  | { readonly kind: 'cancel'; readonly key: string }

export interface Finish {
  readonly state: 'succeeded' | 'failed' | 'timedOut' | 'canceled'
  /** of a run that succeeded, its `outputs`; null where there are none */
  readonly outputs: Json
  /** `STEP_FAILED` with the key of the first step that failed; `EXPRESSION_FAILED` or `RESULT_TOO_LARGE` of `outputs`; null if it was ended from outside */
  readonly error: StepError | null
}

/** Pure: the same input gives the same answer, and the moves are in topological order of their steps. Throws on a graph that `validate` refuses. */
export function advance(input: AdvanceInput): Advance {
  return new Walk(input).run()
}

class Walk {
  readonly #view: WorkflowRunView
  readonly #now: number
  readonly #definition: Graph
  readonly #graph: CompiledGraph
  /** as they are after the moves so far */
  readonly #records: Map<string, StepRecord>
  readonly #outputs: Map<string, StepOutput>
  readonly #decisions: (EdgeDecision | null)[]
  readonly #scope: ExpressionScope
  readonly #moves: Move[] = []
  readonly #needed = new Set<string>()
  /** steps that fail before they begin: the condition of an edge that leads to them did */
  readonly #brokenBy = new Map<string, StepError>()
  readonly #unhandled = new Set<CompiledStep>()
  #active = 0

  constructor({ graph, view, steps, outputs, now }: AdvanceInput) {
    this.#view = view
    this.#now = now
    this.#definition = graph
    this.#graph = compileGraph(graph)
    this.#records = new Map(steps)
    this.#outputs = new Map(outputs)
    this.#decisions = new Array<EdgeDecision | null>(this.#graph.edges.length).fill(null)
    this.#scope = scopeOf({ view, steps: this.#records, outputs: this.#outputs })
  }

  run(): Advance {
    for (const step of this.#graph.order) this.#settle(step)
    for (const step of this.#graph.order) this.#leavePending(step)
    const moves = this.#stands() ? this.#stopped() : this.#moves
    const finish = this.#finish()
    if (this.#needed.size > 0) return { kind: 'need', outputs: [...this.#needed] }
    return { kind: 'go', moves: this.#inOrder(moves), finish }
  }

  /** What follows from the end of a step, if it has ended. */
  #settle(step: CompiledStep): void {
    const record = this.#recordOf(step)
    const outcome = outcomeOfStep(step.step, record)
    if (outcome === null) return void (this.#active += isActive(record) ? 1 : 0)
    const edges = record.edges ?? this.#decide(step, outcome, record.branch ?? null)
    if (edges === null) return
    for (const place of step.outgoing) this.#decisions[place] = edges[place] ?? null
    if ((outcome === 'failure' || outcome === 'canceled') && !this.#isHandled(step)) this.#unhandled.add(step)
  }

  #decide(step: CompiledStep, outcome: StepOutcome, branch: string | null): Readonly<Record<number, EdgeDecision>> | null {
    const edges = step.outgoing.map((place) => [place, this.#edgeAt(place)] as const)
    const decided = decideEdges({ edges, outcome, branch, narrow: (edge) => this.#narrow(edge) })
    if (decided !== null && edges.length > 0) this.#moves.push({ kind: 'decide', key: step.step.key, edges: decided })
    return decided
  }

  #narrow(edge: Edge): EdgeDecision | null {
    if (edge.when === undefined) return 'taken'
    const found = evaluateCondition(edge.when, this.#scope)
    switch (found.kind) {
      case 'value':
        return found.value ? 'taken' : 'passed'
      case 'failed':
        if (!this.#brokenBy.has(edge.to)) this.#brokenBy.set(edge.to, found.error)
        return 'blocked'
      case 'need':
        return this.#need(found.steps)
    }
  }

  #isHandled(step: CompiledStep): boolean {
    const isFailed = this.#recordOf(step).state !== 'canceled'
    return isFailed && step.outgoing.some((place) => this.#edgeAt(place).on === 'failure' && this.#decisions[place] === 'taken')
  }

  #leavePending(step: CompiledStep): void {
    if (this.#recordOf(step).state !== 'pending') return
    const broken = this.#brokenBy.get(step.step.key)
    if (broken !== undefined) return this.#end(step, failedEnd(broken))
    const incoming = step.incoming.map((place) => this.#decisions[place] ?? null)
    const verdict = decideJoin(step.step.join ?? 'all', incoming)
    if (verdict.kind === 'skip') return this.#skip(step, verdict.isBlocked, verdict.by)
    if (verdict.kind === 'start' && !this.#view.isPaused && !this.#stands()) this.#begin(step)
  }

  #skip(step: CompiledStep, isBlocked: boolean, by: readonly number[]): void {
    const { key } = step.step
    const edges = by.flatMap((index) => step.incoming[index] ?? [])
    this.#moves.push({ kind: 'skip', key, isBlocked, edges })
    this.#records.set(key, { state: 'skipped', isBlocked, edges: null })
    this.#settle(step)
  }

  #begin(step: CompiledStep): void {
    if (this.#isFull() && hasWork(step.step)) return
    const begin = beginStep(step.step, this.#scope, this.#now)
    switch (begin.kind) {
      case 'need':
        return void this.#need(begin.steps)
      case 'end':
        return this.#end(step, begin.end)
      case 'work':
        return this.#start(step, begin.work)
    }
  }

  #start({ step: { key } }: CompiledStep, work: Work): void {
    this.#moves.push({ kind: 'start', key, work })
    this.#records.set(key, { state: work.kind === 'wait' || work.kind === 'approval' ? 'waiting' : 'running', edges: null })
    this.#active += 1
  }

  #end(step: CompiledStep, { state, output, error, branch }: EndOfStep): void {
    const { key } = step.step
    this.#moves.push({ kind: 'end', key, state, output, error, branch })
    this.#records.set(key, { state, branch, edges: null })
    this.#outputs.set(key, { output, error })
    this.#settle(step)
  }

  #finish(): Finish | null {
    if (this.#graph.order.some((step) => isActive(this.#recordOf(step)))) return null
    const hasPending = this.#graph.order.some((step) => this.#recordOf(step).state === 'pending')
    if (hasPending && !this.#stands()) return null
    const { ending } = this.#view
    // Too late to be canceled or to be out of time, where all has been done: as for a run that is split into shards.
    if (ending !== null && (hasPending || this.#unhandled.size > 0)) return { state: ending, outputs: null, error: null }
    return this.#unhandled.size > 0 ? this.#failure() : this.#success()
  }

  #failure(): Finish {
    const unhandled = this.#graph.order.filter((step) => this.#unhandled.has(step))
    // What was canceled may have been so because of what failed.
    const first = unhandled.find((step) => this.#recordOf(step).state !== 'canceled') ?? unhandled[0]
    return { state: 'failed', outputs: null, error: { code: 'STEP_FAILED', message: first?.step.key ?? '' } }
  }

  #success(): Finish {
    const { outputs } = this.#definition
    if (outputs === undefined || Object.keys(outputs).length === 0) return { state: 'succeeded', outputs: null, error: null }
    const found = evaluateTemplate(outputs, this.#scope)
    if (found.kind === 'value') return { state: 'succeeded', outputs: found.value, error: null }
    if (found.kind === 'need') this.#need(found.steps)
    return { state: 'failed', outputs: null, error: found.kind === 'failed' ? found.error : null }
  }

  /** The moves of a run in which nothing starts any more: also not what was about to before a step behind it failed. */
  #stopped(): Move[] {
    const kept = this.#moves.filter(({ kind }) => kind !== 'start')
    for (const move of this.#moves) if (move.kind === 'start') this.#records.delete(move.key)
    const cancels = this.#graph.order
      .filter((step) => isActive(this.#recordOf(step)))
      .map(({ step }): Move => ({ kind: 'cancel', key: step.key }))
    return [...kept, ...cancels]
  }

  /** Nothing starts any more, now or later. */
  #stands(): boolean {
    return this.#view.ending !== null || (this.#definition.onFailure === 'stop' && this.#unhandled.size > 0)
  }

  #isFull(): boolean {
    const limit = this.#definition.stepConcurrency ?? 0
    return limit > 0 && this.#active >= limit
  }

  #recordOf({ step }: CompiledStep): StepRecord {
    return this.#records.get(step.key) ?? PENDING
  }

  #edgeAt(place: number): Edge {
    const edge = this.#graph.edges[place]
    if (edge === undefined) throw new RangeError(`the graph has no edge ${place}`)
    return edge
  }

  #need(keys: readonly string[]): null {
    for (const key of keys) this.#needed.add(key)
    return null
  }

  /** In the order of their steps; what concerns one step stays as it was decided. */
  #inOrder(moves: readonly Move[]): Move[] {
    const rank = new Map(this.#graph.order.map(({ step }, place) => [step.key, place]))
    return moves.toSorted((a, b) => (rank.get(a.key) ?? 0) - (rank.get(b.key) ?? 0))
  }
}

const PENDING: StepRecord = { state: 'pending', edges: null }

function isActive({ state }: StepRecord): boolean {
  return state === 'running' || state === 'waiting'
}

/** Whether a step counts as running once it has started: the others end as they start. */
function hasWork({ kind, disabled }: Step): boolean {
  return disabled !== true && kind !== 'condition' && kind !== 'switch'
}
