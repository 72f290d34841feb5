import {
  causeOfCode,
  EDGE_DECISIONS,
  STEP_STATE,
  STEP_STATES,
  variablesIn,
  type EdgeDecision,
  type Graph,
  type GraphVariables,
  type Json,
  type JsonObject,
  type StepError,
  type StepOutput,
  type StepRecord,
  type StepState,
  type WorkflowRunView,
} from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { instantText } from './page.ts'
import { PARAMS_PAYLOAD } from './run-writes.ts'
import type { OpenInstanceRow, StepRunRow, WorkflowRunRow } from './schema.ts'
import { readStepFacts } from './step-facts.ts'
import { variablesOf } from './variables.ts'
import type { Flow, RunDefinition } from './workflow-definition.ts'

/** A run of a workflow as a transaction reads it. `steps`: by number, the last round of each, without its output. */
export interface FlowRun {
  readonly row: OpenInstanceRow
  readonly run: WorkflowRunRow
  readonly steps: ReadonlyMap<number, StepRunRow>
  /** what it was started with, with the defaults of its schema */
  readonly params: JsonObject
  /** variables of its group, as far as its expressions name them */
  readonly vars: Readonly<Record<string, string>>
}

const STEP_COLUMNS =
  'run_id, step_no, round, state, instance_id, started_at, ended_at, next_at, branch, edges, facts, error_code, error, reused_from'

/** What stands beside the row of a run that has begun; null: it has not. */
export async function readFlow(tx: ReadTx, row: OpenInstanceRow, graph: Graph): Promise<FlowRun | null> {
  const [run] = await tx.all<WorkflowRunRow>('SELECT * FROM workflow_run WHERE run_id = ?', [row.id])
  if (run === undefined) return null
  const rows = await tx.all<Omit<StepRunRow, 'output'>>(`SELECT ${STEP_COLUMNS} FROM step_run WHERE run_id = ? ORDER BY step_no, round`, [
    row.id,
  ])
  const steps = new Map(rows.map((step) => [step.step_no, { ...step, output: null }]))
  return { row, run, steps, params: await paramsOfRun(tx, row.id), vars: await readVars(tx, row.group_id, graph) }
}

/** The variables that expressions of the graph name, as they are now. */
async function readVars(tx: ReadTx, groupId: number, graph: Graph): Promise<Readonly<Record<string, string>>> {
  const { names, isEvery } = graphVariables(graph)
  if (names.length === 0 && !isEvery) return {}
  return Object.fromEntries(await variablesOf(tx, groupId, isEvery ? 'all' : [...new Set(names.map(({ name }) => name))]))
}

const variablesOfGraphs = new WeakMap<Graph, GraphVariables>()

function graphVariables(graph: Graph): GraphVariables {
  const known = variablesOfGraphs.get(graph) ?? variablesIn(graph)
  variablesOfGraphs.set(graph, known)
  return known
}

async function paramsOfRun(tx: ReadTx, runId: number): Promise<JsonObject> {
  const [given] = await tx.all<{ body: string }>('SELECT body FROM payload WHERE instance_id = ? AND kind = ?', [runId, PARAMS_PAYLOAD])
  return objectOf(given?.body ?? '')
}

export function objectOf(text: string): JsonObject {
  const value = text === '' ? {} : parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** Outputs of steps that have ended, of the last round of each. */
export async function readOutputs(
  tx: ReadTx,
  { runId, graph, keys }: { runId: number; graph: Graph; keys: readonly string[] },
): Promise<Map<string, StepOutput>> {
  const numbers = keys.map((key) => numberOf(graph, key))
  const outputs = new Map<string, StepOutput>(keys.map((key) => [key, { output: null, error: null }]))
  for (const part of partsOf(numbers, 1000)) {
    const list = listOfNumbers(part)
    const rows = await tx.all<Pick<StepRunRow, 'step_no' | 'output' | 'error_code' | 'error'>>(
      `SELECT step_no, output, error_code, error FROM step_run WHERE run_id = ? AND step_no IN ${list.sql} ORDER BY step_no, round`,
      [runId, ...list.params],
    )
    for (const row of rows) outputs.set(keyOf(graph, row.step_no), { output: jsonOf(row.output), error: errorOf(row) })
  }
  return outputs
}

export function jsonOf(text: string | null): Json {
  return text === null ? null : ((parseJson(text) ?? null) as Json)
}

function errorOf({ error_code, error }: Pick<StepRunRow, 'error_code' | 'error'>): StepError | null {
  return error_code === null ? null : { code: error_code, message: error ?? '' }
}

/** The place of a step in its version. Throws for a key that is none: the version was checked when it was saved. */
export function numberOf(graph: Graph, key: string): number {
  const place = graph.steps.findIndex((step) => step.key === key)
  if (place === -1) throw new Error(`there is no step ${key}`)
  return place
}

export function keyOf(graph: Graph, stepNo: number): string {
  const step = graph.steps[stepNo]
  if (step === undefined) throw new Error(`there is no step ${stepNo}`)
  return step.key
}

const stateOfCode = new Map<number, StepState>(STEP_STATES.map((state) => [STEP_STATE[state], state]))

export function stepStateOf({ state }: Pick<StepRunRow, 'state'>): StepState {
  return stateOfCode.get(state) ?? 'pending'
}

export function hasEnded({ state }: Pick<StepRunRow, 'state'>): boolean {
  return state >= STEP_STATE.succeeded
}

/** What `advance` is told of the steps. */
export function recordsOf(graph: Graph, steps: ReadonlyMap<number, StepRunRow>): Map<string, StepRecord> {
  const records = new Map<string, StepRecord>()
  for (const [stepNo, row] of steps) {
    const { isBlocked } = row.facts === null ? {} : readStepFacts(row.facts)
    records.set(keyOf(graph, stepNo), {
      state: stepStateOf(row),
      branch: row.branch,
      ...(isBlocked === undefined ? {} : { isBlocked }),
      edges: edgesOf(row.edges),
    })
  }
  return records
}

function edgesOf(text: string | null): Record<number, EdgeDecision> | null {
  const value = text === null ? null : parseJson(text)
  if (typeof value !== 'object' || value === null) return null
  const edges: Record<number, EdgeDecision> = {}
  for (const [place, word] of Object.entries(value)) {
    const decision = EDGE_DECISIONS.find((known) => known === word)
    if (decision !== undefined) edges[Number(place)] = decision
  }
  return edges
}

/** What `advance` is told of the run. `ending`: how it is being ended from outside. */
export function viewOf({ row, run, params, vars }: FlowRun, ending: WorkflowRunView['ending']): WorkflowRunView {
  return {
    params,
    vars,
    run: {
      id: row.id,
      scheduledAt: instantText(row.due_at ?? row.created_at),
      date: run.run_date,
      cause: causeOfCode(row.cause),
    },
    isPaused: run.paused_at !== null,
    ending,
  }
}

export type FlowDefinition = RunDefinition & { readonly flow: Flow }

export function isFlow(definition: RunDefinition | null | undefined): definition is FlowDefinition {
  return definition?.flow !== undefined
}

/** A row of a step, with nothing in it. */
export function stepRow(runId: number, stepNo: number, more: Partial<StepRunRow>): StepRunRow {
  return {
    run_id: runId,
    step_no: stepNo,
    round: 1,
    state: STEP_STATE.pending,
    instance_id: null,
    started_at: null,
    ended_at: null,
    next_at: null,
    branch: null,
    edges: null,
    facts: null,
    output: null,
    error_code: null,
    error: null,
    reused_from: null,
    ...more,
  }
}
