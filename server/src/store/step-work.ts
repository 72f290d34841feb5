import { appendTrace, CAUSE, PHASE, queueRankAt, slotOf, type TraceEntry } from '@tickwheel/core'
import { textOfFanOut, type FanOutPart } from './fan-out-part.ts'
import { NEVER, FLOW_LANE, NO_SHARDS, NOT_SENT, ON_END_WORKFLOW } from './run-writes.ts'
import type { OpenInstanceRow, TaskRow } from './schema.ts'

/** `payload.kind` of the items of a fan-out: a JSON array, kept with its parent. */
export const ITEMS_PAYLOAD = 5

/** What a run that is done for a step runs: a task or a workflow, or what the step defines in place (`workflow` of which it is part). */
export interface StepTarget {
  readonly taskId: number
  readonly version: number
  readonly groupId: number
  readonly isFlow: boolean
}

export function targetOf({ id, version, group_id }: Pick<TaskRow, 'id' | 'version' | 'group_id'>, isFlow: boolean): StepTarget {
  return { taskId: id, version, groupId: group_id, isFlow }
}

/** What a step defines in place, in the group of its workflow. */
export function inPlaceOf(flow: OpenInstanceRow): StepTarget {
  return { taskId: flow.task_id, version: flow.task_version, groupId: flow.group_id, isFlow: false }
}

interface StepRunWish {
  readonly id: number
  readonly at: number
  readonly stepNo: number
  readonly key: string
  readonly target: StepTarget
}

/** The run that does a step, queued: `flow` is the run of the workflow. It has its priority, its starter and its instant. */
export function stepWork(flow: OpenInstanceRow, { id, at, stepNo, key, target }: StepRunWish): OpenInstanceRow {
  const trace: TraceEntry = { reason: 'stepOf', at, facts: { run: flow.id, step: key } }
  return {
    ...flow,
    ...NOT_SENT,
    ...NO_SHARDS,
    id,
    slot: slotOf('task', target.taskId),
    group_id: target.groupId,
    task_id: target.taskId,
    task_version: target.version,
    cause: CAUSE.workflow,
    series_id: null,
    created_at: at,
    retry_of: null,
    queued_at: at,
    trace: appendTrace('[]', at, [trace]),
    phase: PHASE.queued,
    lane: target.isFlow ? FLOW_LANE : target.groupId,
    rank_at: queueRankAt(at, flow.priority),
    on_end: ON_END_WORKFLOW,
    workflow_run_id: flow.id,
    workflow_id: flow.task_id,
    workflow_version: flow.task_version,
    step_no: stepNo,
    runs_workflow: target.isFlow ? 1 : null,
  }
}

/** The parent of a fan-out: it runs without an executor while its children do. `firstChildId`: the first of `total` ids in a row. */
export function fanOutWork(
  flow: OpenInstanceRow,
  wish: Omit<StepRunWish, 'target'>,
  { total, firstChildId, part }: { total: number; firstChildId: number; part: FanOutPart },
): OpenInstanceRow {
  return {
    ...stepWork(flow, { ...wish, target: inPlaceOf(flow) }),
    phase: PHASE.running,
    lane: 0,
    rank_at: NEVER,
    started_at: wish.at,
    shard_total: total,
    shard_part: textOfFanOut(part),
    first_child_id: firstChildId,
    children_made: 0,
    children_open: 0,
    children_ended: '{}',
  }
}
