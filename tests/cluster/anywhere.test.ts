/* Any node serves everything: whoever owns the slot, and wherever the executor hangs. */
import type { LogLine, Task, WhyAnswer } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MariaDb } from '../kit/mariadb.ts'
import { ended, executorToken, inState, printed, shellTask, trigger, wholeLog } from '../kit/runs.ts'
import { startExecutor } from '../kit/executor-process.ts'
import { waitFor } from '../kit/wait-for.ts'
import { LiveClient } from '../live-client.fixture.ts'
import { clusterMissing, Scene, startMariaDb } from './scene.fixture.ts'

let mariaDb: MariaDb | null = null
beforeAll(async () => {
  mariaDb = await startMariaDb()
})
afterAll(async () => mariaDb?.stop())

describe.skipIf(clusterMissing !== null)('a node that does not own the slot of a task', { timeout: 240_000 }, () => {
  it('takes its triggers, edits, starts, stops and cancels, and the owner follows', async () => {
    const scene = await Scene.begin({ mariaDb })
    const other = scene.at('a')
    const task = await scene.taskOwnedBy('b', { schedule: { kind: 'fixedRate', everyMs: 3_600_000 } }, { lastsMs: 600_000 })
    const path = `/task/${String(task.id)}`

    const run = await trigger(other, task.id)
    await inState(scene.at('b'), run, 'running')
    await other.post(`/instance/${String(run)}/cancel`)
    expect((await ended(scene.at('b'), run)).state).toBe('canceled')

    await other.post(`${path}/start`)
    const started = await other.get<Task>(path)
    await other.put(path, { ...bodyOf(started), schedule: { kind: 'fixedRate', everyMs: 500 }, params: '{"lastsMs":0,"failsOneIn":0}' })
    await scene.fireAgain([task], Date.now())
    await other.post(`${path}/stop`)
    const stoppedAt = Date.now() + 1000
    const why = await waitFor(async () => {
      const answer = await other.get<WhyAnswer>(`${path}/decisions?at=${encodeURIComponent(new Date(stoppedAt).toISOString())}`)
      return answer.verdict === 'notYet' ? null : answer
    })
    expect(why.verdict).toBe('paused')
    expect((await scene.slotOf(task.id)).owner).toBe('b')
    await scene.expectExact('a', new Map([[task.id, [run]]]))
  })

  it('shows the log of a run whose executor is linked to the other, while it is written and after', async () => {
    const scene = await Scene.begin({ mariaDb, executors: [] })
    await using executor = await startExecutor({ serverUrl: scene.node('b').url, token: await executorToken(scene.admin), name: 'far' })
    expect(executor.program.isRunning).toBe(true)
    const task = await shellTask(scene.admin, 'talks', 'i=1; while [ $i -le 20 ]; do echo line $i; sleep 0.05; i=$((i + 1)); done')
    await using console = await new LiveClient(scene.node('a').url, scene.admin.token).open()
    const run = await trigger(scene.at('a'), task.id)
    console.send({ type: 'subscribe', id: 1, topic: `instance:${String(run)}:logs` })
    await waitFor(() => console.isEnded(1), { what: 'the end of the log', timeoutMs: 60_000 })
    const expected = Array.from({ length: 20 }, (_none, index) => `line ${String(index + 1)}`)
    expect(printed(console.lines(1) satisfies LogLine[])).toEqual(expected)
    expect(printed(await wholeLog(scene.at('a'), run))).toEqual(expected)
  })
})

function bodyOf(task: Task): Record<string, unknown> {
  const { groupId, name, handler, routing, overlap, misfire, timeoutMs, killGraceMs, retry, priority, version } = task
  return { groupId, name, handler, routing, overlap, misfire, timeoutMs, killGraceMs, retry, priority, version }
}
