import { table, type TableSpec } from '../dialect/table.ts'

/** One number for each attempt that went to an XXL-JOB executor: its results name that number and nothing else. */
export const wireTable: readonly TableSpec[] = [
  table(
    'wire',
    { id: 'big', instance_id: 'big', attempt: 'int', executor_id: 'big', boot_id: 'big', log_at: 'big', timeout_ms: 'big' },
    ['id'],
    { unique: [['instance_id', 'attempt']] },
  ),
]
