import type { TestProject } from 'vitest/node'
import { PrivateRedis, redisMissing } from './redis.ts'

let server: PrivateRedis | null = null

/** One private Redis for all test files of a project; where there is none, one line says so, and its tests are skipped. */
export async function setup(project: TestProject): Promise<void> {
  const missing = redisMissing()
  if (missing !== null) process.stderr.write(`${missing}\n`)
  else server = await PrivateRedis.start()
  project.provide('redisUrl', server?.url ?? null)
}

export async function teardown(): Promise<void> {
  await server?.stop()
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** of the private Redis of a run of tests, which they share: each takes a prefix of its own; null: there is no Redis on this machine */
    redisUrl: string | null
  }
}
