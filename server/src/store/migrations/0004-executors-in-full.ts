import { columns, table } from '../dialect/table.ts'

/** How many attempts of a group may be in flight over all nodes, and why a task has stopped by itself (`PausedByFailures` as JSON). */
const limits = [columns('task_group', { concurrency: 'int?' }), columns('task', { paused: 'text?' })]

const partOfRun = {
  parent_id: 'big?',
  shard_index: 'int?',
  shard_total: 'int?',
  shard_key: 'name?',
  shard_part: 'long?',
  first_child_id: 'big?',
  children_made: 'int?',
  children_ended: 'text?',
} as const

/** Which part of a sharded run a run is, and what a parent knows of its shards. */
const shards = [columns('open_instance', { ...partOfRun, children_open: 'int?' }), columns('instance', partOfRun)]

/**
 * Which processes have had the name of an executor, the newest first. Its key counts as that of the newest boot only while `process_boot` is the row's
 * boot: a node of an older level registers the next process without touching either.
 */
const processKey = columns('executor', { process_key: 'name?', process_boot: 'big?' })

/** The schemas of an executor's handlers, apart from its row, which every node reads each second. They count while `boot_id` is the row's boot. */
const handlerSchemas = table('executor_schema', { executor_id: 'big', boot_id: 'big', schemas: 'long' }, ['executor_id'])

/** Which executor had the attempt before the next one: `failover` goes on behind it. */
const routing = columns('open_instance', { tried_executor_id: 'big?' })

/** Where the server reaches an executor that opens no connection of its own. */
const address = columns('executor', { address: 'text?' })

/** One number for each attempt that went to an XXL-JOB executor: its results name that number and nothing else. */
const wire = table(
  'wire',
  { id: 'big', instance_id: 'big', attempt: 'int', executor_id: 'big', boot_id: 'big', log_at: 'big', timeout_ms: 'big' },
  ['id'],
  { unique: [['instance_id', 'attempt']] },
)

export const executorsInFull = { columns: [...limits, ...shards, processKey, routing, address], tables: [handlerSchemas, wire] }
