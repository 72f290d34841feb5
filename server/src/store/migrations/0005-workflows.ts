import { columns, table } from '../dialect/table.ts'

/**
 * A run of a workflow is a run: a row of `open_instance`, later of `instance`, whose task is the workflow (`task.handler_kind` = 'workflow'). So the
 * ledger, overlap, misfire, the queue, cancels, retention and "ended is for ever" are those of tasks. Which step a run is done for:
 * `workflow_run_id` and `step_no`, and the workflow and version that the step is part of. Of a step defined in place, and of a fan-out, `task_id` is
 * `workflow_id`. `runs_workflow` is 1 for a run of a workflow itself.
 */
const stepOfRun = {
  workflow_run_id: 'big?',
  workflow_id: 'big?',
  workflow_version: 'int?',
  step_no: 'int?',
  runs_workflow: 'int?',
} as const

/** What a run of a workflow has beside its row. `depth`: 0, or how deep it is a sub-workflow. `run_date`: the business date, YYYY-MM-DD. */
const workflowRun = table(
  'workflow_run',
  {
    run_id: 'big',
    workflow_id: 'big',
    version: 'int',
    run_date: 'name',
    depth: 'int',
    paused_at: 'big?',
    paused_by: 'name?',
  },
  ['run_id'],
  { indexes: [['workflow_id', 'run_id']], partition: { by: 'run_id', range: 'id' } },
)

/**
 * A step of a run, once it is more than pending; a round for each time that a sub-workflow or a fan-out was tried. `next_at`: when a step that waits is
 * looked at again. `edges`: JSON, the decision of each outgoing edge by its place in the definition. `facts`: JSON, what its kind needs (`StepFacts`).
 */
const stepRun = table(
  'step_run',
  {
    run_id: 'big',
    step_no: 'int',
    round: 'int',
    state: 'int',
    instance_id: 'big?',
    started_at: 'big?',
    ended_at: 'big?',
    next_at: 'big?',
    branch: 'name?',
    edges: 'text?',
    facts: 'text?',
    output: 'long?',
    error_code: 'name?',
    error: 'text?',
    reused_from: 'big?',
  },
  ['run_id', 'step_no', 'round'],
  { partition: { by: 'run_id', range: 'id' } },
)

export const workflows = {
  columns: [columns('open_instance', stepOfRun), columns('instance', stepOfRun)],
  tables: [workflowRun, stepRun],
}
