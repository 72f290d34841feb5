import { table } from '../dialect/table.ts'

/** How far the ledger is reckoned, by whoever does it: one row. `revision` orders two that do it at once. The totals are since `since_at`. */
const reckoner = table(
  'reckoner',
  {
    name: 'name',
    revision: 'big',
    since_at: 'big',
    due_at: 'big',
    series_id: 'big',
    reckoned_at: 'big',
    fired: 'big',
    skipped: 'big',
    missing: 'big',
    doubled: 'big',
  },
  ['name'],
)

/** How far the chain of each series is reckoned. */
const reckoned = table('reckoned', { series_id: 'big', settled_at: 'big', skip_from: 'big', counted: 'big' }, ['series_id'])

/** What became of what was due in an hour, by group: fired, missing, doubled, or the reason of a skip. */
const verdict = table('verdict', { hour_at: 'big', group_id: 'big', code: 'int', n: 'big' }, ['hour_at', 'group_id', 'code'])

/** What the reckoner found wrong. `gone_at`: it is no more (a cursor that was overdue, and went on). */
const finding = table(
  'finding',
  {
    series_id: 'big',
    kind: 'int',
    from_at: 'big',
    to_at: 'big',
    n: 'big',
    task_id: 'big',
    group_id: 'big',
    facts: 'text',
    found_at: 'big',
    gone_at: 'big?',
  },
  ['series_id', 'kind', 'from_at'],
  { indexes: [['found_at']] },
)

/** A time in which what was due was not settled, and what was made of it afterwards: in all, by group, and by task as far as there is room. */
const recovery = table('recovery', { id: 'big', from_at: 'big', began_at: 'big', last_at: 'big', tasks: 'int' }, ['id'])
const recoveryGroup = table('recovery_group', { recovery_id: 'big', group_id: 'big', made_up: 'big', skipped: 'big' }, [
  'recovery_id',
  'group_id',
])
const recoveryTask = table(
  'recovery_task',
  {
    recovery_id: 'big',
    task_id: 'big',
    group_id: 'big',
    policy: 'name',
    made_up: 'big',
    skipped: 'big',
    first_at: 'big',
    last_at: 'big',
  },
  ['recovery_id', 'task_id'],
)

export const reckonerTables = { tables: [reckoner, reckoned, verdict, finding, recovery, recoveryGroup, recoveryTask] }
