import { columns, table, type AddedColumns, type TableSpec } from '../dialect/table.ts'

/**
 * Which processes have had the name of an executor, the newest first. Its key counts as that of the newest boot only while `process_boot` is the row's
 * boot: a node of an older level registers the next process without touching either.
 */
export const processKey: readonly AddedColumns[] = [columns('executor', { process_key: 'name?', process_boot: 'big?' })]

/** The schemas of an executor's handlers, apart from its row, which every node reads each second. They count while `boot_id` is the row's boot. */
export const handlerSchemas: readonly TableSpec[] = [
  table('executor_schema', { executor_id: 'big', boot_id: 'big', schemas: 'long' }, ['executor_id']),
]
