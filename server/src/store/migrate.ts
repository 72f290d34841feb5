import type { Database, Tx } from './database.ts'
import type { TableSpec } from './dialect/table.ts'
import { mainJob } from './migrations/0001-main-job.ts'

/** Migrations only add. The level of a store is how many it has; `meta.schema_level` keeps it. */
const migrations: readonly (readonly TableSpec[])[] = [mainJob]

export const SCHEMA_LEVEL = migrations.length

/** Thrown when a newer program has written this store. */
export class StoreTooNew extends Error {
  constructor(level: number) {
    super(`this store has schema level ${level}, this program knows ${SCHEMA_LEVEL}: start the newer version of Tickwheel that wrote it`)
    this.name = 'StoreTooNew'
  }
}

/** Brings the store to the level of this program, in one transaction; the level it had before. */
export async function migrate(db: Database, render: (spec: TableSpec) => string[]): Promise<number> {
  return db.write('rest', async (tx) => {
    const level = await levelOf(tx)
    if (level > SCHEMA_LEVEL) throw new StoreTooNew(level)
    for (const tables of migrations.slice(level)) {
      for (const statement of tables.flatMap(render)) await tx.run(statement)
    }
    if (level < SCHEMA_LEVEL) await rememberLevel(tx, level)
    return level
  })
}

async function levelOf(tx: Tx): Promise<number> {
  const tables = await tx.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'")
  if (tables.length === 0) return 0
  const [row] = await tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'schema_level'")
  return Number(row?.value ?? 0)
}

async function rememberLevel(tx: Tx, before: number): Promise<void> {
  if (before === 0) {
    await tx.insert('meta', [{ key: 'schema_level', value: String(SCHEMA_LEVEL) }])
    await tx.insert(
      'slot',
      Array.from({ length: 256 }, (_, id) => ({ id, fence: 0, owner_run: null, taken_at: 0 })),
    )
    await tx.insert('id_block', [
      { name: 'run', next_id: 1 },
      { name: 'entity', next_id: 1 },
    ])
    return
  }
  await tx.run("UPDATE meta SET value = ? WHERE `key` = 'schema_level'", [String(SCHEMA_LEVEL)])
}
