import type { Database, Dialect, ReadTx, Tx } from './database.ts'
import type { AddedColumns, TableSpec } from './dialect/table.ts'
import { mainJob } from './migrations/0001-main-job.ts'
import { logsInDatabase } from './migrations/0002-logs-in-database.ts'
import { manyNodes } from './migrations/0003-many-nodes.ts'
import { executorsInFull } from './migrations/0004-executors-in-full.ts'
import { workflows } from './migrations/0005-workflows.ts'
import { fleet } from './migrations/0006-fleet.ts'
import { mapReduce } from './migrations/0007-map-reduce.ts'
import { backfills } from './migrations/0008-backfill.ts'
import { access } from './migrations/0009-access.ts'
import { alarms } from './migrations/0011-alarms.ts'
import { variables } from './migrations/0010-variables.ts'
import { reckonerTables } from './migrations/0012-reckoner.ts'
import { calendars } from './migrations/0013-calendars.ts'
import { bulks } from './migrations/0014-bulk.ts'

interface Migration {
  readonly tables?: readonly TableSpec[]
  readonly columns?: readonly AddedColumns[]
  /** made only where logs are in the database */
  readonly isForLogs?: true
  /** statements over rows that are there already, run when a store comes to this level; they may be run again */
  readonly fill?: readonly string[]
}

/** Migrations only add. The level of a store is how many it has; `meta.schema_level` keeps it. */
const migrations: readonly Migration[] = [
  { tables: mainJob },
  { tables: logsInDatabase, isForLogs: true },
  { columns: manyNodes },
  executorsInFull,
  workflows,
  fleet,
  mapReduce,
  backfills,
  access,
  variables,
  alarms,
  reckonerTables,
  calendars,
  bulks,
]

export const SCHEMA_LEVEL = migrations.length

/**
 * The oldest level whose programs can still work on a store of this level: nodes are upgraded one after the other, and what a migration adds they do not
 * look at. Raised when a release takes away, or gives another meaning to, something that an older program uses.
 */
const OLDEST_READER = 2

/** Thrown when a newer program has written this store, and this one can no longer work on it. */
export class StoreTooNew extends Error {
  constructor(level: number) {
    super(`this store has schema level ${level}, this program knows ${SCHEMA_LEVEL}: start the newer version of Tickwheel that wrote it`)
    this.name = 'StoreTooNew'
  }
}

/** Every table that a new store of this level has. */
export function tablesOf({ keepsLogs }: { readonly keepsLogs: boolean }): TableSpec[] {
  return tablesAfter(0, keepsLogs)
}

/** The tables that stores of a level lack, with every column that they have by now. */
function tablesAfter(level: number, keepsLogs: boolean): TableSpec[] {
  return migrations
    .slice(level)
    .flatMap(({ tables, isForLogs }) => (isForLogs === true && !keepsLogs ? [] : (tables ?? [])))
    .map((spec) => ({ ...spec, columns: { ...spec.columns, ...addedTo(spec.name) } }))
}

function addedTo(table: string): TableSpec['columns'] {
  const added = migrations.flatMap((migration) => migration.columns ?? []).filter((one) => one.table === table)
  return Object.assign({}, ...added.map((one) => one.columns)) as TableSpec['columns']
}

/** Brings the store to the level of this program, alone and in one transaction where tables have that; the level it had before. */
export async function migrate(db: Database): Promise<number> {
  const { dialect } = db
  return dialect.exclusively(async (tx) => {
    const level = (await dialect.hasTable(tx, 'meta')) ? await numberOf(tx, 'schema_level') : 0
    if (level > SCHEMA_LEVEL) {
      if ((await numberOf(tx, 'oldest_reader', level)) > SCHEMA_LEVEL) throw new StoreTooNew(level)
      return level
    }
    for (const statement of tablesAfter(level, dialect.keepsLogs).flatMap((spec) => dialect.render(spec))) await tx.run(statement)
    if (level > 0) await addColumns(dialect, tx, level)
    if (level > 0) for (const statement of migrations.slice(level).flatMap(({ fill }) => fill ?? [])) await tx.run(statement)
    if (level < SCHEMA_LEVEL) await rememberLevel(tx, level)
    return level
  })
}

/** Columns of tables that were there before. One that is there already was added by a run that did not come to its end. */
async function addColumns(dialect: Dialect, tx: Tx, level: number): Promise<void> {
  const fresh = new Set(tablesAfter(level, true).map((spec) => spec.name))
  const added = migrations.slice(level).flatMap((migration) => migration.columns ?? [])
  for (const one of added.filter(({ table }) => !fresh.has(table)))
    for (const [name, column] of Object.entries(one.columns))
      if (!(await dialect.hasColumn(tx, one.table, name))) await tx.run(dialect.renderColumn(one.table, name, column))
}

async function numberOf(tx: ReadTx, key: string, absent = 0): Promise<number> {
  const [row] = await tx.all<{ value: string }>('SELECT value FROM meta WHERE `key` = ?', [key])
  return row === undefined ? absent : Number(row.value)
}

/** The rows that a new store begins with. */
export const firstRows = {
  meta: [
    { key: 'schema_level', value: String(SCHEMA_LEVEL) },
    { key: 'oldest_reader', value: String(OLDEST_READER) },
  ],
  slot: Array.from({ length: 256 }, (_, id) => ({ id, fence: 0, owner_run: null, taken_at: 0 })),
  id_block: [
    { name: 'run', next_id: 1 },
    { name: 'entity', next_id: 1 },
  ],
  // a new store is reckoned from its beginning; one that was there before, from the first look
  reckoner: [
    { name: 'ledger', revision: 1, since_at: 0, due_at: 0, series_id: 0, reckoned_at: 0, fired: 0, skipped: 0, missing: 0, doubled: 0 },
  ],
} as const

async function rememberLevel(tx: Tx, before: number): Promise<void> {
  if (before === 0) {
    await tx.insert('meta', firstRows.meta)
    await tx.insert('slot', firstRows.slot)
    await tx.insert('id_block', firstRows.id_block)
    await tx.insert('reckoner', firstRows.reckoner)
    return
  }
  // what is in the store may keep more programs out than its tables do (`requireLevel`): it goes on doing so
  const oldest = Math.max(OLDEST_READER, await numberOf(tx, 'oldest_reader'))
  for (const { key, value } of [firstRows.meta[0], { key: 'oldest_reader', value: String(oldest) }]) {
    const matched = await tx.run('UPDATE meta SET value = ? WHERE `key` = ?', [value, key])
    if (matched === 0) await tx.insert('meta', [{ key, value }])
  }
}
