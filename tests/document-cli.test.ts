/* `tickwheel export` and `tickwheel apply`, as a person or a pipeline runs them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Group } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program } from './kit/program.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'

const cwd = makeDir()
let server: ServerProcess
beforeAll(async () => {
  server = await startServer({ command: 'server' })
})
afterAll(async () => {
  await server.close()
  removeDir(cwd)
})

async function run(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const program = new Program({ args, env: { TICKWHEEL_PASSWORD: 'admin123', TICKWHEEL_SERVER: server.url }, cwd })
  const { code } = await program.exited
  return { code, output: program.output }
}

const JOBS = `tickwheel: 1
groups:
  - { name: 结算, appName: settle }
tasks:
  - group: 结算
    name: 每日对账
    schedule: { kind: cron, expression: 0 0 2 * * *, timezone: Asia/Shanghai }
    handler: { kind: shell, script: ./run.sh }
`

describe('a document on the command line', () => {
  it('is shown, applied, exported, and found to be as it is', async () => {
    writeFileSync(join(cwd, 'jobs.yaml'), JOBS)
    const shown = await run('apply', 'jobs.yaml', '--dry-run')
    expect(shown.output).toContain('+ group 结算\n+ task 结算/每日对账\n2 to create, 0 to change, 0 as they are')
    expect(shown.code).toBe(2)
    const admin = await server.signIn()
    expect((await admin.get<{ items: Group[] }>('/group')).items.map(({ name }) => name)).toEqual(['default'])

    const done = await run('apply', 'jobs.yaml')
    expect({ code: done.code, last: done.output.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, last: 'Applied.' })
    const exported = await run('export', '--group', '结算', '--out', 'out.yaml')
    expect({ ...exported, text: readFileSync(join(cwd, 'out.yaml'), 'utf8') }).toMatchObject({
      code: 0,
      text: expect.stringContaining('script: ./run.sh'),
    })
    const same = await run('apply', 'out.yaml', '--dry-run')
    expect({ code: same.code, output: same.output }).toMatchObject({
      code: 0,
      output: expect.stringContaining('0 to create, 0 to change, 2 as they are'),
    })
  })

  it('that is wrong is refused with the line of each problem', async () => {
    writeFileSync(join(cwd, 'wrong.yaml'), JOBS.replace('0 0 2 * * *', '0 0 2').replace('./run.sh', './other.sh'))
    const { code, output } = await run('apply', 'wrong.yaml')
    expect(code).toBe(1)
    expect(output).toContain('wrong.yaml:7:41 tasks.0.schedule.expression: a cron expression has 5, 6 or 7 fields, this one has 3\n')
    expect(output).toContain('1 problems; nothing was changed.')
  })
})
