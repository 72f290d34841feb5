import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerEntry } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { freePort } from '../kit/free-port.ts'
import { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { ended, shellTask, trigger, wholeLog } from '../kit/runs.ts'
import { startServer } from '../kit/server-process.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { waitFor } from '../kit/wait-for.ts'

/** A server of its own: sql/init.sql names its database. */
let mariaDb: MariaDb | null = null
const initSql = readFileSync(join(import.meta.dirname, '../../sql/init.sql'), 'utf8')
const sql = (text: string): string => (mariaDb?.sql(text) ?? '').trim()
const env = (): Record<string, string> => ({ TICKWHEEL_DATABASE_URL: mariaDb?.url('tickwheel') ?? '' })

beforeAll(async () => {
  if (inject('mariaDbUrl') === null) return
  mariaDb = await MariaDb.start({ durable: true })
  sql(initSql)
})
afterAll(async () => mariaDb?.stop())

const columns = (database: string): string =>
  sql(
    `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, COALESCE(COLLATION_NAME, '') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${database}' ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  )

async function fails(url: string): Promise<string> {
  const program = new Program({
    args: ['server'],
    cwd: tempDir(),
    env: { TICKWHEEL_PORT: String(await freePort()), TICKWHEEL_DATA_DIR: tempDir(), TICKWHEEL_DATABASE_URL: url },
  })
  expect((await program.exited).code).toBe(1)
  expect(program.output).toMatch(/^[^\n]+\n$/)
  return program.output
}

describe('a server on MySQL', () => {
  it('starts on tables that sql/init.sql made, applies nothing, and refuses a second one beside it', async () => {
    sql("INSERT INTO tickwheel.meta VALUES ('mark', 'x')")
    const before = columns('tickwheel')
    {
      await using server = await startServer({ env: env() })
      expect(server.program.output).not.toContain('innodb_flush_log')
      expect(await fails(env().TICKWHEEL_DATABASE_URL ?? '')).toMatch(/Another Tickwheel server .* uses this database.*need Redis/)
      expect(sql("SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'tickwheel' AND TABLE_NAME = 'log_chunk'")).toBe(
        '5',
      )
      const admin = await server.signIn()
      expect((await admin.get<{ total: number }>('/executor')).total, 'no embedded executor').toBe(0)
    }
    expect(columns('tickwheel')).toBe(before)
    sql(initSql)
    expect([
      columns('tickwheel'),
      sql('SELECT COUNT(*) FROM tickwheel.slot'),
      sql("SELECT value FROM tickwheel.meta WHERE `key` = 'mark'"),
    ]).toEqual([before, '256', 'x'])
    expect(sql('SELECT COUNT(*) FROM tickwheel.node'), 'an orderly end leaves no node').toBe('0')
  })

  it('runs tasks, keeps their logs in the database, and goes on after it was killed', async () => {
    const dataDir = tempDir()
    const embedded = { ...env(), TICKWHEEL_EMBEDDED_EXECUTOR: 'true' }
    const first = await startServer({ dataDir, env: embedded })
    const admin = await first.signIn()
    const task = await shellTask(admin, 'talks', 'echo one; echo two')
    const run = await trigger(admin, task.id)
    expect((await ended(admin, run)).state).toBe('succeeded')
    expect((await wholeLog(admin, run)).map((line) => line.text)).toEqual(expect.arrayContaining(['one', 'two']))
    expect(Number(sql('SELECT COUNT(*) FROM tickwheel.log_chunk'))).toBeGreaterThan(0)
    const ticking = await shellTask(admin, 'ticks', 'true', { schedule: { kind: 'fixedRate', everyMs: 1000 }, enabled: true })
    const fired = async (): Promise<number> => Number(sql('SELECT COUNT(*) FROM tickwheel.firing'))
    await waitFor(async () => (await fired()) >= 3)
    await first.program.kill()

    const before = await fired()
    await using second = await startServer({ dataDir, env: embedded })
    await waitFor(async () => (await fired()) >= before + 3)
    const again = await second.signIn()
    const { items } = await again.get<{ items: LedgerEntry[] }>(`/task/${String(ticking.id)}/firing?pageSize=100`)
    const covered = items.flatMap((entry) => (entry.kind === 'fired' ? [Date.parse(entry.dueAt)] : [])).sort((a, b) => a - b)
    expect(new Set(covered).size).toBe(covered.length)
    expect((await wholeLog(again, run)).map((line) => line.text)).toEqual(expect.arrayContaining(['one', 'two']))
    await again.post(`/task/${String(ticking.id)}/stop`, {})
  })

  it('makes its tables by itself in an empty database, the same ones', async () => {
    sql('CREATE DATABASE fresh')
    {
      await using server = await startServer({ command: 'server', env: { TICKWHEEL_DATABASE_URL: mariaDb?.url('fresh') ?? '' } })
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    }
    expect(columns('fresh')).toBe(columns('tickwheel'))
  })

  it('starts although its Redis does not answer, says so without the password, and is ready', async () => {
    sql('CREATE DATABASE lonely')
    const port = await freePort()
    await using server = await startServer({
      command: 'server',
      env: {
        TICKWHEEL_DATABASE_URL: mariaDb?.url('lonely') ?? '',
        TICKWHEEL_REDIS_URL: `redis://:geheim@127.0.0.1:${String(port)}/1`,
        TICKWHEEL_SECRET: 'the same secret on every node of it',
      },
    })
    expect(server.program.output).toMatch(new RegExp(`"redis://127\\.0\\.0\\.1:${String(port)}/1".*Redis does not answer`))
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
      ready: true,
      checks: { store: 'ok', slots: 'ok', calls: 'ok', redis: 'away' },
    })
    const admin = await server.signIn()
    expect(await admin.get('/cluster')).toMatchObject({ store: 'mysql', redis: 'away', nodes: [{ isThis: true, isAlive: true }] })
    const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${String(admin.token)}` } })
    expect(await metrics.text()).toContain('tickwheel_redis_up 0\n')
    expect(server.program.output).not.toContain('geheim')
  })

  it('says in one line what keeps it from its database, and never the password', async () => {
    expect(await fails(`mysql://t:t@127.0.0.1:${String(mariaDb?.port)}/nowhere`)).toMatch(
      /mysql:\/\/127\.0\.0\.1:\d+\/nowhere.*Unknown database/,
    )
    const wrong = await fails(`mysql://t:geheim@127.0.0.1:${String(mariaDb?.port)}/tickwheel`)
    expect(wrong).toMatch(/Access denied/)
    expect(wrong).not.toContain('geheim')
    expect(await fails(`mysql://t:t@127.0.0.1:${String(await freePort())}/tickwheel`)).toMatch(/ECONNREFUSED/)
  })
})
