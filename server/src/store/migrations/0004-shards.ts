import { columns, type AddedColumns } from '../dialect/table.ts'

const runColumns = {
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
export const shards: readonly AddedColumns[] = [
  columns('open_instance', { ...runColumns, children_open: 'int?' }),
  columns('instance', runColumns),
]
