import {
  type Actor,
  AppError,
  type FanOutItem,
  type Static,
  type StepDetail,
  type StepRun,
  type WorkflowGrid,
  type WorkflowRun,
  type WorkflowRunListItem,
  type WorkflowRunListQuery,
} from '@tickwheel/contract'
import { causeOfCode, EDGE_DECISIONS, outcomeOfCode, STEP_STATES, type EdgeDecision, type Scope, type StepState } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { statesOf } from './instance-find.ts'
import {
  actorOf,
  errorOf,
  listItems,
  paramsOf,
  payloadOf,
  readRuns,
  SHARD_RANK,
  shardStates,
  waitingFor,
  type InstancePage,
  type Run,
} from './instances.ts'
import { partsOf } from './list.ts'
import { instantText, offsetOf, type Page } from './page.ts'
import { NO_DATE } from './never-begun.ts'
import { runDate } from './run-date.ts'
import { livingRow, WORKFLOW } from './scheduled-kind.ts'
import type { RunFacts, StepRunRow, WorkflowRunRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { countsOfParent } from './shard-counts.ts'
import { readStepFacts } from './step-facts.ts'
import type { StoredWorkflow } from './workflow-definition.ts'
import { newestRuns, shownDefinition, type MayView } from './workflow-list.ts'
import { countWorkflowRuns, findWorkflowRuns, stateOfOpen, workflowRunFilter, type WorkflowRunState } from './workflow-run-find.ts'
import type { WorkflowVersions } from './workflow-versions.ts'

/** A run as it is told at changes: the definition does not change, and is large. */
export type LiveWorkflowRun = Omit<WorkflowRun, 'definition'>

export type WorkflowRunPage = Omit<InstancePage, 'items'> & { readonly items: WorkflowRunListItem[] }

/** What permission checks need to know of a run. */
export interface WorkflowRunHead {
  readonly workflowRunId: number
  readonly workflowId: number
  readonly groupId: number
  readonly isEnded: boolean
}

/** Null: there is no such run of a workflow. */
export async function workflowRunHead(tx: ReadTx, workflowRunId: number): Promise<WorkflowRunHead | null> {
  const [run] = await readRuns(tx, [workflowRunId])
  if (run?.row.runs_workflow !== 1) return null
  return { workflowRunId, workflowId: run.row.task_id, groupId: run.row.group_id, isEnded: run.kind === 'ended' }
}

/** Runs of workflows, as people and programs are shown them. */
export class WorkflowRunReader {
  readonly #db: Database
  readonly #versions: WorkflowVersions
  readonly #serverZone: string

  constructor({ db, versions, serverZone }: { db: Database; versions: WorkflowVersions; serverZone: string }) {
    this.#db = db
    this.#versions = versions
    this.#serverZone = serverZone
  }

  /** Newest first. `cursor` wins over `page`; 422 `PAGE_TOO_DEEP` beyond 10,000 rows without one. */
  async list(scope: Scope, asked: WorkflowRunListQuery): Promise<WorkflowRunPage> {
    const { page = 1, pageSize = 20, cursor } = asked
    const filter = workflowRunFilter(scope, asked)
    const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
    const skipped = cursor === undefined ? offsetOf({ page, pageSize }) : 0
    return this.#db.read(async (tx) => {
      const found = await findWorkflowRuns(tx, filter, below, skipped + pageSize)
      const { total, isCapped } = await countWorkflowRuns(tx, filter)
      const runs = await readRuns(tx, found.ids.slice(skipped))
      return {
        items: await this.#items(tx, runs, scope),
        total,
        ...(isCapped ? { totalCapped: true } : {}),
        page,
        pageSize,
        nextCursor: found.next === null ? null : `1.${found.next.toString(36)}`,
      }
    })
  }

  /**
   * One run with every step. What went in and came out is null, and named in `hidden`, where `mayViewParams` denies its group. 404
   * `WORKFLOW_RUN_NOT_FOUND`, also for a run that is none of a workflow.
   */
  async get(scope: Scope, workflowRunId: number, mayViewParams: MayView): Promise<WorkflowRun> {
    return this.#db.read(async (tx) => {
      const run = await visibleRun(tx, scope, workflowRunId)
      const { stored, ...told } = await this.#told(tx, run, { scope, mayViewParams })
      const { definition, hidden } = await shownDefinition(tx, stored, mayViewParams(run.row.group_id))
      return {
        ...told,
        definition,
        ...(hidden === null ? {} : { hidden: [...(told.hidden ?? []), ...hidden.map((name) => `definition.${name}`)] }),
      }
    })
  }

  /** As `get`, without the definition; null: it is not there, or not visible. */
  async live(scope: Scope, workflowRunId: number, mayViewParams: MayView): Promise<LiveWorkflowRun | null> {
    return this.#db.read(async (tx) => {
      const [run] = await readRuns(tx, [workflowRunId])
      if (run?.row.runs_workflow !== 1 || !isVisible(scope, run.row.group_id)) return null
      const { stored: _stored, ...told } = await this.#told(tx, run, { scope, mayViewParams })
      return told
    })
  }

  /** A step with what went in and came out. 404 `STEP_NOT_FOUND`. */
  async step(
    scope: Scope,
    { workflowRunId, key, mayViewParams }: { workflowRunId: number; key: string; mayViewParams: MayView },
  ): Promise<StepDetail> {
    return this.#db.read(async (tx) => {
      const run = await visibleRun(tx, scope, workflowRunId)
      const { stored, no } = await this.#stepIn(tx, run, key)
      const rows = await tx.all<StepRunRow>('SELECT * FROM step_run WHERE run_id = ? AND step_no = ? ORDER BY round', [workflowRunId, no])
      const last = rows.at(-1)
      const [step] = await stepRuns(tx, stored, last === undefined ? [] : [last], [no])
      if (step === undefined) throw stepNotFound(workflowRunId, key)
      const mayView = mayViewParams(run.row.group_id)
      const params = mayView ? await paramsOfStep(tx, last?.instance_id ?? null, mayViewParams) : HIDDEN
      const hidden = [...(params === HIDDEN ? ['params'] : []), ...(mayView ? [] : ['output'])]
      return {
        step,
        params: params === HIDDEN ? null : params,
        output: mayView ? jsonOf(last?.output ?? null) : null,
        rounds: rows.slice(0, -1).map((row) => ({
          round: row.round,
          state: stateOfStep(row.state),
          startedAt: instantText(row.started_at),
          endedAt: instantText(row.ended_at),
          instanceId: row.instance_id,
          error: errorOf(row),
        })),
        ...(hidden.length === 0 ? {} : { hidden }),
      }
    })
  }

  /** The children of a fan-out, failed ones first. Reads one range of keys, at most 10,000 rows of it. Of another kind of step: none. */
  async items(scope: Scope, { workflowRunId, key, page = 1, pageSize = 20, state }: ItemsQuery): Promise<Page<FanOutItem>> {
    const wanted = new Set(statesOf(state))
    return this.#db.read(async (tx) => {
      const run = await visibleRun(tx, scope, workflowRunId)
      const { no } = await this.#stepIn(tx, run, key)
      const [last] = await tx.all<{ instance_id: number | null }>(
        'SELECT instance_id FROM step_run WHERE run_id = ? AND step_no = ? ORDER BY round DESC LIMIT 1',
        [workflowRunId, no],
      )
      const [parent] = last?.instance_id == null ? [] : await readRuns(tx, [last.instance_id])
      const children = (parent === undefined ? [] : await shardStates(tx, parent.row)).filter((child) => wanted.has(child.state))
      children.sort((a, b) => SHARD_RANK[a.state] - SHARD_RANK[b.state] || a.id - b.id)
      const ids = children.slice((page - 1) * pageSize, page * pageSize).map((child) => child.id)
      return { items: await this.#children(tx, ids, scope), total: children.length, page, pageSize }
    })
  }

  /** The last runs of a workflow by their steps. 404 `WORKFLOW_NOT_FOUND`. */
  async grid(scope: Scope, workflowId: number, count: number): Promise<WorkflowGrid> {
    return this.#db.read(async (tx) => {
      await livingRow(tx, WORKFLOW, workflowId, scope)
      const runs = await readRuns(tx, await newestRuns(tx, workflowId, count))
      const items = await this.#items(tx, runs, scope)
      const columns: Column[] = []
      for (const { row } of runs) {
        const stored = await this.#versions.get(tx, row.task_id, row.task_version)
        columns.push({ stored, rows: latestRounds(await stepRows(tx, row.id)) })
      }
      return {
        runs: items.map(({ id, state, version, date, firedAt, startedAt, endedAt }) => ({
          id,
          state,
          version,
          date,
          firedAt,
          durationMs: startedAt === null || endedAt === null ? null : Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)),
        })),
        steps: gridRows(columns),
      }
    })
  }

  /** Of a child in a group that is not visible nothing is told but that it is there. */
  async #children(tx: ReadTx, ids: readonly number[], scope: Scope): Promise<FanOutItem[]> {
    const all = await readRuns(tx, ids)
    const runs = all.filter(({ row }) => isVisible(scope, row.group_id))
    const instances = new Map(
      (
        await listItems(
          tx,
          runs.filter(({ row }) => row.runs_workflow !== 1),
          scope,
        )
      ).map((item) => [item.id, item]),
    )
    const workflowRuns = new Map(
      (
        await this.#items(
          tx,
          runs.filter(({ row }) => row.runs_workflow === 1),
          scope,
        )
      ).map((item) => [item.id, item]),
    )
    const byId = new Map(all.map(({ row }) => [row.id, row]))
    return ids.flatMap((id) => {
      const row = byId.get(id)
      if (row === undefined) return []
      const { shard_index: index, shard_key: key } = row
      return [{ index: index ?? 0, key: key ?? '', instance: instances.get(id) ?? null, workflowRun: workflowRuns.get(id) ?? null }]
    })
  }

  async #stepIn(tx: ReadTx, run: Run, key: string): Promise<{ readonly stored: StoredWorkflow; readonly no: number }> {
    const stored = await this.#storedOf(tx, run.row)
    const no = stored.definition.steps.findIndex((step) => step.key === key)
    if (no < 0) throw stepNotFound(run.row.id, key)
    return { stored, no }
  }

  async #storedOf(tx: ReadTx, { task_id: workflowId, task_version: version }: RunFacts): Promise<StoredWorkflow> {
    const stored = await this.#versions.get(tx, workflowId, version)
    if (stored === null) throw new Error(`workflow ${workflowId} has no definition of its version ${version}`)
    return stored
  }

  async #told(
    tx: ReadTx,
    run: Run,
    { scope, mayViewParams }: { scope: Scope; mayViewParams: MayView },
  ): Promise<LiveWorkflowRun & { readonly stored: StoredWorkflow }> {
    const { row } = run
    const stored = await this.#storedOf(tx, row)
    const [item] = await this.#items(tx, [run], scope)
    if (item === undefined) throw runNotFound(row.id)
    const rows = await stepRows(tx, row.id)
    const payloads = await tx.rows(query.selectFrom('payload').selectAll().where('instance_id', '=', row.id))
    const message = payloadOf(payloads, 3)
    const mayView = mayViewParams(row.group_id)
    const retry = await tx.first(query.selectFrom('retry_link').select('retry_id').where('instance_id', '=', row.id))
    return {
      ...item,
      error: item.error === null || message === null ? item.error : { ...item.error, message },
      params: mayView ? objectOf(payloadOf(payloads, 1)) : null,
      outputs: mayView && run.kind === 'ended' ? jsonOf(payloadOf(payloads, 2) ?? run.row.result) : null,
      stepRuns: await stepRuns(tx, stored, latestRounds(rows)),
      edges: edgesOf(stored, rows),
      retriedBy: retry?.retry_id ?? null,
      ...(mayView ? {} : { hidden: ['params', 'outputs'] }),
      stored,
    }
  }

  async #items(tx: ReadTx, runs: readonly Run[], scope: Scope): Promise<WorkflowRunListItem[]> {
    const ids = runs.map((run) => run.row.id)
    const beside = await besides(tx, ids)
    const counts = await stepCounts(tx, ids)
    const names = await workflowNames(
      tx,
      runs.map(({ row }) => row.task_id),
    )
    const groups = await namesOfGroups(
      tx,
      runs.map(({ row }) => row.group_id),
    )
    const items: WorkflowRunListItem[] = []
    for (const run of runs) {
      const { row } = run
      const stored = await this.#versions.get(tx, row.task_id, row.task_version)
      const more = beside.get(row.id)
      items.push({
        ...factsOf(run, more ?? null),
        workflowName: names.get(row.task_id) ?? '',
        groupName: groups.get(row.group_id) ?? '',
        date: this.#dateOf(row, more?.run_date ?? NO_DATE, stored),
        parent: await this.#parentOf(tx, row, scope),
        steps: withPending(counts.get(row.id) ?? {}, stored?.definition.steps.length ?? 0),
      })
    }
    return items
  }

  #dateOf(row: RunFacts, known: string, stored: StoredWorkflow | null): string {
    return known === NO_DATE ? runDate(row, stored?.definition.schedule, this.#serverZone) : known
  }

  async #parentOf(tx: ReadTx, row: RunFacts, scope: Scope): Promise<WorkflowRunListItem['parent']> {
    const { workflow_run_id: workflowRunId, workflow_id: id, workflow_version: version, step_no: no } = row
    if (workflowRunId === null || id === null || version === null || no === null) return null
    const parent = await tx.first(query.selectFrom('task').select('group_id').where('id', '=', id))
    if (parent === null || !isVisible(scope, parent.group_id)) return null
    const step = (await this.#versions.get(tx, id, version))?.definition.steps[no]
    return step === undefined ? null : { workflowRunId, stepKey: step.key }
  }
}

