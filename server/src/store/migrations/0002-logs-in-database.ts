import { table, type TableSpec } from '../dialect/table.ts'

/** Logs of runs where they are kept in the database; on SQLite they have files of their own. */
export const logsInDatabase: readonly TableSpec[] = [
  table(
    'log_chunk',
    {
      instance_id: 'big',
      attempt: 'int',
      first_seq: 'big',
      lines: 'int',
      bytes: 'int',
      dropped: 'big',
      at: 'big',
      codec: 'int',
      body: 'blob',
    },
    ['instance_id', 'attempt', 'first_seq'],
    { partition: { by: 'instance_id', range: 'id' } },
  ),
  table('log_end', { instance_id: 'big', attempt: 'int', lines: 'big', bytes: 'big', dropped: 'big' }, ['instance_id', 'attempt'], {
    partition: { by: 'instance_id', range: 'id' },
  }),
]
