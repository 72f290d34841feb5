import { afterEach, beforeEach, expect, it } from 'vitest'
import { query, type Database } from './database.ts'
import { openSqlite } from './dialect/sqlite.ts'
import { makeLevel2, writeAsLevel2 } from './level-2.fixture.ts'
import { migrate, SCHEMA_LEVEL, StoreTooNew } from './migrate.ts'
import { bareMysqlStore, IS_MYSQL } from './mysql.fixture.ts'
import type { NodeRow } from './schema.ts'
import { T0 } from './store.fixture.ts'

const bareStore = async (): Promise<Database> => (IS_MYSQL ? bareMysqlStore(() => T0) : openSqlite({ path: ':memory:', now: () => T0 }))

let db: Database
beforeEach(async () => {
  db = await bareStore()
})
afterEach(() => db.close())

/** Every column of every table, as `table.column`. */
async function columnsOf(store: Database): Promise<string[]> {
  const sql = IS_MYSQL
    ? "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME, ' ', COLUMN_TYPE, ' ', IS_NULLABLE) AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
    : "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
  const rows = await store.read((tx) => tx.all<{ name: string }>(sql))
  return rows.map((row) => row.name).sort()
}
async function meta(): Promise<Record<string, string>> {
  const rows = await db.read((tx) => tx.all<{ key: string; value: string }>('SELECT `key`, value FROM meta'))
  return Object.fromEntries(rows.map((row) => [row.key, row.value]))
}
const put = async (key: string, value: number): Promise<void> =>
  db.write('rest', async (tx) => {
    await tx.run('DELETE FROM meta WHERE `key` = ?', [key])
    await tx.insert('meta', [{ key, value: String(value) }])
  })

it('brings a store of level 2 to this level, with all that is in it, and a second time changes nothing', async () => {
  await makeLevel2(db)
  await writeAsLevel2(db, 7)
  expect(await migrate(db)).toBe(2)
  const brought = await columnsOf(db)
  const fresh = await bareStore()
  await migrate(fresh)
  expect(brought).toEqual(await columnsOf(fresh))
  await fresh.close()

  expect(await migrate(db)).toBe(SCHEMA_LEVEL)
  expect(await columnsOf(db)).toEqual(brought)
  expect(await meta()).toEqual({ schema_level: String(SCHEMA_LEVEL), oldest_reader: '2' })
  const read = await db.read(async (tx) => ({
    nodes: await tx.all<NodeRow>('SELECT * FROM node'),
    slots: await tx.all('SELECT COUNT(*) AS n, MIN(fence) AS fence FROM slot'),
    ids: await tx.all('SELECT name, next_id FROM id_block ORDER BY name'),
  }))
  expect(read).toMatchObject({
    nodes: [{ run_id: 7, level: 2, facts: null }],
    slots: [{ n: 256, fence: 3 }],
    ids: [
      { name: 'entity', next_id: 20 },
      { name: 'run', next_id: 1000 },
    ],
  })
})

it('makes a binding of every administrator that there was, once', async () => {
  await makeLevel2(db)
  const columns =
    'id, username, name_key, display_name, password_hash, must_change, first_password, disabled, is_admin, created_at, password_at'
  await db.write('rest', (tx) =>
    tx.runMany(`INSERT INTO user (${columns}) VALUES (?, ?, ?, '', '', 0, 0, 0, ?, 0, 0)`, [
      [1, 'admin', 'admin', 1],
      [2, 'other', 'other', 0],
    ]),
  )
  await migrate(db)
  const bindings = async () => db.read((tx) => tx.rows(query.selectFrom('access_binding').selectAll()))
  const made = [{ holder_kind: 'user', holder_id: 1, no: 0, role_key: 'admin', group_ids: null }]
  expect(await bindings()).toEqual(made)
  // where the schema is not changed in one transaction, it may have been done in part
  if (!IS_MYSQL) return
  await put('schema_level', 7)
  await migrate(db)
  expect(await bindings()).toEqual(made)
})

it('a program of level 2 that is running writes on beside newer ones', async () => {
  await makeLevel2(db)
  await migrate(db)
  await writeAsLevel2(db, 8)
  expect(await db.read((tx) => tx.all('SELECT level, facts FROM node'))).toEqual([{ level: 2, facts: null }])
})

it('goes on where a run that did not come to its end has stopped', async () => {
  await makeLevel2(db)
  await db.dialect.exclusively((tx) => tx.run(db.dialect.renderColumn('node', 'facts', { type: 'text', nullable: true })))
  expect(await migrate(db)).toBe(2)
  const columns = await columnsOf(db)
  expect(columns.filter((name) => name.startsWith('node.facts '))).toHaveLength(1)
  expect(columns.filter((name) => name.startsWith('executor.link_run '))).toHaveLength(1)
})

it('two programs that start at once bring it to this level once', async () => {
  await makeLevel2(db)
  const levels = await Promise.all([migrate(db), migrate(db), migrate(db)])
  expect(levels.sort()).toEqual([2, SCHEMA_LEVEL, SCHEMA_LEVEL])
})

it('what keeps older programs out of a store goes on doing so when it is brought to this level', async () => {
  await makeLevel2(db)
  await put('oldest_reader', 3)
  await migrate(db)
  expect(await meta()).toEqual({ schema_level: String(SCHEMA_LEVEL), oldest_reader: '3' })
})

it('a store of a newer level is opened when that says older programs may, and left as it is', async () => {
  await migrate(db)
  await put('schema_level', SCHEMA_LEVEL + 1)
  await put('oldest_reader', SCHEMA_LEVEL)
  const before = [await meta(), await columnsOf(db)]
  expect(await migrate(db)).toBe(SCHEMA_LEVEL + 1)
  expect([await meta(), await columnsOf(db)]).toEqual(before)
})

it('a store of a newer level is refused when older programs may not, or nothing is said', async () => {
  await migrate(db)
  await put('schema_level', SCHEMA_LEVEL + 1)
  await put('oldest_reader', SCHEMA_LEVEL + 1)
  await expect(migrate(db)).rejects.toThrow(StoreTooNew)
  await db.write('rest', (tx) => tx.run("DELETE FROM meta WHERE `key` = 'oldest_reader'"))
  await expect(migrate(db)).rejects.toThrow(`schema level ${SCHEMA_LEVEL + 1}, this program knows ${SCHEMA_LEVEL}`)
})