type ItemsQuery = {
  readonly workflowRunId: number
  readonly key: string
  readonly page?: number | undefined
  readonly pageSize?: number | undefined
  readonly state?: string | undefined
}

function factsOf(run: Run, beside: WorkflowRunRow | null) {
  const { row } = run
  return {
    id: row.id,
    workflowId: row.task_id,
    groupId: row.group_id,
    version: row.task_version,
    state: stateOf(run, beside),
    cause: causeOfCode(row.cause),
    actor: actorOf(row.actor),
    scheduledAt: instantText(row.due_at),
    firedAt: instantText(row.created_at),
    startedAt: instantText(row.started_at),
    endedAt: run.kind === 'ended' ? instantText(run.row.ended_at) : null,
    retryOf: row.retry_of,
    error: run.kind === 'ended' ? errorOf(run.row) : null,
    cancelRequestedAt: instantText(row.cancel_at),
    waitingFor: run.kind === 'open' ? waitingFor(run.row) : null,
  }
}

function stateOf(run: Run, beside: WorkflowRunRow | null): WorkflowRunState {
  if (run.kind === 'open') return stateOfOpen({ phase: run.row.phase, paused_at: beside?.paused_at ?? null })
  const outcome = outcomeOfCode(run.row.outcome)
  return outcome === 'lost' ? 'failed' : outcome
}

