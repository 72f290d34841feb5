import { columns, type AddedColumns } from '../dialect/table.ts'

/** Where the server reaches an executor that opens no connection of its own. */
export const executorAddress: readonly AddedColumns[] = [columns('executor', { address: 'text?' })]
