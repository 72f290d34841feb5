import { columns, type AddedColumns } from '../dialect/table.ts'

/** How many attempts of a group may be in flight over all nodes, and why a task has stopped by itself (`PausedByFailures` as JSON). */
export const limits: readonly AddedColumns[] = [columns('task_group', { concurrency: 'int?' }), columns('task', { paused: 'text?' })]
