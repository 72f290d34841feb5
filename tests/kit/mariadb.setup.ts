import type { TestProject } from 'vitest/node'
import { MariaDb, mariaDbMissing } from './mariadb.ts'

let server: MariaDb | null = null

/** One private MariaDB for all test files of a project; where there is none, one line says so, and its tests are skipped. */
export async function setup(project: TestProject): Promise<void> {
  const missing = mariaDbMissing()
  if (missing !== null) process.stderr.write(`${missing}\n`)
  else server = await MariaDb.start()
  project.provide('mariaDbUrl', server?.url('') ?? null)
}

export async function teardown(): Promise<void> {
  await server?.stop()
}
