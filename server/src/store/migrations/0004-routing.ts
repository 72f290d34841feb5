import { columns, type AddedColumns } from '../dialect/table.ts'

/** Which executor had the attempt before the next one: `failover` goes on behind it. From this level on nodes know all strategies, labels and routing keys. */
export const routing: readonly AddedColumns[] = [columns('open_instance', { tried_executor_id: 'big?' })]
