/* A database of the release before the cluster: by the server alone, and by a person who loads sql/init.sql first. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { openMysql } from '../../server/src/store/dialect/mysql.ts'
import { makeLevel2 } from '../../server/src/store/level-2.fixture.ts'
import { SCHEMA_LEVEL } from '../../server/src/store/migrate.ts'
import { MariaDb } from '../kit/mariadb.ts'
import { ended, shellTask, trigger } from '../kit/runs.ts'
import { startServer } from '../kit/server-process.ts'

/** A server of its own: sql/init.sql names its database. */
let mariaDb: MariaDb | null = null
const initSql = readFileSync(join(import.meta.dirname, '../../sql/init.sql'), 'utf8')
const sql = (text: string): string => (mariaDb?.sql(text) ?? '').trim()

beforeAll(async () => {
  if (inject('mariaDbUrl') !== null) mariaDb = await MariaDb.start()
})
afterAll(async () => mariaDb?.stop())

const columns = (): string =>
  sql(
    "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'tickwheel' ORDER BY TABLE_NAME, COLUMN_NAME",
  )

it.each([
  { who: 'a server that starts on it', before: (): string => '' },
  { who: 'sql/init.sql and then a server', before: (): string => sql(initSql) },
])('a database of level 2 is brought to this level by $who, and sql/init.sql finds nothing to do', async ({ before }) => {
  sql('DROP DATABASE IF EXISTS tickwheel')
  sql(initSql)
  const wanted = columns()
  sql('DROP DATABASE tickwheel; CREATE DATABASE tickwheel CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
  const url = mariaDb?.url('tickwheel') ?? ''
  const db = openMysql({ url })
  await makeLevel2(db)
  await db.close()
  before()
  {
    await using server = await startServer({ env: { TICKWHEEL_DATABASE_URL: url, TICKWHEEL_EMBEDDED_EXECUTOR: 'true' } })
    const admin = await server.signIn()
    const task = await shellTask(admin, 'after the upgrade', 'echo yes')
    expect((await ended(admin, await trigger(admin, task.id))).state).toBe('succeeded')
  }
  const meta = (): string => sql("SELECT `key`, value FROM tickwheel.meta WHERE `key` IN ('schema_level', 'oldest_reader') ORDER BY `key`")
  expect([columns(), meta()]).toEqual([wanted, `oldest_reader\t2\nschema_level\t${String(SCHEMA_LEVEL)}`])
  sql(initSql)
  expect([columns(), meta()]).toEqual([wanted, `oldest_reader\t2\nschema_level\t${String(SCHEMA_LEVEL)}`])
})
