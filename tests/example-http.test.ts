/* Executors with an HTTP endpoint, as the examples have them, beside a real server. */
import type { Executor, Instance, LogPage, Task } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { Program } from './kit/program.ts'
import { ended, executorToken, GENEROUS_BUDGETS, homeGroup, inState, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { waitFor } from './kit/wait-for.ts'

let server: ServerProcess
let admin: ApiClient
let token: string
beforeAll(async () => {
  const hurried = { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '1000', TICKWHEEL_EXECUTOR_DEAD_MS: '4000' }
  server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS, ...hurried } })
  admin = await server.signIn()
  token = await executorToken(admin)
})
afterAll(async () => server.close())

interface Language {
  readonly command: string
  readonly file: string
  /** a task that prints numbers, a tenth of a second each */
  counting(name: string, to: number, more?: object): Promise<Task>
  /** a line of it */
  line(number: number): string
}

const python: Language = {
  command: 'python3',
  file: 'examples/http-python/executor.py',
  counting: async (name, to, more = {}) =>
    admin.post<Task>('/task', {
      groupId: await homeGroup(admin),
      name,
      schedule: { kind: 'manual' },
      handler: { kind: 'named', name: 'countTo' },
      params: String(to),
      ...more,
    }),
  line: (number) => `number ${String(number)}`,
}

const shell: Language = {
  command: 'bash',
  file: 'examples/http-shell/executor.sh',
  counting: (name, to, more = {}) => shellTask(admin, name, `for n in $(seq ${String(to)}); do echo "number $n"; sleep 0.1; done`, more),
  line: (number) => `number ${String(number)}`,
}

describe.each([
  ['Python', python],
  ['the shell', shell],
])('an executor in %s', (name, language) => {
  const executorName = language.command

  async function start(more: Record<string, string> = {}): Promise<Program> {
    const env = { TICKWHEEL_SERVER: server.url, EXECUTOR_TOKEN: token, EXECUTOR_NAME: executorName, EXECUTOR_CAPACITY: '2', ...more }
    const program = new Program({ command: language.command, args: [language.file], env })
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') process.stderr.write(program.output)
      await program.stop()
    })
    await program.printed(/has joined/)
    return program
  }

  async function executor(): Promise<Executor | undefined> {
    return (await admin.get<{ items: Executor[] }>('/executor')).items.find((one) => one.name === executorName)
  }

  it('runs a task, with its lines while it runs, its result, and is seen with its address', async () => {
    const program = await start()
    const task = await language.counting(`${name} counts`, 30)
    const run = await trigger(admin, task.id)
    await inState(admin, run, 'running')
    const live = await waitFor(
      async () => {
        const page = await admin.get<LogPage>(`/instance/${String(run)}/logs`)
        return page.lines.length > 0 ? page : null
      },
      { what: 'a first line' },
    )
    expect(live.end).toBe(false)
    expect(await admin.get(`/instance/${String(run)}`)).toMatchObject({ state: 'running', endedAt: null })
    expect(await executor()).toMatchObject({
      transport: 'http',
      state: 'online',
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    })
    expect(await ended(admin, run)).toMatchObject({ state: 'succeeded', attempt: 1 })
    const lines = await wholeLog(admin, run)
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 30 }, (_, place) => language.line(place + 1)))
    expect(program.isRunning).toBe(true)
  })

  it('stops a run that is canceled', async () => {
    await start()
    const task = await language.counting(`${name} is canceled`, 100_000)
    const run = await trigger(admin, task.id)
    await inState(admin, run, 'running')
    await admin.post(`/instance/${String(run)}/cancel`)
    expect(await ended(admin, run)).toMatchObject({ state: 'canceled', attempt: 1 })
  })

  it('has no more runs at once than it has slots', async () => {
    await start()
    const task = await language.counting(`${name} is full`, 15, { overlap: { policy: 'parallel', max: 10 } })
    const runs = await Promise.all(Array.from({ length: 5 }, () => trigger(admin, task.id)))
    const all = await Promise.all(runs.map((run) => ended(admin, run)))
    expect(all.map((run) => run.state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded'])
    expect(mostAtOnce(all)).toBe(2)
  })

  it('that is killed in the midst of a run has lost it, and the process after it does the retry', async () => {
    const first = await start()
    const retry = { max: 1, delayMs: 0, backoff: 'fixed', maxDelayMs: 60_000 }
    const task = await language.counting(`${name} is killed`, 20, { retry })
    const run = await trigger(admin, task.id)
    await inState(admin, run, 'running')
    const boot = (await executor())?.registeredAt
    await first.kill()
    const lost = await waitFor(async () => ((await executor())?.state === 'offline' ? true : null), { what: 'it to be offline' })
    expect(lost).toBe(true)
    await start()
    expect(await ended(admin, run)).toMatchObject({ state: 'succeeded', attempt: 2 })
    expect((await executor())?.registeredAt).not.toBe(boot)
  })

  it('that is killed and started again at once has lost its run, and does the retry', async () => {
    const first = await start()
    const retry = { max: 1, delayMs: 0, backoff: 'fixed', maxDelayMs: 60_000 }
    const task = await language.counting(`${name} comes again`, 20, { retry })
    const run = await trigger(admin, task.id)
    await inState(admin, run, 'running')
    await first.kill()
    await start()
    expect(await ended(admin, run)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })
})

it.each([
  ['that is none', 'ftp://10.0.0.7', 'BAD_FORMAT'],
  ['at which clouds tell a machine its secrets', 'http://169.254.169.254/latest', 'NOT_ALLOWED_VALUE'],
])('refuses an address %s, and names the field', async (_what, address, code) => {
  const answer = await fetch(`${server.url}/api/v1/executor/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      appName: 'default',
      name: 'wrong',
      protocol: { min: 1, max: 1 },
      version: '1',
      capacity: 1,
      handlers: [],
      host: 'h',
      pid: 1,
      address,
    }),
  })
  expect(answer.status).toBe(422)
  expect(await answer.json()).toMatchObject({ errors: [{ path: 'address', code }] })
})

/** How many runs were between their start and their end at one instant. */
function mostAtOnce(runs: readonly Instance[]): number {
  const at = (text: string | null): number => (text === null ? 0 : Date.parse(text))
  return Math.max(
    ...runs.map((one) => runs.filter((other) => at(other.startedAt) <= at(one.startedAt) && at(other.endedAt) > at(one.startedAt)).length),
  )
}
