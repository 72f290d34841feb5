import { columns } from '../dialect/table.ts'

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

export const executorsInFull = { columns: [...limits, ...shards] }
