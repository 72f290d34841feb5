/* Readers of a live log that stop, and that are cut off, against a server and an executor that are processes of their own. */
import { afterEach, describe, expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { Chance } from './kit/chance.ts'
import { startExecutor, type ExecutorProcess } from './kit/executor-process.ts'
import { COLLECTED_ALL_THE_TIME, heldAtMost } from './kit/held-memory.ts'
import { forgetPeak, peakMemory } from './kit/processes.ts'
import { ended, executorToken, GENEROUS_BUDGETS, inState, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerOptions, type ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

const MIB = 1_048_576
const seed = Number(process.env['TICKWHEEL_TEST_SEED'] ?? Date.now() % 1_000_000)

let server: ServerProcess | null = null
let executor: ExecutorProcess | null = null
afterEach(async () => {
  await executor?.close()
  await server?.close()
})

interface Scene {
  readonly server: ServerProcess
  readonly admin: ApiClient
}

async function begin({ env = {}, ...options }: ServerOptions = {}): Promise<Scene> {
  server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS, ...env }, ...options })
  const admin = await server.signIn()
  executor = await startExecutor({ serverUrl: server.url, token: await executorToken(admin) })
  return { server, admin }
}

async function read(scene: Scene, instanceId: number, after = 0): Promise<LiveClient> {
  const client = await new LiveClient(scene.server.url, scene.admin.token).open()
  client.send({ type: 'subscribe', id: 1, topic: `instance:${String(instanceId)}:logs`, after })
  return client
}

/** The numbers that the lines of a task begin with, in the order in which they came. */
function numbers(client: LiveClient): number[] {
  return client.lines(1).flatMap(({ stream, text }) => (stream === 'stdout' ? [Number.parseInt(text, 10)] : []))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

/*
 * What counts is what the server holds for a reader: the difference between runs with and without one, told by what was held after a collection.
 * Resident memory (VmHWM, which the kernel is asked to forget before each run) is shown beside it. Runs of both kinds take turns; the first ones warm
 * the server up and do not count.
 */
describe.skipIf(process.platform !== 'linux')('a reader that stops reading while a task prints 50 MB', () => {
  it(
    'costs the server under 16 MiB more than no reader, and gets every line once, in order, when it reads again',
    { timeout: 300_000 },
    async () => {
      const scene = await begin({ env: COLLECTED_ALL_THE_TIME })
      const task = await shellTask(scene.admin, 'prints', `seq -f '%06.0f ${'x'.repeat(93)}' 1 ${String(LINES)}`)
      const without: Peak[] = []
      const stalled: Peak[] = []
      const whole: Peak[] = []
      for (let pair = 0; pair < 4; pair += 1) {
        const quiet = await trigger(scene.admin, task.id)
        await ended(scene.admin, quiet, { timeoutMs: 120_000 })
        without.push(await peakOf(scene.server))
        const id = await trigger(scene.admin, task.id)
        await using client = await read(scene, id)
        await client.hear('subscribed', 1)
        client.socket.pause()
        await ended(scene.admin, id, { timeoutMs: 120_000 })
        stalled.push(await peakOf(scene.server))
        client.socket.resume()
        await waitFor(() => client.isEnded(1), { timeoutMs: 120_000, what: 'the end of the log' })
        whole.push(await peakOf(scene.server))
        expect(client.heard.some(({ type }) => type === 'behind')).toBe(true)
        const came = numbers(client)
        expect(came).toHaveLength(LINES)
        expect(came.every((number, index) => number === index + 1)).toBe(true)
      }
      tell({ 'without a reader': without, 'with one that stopped': stalled, 'while it caught up': whole })
      const [usual, ofStalled] = [without, stalled].map((peaks) => peaks.slice(1))
      expect(mostHeld(ofStalled) - mostHeld(usual)).toBeLessThan(16)
    },
  )
})

const LINES = 500_000

interface Peak {
  readonly heldMib: number
  readonly residentMib: number
}

/** The peaks since it was asked the last time. */
async function peakOf({ program }: ServerProcess): Promise<Peak> {
  const peak = { heldMib: (await heldAtMost(program)) / MIB, residentMib: peakMemory(program.pid) / MIB }
  forgetPeak(program.pid)
  return peak
}

function mostHeld(peaks: readonly Peak[] = []): number {
  return Math.max(...peaks.map(({ heldMib }) => heldMib))
}

function tell(kinds: Readonly<Record<string, readonly Peak[]>>): void {
  for (const [kind, peaks] of Object.entries(kinds))
    console.info(
      `${kind}: held ${peaks.map((peak) => peak.heldMib.toFixed(1)).join(', ')} MiB, resident ${peaks.map((peak) => peak.residentMib.toFixed(0)).join(', ')} MiB`,
    )
}

describe('a reader that is cut off', () => {
  // 40 lines, a pause, and so on: for about five seconds lines come while connections go
  const count = 4_000
  const script = `i=1; while [ $i -le ${String(count)} ]; do echo "$i"; [ $((i % 40)) -eq 0 ] && sleep 0.05; i=$((i + 1)); done`

  /** Reads a log to its end over connections that are cut after a random number of lines; every line that it got, in order. */
  async function readWithCuts(scene: Scene, instanceId: number, chance: Chance): Promise<{ numbers: number[]; cuts: number }> {
    const got: number[] = []
    let after = 0
    for (let cuts = 0; ; cuts += 1) {
      const client = await waitFor(async () => read(scene, instanceId, after), { what: 'a connection', timeoutMs: 60_000 })
      const patience = cuts < 12 ? chance.between(0, 400) : Infinity
      await waitFor(() => client.isEnded(1) || client.closed !== null || client.lines(1).length > patience, {
        timeoutMs: 120_000,
        everyMs: 5,
      })
      const isEnded = client.isEnded(1)
      await client[Symbol.asyncDispose]()
      got.push(...numbers(client))
      after = client.lines(1).at(-1)?.seq ?? after
      if (isEnded) return { numbers: got, cuts }
    }
  }

  it(
    `goes on after the last line that it had, with no gap and no repeat, while lines keep coming (seed ${String(seed)})`,
    { timeout: 180_000 },
    async () => {
      const scene = await begin()
      const task = await shellTask(scene.admin, 'talks', script)
      const id = await trigger(scene.admin, task.id)
      const readers = await Promise.all([0, 1, 2, 3, 4].map(async (reader) => readWithCuts(scene, id, new Chance(seed + reader))))
      for (const reader of readers) expect(reader.numbers).toEqual(upTo(count))
      expect(Math.max(...readers.map(({ cuts }) => cuts))).toBeGreaterThan(3)
    },
  )

  it('because the server was killed goes on at the next one, with no gap and no repeat', { timeout: 180_000 }, async () => {
    const dataDir = tempDir()
    const scene = await begin({ dataDir })
    const { port } = scene.server
    const task = await shellTask(scene.admin, 'talks on', script)
    const id = await trigger(scene.admin, task.id)
    await inState(scene.admin, id, 'running')
    const reading = readWithCuts(scene, id, new Chance(seed))
    await waitFor(async () => (await scene.admin.get<{ lines: unknown[] }>(`/instance/${String(id)}/logs`)).lines.length > 500)
    await scene.server.program.kill()
    server = await startServer({ command: 'server', env: GENEROUS_BUDGETS, dataDir, port })
    expect((await ended(scene.admin, id)).state).toBe('succeeded')
    expect((await reading).numbers).toEqual(upTo(count))
  })
})
