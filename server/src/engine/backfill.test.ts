import type { BackfillBody, TaskCreate } from '@tickwheel/contract'
import { CAUSE, OUTCOME, PHASE } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { previewBackfill } from '../store/backfills.ts'
import { getBackfill, listBackfillRuns, listBackfills } from '../store/backfill-views.ts'
import { TASK, WORKFLOW } from '../store/scheduled-kind.ts'
import { T0 } from '../store/store.fixture.ts'
import { FAILS, FlowWorld, script } from './workflows.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const SEEN = { tasks: ALL, workflows: ALL }
const at = (ms: number): string => new Date(T0 + ms).toISOString()

describe('a backfill', () => {
  let world: World
  let session: Session

  beforeEach(async () => {
    world = await World.create()
    session = await world.executor()
  })

  /** Every second, and so long that it had run. */
  async function taskThatRan(ms: number, more: Partial<TaskCreate> = {}): Promise<number> {
    const taskId = await world.task({ schedule: { kind: 'fixedRate', everyMs: 1000 }, overlap: { policy: 'parallel' }, ...more })
    await world.passWithWork(session, ms)
    return taskId
  }

  async function begin(taskId: number, more: Partial<BackfillBody> = {}, key: string | null = null): Promise<number> {
    const body = { from: at(0), to: new Date(world.clock.now()).toISOString(), ...more }
    const { backfillId } = await world.engine.backfill({ kind: TASK, taskId }, body, key, ALL, ALICE)
    await world.settled()
    return backfillId
  }

  const view = (id: number) => getBackfill(world.db, SEEN, id)
  const made = async (id: number): Promise<number[]> =>
    [...(await world.ended()), ...(await world.open())]
      .filter((row) => row.series_id === id)
      .sort((a, b) => a.id - b.id)
      .map((row) => (row.due_at ?? 0) - T0)

  it('makes one run for each instant that was due, in its order, no more at once than it may, and is done with the last', async () => {
    const taskId = await taskThatRan(8000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    const id = await begin(taskId, { to: at(5000), only: 'all', concurrency: 2 })
    expect(await view(id)).toMatchObject({ state: 'running', total: 4, made: 2, open: 2, ended: {} })
    expect((await world.open()).map((row) => [row.cause, row.series_id])).toEqual([
      [CAUSE.backfill, id],
      [CAUSE.backfill, id],
    ])
    await world.passWithWork(session, 4000)
    expect(await view(id)).toMatchObject({
      state: 'done',
      total: 4,
      made: 4,
      open: 0,
      ended: { succeeded: 4 },
      endedAt: expect.any(String),
    })
    expect(await made(id)).toEqual([1000, 2000, 3000, 4000])
    const runs = await listBackfillRuns(world.db, SEEN, { backfillId: id })
    expect(runs.items.map((item) => [item.dueAt, item.state])).toEqual([1000, 2000, 3000, 4000].map((ms) => [at(ms), 'succeeded']))
  })

  it('runs newest first, and what failed alone, where that was asked for', async () => {
    const taskId = await world.task({ overlap: { policy: 'parallel' } })
    await world.pass(3000)
    for (const [index, dispatch] of world.link.dispatches().entries())
      await world.finish(session, dispatch, index === 1 ? {} : { outcome: 'failed', error: { code: 'E', message: 'no' } })
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.pass(5000)
    const id = await begin(taskId, { only: 'failed', order: 'newestFirst', concurrency: 10 })
    await world.passWithWork(session, 2000)
    expect(await made(id)).toEqual([3000, 1000])
    await expect(begin(taskId, { only: 'failed' })).rejects.toMatchObject({ errors: [{ path: 'from', code: 'BACKFILL_NOTHING_DUE' }] })
  })

  it('leaves a pause out, and takes each instant from the schedule that was in force then', async () => {
    const taskId = await taskThatRan(2500)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.passWithWork(session, 4000)
    await world.engine.startTask(taskId, ALL, ALICE)
    await world.passWithWork(session, 1000)
    const [task] = await world.db.read((tx) => tx.all<{ version: number; name: string }>('SELECT version, name FROM task'))
    await world.engine.updateTask(
      taskId,
      {
        groupId: 1,
        name: task?.name ?? '',
        version: task?.version ?? 0,
        handler: { kind: 'shell', script: 'true' },
        schedule: { kind: 'cron', expression: '*/2 * * * * ?', timezone: 'UTC' },
        overlap: { policy: 'parallel' },
      },
      ALL,
      ALICE,
    )
    await world.passWithWork(session, 6500)
    const shown = await previewBackfill(world.db, ALL, {
      kind: TASK,
      taskId,
      body: { from: at(0), to: at(12_000), only: 'all' },
      now: world.clock.now(),
      serverZone: 'UTC',
    })
    const fired = (await world.firings()).map((row) => row.due_at - T0).filter((ms) => ms < 12_000)
    expect(shown.items.map((item) => Date.parse(item.dueAt) - T0)).toEqual(fired)
    expect(shown.items[0]).toMatchObject({ local: '2026-11-22 08:00:01', state: 'succeeded', instanceId: expect.any(Number) })
    const id = await begin(taskId, { to: at(2500), only: 'all' })
    await world.passWithWork(session, 1000)
    const versions = (await world.ended()).filter((row) => row.series_id === id).map((row) => row.task_version)
    expect(versions).toEqual([2, 2])
  })

  it('runs what was skipped, once, though it goes on while another is begun', async () => {
    const taskId = await world.task({ overlap: { policy: 'skip' } })
    await world.pass(6000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing was sent')
    await world.finish(session, first)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.pass(3000)
    const one = await begin(taskId, { to: at(4500) })
    expect((await view(one)).total).toBe(3)
    await expect(begin(taskId, { to: at(4500) })).rejects.toMatchObject({ code: 'UNPROCESSABLE' })
    const rest = await begin(taskId)
    await world.passWithWork(session, 8000)
    expect([await made(one), await made(rest)]).toEqual([
      [2000, 3000, 4000],
      [5000, 6000],
    ])
  })

  it('gives a task that does not let its runs be beside each other one at a time, whatever its policy says of others', async () => {
    const taskId = await taskThatRan(5000, { overlap: { policy: 'replace' } })
    const id = await begin(taskId, { to: at(2500), only: 'all', concurrency: 5 })
    expect((await world.open()).filter((row) => row.series_id === id)).toHaveLength(1)
    await world.pass(1000)
    expect((await world.open()).filter((row) => row.series_id === id)).toMatchObject([{ cancel_at: null }])
    await world.passWithWork(session, 6000)
    expect(await view(id)).toMatchObject({ state: 'done', ended: { succeeded: 2 } })
  })

  it('waits for an open run of its task where others would be skipped', async () => {
    const taskId = await world.task({ overlap: { policy: 'skip' } })
    await world.pass(5000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    const id = await begin(taskId, { to: at(3000) })
    await world.pass(2000)
    expect((await world.open()).map((row) => [row.cause, row.phase])).toEqual([
      [CAUSE.schedule, PHASE.dispatched],
      [CAUSE.backfill, PHASE.waiting],
    ])
    await world.passWithWork(session, 3000)
    expect(await view(id)).toMatchObject({ state: 'done', ended: { succeeded: 1 } })
  })

  it('goes on after the process was killed, and makes no run twice', async () => {
    const taskId = await taskThatRan(6000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.pass(3000)
    const id = await begin(taskId, { only: 'all', concurrency: 2 })
    await world.crash(1000)
    session = await world.executor()
    await world.passWithWork(session, 8000)
    expect(await made(id)).toEqual([1000, 2000, 3000, 4000, 5000, 6000])
    expect(await view(id)).toMatchObject({ state: 'done', open: 0 })
  })

  it('makes no more once it is canceled, and cancels what is open where that was asked for, also when asked later', async () => {
    const taskId = await taskThatRan(5000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    const id = await begin(taskId, { to: at(4500), only: 'all', concurrency: 2 })
    await world.engine.cancelBackfill(id, { cancelRunning: false }, ALL, ALICE)
    const audit = await world.db.read((tx) => tx.all<{ actor_name: string }>("SELECT * FROM audit WHERE action = 'task:cancelBackfill'"))
    expect(audit).toMatchObject([{ actor_name: 'alice', group_id: 1 }])
    await world.settled()
    expect(await view(id)).toMatchObject({ state: 'canceled', made: 2, open: 2 })
    expect((await world.open()).map((row) => row.cancel_at)).toEqual([null, null])
    await expect(world.engine.cancelBackfill(id, { cancelRunning: false }, ALL, ALICE)).rejects.toMatchObject({ code: 'BACKFILL_ENDED' })
    await world.engine.cancelBackfill(id, { cancelRunning: true }, ALL, ALICE)
    await world.settled()
    expect((await world.open()).every((row) => row.cancel_at !== null)).toBe(true)
    for (const dispatch of world.link.dispatches().slice(-2)) await world.finish(session, dispatch, { outcome: 'canceled' })
    await world.pass(2000)
    expect(await view(id)).toMatchObject({ state: 'canceled', made: 2, open: 0, ended: { canceled: 2 } })
    await expect(world.engine.cancelBackfill(id, { cancelRunning: true }, ALL, ALICE)).rejects.toMatchObject({ code: 'BACKFILL_ENDED' })
    await expect(world.engine.cancelBackfill(id, { cancelRunning: true }, [], ALICE)).rejects.toMatchObject({ code: 'BACKFILL_NOT_FOUND' })
  })

  it('ends with its task, and with a stop that cancels runs; a plain stop does not touch it', async () => {
    const taskId = await taskThatRan(4000)
    const [stopped, deleted] = [await begin(taskId, { to: at(2500), only: 'all' }), await taskThatRan(4000)]
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    expect((await view(stopped)).state).toBe('done')
    const again = await begin(taskId, { to: at(2500), only: 'all' })
    await world.engine.stopTask(taskId, { cancelRunning: true }, ALL, ALICE)
    await world.pass(1000)
    expect(await view(again)).toMatchObject({ state: 'canceled', made: 1 })
    const last = await begin(deleted, { to: at(7500), only: 'all', concurrency: 2 })
    await expect(world.engine.deleteTask(deleted, { cancelRunning: false }, ALL, ALICE)).rejects.toMatchObject({
      code: 'TASK_HAS_OPEN_RUNS',
    })
    await world.engine.deleteTask(deleted, { cancelRunning: true }, ALL, ALICE)
    await world.pass(2000)
    expect(await view(last)).toMatchObject({ state: 'canceled', made: 2 })
    expect(world.troubles).toEqual([])
  })

  it('leaves to the schedule what is due in the last two seconds', async () => {
    const taskId = await taskThatRan(4000)
    const id = await begin(taskId, { only: 'all', concurrency: 10 })
    await world.passWithWork(session, 1000)
    expect(await made(id)).toEqual([1000])
    await expect(begin(taskId, { to: at(60_000) })).rejects.toMatchObject({ errors: [{ path: 'to', code: 'IN_FUTURE' }] })
    await expect(begin(taskId, { from: at(3000), to: at(3000) })).rejects.toMatchObject({ errors: [{ path: 'to', code: 'RANGE_EMPTY' }] })
  })

  it('is begun once for one Idempotency-Key, and told in the audit', async () => {
    const taskId = await taskThatRan(5000)
    const first = await begin(taskId, { to: at(2500), only: 'all' }, 'key')
    expect(await begin(taskId, { to: at(2500), only: 'all' }, 'key')).toBe(first)
    const audit = await world.db.read((tx) =>
      tx.all<{ action: string; resource_id: number }>("SELECT * FROM audit WHERE action = 'task:backfill'"),
    )
    expect(audit).toMatchObject([{ resource_id: taskId, group_id: 1, actor_name: 'alice' }])
  })

  it('runs a fixedDelay for the instants for which it has run', async () => {
    const taskId = await world.task({ schedule: { kind: 'fixedDelay', delayMs: 1000 } })
    await world.passWithWork(session, 5000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.pass(3000)
    const fired = (await world.firings()).map((row) => row.due_at - T0)
    const id = await begin(taskId, { only: 'all' })
    await world.passWithWork(session, 9000)
    expect(await made(id)).toEqual(fired)
  })

  it('does not stop its task by failures of its own', async () => {
    const taskId = await taskThatRan(5000, { pauseAfterFailures: 2 })
    const id = await begin(taskId, { to: at(3500), only: 'all', concurrency: 3 })
    const mine = new Set((await world.open()).filter((row) => row.series_id === id).map((row) => row.id))
    for (const dispatch of world.link.dispatches().filter((one) => mine.has(one.instanceId)))
      await world.finish(session, dispatch, { outcome: 'failed', error: { code: 'E', message: 'no' } })
    await world.pass(1500)
    expect(await view(id)).toMatchObject({ state: 'done', ended: { failed: mine.size } })
    // nor do they count beside one of the schedule
    const fired = new Set((await world.open()).filter((row) => row.cause === CAUSE.schedule).map((row) => row.id))
    const [own] = world.link.dispatches().filter((one) => fired.has(one.instanceId))
    if (own === undefined) throw new Error('nothing has fired')
    await world.finish(session, own, { outcome: 'failed', error: { code: 'E', message: 'no' } })
    await world.pass(100)
    const [task] = await world.db.read((tx) => tx.all<{ enabled: number }>('SELECT enabled FROM task'))
    expect(task?.enabled).toBe(1)
  })

  it('is made in the group in which its task is now, and listed there', async () => {
    const taskId = await taskThatRan(4000)
    await begin(taskId, { to: at(2500), only: 'all' })
    await world.passWithWork(session, 2000)
    const page = await listBackfills(world.db, { tasks: [], workflows: ALL }, {})
    expect(page.total).toBe(0)
    expect(await listBackfills(world.db, SEEN, { taskId, state: 'done' })).toMatchObject({
      total: 1,
      items: [{ taskId, kind: 'task', groupName: 'group 1' }],
    })
    expect((await listBackfills(world.db, SEEN, { workflowId: taskId })).total).toBe(0)
  })
})

describe('a backfill of a workflow', () => {
  it('makes runs of it with the business date of their instants, one after another', async () => {
    const flows = await FlowWorld.create()
    const { world } = flows
    const { workflowId } = await world.engine.createWorkflow(
      {
        groupId: 1,
        name: 'daily',
        schedule: { kind: 'cron', expression: '0 0 12 * * ?', timezone: 'UTC' },
        enabled: true,
        steps: [script('a'), script('b')],
        edges: [{ from: 'a', to: 'b' }],
      },
      { tasks: ALL, workflows: ALL },
      ALL,
      ALICE,
    )
    for (let day = 0; day < 3; day += 1) {
      world.clock.jump(86_400_000)
      await flows.pass(1000)
    }
    const before = (await world.ended()).filter((row) => row.runs_workflow === 1).length
    const body = { from: at(0), to: new Date(world.clock.now()).toISOString(), only: 'all', concurrency: 2 } as const
    const { backfillId } = await world.engine.backfill({ kind: WORKFLOW, taskId: workflowId }, body, null, ALL, ALICE)
    await world.settled()
    expect((await world.open()).filter((row) => row.series_id === backfillId && row.phase <= PHASE.running)).toHaveLength(1)
    flows.does((dispatch) => (dispatch.task.name === 'daily.b' ? FAILS : {}))
    for (let second = 0; second < 6; second += 1) await flows.pass(1000)
    expect(await getBackfill(world.db, SEEN, backfillId)).toMatchObject({ kind: 'workflow', state: 'done', total: 3, ended: { failed: 3 } })
    const runs = (await world.ended()).filter((row) => row.series_id === backfillId)
    expect(runs.map((row) => row.outcome)).toEqual([OUTCOME.failed, OUTCOME.failed, OUTCOME.failed])
    const dates = await world.db.read((tx) => tx.all<{ run_date: string }>('SELECT run_date FROM workflow_run ORDER BY run_id'))
    expect(dates.slice(before).map((row) => row.run_date)).toEqual(['2026-11-22', '2026-11-23', '2026-11-24'])
  })
})
