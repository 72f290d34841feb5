/* Runs of a workflow while the server is killed (kill -9) at random instants: each step of each run is done once, and every run comes to its end. */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Workflow, WorkflowCreate, WorkflowRun } from '@tickwheel/contract'
import { expect, it, onTestFinished } from 'vitest'
import { Chance } from './kit/chance.ts'
import { startExecutor } from './kit/executor-process.ts'
import { freePort } from './kit/free-port.ts'
import { executorToken, GENEROUS_BUDGETS, homeGroup } from './kit/runs.ts'
import { ServerProcess } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const SEED = Number(process.env['TICKWHEEL_TEST_SEED'] ?? Date.now() % 1_000_000)
const KILLS = 5
const RUNS = 3

it(
  `comes to its end with every step done once, however often the server is killed (seed ${String(SEED)})`,
  { timeout: 240_000 },
  async () => {
    const chance = new Chance(SEED)
    const [dataDir, port] = [tempDir(), await freePort()]
    const notes = join(tempDir(), 'notes')
    appendFileSync(notes, '')
    const start = async (): Promise<ServerProcess> => {
      const server = new ServerProcess({ command: 'server', dataDir, port, env: { ...GENEROUS_BUDGETS, TICKWHEEL_LOG_LEVEL: 'warn' } })
      await server.ready()
      return server
    }
    let server = await start()
    onTestFinished(async () => void (await server.program.kill()))
    const admin = await server.signIn()
    const executor = await startExecutor({ serverUrl: server.url, token: await executorToken(admin), args: ['--capacity', '20'] })
    onTestFinished(async () => void (await executor.program.kill()))
    const { id } = await admin.post<Workflow>('/workflow', workflow(await homeGroup(admin), notes))
    const runs: number[] = []
    for (let n = 0; n < RUNS; n += 1)
      runs.push((await admin.post<{ workflowRunId: number }>(`/workflow/${String(id)}/trigger`, { params: { run: n } })).workflowRunId)
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(chance.between(50, 1500))
      await server.program.kill()
      server = await start()
    }
    const stateOf = async (runId: number): Promise<WorkflowRun | null> => {
      const run = await admin.get<WorkflowRun>(`/workflow-run/${String(runId)}`)
      return run.endedAt === null ? null : run
    }
    for (const [n, runId] of runs.entries()) {
      const run = await waitFor(() => stateOf(runId), { what: `the end of run ${String(runId)}`, timeoutMs: 120_000, everyMs: 200 })
      expect(run).toMatchObject({ state: 'succeeded', outputs: { items: 4 } })
      expect(run.stepRuns.map((step) => [step.key, step.state])).toEqual([
        ['a', 'succeeded'],
        ['b', 'succeeded'],
        ['pause', 'succeeded'],
        ['each', 'succeeded'],
        ['z', 'succeeded'],
      ])
      const lines = readFileSync(notes, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${String(n)} `))
      expect(lines.toSorted()).toEqual(['a', 'b', 'item 1', 'item 2', 'item 3', 'item 4', 'z'].map((what) => `${String(n)} ${what}`))
    }
  },
)

function workflow(groupId: number, notes: string): WorkflowCreate {
  // the params are JSON: their digits are the run and, of an item, its value
  const script = (what: string) => ({
    kind: 'task' as const,
    inline: {
      handler: {
        kind: 'shell' as const,
        script: `sleep 0.2; set -- $(echo "$1" | tr -c '0-9\\n' ' '); echo "${what}" >> "${notes}"`,
      },
    },
  })
  return {
    groupId,
    name: 'survivor',
    schedule: { kind: 'manual' },
    paramsSchema: { type: 'object', properties: { run: { type: 'integer' } }, required: ['run'] },
    steps: [
      { key: 'a', ...script('$1 a'), input: { run: '=params.run' } },
      { key: 'b', ...script('$1 b'), input: { run: '=params.run' } },
      { key: 'pause', kind: 'wait', forMs: 500 },
      {
        key: 'each',
        kind: 'fanOut',
        items: [1, 2, 3, 4],
        concurrency: 2,
        each: { ...script('$1 item $2'), input: { run: '=params.run', v: '=item' } },
      },
      { key: 'z', ...script('$1 z'), input: { run: '=params.run' } },
    ],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'a', to: 'pause' },
      { from: 'pause', to: 'each' },
      { from: 'b', to: 'z' },
      { from: 'each', to: 'z' },
    ],
    outputs: { items: '=steps.each.output.succeeded' },
  }
}
