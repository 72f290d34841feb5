import { columns, type AddedColumns } from '../dialect/table.ts'

/**
 * Which process has the newest boot of an executor. The key counts only while `process_boot` is the row's boot: a node of an older level registers the
 * next process without touching either.
 */
export const processKey: readonly AddedColumns[] = [columns('executor', { process_key: 'name?', process_boot: 'big?' })]
