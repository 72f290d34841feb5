import { OUTCOMES, STEP_STATE, STEP_STATES, type Graph, type Step } from '@tickwheel/core'
import { parseDefinition } from '../../../server/src/store/definition.ts'
import type { ReadTx } from '../../../server/src/store/database.ts'
import { readStepFacts } from '../../../server/src/store/step-facts.ts'
import type { InstanceRow, StepRunRow, WorkflowRunRow } from '../../../server/src/store/schema.ts'

/**
 * Workflows, at the end: every run of a step belongs to one row of one step and the other way round, ended as its row says, and began after what it depends on;
 * a run that has ended has none that goes on, and is what its steps make of it. Counted here from the rows, and not by the engine's own walk.
 */
export async function workflowFaults(tx: ReadTx): Promise<string[]> {
  const instances = await tx.all<InstanceRow>('SELECT * FROM instance ORDER BY id')
  const steps = await tx.all<StepRunRow>('SELECT * FROM step_run ORDER BY run_id, step_no, round')
  const runs = await tx.all<WorkflowRunRow>('SELECT * FROM workflow_run')
  const versions = await tx.all<{ task_id: number; version: number; definition: string }>('SELECT * FROM task_version')
  const graphs = new Map(
    versions.map((row) => [`${row.task_id}:${row.version}`, parseDefinition(row.definition).flow?.graph ?? null] as const),
  )
  const byId = new Map(instances.map((row) => [row.id, row]))
  const ofRun = Map.groupBy(steps, (step) => step.run_id)
  return [
    ...ownershipFaults(instances, steps),
    ...runs.flatMap((run) => {
      const row = byId.get(run.run_id)
      const graph = graphs.get(`${run.workflow_id}:${run.version}`)
      if (row === undefined || graph === null || graph === undefined) return row === undefined ? [] : [`run ${run.run_id} has no graph`]
      return runFaults({ row, graph, steps: ofRun.get(run.run_id) ?? [], byId })
    }),
    ...instances.filter((row) => row.shard_part?.startsWith('{"fanOut"')).flatMap((parent) => fanOutFaults(parent, instances)),
  ].map((fault) => `workflows: ${fault}`)
}

function ownershipFaults(instances: readonly InstanceRow[], steps: readonly StepRunRow[]): string[] {
  const ofStep = new Map<number, StepRunRow[]>()
  for (const step of steps)
    if (step.instance_id !== null && step.reused_from === null)
      ofStep.set(step.instance_id, [...(ofStep.get(step.instance_id) ?? []), step])
  const works = instances.filter((row) => row.workflow_run_id !== null && row.parent_id === null)
  const known = new Set(works.map((row) => row.id))
  return [
    ...works
      .filter((row) => {
        const [step, ...more] = ofStep.get(row.id) ?? []
        return more.length > 0 || step?.run_id !== row.workflow_run_id || step.step_no !== row.step_no
      })
      .map((row) => `run ${row.id} is of step ${row.step_no} of run ${row.workflow_run_id}, which does not know it`),
    ...[...ofStep.keys()].filter((id) => !known.has(id)).map((id) => `a step began run ${id}, which is missing`),
  ]
}

interface Case {
  readonly row: InstanceRow
  readonly graph: Graph
  readonly steps: readonly StepRunRow[]
  readonly byId: ReadonlyMap<number, InstanceRow>
}

function runFaults({ row, graph, steps, byId }: Case): string[] {
  const last = new Map(steps.map((step) => [step.step_no, step]))
  const name = (step: StepRunRow): string => `step ${graph.steps[step.step_no]?.key} of run ${row.id}`
  const open = steps.filter((step) => step.state < STEP_STATE.succeeded)
  const early = [...last.values()].filter((step) => step.started_at !== null && step.reused_from === null && !mayStart(graph, step, last))
  const wrong = steps.filter((step) => step.reused_from === null && !isAsItsRun(step, byId.get(step.instance_id ?? 0)))
  const missing = graph.steps.filter((_, index) => !last.has(index))
  return [
    ...open.map((step) => `${name(step)} is ${STEP_STATES[step.state]}, and the run has ended`),
    ...early.map((step) => `${name(step)} began before what it depends on`),
    ...wrong.map((step) => `${name(step)} is ${STEP_STATES[step.state]}, and its run ended otherwise`),
    ...(OUTCOMES[row.outcome - 1] === 'succeeded' && missing.length > 0
      ? [`run ${row.id} succeeded without ${missing.map((step) => step.key).join(', ')}`]
      : []),
    ...steps
      .filter((step) => step.reused_from === null && (step.ended_at ?? 0) > row.ended_at)
      .map((step) => `${name(step)} ended after its run`),
  ]
}

/** By the decisions of the edges that lead to it, and by the instants. A step that a person completed began when that was asked. */
function mayStart(graph: Graph, step: StepRunRow, last: ReadonlyMap<number, StepRunRow>): boolean {
  if (step.facts !== null && readStepFacts(step.facts).decided !== undefined) return true
  const definition = graph.steps[step.step_no]
  if (definition === undefined) return false
  const incoming = graph.edges.flatMap((edge, place) => (edge.to === definition.key ? [{ edge, place }] : []))
  const taken = incoming.filter(({ edge, place }) => {
    const source = last.get(numberOf(graph, edge.from))
    const decisions = source?.edges == null ? {} : (JSON.parse(source.edges) as Record<number, string>)
    return decisions[place] === 'taken' && (source?.ended_at ?? Infinity) <= (step.started_at ?? 0)
  })
  const decided = incoming.filter(({ edge }) => (last.get(numberOf(graph, edge.from))?.ended_at ?? Infinity) <= (step.started_at ?? 0))
  return incoming.length === 0 || enough(definition, { taken: taken.length, decided: decided.length, all: incoming.length })
}

function enough({ join = 'all' }: Step, { taken, decided, all }: { taken: number; decided: number; all: number }): boolean {
  if (typeof join === 'object') return taken >= join.atLeast
  if (join === 'any') return taken >= 1
  return join === 'allDone' ? decided === all : decided === all && taken >= 1
}

function numberOf(graph: Graph, key: string): number {
  return graph.steps.findIndex((step) => step.key === key)
}

const STATES_OF_OUTCOME: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timedOut',
  canceled: 'canceled',
  lost: 'failed',
}

function isAsItsRun(step: StepRunRow, instance: InstanceRow | undefined): boolean {
  if (step.instance_id === null) return true
  if (instance === undefined) return false
  if (step.facts !== null && readStepFacts(step.facts).decided !== undefined) return true
  return STATES_OF_OUTCOME[OUTCOMES[instance.outcome - 1] ?? ''] === STEP_STATES[step.state]
}

/** Each child once, in its place, and none after the parent. */
function fanOutFaults(parent: InstanceRow, instances: readonly InstanceRow[]): string[] {
  const first = parent.first_child_id ?? 0
  const total = parent.shard_total ?? 0
  const children = instances.filter(
    (row) => row.parent_id === parent.id && row.retry_of === null && row.id >= first && row.id < first + total,
  )
  const made = parent.children_made ?? 0
  return [
    ...(children.length === made ? [] : [`fan-out ${parent.id} made ${made} children, and ${children.length} have ended`]),
    ...children.filter((row, index) => row.shard_index !== index).map((row) => `child ${row.id} is not in its place`),
    ...(made === total || parent.cancel_at !== null ? [] : [`fan-out ${parent.id} has ${made} of ${total} children`]),
  ]
}
