import type { BulkBody, BulkItem } from '@tickwheel/contract'
import { CAUSE, OUTCOME, PHASE, readTrace, type Permission, type Scope } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import type { Session } from '../link/link.ts'
import { getBulk, listBulkItems } from '../store/bulk-views.ts'
import { StoreAway, type Database } from '../store/database.ts'
import type { AuditRow, TaskRow } from '../store/schema.ts'
import { addGroup, memoryStore, T0 } from '../store/store.fixture.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { FlowWorld, script } from './workflows.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const READER = { accountId: 7, seesAll: false }
const SCOPES = { task: ALL, workflow: ALL, instance: ALL }
const MANUAL = { kind: 'manual' } as const

async function begin(world: World, body: BulkBody, key: string | null = null): Promise<number> {
  const { bulkId } = await world.engine.startBulk(body, key, ALL, ALICE)
  await world.settled()
  return bulkId
}

const view = (world: World, id: number) => getBulk(world.db, READER, id)
async function items(world: World, bulkId: number, state?: BulkItem['state']): Promise<BulkItem[]> {
  const query = { pageSize: 200, ...(state === undefined ? {} : { state }) }
  return (await listBulkItems(world.db, { reader: READER, scopes: SCOPES, bulkId, query })).items
}
async function tasks(world: World): Promise<TaskRow[]> {
  return world.db.read((tx) => tx.all<TaskRow>('SELECT * FROM task ORDER BY id'))
}

/** Fails what an executor was sent. */
async function failAll(world: World, session: Session): Promise<void> {
  for (const dispatch of world.link.dispatches())
    await world.finish(session, dispatch, { outcome: 'failed', error: { code: 'E', message: 'no' } })
}