async function visibleRun(tx: ReadTx, scope: Scope, workflowRunId: number): Promise<Run> {
  const [run] = await readRuns(tx, [workflowRunId])
  if (run?.row.runs_workflow !== 1 || !isVisible(scope, run.row.group_id)) throw runNotFound(workflowRunId)
  return run
}

function runNotFound(workflowRunId: number): AppError {
  return new AppError('WORKFLOW_RUN_NOT_FOUND', `there is no run ${workflowRunId} of a workflow`)
}

function stepNotFound(workflowRunId: number, key: string): AppError {
  return new AppError('STEP_NOT_FOUND', `run ${workflowRunId} has no step "${key}"`, { params: { key } })
}

/** A cursor carries its version: `1.<id in base 36>`. */
function readCursor(cursor: string): number {
  const below = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(below)) return below
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

const READ_AT_ONCE = 500

async function besides(tx: ReadTx, ids: readonly number[]): Promise<Map<number, WorkflowRunRow>> {
  const rows: WorkflowRunRow[] = []
  for (const part of partsOf(ids, READ_AT_ONCE))
    rows.push(...(await tx.rows(query.selectFrom('workflow_run').selectAll().where('run_id', 'in', part))))
  return new Map(rows.map((row) => [row.run_id, row]))
}

async function workflowNames(tx: ReadTx, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.rows(
    query
      .selectFrom('task')
      .select(['id', 'name'])
      .where('id', 'in', [...new Set(ids)]),
  )
  return new Map(rows.map((row) => [row.id, row.name]))
}

