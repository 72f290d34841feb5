import { columns, type AddedColumns } from '../dialect/table.ts'

/** What a node tells the others with each beat, and which node holds the link of an executor. */
export const manyNodes: readonly AddedColumns[] = [columns('node', { facts: 'text?' }), columns('executor', { link_run: 'big?' })]