describe('a bulk operation on tasks', () => {
  it('does one thing to each, tells why it could not be done to some, and is done', async () => {
    const world = await World.create()
    const ids = [await world.task(), await world.task(), await world.task({ schedule: MANUAL })]
    const stopped = await begin(world, { kind: 'task', action: 'stop', filter: {} })
    expect((await tasks(world)).map((row) => row.enabled)).toEqual([0, 0, 0])
    expect(await view(world, stopped)).toMatchObject({
      state: 'done',
      total: 3,
      done: 3,
      failed: 0,
      filter: {},
      isOwn: true,
      actor: { name: 'alice' },
    })
    const started = await begin(world, { kind: 'task', action: 'start', ids: [...ids, 99_999] })
    expect(await view(world, started)).toMatchObject({ state: 'done', total: 4, done: 2, failed: 2, filter: null })
    const found = await items(world, started)
    expect(found.map((item) => [item.targetId, item.state, item.problem?.code, item.problem?.errors.map((error) => error.code)])).toEqual([
      [ids[2], 'failed', 'UNPROCESSABLE', ['ENABLED_WITHOUT_SCHEDULE']],
      [99_999, 'failed', 'TASK_NOT_FOUND', []],
      [ids[0], 'done', undefined, undefined],
      [ids[1], 'done', undefined, undefined],
    ])
    expect((await tasks(world)).map((row) => row.enabled)).toEqual([1, 1, 0])
    await world.pass(1000)
    expect(new Set((await world.open()).map((row) => row.task_id))).toEqual(new Set([ids[0], ids[1]]))
    const audit = await world.db.read((tx) =>
      tx.all<AuditRow>("SELECT * FROM audit WHERE action LIKE 'bulk:%' OR action = 'task:start' ORDER BY id"),
    )
    expect(audit.map((row) => [row.action, row.actor_name, row.group_id])).toEqual([
      ['bulk:start', 'alice', 1],
      ['bulk:start', 'alice', null],
      ['task:start', 'alice', 1],
      ['task:start', 'alice', 1],
    ])
  })

  it('triggers each once, and every run says which operation it was', async () => {
    const world = await World.create()
    await Promise.all(Array.from({ length: 120 }, () => world.task({ schedule: MANUAL })))
    const id = await begin(world, { kind: 'task', action: 'trigger', filter: { scheduleKind: 'manual' } }, 'key')
    expect(await begin(world, { kind: 'task', action: 'trigger', filter: {} }, 'key')).toBe(id)
    expect(await view(world, id)).toMatchObject({ state: 'done', total: 120, done: 120 })
    const runs = await world.open()
    expect(new Set(runs.map((row) => row.task_id)).size).toBe(120)
    expect(runs).toHaveLength(120)
    const made = await items(world, id)
    expect(new Set(made.map((item) => item.runId))).toEqual(new Set(runs.map((row) => row.id)))
    const [run] = runs
    expect([run?.cause, readTrace(run?.trace ?? '', run?.created_at ?? 0)[1]]).toMatchObject([
      CAUSE.manual,
      { reason: 'inBulk', facts: { bulk: id, total: 120 } },
    ])
  })

  it('deletes with what runs, where that was asked for, and leaves alone what runs where it was not', async () => {
    const world = await World.create()
    const session = await world.executor()
    const [one, two] = [await world.task({ schedule: MANUAL }), await world.task({ schedule: MANUAL })]
    for (const id of [one, two]) await world.engine.trigger(id, {}, null, ALL, ALICE)
    await world.settled()
    const refused = await begin(world, { kind: 'task', action: 'delete', ids: [one] })
    expect((await items(world, refused))[0]).toMatchObject({ state: 'failed', problem: { code: 'TASK_HAS_OPEN_RUNS' } })
    const id = await begin(world, { kind: 'task', action: 'delete', ids: [one, two], cancelRunning: true })
    expect(await view(world, id)).toMatchObject({ state: 'done', done: 2, cancelRunning: true })
    expect((await tasks(world)).every((row) => row.deleted_at !== null)).toBe(true)
    expect((await world.open()).every((row) => row.cancel_at !== null)).toBe(true)
    for (const dispatch of world.link.dispatches()) await world.finish(session, dispatch, { outcome: 'canceled' })
    expect((await world.ended()).map((row) => row.outcome)).toEqual([OUTCOME.canceled, OUTCOME.canceled])
  })

  it('judges the rights of who has asked when the turn of each comes', async () => {
    let may: (permission: Permission) => Scope = () => 'all'
    const world = await World.create({ scopesOf: async () => may })
    await addGroup(world.db, 2)
    const ids = [await world.task({ schedule: MANUAL }), await world.task({ schedule: MANUAL, groupId: 2 })]
    may = (permission) => (permission === 'task:view' ? 'all' : [])
    const none = await begin(world, { kind: 'task', action: 'trigger', ids })
    expect((await items(world, none)).map((item) => item.problem)).toMatchObject([
      { code: 'FORBIDDEN', params: { permission: 'task:run' } },
      { code: 'FORBIDDEN' },
    ])
    may = () => []
    const unseen = await begin(world, { kind: 'task', action: 'trigger', ids })
    expect((await items(world, unseen)).map((item) => item.problem?.code)).toEqual(['TASK_NOT_FOUND', 'TASK_NOT_FOUND'])
    expect(await world.open()).toEqual([])
  })

  it('waits while a queue is full, says so, and goes on when there is room; who canceled it is obeyed', async () => {
    const world = await World.create({ maxOpenRuns: 2 })
    const session = await world.executor()
    for (let n = 0; n < 40; n += 1) await world.task({ schedule: MANUAL })
    const id = await begin(world, { kind: 'task', action: 'trigger', filter: {} })
    const { done } = await view(world, id)
    expect(done).toBeLessThan(20)
    const left = await items(world, id, 'waiting')
    expect([left.length, left[0]?.problem?.code, (await view(world, id)).state]).toEqual([40 - done, 'QUEUE_FULL', 'running'])
    await failAll(world, session)
    await world.pass(1000)
    const later = await view(world, id)
    expect([later.failed, later.done > done]).toEqual([0, true])
    await world.engine.cancelBulk(id, ALICE)
    await failAll(world, session)
    await world.pass(3000)
    expect(await view(world, id)).toMatchObject({ state: 'canceled', done: later.done, endedAt: expect.any(String) })
    expect(await items(world, id, 'canceled')).toHaveLength(40 - later.done)
    expect(await items(world, id, 'waiting')).toEqual([])
    expect([...(await world.open()), ...(await world.ended())]).toHaveLength(later.done)
    const audit = await world.db.read((tx) => tx.all<AuditRow>("SELECT * FROM audit WHERE action = 'bulk:cancel'"))
    expect(audit.map((row): unknown => JSON.parse(row.after ?? ''))).toEqual([{ done: later.done, failed: 0, left: 40 - later.done }])
    await expect(world.engine.cancelBulk(id, ALICE)).rejects.toMatchObject({ code: 'BULK_ENDED' })
  })
})

