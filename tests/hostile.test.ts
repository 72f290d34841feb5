/* Tasks that behave badly, through real processes: the executor stays small, the log stays bounded, and nothing is left behind. */
import type { Instance, LogLine } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { startExecutor, type ExecutorProcess } from './kit/executor-process.ts'
import { COLLECTED_ALL_THE_TIME, heldAtMost } from './kit/held-memory.ts'
import { processesWith } from './kit/processes.ts'
import { ended, executorToken, GENEROUS_BUDGETS, inState, printed, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { waitFor } from './kit/wait-for.ts'

const MIB = 1_048_576
const LOG_LIMIT_BYTES = 67_108_864
const GROWS_BY_MIB = 64

let server: ServerProcess
let executor: ExecutorProcess
let admin: ApiClient
/** What the executor held after its first small run. */
let idleBytes: number

beforeAll(async () => {
  server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS, TICKWHEEL_LOG_MAX_BYTES: String(LOG_LIMIT_BYTES) } })
  admin = await server.signIn()
  executor = await startExecutor({
    serverUrl: server.url,
    token: await executorToken(admin),
    args: ['--capacity', '20'],
    env: COLLECTED_ALL_THE_TIME,
  })
  await run('warm', 'echo warm')
  idleBytes = await heldAtMost(executor.program)
})
afterAll(async () => {
  await executor.close()
  await server.close()
})

/** Runs a script and waits for its end. */
async function run(name: string, script: string): Promise<Instance> {
  const task = await shellTask(admin, name, script)
  return ended(admin, await trigger(admin, task.id), { timeoutMs: 180_000 })
}

/** The most that the executor held since it was asked the last time, above what it holds when idle. */
async function grownMib(): Promise<number> {
  return ((await heldAtMost(executor.program)) - idleBytes) / MIB
}

/** Processes of a run are told by what stands in their environment, whatever group they are in. */
async function leavesNothing(instanceId: number): Promise<void> {
  await waitFor(() => processesWith(`TICKWHEEL_INSTANCE_ID=${String(instanceId)}\0`).length === 0, {
    what: `the end of every process of run ${String(instanceId)}`,
    timeoutMs: 10_000,
  })
}

function systemLines(lines: readonly LogLine[]): string[] {
  return printed(lines, 'system')
}

describe('a task that prints', () => {
  it(
    '100 MB has the head and the tail of its log kept, with the cut marked, and has the executor hold little of it',
    { timeout: 300_000 },
    async () => {
      const count = 1_000_000
      const { id, state } = await run('floods', `seq -f '%.0f ${'x'.repeat(93)}' 1 ${String(count)}`)
      expect(state).toBe('succeeded')
      const lines = await wholeLog(admin, id)
      const numbers = printed(lines).map((text) => Number.parseInt(text, 10))
      const gaps = numbers.flatMap((number, index) => (number === (numbers[index - 1] ?? 0) + 1 ? [] : [index]))
      expect(gaps).toHaveLength(1)
      expect(numbers[0]).toBe(1)
      expect(numbers.at(-1)).toBe(count)
      const headBytes = (gaps[0] ?? 0) * 100
      expect(headBytes).toBeGreaterThan(LOG_LIMIT_BYTES / 2)
      const keptBytes = lines.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
      expect(keptBytes).toBeGreaterThan(LOG_LIMIT_BYTES / 2)
      expect(keptBytes).toBeLessThanOrEqual(LOG_LIMIT_BYTES)
      expect(systemLines(lines).join('\n')).toMatch(
        /The log has reached 48 MiB of at most 64 MiB: from here on only the last 16 MiB are kept/,
      )
      // the lines of a log keep their numbers: the hole is as large as what was dropped
      const [before, after] = [
        lines.findLast(({ text }) => text.startsWith(`${String(gaps[0])} `)),
        lines.find(({ text }) => text.startsWith(`${String(numbers[gaps[0] ?? 0])} `)),
      ]
      expect((after?.seq ?? 0) - (before?.seq ?? 0)).toBeGreaterThanOrEqual((numbers[gaps[0] ?? 0] ?? 0) - (gaps[0] ?? 0))
      const mib = await grownMib()
      console.info(`100 MB printed: the executor held at most ${mib.toFixed(1)} MiB above idle; kept ${String(numbers.length)} lines`)
      expect(mib).toBeLessThan(GROWS_BY_MIB)
    },
  )

  it('30 MB without a newline has it cut into lines of at most 64 KiB, nothing lost', { timeout: 120_000 }, async () => {
    const bytes = 30_000_000
    const { id, state } = await run('endless line', `head -c ${String(bytes)} /dev/zero | tr '\\0' y`)
    expect(state).toBe('succeeded')
    const texts = printed(await wholeLog(admin, id))
    expect(texts.every((text) => text.length <= 65_536 && /^y+$/.test(text))).toBe(true)
    expect(texts.reduce((sum, text) => sum + text.length, 0)).toBe(bytes)
    expect(await grownMib()).toBeLessThan(GROWS_BY_MIB)
  })

  it('bytes that are not UTF-8 has them replaced, and everything else kept', async () => {
    const { id, state } = await run(
      'not text',
      `printf 'caf\\351 \\377\\376!\\n'; head -c 2000000 /dev/urandom; printf '\\nzero\\000byte\\n\\360\\237\\230\\200\\nno newline \\360\\237'`,
    )
    expect(state).toBe('succeeded')
    const texts = printed(await wholeLog(admin, id))
    expect(texts[0]).toBe('caf\ufffd \ufffd\ufffd!')
    expect(texts.slice(-3, -1)).toEqual(['zero\0byte', '😀'])
    expect(texts.at(-1)).toMatch(/^no newline \ufffd+$/)
    const raw = await fetch(`${server.url}/api/v1/instance/${String(id)}/logs/raw`, {
      headers: { authorization: `Bearer ${String(admin.token)}` },
    })
    expect(raw.status).toBe(200)
    expect(await raw.text()).toContain('caf\ufffd')
  })
})

