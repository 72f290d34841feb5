import { table } from '../dialect/table.ts'

/**
 * A backfill: its own series, whose cursor is `made`, a place in its plan. `stage`: `BACKFILL_STAGE`. `only_code` and `direction`: `ONLY_CODES` and
 * `ORDER_CODES`. `open_runs`: runs that were made and whose end was not applied. `ended`: JSON, how many ended in each state. Its group is that of its task.
 */
const backfill = table(
  'backfill',
  {
    id: 'big',
    task_id: 'big',
    slot: 'int',
    stage: 'int',
    from_at: 'big',
    to_at: 'big',
    only_code: 'int',
    direction: 'int',
    concurrency: 'int',
    total: 'int',
    made: 'int',
    open_runs: 'int',
    ended: 'text',
    actor: 'text',
    created_at: 'big',
    ended_at: 'big?',
  },
  ['id'],
  { indexes: [['stage', 'slot'], ['task_id']] },
)

/** The instants of a backfill in its order, 1,000 a part, as JSON: decided when it begins, and never changed. */
const backfillPlan = table('backfill_plan', { backfill_id: 'big', part: 'int', due: 'long' }, ['backfill_id', 'part'])

/** The run that a backfill has made for an instant: its key makes it one. By task first, so that all runs for an instant are beside each other. */
const backfillRun = table('backfill_run', { task_id: 'big', due_at: 'big', backfill_id: 'big', instance_id: 'big' }, [
  'task_id',
  'due_at',
  'backfill_id',
])

export const backfills = { tables: [backfill, backfillPlan, backfillRun] }