describe('a bulk operation on runs', () => {
  it('retries what has failed and was not retried yet, and cancels what has not ended', async () => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: MANUAL, overlap: { policy: 'parallel' } })
    for (let n = 0; n < 6; n += 1) await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first, ...others] = world.link.dispatches()
    if (first !== undefined) await world.finish(session, first)
    for (const dispatch of others.slice(0, 3))
      await world.finish(session, dispatch, { outcome: 'failed', error: { code: 'E', message: 'no' } })
    const [failed] = others
    await world.engine.retryInstance(failed?.instanceId ?? 0, null, ALL, ALICE)
    await world.settled()
    const retried = await begin(world, { kind: 'instance', action: 'retry', filter: { taskId } })
    expect(await view(world, retried)).toMatchObject({ state: 'done', total: 2, done: 2 })
    expect((await items(world, retried)).map((item) => item.name)).toEqual(['task 1', 'task 1'])
    const open = await world.open()
    expect(open.filter((row) => row.cause === CAUSE.retry)).toHaveLength(3)
    const canceled = await begin(world, { kind: 'instance', action: 'cancel', filter: {} })
    expect(await view(world, canceled)).toMatchObject({ state: 'done', total: 5, done: 5 })
    expect((await world.open()).every((row) => row.cancel_at !== null || row.phase < PHASE.dispatched)).toBe(true)
    const gone = await begin(world, { kind: 'instance', action: 'cancel', ids: [first?.instanceId ?? 0] })
    expect((await items(world, gone))[0]?.problem).toMatchObject({ code: 'INSTANCE_ENDED', params: { state: 'succeeded' } })
    await expect(
      world.engine.startBulk({ kind: 'instance', action: 'cancel', filter: { state: 'failed' } }, null, ALL, ALICE),
    ).rejects.toMatchObject({
      errors: [{ path: 'filter', code: 'BULK_NOTHING' }],
    })
  })
})

describe('a bulk operation on workflows', () => {
  it('makes a run of each, and leaves tasks alone', async () => {
    const flows = await FlowWorld.create()
    const { world } = flows
    const rights = { tasks: ALL, workflows: ALL }
    for (const name of ['a', 'b'])
      await world.engine.createWorkflow({ groupId: 1, name, schedule: MANUAL, steps: [script('x')], edges: [] }, rights, ALL, ALICE)
    await world.task({ schedule: MANUAL })
    const id = await begin(world, { kind: 'workflow', action: 'trigger', filter: {} })
    expect(await view(world, id)).toMatchObject({ state: 'done', total: 2, done: 2 })
    const made = (await items(world, id)).map((item) => item.runId)
    expect((await world.open()).filter((row) => row.runs_workflow === 1).map((row) => row.id)).toEqual(made.sort())
  })
})

/** A store that dies in the middle of transactions that settle an item: the work was done, and is not committed. */
function dyingStore(db: Database, dies: () => boolean): Database {
  return {
    dialect: db.dialect,
    read: (work) => db.read(work),
    write: (lane, work) =>
      db.write(lane, async (tx) => {
        const told: string[] = []
        const watched = new Proxy(tx, {
          get: (target, name) => {
            if (name === 'run') {
              return async (sql: string, params?: Parameters<typeof tx.run>[1]) => {
                told.push(sql)
                return target.run(sql, params)
              }
            }
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? (value.bind(target) as unknown) : value
          },
        })
        const written = await work(watched)
        if (told.some((sql) => sql.startsWith('UPDATE bulk_item')) && dies()) throw new StoreAway(new Error('killed'))
        return written
      }),
    now: () => db.now(),
    close: () => db.close(),
  }
}

describe('a bulk operation whose process dies', () => {
  it('goes on in the next, and does nothing twice: each item is done in the commit that says so', async () => {
    const clock = new ManualClock(T0)
    const store = await memoryStore()
    await addGroup(store, 1)
    let commits = 0
    const db = dyingStore(store, () => (commits += 1) % 7 === 0)
    const world = await World.create({ on: { db, clock, cluster: memoryCluster(() => clock.monotonic()) } })
    await Promise.all(Array.from({ length: 60 }, () => world.task({ schedule: MANUAL })))
    const { bulkId } = await world.engine.startBulk({ kind: 'task', action: 'trigger', filter: {} }, null, ALL, ALICE)
    for (let n = 0; n < 60 && (await view(world, bulkId)).state === 'running'; n += 1) await world.pass(1000)
    expect(await view(world, bulkId)).toMatchObject({ state: 'done', total: 60, done: 60, failed: 0 })
    expect(commits).toBeGreaterThan(66)
    const runs = await world.open()
    expect(runs).toHaveLength(60)
    expect(new Set(runs.map((row) => row.task_id)).size).toBe(60)
    expect(new Set((await items(world, bulkId)).map((item) => item.runId))).toEqual(new Set(runs.map((row) => row.id)))
  })

  it('is carried out by who comes after a crash', async () => {
    const world = await World.create({ maxOpenRuns: 1 })
    for (let n = 0; n < 40; n += 1) await world.task({ schedule: MANUAL })
    const id = await begin(world, { kind: 'task', action: 'trigger', filter: {} })
    expect(await view(world, id)).toMatchObject({ state: 'running' })
    await world.crash(10_000)
    await world.pass(2000)
    expect(await view(world, id)).toMatchObject({ state: 'done', done: 40 })
    expect(await world.open()).toHaveLength(40)
  })
})
