import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'

let mariaDb: MariaDb | null = null
const dump = join(import.meta.dirname, '../../cli/src/import/xxl-job.fixture.sql')

beforeAll(async () => {
  if (inject('mariaDbUrl') === null) return
  mariaDb = await MariaDb.start()
  // the last line is of a table that the dump does not make
  const text = readFileSync(dump, 'utf8').replace(/INSERT INTO `xxl_job_log`.*\n/, '')
  mariaDb.sql(`CREATE DATABASE xxl_job CHARACTER SET utf8mb4; USE xxl_job; SET NAMES utf8mb4; ${text}`)
})
afterAll(async () => mariaDb?.stop())

it('reads the same from the database of XXL-JOB as from its dump', async (test) => {
  if (mariaDb === null) return test.skip()
  const told = await Promise.all(
    [dump, mariaDb.url('xxl_job')].map(async (source) => {
      const program = new Program({ args: ['import', 'xxl-job', source, '--dry-run'] })
      await program.exited
      return program.output
    }),
  )
  expect(told[0]).toContain('8 tasks read')
  expect(told[1]).toBe(told[0])
})