/** How many steps of each run are in each state; of a step that was tried in rounds the last counts. */
async function stepCounts(tx: ReadTx, ids: readonly number[]): Promise<Map<number, Record<string, number>>> {
  const counts = new Map<number, Record<string, number>>()
  for (const part of partsOf(ids, READ_AT_ONCE)) {
    const rows = await tx.all<{ run_id: number; state: number; n: number }>(
      `SELECT sr.run_id AS run_id, sr.state AS state, COUNT(*) AS n FROM step_run AS sr WHERE sr.run_id IN (${part.map(Number).join(', ')}) AND sr.round = (SELECT MAX(sx.round) FROM step_run AS sx WHERE sx.run_id = sr.run_id AND sx.step_no = sr.step_no) GROUP BY sr.run_id, sr.state`,
    )
    for (const { run_id: id, state, n } of rows) counts.set(id, { ...counts.get(id), [stateOfStep(state)]: n })
  }
  return counts
}

/** A step that has no row yet is pending. */
function withPending(counts: Record<string, number>, steps: number): Record<string, number> {
  const known = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return known >= steps ? counts : { ...counts, pending: (counts.pending ?? 0) + steps - known }
}

type ShortStepRun = Omit<StepRunRow, 'output'>

/** All rounds of all steps of a run, without what came out, which may be large. */
async function stepRows(tx: ReadTx, workflowRunId: number): Promise<ShortStepRun[]> {
  return tx.all<ShortStepRun>(
    'SELECT run_id, step_no, round, state, instance_id, started_at, ended_at, next_at, branch, edges, facts, error_code, error, reused_from FROM step_run WHERE run_id = ? ORDER BY step_no, round',
    [workflowRunId],
  )
}