describe('a task that leaves children', () => {
  it('that ignore SIGTERM has them killed with it, and none is left 10 s after its end', async () => {
    const stubborn = `(trap '' TERM; while :; do sleep 0.2; done) & (trap '' TERM; sleep 300) & (sleep 300 & sleep 300) &`
    const task = await shellTask(admin, 'forks', `${stubborn} echo forked; exit 0`, { killGraceMs: 300 })
    const { id, state } = await ended(admin, await trigger(admin, task.id))
    expect(state).toBe('succeeded')
    await leavesNothing(id)
  })

  it.skipIf(process.platform !== 'linux').each([
    ['silent', 'exec sleep 300'],
    ['printing', 'while :; do echo daemon; sleep 0.1; done'],
  ])('in a session of their own ends all the same, and its log tells of those that hold its output: %s', async (kind, daemon) => {
    // the leader ends only when the daemon has left its group
    const script = `setsid sh -c ': > "$TICKWHEEL_RESULT.left"; ${daemon}' & while [ ! -e "$TICKWHEEL_RESULT.left" ]; do sleep 0.02; done`
    const task = await shellTask(admin, `daemon ${kind}`, script, { killGraceMs: 300 })
    const { id, state } = await ended(admin, await trigger(admin, task.id))
    expect(state).toBe('succeeded')
    const lines = await wholeLog(admin, id)
    const pids = processesWith(`TICKWHEEL_INSTANCE_ID=${String(id)}\0`)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    // the printing one ends by itself at its next line: nobody reads it any more
    if (kind === 'silent') expect(pids.length).toBeGreaterThan(0)
    expect(systemLines(lines).join('\n')).toMatch(/left the group of this run still holds its output/)
  })
})

describe('a task that', () => {
  it('exits at once is a run like any other, 100 times over', async () => {
    const task = await shellTask(admin, 'quick', 'exit 0', { overlap: { policy: 'parallel' } })
    const ids = await Promise.all(Array.from({ length: 100 }, async () => trigger(admin, task.id)))
    const states = await Promise.all(ids.map(async (id) => (await ended(admin, id)).state))
    expect(new Set(states)).toEqual(new Set(['succeeded']))
    for (const id of ids) expect(await wholeLog(admin, id)).toEqual([])
  })

  it.each([
    ['exit 3', { code: 'EXIT_CODE', message: 'exit code 3' }],
    ['echo why >&2; kill -9 $$', { code: 'KILLED_BY_SIGNAL', message: 'killed by SIGKILL: why' }],
    ['exec 1>&- 2>&-; exit 4', { code: 'EXIT_CODE', message: 'exit code 4' }],
  ])('fails by %j says how', async (script, error) => {
    expect(await run(`fails ${script}`, script)).toMatchObject({ state: 'failed', error })
  })

  it('never ends is stopped at its time limit, also when it ignores SIGTERM', async () => {
    const task = await shellTask(admin, 'endless', `trap '' TERM; while :; do sleep 0.1; done`, { timeoutMs: 400, killGraceMs: 400 })
    const { id, state, error } = await ended(admin, await trigger(admin, task.id))
    expect({ state, code: error?.code }).toEqual({ state: 'timedOut', code: 'TIMED_OUT' })
    await leavesNothing(id)
  })

  it('never ends is canceled, also when it and its children ignore SIGTERM and print all the time', async () => {
    const noisy = `trap '' TERM; (trap '' TERM; while :; do echo child; done) & echo on; while :; do echo parent >&2; done`
    const task = await shellTask(admin, 'noisy', noisy, { killGraceMs: 400 })
    const id = await trigger(admin, task.id)
    await inState(admin, id, 'running')
    await admin.post(`/instance/${String(id)}/cancel`)
    expect((await ended(admin, id)).state).toBe('canceled')
    await leavesNothing(id)
    expect((await wholeLog(admin, id)).some(({ text }) => text === 'on')).toBe(true)
  })
})

it('after all of this the executor is there, has nothing to do, and has held little', async () => {
  expect((await run('after', 'echo after')).state).toBe('succeeded')
  const mib = await grownMib()
  console.info(`after all hostile tasks the executor held at most ${mib.toFixed(1)} MiB above idle`)
  expect(mib).toBeLessThan(GROWS_BY_MIB)
})
