import type { StorageKind } from '@tickwheel/contract'

export const storage = {
  about: 'about {value}',
  head: {
    database: 'Database', free: 'Of that, free for what comes next', logs: 'Logs of runs', logFiles: '{size} in {n} file | {size} in {n} files', day: 'Last 24 hours', week: 'Last 7 days', grown: '{runs} runs, {firings} firings', pruned: 'Retention went through', neverPruned: 'not yet',
  },
  growth: { title: 'Size by day', grows: 'Grows by about {size} a day.', shrinks: 'Shrinks by about {size} a day.', day: '{day}: {size}, {runs} runs' },
  retention: {
    title: 'Retention', text: 'What is older is deleted in small steps, about every ten minutes. Change it in the configuration.', days: '{n} day | {n} days',
    runsDays: 'Runs', failuresDays: 'Runs that did not succeed', logsDays: 'Logs of runs', ledgerDays: 'Firing ledger', auditDays: 'Audit log',
  },
  tables: { title: 'Tables', name: 'Table', kind: 'Holds', rows: 'Rows', size: 'Size with indexes', sizeHint: 'Rows {rows}, indexes {indexes}', filter: 'Show what holds one kind of data' },
  estimated: { mysql: 'Rows and sizes are what the database estimates; it renews them about once a day.', sqlite: 'What is marked “about” is estimated from a part of the table: counting a large one would hold up the scheduler.' },
  kinds: { runs: 'Runs', logs: 'Logs', ledger: 'Firing ledger', definitions: 'Tasks and workflows', audit: 'Audit log', alarms: 'Alarms', other: 'Other' } satisfies Record<StorageKind, string>,
}