function latestRounds(rows: readonly ShortStepRun[]): ShortStepRun[] {
  return [...new Map(rows.map((row) => [row.step_no, row])).values()]
}

/** The steps of a run in the order of the definition, or some of them by number. */
async function stepRuns(
  tx: ReadTx,
  { definition }: StoredWorkflow,
  rows: readonly ShortStepRun[],
  only?: readonly number[],
): Promise<StepRun[]> {
  const byNo = new Map(rows.map((row) => [row.step_no, row]))
  const work = await workOf(
    tx,
    rows.flatMap(({ step_no: no, state, instance_id: id }) =>
      id !== null && (isGoing(state) || definition.steps[no]?.kind === 'fanOut') ? [id] : [],
    ),
  )
  return definition.steps.flatMap((step, no) => {
    if (only !== undefined && !only.includes(no)) return []
    const row = byNo.get(no)
    return [row === undefined ? pendingStep(step, no) : knownStep(step, row, work.get(row.instance_id ?? 0))]
  })
}

type Step = StoredWorkflow['definition']['steps'][number]

function pendingStep({ key, kind }: Step, no: number): StepRun {
  return {
    key,
    no,
    kind,
    state: 'pending',
    round: 1,
    branch: null,
    startedAt: null,
    endedAt: null,
    nextAt: null,
    instanceId: null,
    workflowRunId: null,
    error: null,
    waitingFor: null,
    items: null,
    skippedBy: [],
    reusedFrom: null,
    decidedBy: null,
  }
}

/** `run`: what does the step, where it goes on or was split. */
function knownStep(step: Step, row: ShortStepRun, run: Run | undefined): StepRun {
  const facts = readStepFacts(row.facts)
  const isRun = step.kind === 'subWorkflow'
  return {
    ...pendingStep(step, row.step_no),
    state: stateOfStep(row.state),
    round: row.round,
    branch: row.branch,
    startedAt: instantText(row.started_at),
    endedAt: instantText(row.ended_at),
    nextAt: instantText(row.next_at),
    instanceId: isRun ? null : row.instance_id,
    workflowRunId: isRun ? row.instance_id : null,
    error: errorOf(row),
    waitingFor: run?.kind === 'open' ? waitingFor(run.row) : null,
    items: step.kind === 'fanOut' ? itemsOf(run, facts.items) : null,
    skippedBy: [...(facts.skippedBy ?? [])],
    reusedFrom: row.reused_from,
    decidedBy: decisionOf(facts.decided),
  }
}

