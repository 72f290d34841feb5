import {
  advance,
  afterRound,
  appendTrace,
  OUTCOME,
  outcomeOfCode,
  PHASE,
  readTrace,
  seededRandom,
  STEP_STATE,
  WORKFLOW_LIMITS,
  type Finish,
  type Json,
  type Move,
  type StepOutput,
  type StepState,
  type TraceEntry,
  type Work,
  type WorkflowRunView,
} from '@tickwheel/core'
import type { Database, Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { outputOfFanOut } from './fan-out.ts'
import { fanOutOf } from './fan-out-part.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { lockRows } from './lock.ts'
import { lockOpen, readOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import { endRuns, NEVER, PARAMS_PAYLOAD, type RunEnd } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow, PayloadRow, SignalRow, StepRunRow, TaskRow } from './schema.ts'
import type { RunRights } from './run-rights.ts'
import { isVisible } from './scope.ts'
import { readStepFacts, type StepFacts } from './step-facts.ts'
import { fanOutWork, inPlaceOf, ITEMS_PAYLOAD, stepWork, targetOf, type StepTarget } from './step-work.ts'
import { hasSucceeded } from './upstream.ts'
import {
  hasEnded,
  keyOf,
  numberOf,
  readFlow,
  readOutputs,
  recordsOf,
  stepRow,
  viewOf,
  type FlowDefinition,
  type FlowRun,
} from './workflow-state.ts'

/** A wait for another's success looks again after so long. */
const LOOK_AGAIN_MS = 5000
/** What is to be canceled is looked at again after so long: the process that was to do it may be gone. */
const CANCEL_AGAIN_MS = 1000
/** Ids beyond those that a turn was found to lack. */
const SPARE_IDS = 8

export interface AdvanceRunRequest {
  readonly runId: number
  readonly at: number
  /** of the version that the run keeps */
  readonly definition: FlowDefinition
  readonly signalIds: readonly number[]
  /** run ids in a row */
  readonly ids: { readonly first: number; readonly count: number }
  /** tasks and workflows of which a run may be made: locked first, so that none is made of one that is being deleted */
  readonly tasks: readonly number[]
  readonly serverZone: string
  readonly rights: RunRights
}

export type AdvancedRun =
  /** the run has ended, or has not begun: its signals are gone */
  | { readonly kind: 'gone' }
  /** nothing was written: to be asked again with so many ids, and these tasks locked */
  | { readonly kind: 'lacks'; readonly ids: number; readonly tasks: readonly number[] }
  | {
      readonly kind: 'advanced'
      readonly changes: readonly RunChange[]
      readonly made: readonly OpenInstanceRow[]
      /** runs of steps that are to be canceled, and that nobody has asked to */
      readonly cancels: readonly number[]
      /** whether a step or the run is another than before */
      readonly isChanged: boolean
    }

/**
 * Advances one run of a workflow: what ended is applied, core decides, and what follows is written, in one transaction. Two nodes that see two ends at once
 * are ordered by the run's row; signals that are deleted count once, and the key of a step's row lets no second one in. Needs no slot.
 */
export async function advanceRun(db: Database, request: AdvanceRunRequest): Promise<AdvancedRun> {
  try {
    return await db.write('rest', async (tx) => {
      await lockRows(tx, 'task', request.tasks, 'share')
      const [row] = await lockOpen(tx, [request.runId], 'update')
      const signals = await takeSignals(tx, request)
      const flow =
        row === undefined || row.phase !== PHASE.running || row.runs_workflow !== 1
          ? null
          : await readFlow(tx, row, request.definition.flow.graph)
      if (flow === null) return { kind: 'gone' }
      return new Turn(tx, request, flow).run(signals)
    })
  } catch (error) {
    if (error instanceof Lacking) return { kind: 'lacks', ids: error.ids, tasks: [...new Set([...request.tasks, ...error.tasks])] }
    throw error
  }
}

/** The transaction was begun without something that it turned out to need, or another has applied the signals meanwhile: it is rolled back. */
class Lacking extends Error {
  readonly ids: number
  readonly tasks: readonly number[]

  constructor(ids: number, tasks: readonly number[]) {
    super('the turn lacks ids or locks')
    this.ids = ids
    this.tasks = tasks
  }
}

async function takeSignals(tx: Tx, { signalIds, ids }: AdvanceRunRequest): Promise<SignalRow[]> {
  if (signalIds.length === 0) return []
  const list = listOfNumbers(signalIds)
  const signals = await tx.all<SignalRow>(`SELECT * FROM \`signal\` WHERE id IN ${list.sql} ORDER BY id`, list.params)
  const deleted = signals.length === 0 ? 0 : await tx.run(`DELETE FROM \`signal\` WHERE id IN ${list.sql}`, list.params)
  if (deleted !== signals.length) throw new Lacking(ids.count, [])
  return signals
}

class Turn {
  readonly #tx: Tx
  readonly #request: AdvanceRunRequest
  readonly #flow: FlowRun
  readonly #view: WorkflowRunView
  readonly #at: number
  readonly #steps: Map<number, StepRunRow>
  readonly #outputs = new Map<string, StepOutput>()
  readonly #dirty = new Map<string, StepRunRow>()
  readonly #made: OpenInstanceRow[] = []
  readonly #payloads: PayloadRow[] = []
  readonly #toCancel = new Set<number>()
  readonly #tasks = new Map<number, TaskRow>()
  #used = 0

  constructor(tx: Tx, request: AdvanceRunRequest, flow: FlowRun) {
    this.#tx = tx
    this.#request = request
    this.#flow = flow
    this.#steps = new Map(flow.steps)
    this.#at = Math.max(request.at, ...lastInstants(flow))
    this.#view = viewOf(flow, endingOf(flow.row, { ...request, at: this.#at }))
  }

  async run(signals: readonly SignalRow[]): Promise<AdvancedRun> {
    await this.#applyEnds(signals)
    const finish = await this.#decide()
    const cancels = await this.#cancels()
    await this.#write()
    const { row } = this.#flow
    const isChanged = this.#dirty.size > 0 || this.#made.length > 0
    // what still runs of a step that is done is asked to stop first: nobody would look at it when the run has ended
    if (finish !== null && cancels.length === 0) {
      const end = this.#endOf(finish)
      this.#need(1, [])
      await endRuns(this.#tx, this.#at, this.#takeIds(1), [end])
      const ended: RunChange = { kind: 'ended', row, outcome: end.outcome, endedAt: end.endedAt }
      return { kind: 'advanced', changes: [ended], made: this.#made, cancels, isChanged: true }
    }
    const next = this.#next(cancels.length > 0)
    if (next.rank_at !== row.rank_at || next.trace !== row.trace)
      await this.#tx.run('UPDATE open_instance SET rank_at = ?, trace = ? WHERE id = ?', [next.rank_at, next.trace, row.id])
    return { kind: 'advanced', changes: [{ kind: 'open', row: next }], made: this.#made, cancels, isChanged }
  }

  get #graph() {
    return this.#request.definition.flow.graph
  }

  // ── what has happened ──

  async #applyEnds(signals: readonly SignalRow[]): Promise<void> {
    for (const part of partsOf(
      signals.map((signal) => signal.instance_id),
      1000,
    )) {
      const list = listOfNumbers(part)
      const ended = await this.#tx.all<InstanceRow>(`SELECT * FROM instance WHERE id IN ${list.sql} ORDER BY id`, list.params)
      for (const instance of ended) await this.#applyEnd(instance)
    }
  }

  async #applyEnd(instance: InstanceRow): Promise<void> {
    const step = instance.step_no === null ? undefined : this.#steps.get(instance.step_no)
    // a person has completed the step meanwhile, or its time was over
    if (step === undefined || step.instance_id !== instance.id || hasEnded(step)) return
    const outcome = outcomeOfCode(instance.outcome)
    if (outcome === 'succeeded') return this.#succeed(step, await this.#resultOf(instance))
    const error = {
      code: instance.error_code ?? 'STEP_FAILED',
      message: instance.error ?? `run ${instance.id} of the step ended as ${outcome}`,
    }
    if (this.#againLater(step, instance)) return
    const output = fanOutOf(instance) === null ? null : await outputOfFanOut(this.#tx, instance)
    this.#end(step, { state: STATE_OF_OUTCOME[outcome], output, error: outcome === 'canceled' ? null : error })
  }

  /** A sub-workflow or a fan-out is tried again in a round of its own; a task has tried again already. */
  #againLater(step: StepRunRow, instance: InstanceRow): boolean {
    if (this.#view.ending !== null) return false
    const chance = seededRandom(instance.id).next()
    const state = STATE_OF_OUTCOME[outcomeOfCode(instance.outcome)]
    const decision = afterRound(this.#stepAt(step.step_no), { round: step.round - 1, state, chance })
    if (decision.kind !== 'retry') return false
    const at = this.#at
    const error = { error_code: instance.error_code, error: instance.error }
    this.#save({ ...step, ...error, state: STEP_STATE[state], ended_at: at, next_at: null })
    this.#save(stepRow(step.run_id, step.step_no, { round: step.round + 1, state: STEP_STATE.waiting, next_at: at + decision.delayMs }))
    return true
  }

  async #resultOf(instance: InstanceRow): Promise<Json | TooLarge> {
    if (fanOutOf(instance) !== null) return outputOfFanOut(this.#tx, instance)
    const [kept] = await this.#tx.all<{ body: string }>('SELECT body FROM payload WHERE instance_id = ? AND kind = 2', [instance.id])
    const text = kept?.body ?? instance.result
    if (text === null) return null
    return Buffer.byteLength(text) > WORKFLOW_LIMITS.resultBytes ? TOO_LARGE : ((parseJson(text) ?? null) as Json)
  }

  #succeed(step: StepRunRow, output: Json | TooLarge): void {
    if (output !== TOO_LARGE) return this.#end(step, { state: 'succeeded', output })
    const message = `the result is above ${WORKFLOW_LIMITS.resultBytes} bytes: leave it where it is, and give its address`
    this.#end(step, { state: 'failed', error: { code: 'RESULT_TOO_LARGE', message } })
  }

  /** Steps that wait, and whose instant has come. True: something has ended or begun. */
  async #applyDue(): Promise<boolean> {
    let isAny = false
    for (const step of [...this.#steps.values()])
      if (!hasEnded(step) && step.next_at !== null && step.next_at <= this.#at && (await this.#due(step))) isAny = true
    return isAny
  }

  async #due(step: StepRunRow): Promise<boolean> {
    const { kind } = this.#stepAt(step.step_no)
    switch (kind) {
      case 'wait':
        return this.#dueWait(step, readStepFacts(step.facts))
      case 'approval':
        return this.#expireApproval(step)
      case 'fanOut':
        if (step.state === STEP_STATE.running) return this.#timeOut(step)
        return this.#nextRound(step)
      case 'subWorkflow':
        return this.#nextRound(step)
      case 'task':
      case 'condition':
      case 'switch':
        return false
    }
  }

  async #dueWait(step: StepRunRow, facts: StepFacts): Promise<boolean> {
    const at = this.#at
    const { serverZone } = this.#request
    const { upstream, until, expiresAt } = facts
    if (until !== undefined && until <= at) return this.#ended(step, { state: 'succeeded' })
    if (upstream?.id != null && (await hasSucceeded(this.#tx, { ...upstream, id: upstream.id, serverZone })))
      return this.#ended(step, { state: 'succeeded' })
    if (expiresAt !== undefined && expiresAt <= at) {
      const message =
        upstream === undefined ? 'the instant was not reached in time' : `no success of ${upstream.name} for ${upstream.date} came in time`
      return this.#ended(step, { state: 'timedOut', error: { code: 'WAIT_EXPIRED', message } })
    }
    this.#save({ ...step, next_at: Math.min(until ?? at + LOOK_AGAIN_MS, expiresAt ?? NEVER) })
    return false
  }

  #expireApproval(step: StepRunRow): boolean {
    const definition = this.#stepAt(step.step_no)
    if (definition.kind === 'approval' && definition.onExpire === 'reject') {
      const output = { by: null, at: new Date(this.#at).toISOString(), comment: '' }
      return this.#ended(step, { state: 'succeeded', branch: 'rejected', output })
    }
    return this.#ended(step, { state: 'failed', error: { code: 'APPROVAL_EXPIRED', message: 'nobody decided in time' } })
  }

  #timeOut(step: StepRunRow): boolean {
    return this.#ended(step, { state: 'timedOut', error: { code: 'TIMED_OUT', message: 'the items did not end in time' } })
  }

  /** The round before has kept what it was given. */
  async #nextRound(step: StepRunRow): Promise<boolean> {
    if (this.#view.isPaused || this.#view.ending !== null) return false
    const definition = this.#stepAt(step.step_no)
    const given = await this.#givenBefore(step)
    if (definition.kind === 'subWorkflow')
      await this.#start(step, { kind: 'subWorkflow', workflow: definition.workflow, params: given.get(PARAMS_PAYLOAD) ?? null })
    else {
      const items = parseJson(given.get(ITEMS_PAYLOAD) ?? '[]')
      await this.#start(step, { kind: 'fanOut', items: Array.isArray(items) ? (items as Json[]) : [] })
    }
    return true
  }

  async #givenBefore(step: StepRunRow): Promise<Map<number, string>> {
    const payloads = await this.#tx.all<PayloadRow>(
      'SELECT * FROM payload WHERE instance_id = (SELECT instance_id FROM step_run WHERE run_id = ? AND step_no = ? AND round = ?)',
      [step.run_id, step.step_no, step.round - 1],
    )
    return new Map(payloads.map((payload) => [payload.kind, payload.body]))
  }

  // ── what follows ──

  /** Asks core until it has nothing more to say. What could not be started ended at once, and is asked about again. */
  async #decide(): Promise<Finish | null> {
    const at = this.#at
    const turns = 4 * this.#graph.steps.length + 8
    for (let turn = 0; turn < turns; turn += 1) {
      await this.#applyDue()
      const answer = advance({
        graph: this.#graph,
        view: this.#view,
        steps: recordsOf(this.#graph, this.#steps),
        outputs: this.#outputs,
        now: at,
      })
      if (answer.kind === 'need') {
        const needed = await readOutputs(this.#tx, { runId: this.#flow.row.id, graph: this.#graph, keys: answer.outputs })
        for (const [key, output] of needed) this.#outputs.set(key, output)
        continue
      }
      await this.#lockFor(answer.moves)
      let isMore = false
      for (const move of answer.moves) if (await this.#apply(move)) isMore = true
      if (!isMore) return answer.finish
    }
    throw new Error(`run ${this.#flow.row.id} of a workflow has no end of moves`)
  }

  /** True: more has changed than core asked for. */
  async #apply(move: Move): Promise<boolean> {
    const at = this.#at
    const stepNo = numberOf(this.#graph, move.key)
    const step = this.#steps.get(stepNo) ?? stepRow(this.#flow.row.id, stepNo, {})
    switch (move.kind) {
      case 'decide':
        this.#save({ ...step, edges: JSON.stringify(move.edges) })
        return false
      case 'skip': {
        const facts: StepFacts = { skippedBy: move.edges, isBlocked: move.isBlocked }
        this.#save({ ...step, state: STEP_STATE.skipped, ended_at: at, facts: JSON.stringify(facts) })
        this.#outputs.set(move.key, { output: null, error: null })
        return false
      }
      case 'end':
        this.#end({ ...step, started_at: step.started_at ?? at }, move)
        return false
      case 'start':
        return this.#start(step, move.work)
      case 'cancel':
        if (step.state !== STEP_STATE.waiting) return this.#cancelWork(step)
        return this.#ended(step, { state: 'canceled' })
    }
  }

  #cancelWork({ instance_id }: StepRunRow): false {
    if (instance_id !== null) this.#toCancel.add(instance_id)
    return false
  }

  /** True: it has ended at once. */
  async #start(before: StepRunRow, work: Work): Promise<boolean> {
    const at = this.#at
    const step: StepRunRow = { ...before, started_at: at }
    switch (work.kind) {
      case 'task':
        return this.#startRun(step, {
          target: work.task === null ? inPlaceOf(this.#flow.row) : await this.#find('task', work.task),
          params: work.params,
        })
      case 'subWorkflow':
        if (this.#flow.run.depth >= WORKFLOW_LIMITS.depth) return this.#tooDeep(step)
        return this.#startRun(step, { target: await this.#find('workflow', work.workflow), params: work.params })
      case 'wait':
        return this.#startWait(step, work)
      case 'approval': {
        const { prompt, expiresAt } = work
        const facts: StepFacts = { prompt, ...(expiresAt === null ? {} : { expiresAt }) }
        this.#save({ ...step, state: STEP_STATE.waiting, next_at: expiresAt, facts: JSON.stringify(facts) })
        return false
      }
      case 'fanOut':
        return this.#startFanOut(step, work.items)
    }
  }

  #startRun(step: StepRunRow, { target, params }: { target: StepTarget | Missing; params: string | null }): boolean {
    if ('code' in target) return this.#ended(step, { state: 'failed', error: target })
    this.#need(1, [])
    const id = this.#takeIds(1)
    const key = keyOf(this.#graph, step.step_no)
    this.#made.push(stepWork(this.#flow.row, { id, at: this.#at, stepNo: step.step_no, key, target }))
    if (params !== null) this.#payloads.push({ instance_id: id, kind: PARAMS_PAYLOAD, body: params })
    this.#save({ ...step, state: STEP_STATE.running, instance_id: id, next_at: null })
    return false
  }

  #tooDeep(step: StepRunRow): boolean {
    const message = `sub-workflows are at most ${WORKFLOW_LIMITS.depth} deep`
    return this.#ended(step, { state: 'failed', error: { code: 'WORKFLOW_TOO_DEEP', message } })
  }

  async #startWait(step: StepRunRow, { until, upstream, expiresAt }: Extract<Work, { kind: 'wait' }>): Promise<boolean> {
    const { flow } = this.#request.definition
    const ids = upstream?.kind === 'workflow' ? flow.refs.workflows : flow.refs.tasks
    const facts: StepFacts = {
      ...(until === null ? {} : { until }),
      ...(upstream === null ? {} : { upstream: { ...upstream, id: ids[upstream.name] ?? null } }),
      ...(expiresAt === null ? {} : { expiresAt }),
    }
    const nextAt = Math.min(upstream === null ? NEVER : this.#at, until ?? NEVER, expiresAt ?? NEVER)
    const waiting: StepRunRow = { ...step, state: STEP_STATE.waiting, next_at: nextAt, facts: JSON.stringify(facts) }
    this.#save(waiting)
    return nextAt <= this.#at && (await this.#dueWait(waiting, facts))
  }

  #startFanOut(step: StepRunRow, items: readonly Json[]): boolean {
    const definition = this.#stepAt(step.step_no)
    if (definition.kind !== 'fanOut') throw new Error(`step ${definition.key} is no fan-out`)
    if (items.length === 0) return this.#ended(step, { state: 'succeeded', output: { total: 0, succeeded: 0, failed: 0, items: [] } })
    this.#need(1 + items.length, [])
    const id = this.#takeIds(1)
    const firstChildId = this.#takeIds(items.length)
    const part = { concurrency: definition.concurrency ?? 0, failures: definition.failures ?? 'stop' }
    const at = this.#at
    this.#made.push(
      fanOutWork(this.#flow.row, { id, at, stepNo: step.step_no, key: definition.key }, { total: items.length, firstChildId, part }),
    )
    this.#payloads.push({ instance_id: id, kind: ITEMS_PAYLOAD, body: JSON.stringify(items) })
    const facts: StepFacts = { items: items.length }
    const timeoutMs = definition.timeoutMs ?? 0
    this.#save({
      ...step,
      state: STEP_STATE.running,
      instance_id: id,
      facts: JSON.stringify(facts),
      next_at: timeoutMs > 0 ? at + timeoutMs : null,
    })
    return false
  }

  // ── tasks that steps refer to ──

  async #lockFor(moves: readonly Move[]): Promise<void> {
    const { refs } = this.#request.definition.flow
    const tasks = moves.flatMap((move) => {
      if (move.kind !== 'start') return []
      if (move.work.kind === 'task' && move.work.task !== null) return refs.tasks[move.work.task] ?? []
      return move.work.kind === 'subWorkflow' ? (refs.workflows[move.work.workflow] ?? []) : []
    })
    const ids = moves.reduce((sum, move) => sum + (move.kind === 'start' ? idsOf(move.work) : 0), 0)
    this.#need(ids, tasks)
  }

  async #find(kind: 'task' | 'workflow', name: string): Promise<StepTarget | Missing> {
    const { refs } = this.#request.definition.flow
    const id = (kind === 'task' ? refs.tasks : refs.workflows)[name]
    if (id === undefined) return missing(name)
    this.#need(0, [id])
    const known = this.#tasks.get(id) ?? (await this.#tx.all<TaskRow>('SELECT * FROM task WHERE id = ?', [id]))[0]
    if (known === undefined || known.deleted_at !== null) return missing(name)
    this.#tasks.set(id, known)
    const scope = kind === 'task' ? this.#request.rights.tasks : this.#request.rights.workflows
    if (!isVisible(scope, known.group_id))
      return { code: 'NOT_ALLOWED', message: `who saved the workflow last may not run ${name} any more: somebody who may must save it` }
    return targetOf(known, kind === 'workflow')
  }

  // ── rows ──

  #stepAt(stepNo: number) {
    const step = this.#graph.steps[stepNo]
    if (step === undefined) throw new Error(`there is no step ${stepNo}`)
    return step
  }

  #end(step: StepRunRow, { state, output = null, error = null, branch = null }: StepEnd): void {
    const text = output === null ? null : JSON.stringify(output)
    this.#save({
      ...step,
      state: STEP_STATE[state],
      ended_at: this.#at,
      next_at: null,
      branch,
      output: text,
      error_code: error?.code ?? null,
      error: error?.message.slice(0, 2048) ?? null,
    })
    this.#outputs.set(keyOf(this.#graph, step.step_no), { output, error })
  }

  #ended(step: StepRunRow, end: StepEnd): true {
    this.#end(step, end)
    return true
  }

  #save(row: StepRunRow): void {
    this.#steps.set(row.step_no, row)
    this.#dirty.set(`${row.step_no}:${row.round}`, row)
  }

  #need(ids: number, tasks: readonly number[]): void {
    const { count } = this.#request.ids
    const unlocked = this.#tx.locks.share === '' ? [] : tasks.filter((id) => !this.#request.tasks.includes(id))
    if (this.#used + ids > count || unlocked.length > 0) throw new Lacking(Math.max(count, this.#used + ids + SPARE_IDS), unlocked)
  }

  #takeIds(count: number): number {
    const first = this.#request.ids.first + this.#used
    this.#used += count
    return first
  }

  async #write(): Promise<void> {
    const known = new Set([...this.#flow.steps.values()].map((step) => `${step.step_no}:${step.round}`))
    const rows = [...this.#dirty].sort(([, a], [, b]) => a.step_no - b.step_no || a.round - b.round)
    await this.#tx.insert(
      'step_run',
      rows.filter(([key]) => !known.has(key)).map(([, row]) => row),
    )
    // what is read of a step leaves its output out, so it is written only where the step has just ended
    const [ended, others] = split(
      rows.filter(([key]) => known.has(key)).map(([, row]) => row),
      (row) => row.ended_at === this.#at && !hasEnded(this.#flow.steps.get(row.step_no) ?? row),
    )
    await this.#tx.runMany(
      `UPDATE step_run SET output = ?, ${STEP_SET}`,
      ended.map((row) => [row.output, ...valuesOf(row)]),
    )
    await this.#tx.runMany(`UPDATE step_run SET ${STEP_SET}`, others.map(valuesOf))
    await this.#tx.insert('open_instance', this.#made)
    await this.#tx.insert('payload', this.#payloads)
  }

  /** Runs that `advance` wants to be canceled, and those of steps that ended before them. */
  async #cancels(): Promise<number[]> {
    for (const step of this.#steps.values()) if (step.instance_id !== null && mayRunStill(step)) this.#toCancel.add(step.instance_id)
    const cancels: number[] = []
    for (const part of partsOf([...this.#toCancel], 1000))
      for (const row of await readOpen(this.#tx, part)) if (row.cancel_at === null) cancels.push(row.id)
    return cancels
  }

  // ── the run ──

  #next(isCanceling: boolean): OpenInstanceRow {
    const { row } = this.#flow
    const at = this.#at
    const { definition } = this.#request
    const { ending, isPaused } = this.#view
    const instants = [...this.#steps.values()].flatMap((step) => {
      if (hasEnded(step) || step.next_at === null) return []
      const isRound = step.state === STEP_STATE.waiting && step.instance_id === null && step.round > 1
      return isRound && isPaused ? [] : [step.next_at]
    })
    if (ending === null && definition.timeoutMs > 0) instants.push((row.started_at ?? at) + definition.timeoutMs)
    if (isCanceling) instants.push(at + CANCEL_AGAIN_MS)
    return { ...row, rank_at: Math.min(NEVER, ...instants), trace: this.#traceOfEnding() }
  }

  #traceOfEnding(): string {
    const { row } = this.#flow
    const at = this.#at
    const { definition } = this.#request
    if (this.#view.ending !== 'timedOut' || readTrace(row.trace, row.created_at).some((entry) => entry.reason === 'outOfTime'))
      return row.trace
    return appendTrace(row.trace, row.created_at, [{ reason: 'outOfTime', at, facts: { timeoutMs: definition.timeoutMs } }])
  }

  #endOf({ state, outputs, error }: Finish): RunEnd {
    const at = this.#at
    const states = [...this.#steps.values()].map((step) => step.state)
    const count = (some: readonly number[]): number => states.filter((code) => some.includes(code)).length
    const facts = {
      succeeded: count([STEP_STATE.succeeded]),
      failed: count([STEP_STATE.failed, STEP_STATE.timedOut, STEP_STATE.canceled]),
      skipped: count([STEP_STATE.skipped]),
    }
    const trace: TraceEntry[] = [{ reason: 'stepsEnded', at, facts }]
    if (state === 'canceled') trace.push({ reason: 'canceled', at, facts: { by: this.#flow.row.cancel_by } })
    return {
      row: { ...this.#flow.row, trace: this.#traceOfEnding() },
      outcome: OUTCOME[state],
      endedAt: at,
      result: outputs === null ? null : JSON.stringify(outputs),
      error,
      trace,
    }
  }
}

interface StepEnd {
  readonly state: Exclude<StepState, 'pending' | 'running' | 'waiting' | 'skipped'>
  readonly output?: Json
  readonly error?: { readonly code: string; readonly message: string } | null
  readonly branch?: string | null
}

interface Missing {
  readonly code: string
  readonly message: string
}

function missing(name: string): Missing {
  return { code: 'WORKFLOW_UNKNOWN_TASK', message: `${name} has been deleted: save the workflow again with another` }
}

const TOO_LARGE = Symbol('the result is too large')
type TooLarge = typeof TOO_LARGE

const STATE_OF_OUTCOME = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timedOut',
  canceled: 'canceled',
  lost: 'failed',
  skipped: 'failed',
} as const

const STEP_SET =
  'state = ?, instance_id = ?, started_at = ?, ended_at = ?, next_at = ?, branch = ?, edges = ?, facts = ?, error_code = ?, error = ? WHERE run_id = ? AND step_no = ? AND round = ?'

function valuesOf(row: StepRunRow) {
  return [
    row.state,
    row.instance_id,
    row.started_at,
    row.ended_at,
    row.next_at,
    row.branch,
    row.edges,
    row.facts,
    row.error_code,
    row.error,
    row.run_id,
    row.step_no,
    row.round,
  ]
}

/** What follows does not stand before what it follows from, though the clocks of nodes differ, and one may have been set back. */
function lastInstants({ row, steps }: FlowRun): number[] {
  return [row.started_at ?? 0, ...[...steps.values()].map((step) => (step.reused_from === null ? (step.ended_at ?? 0) : 0))]
}

function endingOf(row: OpenInstanceRow, { at, definition }: AdvanceRunRequest): WorkflowRunView['ending'] {
  if (row.cancel_at !== null) return 'canceled'
  const isOver = definition.timeoutMs > 0 && row.started_at !== null && at >= row.started_at + definition.timeoutMs
  return isOver ? 'timedOut' : null
}

function idsOf(work: Work): number {
  switch (work.kind) {
    case 'task':
    case 'subWorkflow':
      return 1
    case 'fanOut':
      return work.items.length === 0 ? 0 : 1 + work.items.length
    case 'wait':
    case 'approval':
      return 0
  }
}

/** A step that a person completed, or whose time was over, ended before what it ran. */
function mayRunStill(step: StepRunRow): boolean {
  if (!hasEnded(step)) return false
  if (step.state === STEP_STATE.timedOut) return true
  return step.state === STEP_STATE.succeeded && step.facts !== null && readStepFacts(step.facts).decided?.decision === 'completed'
}

function split<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))]
}
