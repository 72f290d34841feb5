import type { Database, ReadTx, Tx } from './database.ts'
import type { TableSpec } from './dialect/table.ts'
import { mainJob } from './migrations/0001-main-job.ts'
import { logsInDatabase } from './migrations/0002-logs-in-database.ts'

interface Migration {
  readonly tables: readonly TableSpec[]
  /** made only where logs are in the database */
  readonly isForLogs?: true
}

/** Migrations only add. The level of a store is how many it has; `meta.schema_level` keeps it. */
const migrations: readonly Migration[] = [{ tables: mainJob }, { tables: logsInDatabase, isForLogs: true }]

export const SCHEMA_LEVEL = migrations.length

/** Thrown when a newer program has written this store. */
export class StoreTooNew extends Error {
  constructor(level: number) {
    super(`this store has schema level ${level}, this program knows ${SCHEMA_LEVEL}: start the newer version of Tickwheel that wrote it`)
    this.name = 'StoreTooNew'
  }
}

/** Every table that a store of this level has. */
export function tablesOf({ keepsLogs }: { readonly keepsLogs: boolean }, after = 0): TableSpec[] {
  return migrations.slice(after).flatMap(({ tables, isForLogs }) => (isForLogs === true && !keepsLogs ? [] : tables))
}

/** Brings the store to the level of this program, alone and in one transaction where tables have that; the level it had before. */
export async function migrate(db: Database): Promise<number> {
  const { dialect } = db
  return dialect.exclusively(async (tx) => {
    const level = (await dialect.hasTable(tx, 'meta')) ? await levelOf(tx) : 0
    if (level > SCHEMA_LEVEL) throw new StoreTooNew(level)
    for (const statement of tablesOf(dialect, level).flatMap((spec) => dialect.render(spec))) await tx.run(statement)
    if (level < SCHEMA_LEVEL) await rememberLevel(tx, level)
    return level
  })
}

async function levelOf(tx: ReadTx): Promise<number> {
  const [row] = await tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'schema_level'")
  return Number(row?.value ?? 0)
}

/** The rows that a new store begins with. */
export const firstRows = {
  meta: [{ key: 'schema_level', value: String(SCHEMA_LEVEL) }],
  slot: Array.from({ length: 256 }, (_, id) => ({ id, fence: 0, owner_run: null, taken_at: 0 })),
  id_block: [
    { name: 'run', next_id: 1 },
    { name: 'entity', next_id: 1 },
  ],
} as const

async function rememberLevel(tx: Tx, before: number): Promise<void> {
  if (before === 0) {
    await tx.insert('meta', firstRows.meta)
    await tx.insert('slot', firstRows.slot)
    await tx.insert('id_block', firstRows.id_block)
    return
  }
  await tx.run("UPDATE meta SET value = ? WHERE `key` = 'schema_level'", [String(SCHEMA_LEVEL)])
}