function itemsOf(run: Run | undefined, planned: number | undefined): StepRun['items'] {
  if (run === undefined) return planned === undefined ? null : { total: planned, made: 0, ended: {} }
  const { shard_total: total, children_made: made } = run.row
  return { total: total ?? planned ?? 0, made: made ?? 0, ended: { ...countsOfParent(run.row) } }
}

function decisionOf(decided: ReturnType<typeof readStepFacts>['decided']): StepRun['decidedBy'] {
  if (decided === undefined) return null
  const actor: Static<typeof Actor> = actorOf(decided.actor) ?? { kind: 'system', id: null, name: '' }
  return { actor, at: instantText(decided.at), decision: decided.decision, comment: decided.comment }
}

function isGoing(code: number): boolean {
  const state = stateOfStep(code)
  return state === 'running' || state === 'waiting'
}

async function workOf(tx: ReadTx, ids: readonly number[]): Promise<Map<number, Run>> {
  return new Map((await readRuns(tx, ids)).map((run) => [run.row.id, run]))
}

function stateOfStep(code: number): StepState {
  return STEP_STATES[code] ?? 'pending'
}

/** The decision of each edge of the definition, in its order. */
function edgesOf({ definition }: StoredWorkflow, rows: readonly ShortStepRun[]): (EdgeDecision | null)[] {
  const edges = definition.edges.map((): EdgeDecision | null => null)
  for (const row of rows) {
    const value = row.edges === null ? null : parseJson(row.edges)
    if (typeof value !== 'object' || value === null) continue
    for (const [place, decision] of Object.entries(value)) {
      const known = EDGE_DECISIONS.find((word) => word === decision)
      if (known !== undefined && Number(place) < edges.length) edges[Number(place)] = known
    }
  }
  return edges
}

/** What the work of a step was given: the params of its instance, or of its run. Null: it has none, or it is gone. */
const HIDDEN = Symbol('hidden')

/** What the run of a step was given; `HIDDEN` where it is of a task in a group whose parameters the caller may not see. */
async function paramsOfStep(tx: ReadTx, instanceId: number | null, mayViewParams: MayView): Promise<unknown> {
  const [run] = instanceId === null ? [] : await readRuns(tx, [instanceId])
  if (run === undefined) return null
  if (!mayViewParams(run.row.group_id)) return HIDDEN
  const payloads = await tx.rows(query.selectFrom('payload').selectAll().where('instance_id', '=', run.row.id))
  if (run.row.runs_workflow === 1) return jsonOf(payloadOf(payloads, 1))
  const text = await paramsOf(tx, run.row, payloads)
  return parseJson(text) ?? text
}

interface Column {
  readonly stored: StoredWorkflow | null
  readonly rows: readonly ShortStepRun[]
}

/** A row for each key that any of the versions has: in the order of the newest, then those that only older ones have. */
function gridRows(columns: readonly Column[]): WorkflowGrid['steps'] {
  const kinds = new Map<string, Step['kind']>()
  for (const { stored } of columns)
    for (const step of stored?.definition.steps ?? []) if (!kinds.has(step.key)) kinds.set(step.key, step.kind)
  const cells = columns.map(({ stored, rows }) => {
    const byNo = new Map(rows.map((row) => [row.step_no, row]))
    return new Map((stored?.definition.steps ?? []).map((step, no) => [step.key, cellOf(byNo.get(no))]))
  })
  return [...kinds].map(([key, kind]) => ({ key, kind, cells: cells.map((column) => column.get(key) ?? null) }))
}

function cellOf(row: ShortStepRun | undefined): WorkflowGrid['steps'][number]['cells'][number] {
  if (row === undefined) return { state: 'pending', durationMs: null, instanceId: null }
  const { started_at: startedAt, ended_at: endedAt } = row
  return {
    state: stateOfStep(row.state),
    durationMs: startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt),
    instanceId: row.instance_id,
  }
}

function jsonOf(text: string | null): unknown {
  return text === null ? null : (parseJson(text) ?? null)
}

function objectOf(text: string | null): Record<string, unknown> {
  const value = text === null ? null : parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
