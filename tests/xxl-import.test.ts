/* `tickwheel import xxl-job`, as a person runs it. */
import { join } from 'node:path'
import type { Group, Task, TaskListItem } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { Program } from './kit/program.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'

const DUMP = join(import.meta.dirname, '../cli/src/import/xxl-job.fixture.sql')
let server: ServerProcess
let admin: ApiClient

beforeAll(async () => {
  server = await startServer({ command: 'server' })
  admin = await server.signIn()
})
afterAll(async () => {
  await server.close()
})

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; output: string }> {
  const program = new Program({ args: ['import', 'xxl-job', ...args], env, cwd: tempDir() })
  const { code } = await program.exited
  return { code, output: program.output }
}

async function groups(): Promise<Group[]> {
  return (await admin.get<{ items: Group[] }>('/group?pageSize=200')).items
}

describe('tickwheel import xxl-job', () => {
  it('says what becomes of what, and why something is left out, without asking a server', async () => {
    const before = await groups()
    const { code, output } = await run([DUMP, '--dry-run', '--server', 'http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(output).toMatch(/job 1 +xxl-job-executor-sample\/测试任务1 +would be made\n/)
    expect(output).toMatch(/job 7 .* left out +GLUE_GROOVY/)
    expect(output).toContain('4 groups and 8 tasks read, 5 left out. Nothing was changed.')
    expect(await groups()).toEqual(before)
  })

  it('makes groups and tasks, and a second time leaves what is there', async () => {
    const account = { TICKWHEEL_PASSWORD: 'admin123', TICKWHEEL_SERVER: server.url }
    const first = await run([DUMP, '--timezone', 'Asia/Shanghai'], account)
    expect(first.output).toMatch(/group 1 +xxl-job-executor-sample +made\n/)
    const group = (await groups()).find(({ appName }) => appName === 'xxl-job-executor-sample')
    const tasks = (await admin.get<{ items: TaskListItem[] }>(`/task?groupId=${String(group?.id)}`)).items
    expect(tasks.map((task) => task.name).sort()).toEqual(['双份 #4', '广播', '每五秒', '测试任务1'].sort())
    const cron = tasks.find((task) => task.name === '测试任务1')
    expect(await admin.get<Task>(`/task/${String(cron?.id)}`)).toMatchObject({
      schedule: { expression: '0 0 0 * * ? *', timezone: 'Asia/Shanghai' },
      handler: { kind: 'named', name: 'demoJobHandler' },
      retry: { max: 2 },
      timeoutMs: 30_000,
      enabled: false,
    })
    const second = await run([DUMP], account)
    expect(second.output).toMatch(/group 1 +xxl-job-executor-sample +was there\n/)
    expect(second.output).toMatch(/job 1 .* was there\n/)
    expect((await admin.get<{ items: TaskListItem[] }>(`/task?groupId=${String(group?.id)}`)).items).toHaveLength(4)
  })

  it.each([
    ['a file that is not there', ['/nowhere/dump.sql'], 'cannot be read'],
    ['no password', [DUMP], '--password is missing'],
    ['a wrong password', [DUMP, '--password', 'wrong-password'], 'POST /auth/login'],
    ['no server', [DUMP, '--password', 'x', '--server', 'http://127.0.0.1:1'], 'No server answers at http://127.0.0.1:1'],
    ['a database that is not there', ['mysql://u:geheim@127.0.0.1:1/xxl_job', '--dry-run'], 'the database at 127.0.0.1:1 cannot be read'],
  ])('is refused in one line with %s', async (_what, args, message) => {
    const { code, output } = await run(['--server', server.url, ...args])
    expect(code).toBe(1)
    expect(output).toContain(message)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(output).not.toContain('geheim')
  })
})
