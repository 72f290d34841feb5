import { PHASE, REASON } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { updateGroup } from '../store/groups.ts'
import type { AuditRow, TaskRow } from '../store/schema.ts'
import { addGroup, changeAt } from '../store/store.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const MANUAL = { kind: 'manual' } as const
const PARALLEL = { policy: 'parallel', max: 1000 } as const

async function limitGroup(world: World, concurrency: number): Promise<void> {
  const group = { name: 'group 1', appName: 'app-1', description: '', concurrency, version: await versionOfGroup(world) }
  await updateGroup(world.db, { groupId: 1, input: group }, changeAt(world.clock.now()))
}

async function versionOfGroup(world: World): Promise<number> {
  const [row] = await world.db.read((tx) => tx.all<{ version: number }>('SELECT version FROM task_group WHERE id = 1'))
  return row?.version ?? 0
}

async function trigger(world: World, taskId: number, count: number): Promise<number[]> {
  const made = await Promise.all(Array.from({ length: count }, () => world.engine.trigger(taskId, {}, null, ALL, ALICE)))
  await world.settled()
  return made.map((one) => one.instanceId)
}

async function inFlight(world: World): Promise<number> {
  return (await world.open()).filter((row) => row.phase >= PHASE.dispatched).length
}

async function taskRow(world: World, taskId: number): Promise<TaskRow> {
  const [row] = await world.db.read((tx) => tx.all<TaskRow>('SELECT * FROM task WHERE id = ?', [taskId]))
  if (row === undefined) throw new Error(`no task ${taskId}`)
  return row
}

/** Ends what was sent, one after the other, until all has ended; the most that was in flight at once. */
async function workOff(world: World, session: Session, total: number): Promise<number> {
  const done = new Set<number>()
  let most = await inFlight(world)
  while (done.size < total) {
    const next = world.link.dispatches().find((one) => !done.has(one.instanceId))
    if (next === undefined) throw new Error(`${done.size} of ${total} have ended, and nothing is sent`)
    done.add(next.instanceId)
    await world.finish(session, next)
    most = Math.max(most, await inFlight(world))
  }
  return most
}

describe('the concurrency of a task', () => {
  it('lets so many of its runs go at once, and the next when one has ended, in their order', async () => {
    const world = await World.create()
    const session = await world.executor({ capacity: 50 })
    const taskId = await world.task({ schedule: MANUAL, overlap: PARALLEL, concurrency: 2 })
    const ids = await trigger(world, taskId, 7)
    expect(await inFlight(world)).toBe(2)
    const waiting = (await world.open()).filter((row) => row.phase < PHASE.dispatched)
    expect(waiting.map((row): unknown[] => [row.wait_code, JSON.parse(row.wait_facts ?? '{}')])).toEqual(
      Array.from({ length: 5 }, () => [REASON.waitsForTaskLimit, { used: 2, max: 2 }]),
    )
    expect(await workOff(world, session, 7)).toBe(2)
    expect(world.link.dispatches().map((one) => one.instanceId)).toEqual(ids)
  })

  it('holds for what is fired, and is free again while a run waits for a retry', async () => {
    const world = await World.create()
    const session = await world.executor({ capacity: 50 })
    await world.task({ overlap: PARALLEL, concurrency: 1, retry: { max: 1, delayMs: 60_000 } })
    await world.pass(3000)
    expect(await inFlight(world)).toBe(1)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing was sent')
    await world.finish(session, first, { outcome: 'failed', error: { code: 'EXIT_CODE', message: '1' } })
    await world.pass(1000)
    expect(world.link.dispatches()).toHaveLength(2)
    expect(await inFlight(world)).toBe(1)
  })

  it('of other tasks is not touched by it', async () => {
    const world = await World.create()
    await world.executor({ capacity: 50 })
    const narrow = await world.task({ schedule: MANUAL, overlap: PARALLEL, concurrency: 1 })
    const wide = await world.task({ schedule: MANUAL, overlap: PARALLEL })
    await trigger(world, narrow, 5)
    await trigger(world, wide, 5)
    expect(await inFlight(world)).toBe(6)
  })
})

describe('the limit of a group', () => {
  it('lets so many attempts of all its tasks go at once, and the others say what they wait for', async () => {
    const world = await World.create()
    await limitGroup(world, 3)
    await world.pass(1000)
    const session = await world.executor({ capacity: 50 })
    const tasks = [await world.task({ schedule: MANUAL, overlap: PARALLEL }), await world.task({ schedule: MANUAL, overlap: PARALLEL })]
    for (const taskId of tasks) await trigger(world, taskId, 4)
    expect(await inFlight(world)).toBe(3)
    await world.pass(2000)
    const [waiting] = (await world.open()).filter((row) => row.phase === PHASE.queued)
    expect([waiting?.wait_code, JSON.parse(waiting?.wait_facts ?? '{}')]).toEqual([
      REASON.waitsForGroupLimit,
      { groupId: 1, used: 3, max: 3 },
    ])
    expect(await workOff(world, session, 8)).toBe(3)
  })

  it('holds for a firing from the commit on in which it was set, whatever this node knows', async () => {
    const world = await World.create()
    await world.executor({ capacity: 50 })
    await world.task({ schedule: { kind: 'fixedRate', everyMs: 100 }, overlap: PARALLEL })
    await world.pass(150)
    expect(await inFlight(world)).toBe(1)
    await limitGroup(world, 2)
    await world.pass(5000)
    expect(await inFlight(world)).toBe(2)
    expect((await world.open()).length).toBeGreaterThan(40)
  })

  it('that is lifted lets everything go', async () => {
    const world = await World.create()
    await limitGroup(world, 1)
    await world.executor({ capacity: 50 })
    const taskId = await world.task({ schedule: MANUAL, overlap: PARALLEL })
    await trigger(world, taskId, 5)
    expect(await inFlight(world)).toBe(1)
    await limitGroup(world, 0)
    await world.pass(2000)
    expect(await inFlight(world)).toBe(5)
  })
})

describe('the longest wait in the queue', () => {
  it('fails a run that no executor was given in time, with its own code and reason', async () => {
    const world = await World.create()
    const taskId = await world.task({ schedule: MANUAL, queueTimeoutMs: 5000, retry: { max: 3 } })
    const [id] = await trigger(world, taskId, 1)
    await world.pass(4000)
    expect(await world.ended()).toEqual([])
    await world.pass(3000)
    const [ended] = await world.ended()
    expect([ended?.id, ended?.outcome, ended?.error_code]).toEqual([id, 2, 'QUEUE_TIMEOUT'])
    expect(JSON.parse(ended?.trace ?? '[]')).toContainEqual([
      REASON.queueTimedOut,
      expect.any(Number),
      { waitedMs: expect.any(Number), maxMs: 5000 },
    ])
  })

  it('is over once an executor has it, and does not hold for a retry', async () => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: MANUAL, queueTimeoutMs: 2000, retry: { max: 1, delayMs: 10_000 } })
    await trigger(world, taskId, 1)
    await world.pass(1000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing was sent')
    await world.accept(session, first)
    await world.pass(3000)
    await world.finish(session, first, { outcome: 'failed', error: { code: 'EXIT_CODE', message: '1' } })
    await world.pass(5000)
    expect(await world.ended()).toEqual([])
  })

  it('counts also while a run waits for an earlier one', async () => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: MANUAL, overlap: { policy: 'queue', max: 10 }, queueTimeoutMs: 3000 })
    const [, second] = await trigger(world, taskId, 2)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing was sent')
    await world.accept(session, first)
    await world.pass(2000)
    await world.beat(session, [first])
    await world.pass(3000)
    expect((await world.ended()).map((row) => [row.id, row.error_code])).toEqual([[second, 'QUEUE_TIMEOUT']])
  })
})

describe('a run whose executor is lost', () => {
  it.each([
    ['retry', 2],
    ['fail', 1],
  ] as const)('under `%s` comes to attempt %i', async (onLost, attempts) => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: MANUAL, onLost, retry: { max: 1, delayMs: 0 } })
    await trigger(world, taskId, 1)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing was sent')
    await world.accept(session, first)
    await world.pass(20_000)
    await world.executor()
    await world.pass(2000)
    expect(Math.max(...world.link.dispatches().map((one) => one.attempt))).toBe(attempts)
    const reasons = (await world.ended()).flatMap((row) => (JSON.parse(row.trace) as [number][]).map(([code]) => code))
    expect(reasons.includes(REASON.lostNotRetried)).toBe(onLost === 'fail')
  })
})

describe('a task that stops after failures in a row', () => {
  async function play(world: World, session: Session, taskId: number, outcomes: readonly ('failed' | 'succeeded')[]): Promise<void> {
    for (const outcome of outcomes) {
      await trigger(world, taskId, 1)
      const next = world.link.dispatches().at(-1)
      if (next === undefined) throw new Error('nothing was sent')
      const error = { code: 'EXIT_CODE', message: '1' }
      await world.finish(session, next, outcome === 'failed' ? { outcome, error } : { outcome })
    }
  }

  async function make(): Promise<{ world: World; session: Session; taskId: number }> {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'fixedRate', everyMs: 3_600_000 }, pauseAfterFailures: 3 })
    return { world, session, taskId }
  }

  it('is stopped by the last of them, once, with the reason and an entry in the audit log', async () => {
    const { world, session, taskId } = await make()
    await play(world, session, taskId, ['failed', 'failed'])
    expect((await taskRow(world, taskId)).enabled).toBe(1)
    await play(world, session, taskId, ['failed', 'failed'])
    const row = await taskRow(world, taskId)
    const third = (await world.ended())[2]
    expect([row.enabled, JSON.parse(row.paused ?? '{}')]).toEqual([0, { at: expect.any(String), failures: 3, instanceId: third?.id }])
    const audits = await world.db.read((tx) => tx.all<AuditRow>("SELECT * FROM audit WHERE action = 'task:pause'"))
    expect(audits.map((entry) => [entry.actor_kind, entry.resource_id])).toEqual([['system', taskId]])
    expect((await world.series())[0]?.next_due_at).toBeNull()
  })

  it('begins to count again after a success, and after somebody has started it', async () => {
    const { world, session, taskId } = await make()
    await play(world, session, taskId, ['failed', 'failed', 'succeeded', 'failed', 'failed'])
    expect((await taskRow(world, taskId)).enabled).toBe(1)
    await play(world, session, taskId, ['failed'])
    expect((await taskRow(world, taskId)).enabled).toBe(0)
    await world.pass(1000)
    await world.engine.startTask(taskId, ALL, ALICE)
    expect((await taskRow(world, taskId)).paused).toBeNull()
    await play(world, session, taskId, ['failed', 'failed'])
    expect((await taskRow(world, taskId)).enabled).toBe(1)
    await play(world, session, taskId, ['failed'])
    expect((await taskRow(world, taskId)).enabled).toBe(0)
  })

  it('is stopped also when its schedule is a fixedDelay, and sets no next instant', async () => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'fixedDelay', delayMs: 1000 }, pauseAfterFailures: 2 })
    for (let n = 0; n < 2; n += 1) {
      await world.pass(2000)
      const next = world.link.dispatches().at(-1)
      if (next === undefined) throw new Error('nothing was sent')
      await world.finish(session, next, { outcome: 'failed', error: { code: 'EXIT_CODE', message: '1' } })
    }
    await world.pass(10_000)
    expect((await taskRow(world, taskId)).enabled).toBe(0)
    expect(world.link.dispatches()).toHaveLength(2)
    expect((await world.series())[0]?.next_due_at).toBeNull()
  })
})

describe('who goes first', () => {
  it('a new run of high priority goes before an older one of low priority', async () => {
    const world = await World.create()
    const session = await world.executor({ capacity: 1 })
    const low = await world.task({ schedule: MANUAL, overlap: PARALLEL, priority: 0 })
    const high = await world.task({ schedule: MANUAL, overlap: PARALLEL, priority: 10 })
    const [blocking] = await trigger(world, high, 1)
    const [old] = await trigger(world, low, 1)
    const [young] = await trigger(world, high, 1)
    await world.passWithWork(session, 1000)
    expect(world.link.dispatches().map((one) => one.instanceId)).toEqual([blocking, young, old])
  })

  it('a run of low priority is not starved by a stream of high ones: each minute counts as a step of priority', async () => {
    const world = await World.create()
    const session = await world.executor({ capacity: 1 })
    const low = await world.task({ schedule: MANUAL, overlap: PARALLEL, priority: 0 })
    const high = await world.task({ schedule: MANUAL, overlap: PARALLEL, priority: 3 })
    await trigger(world, high, 2)
    const [old] = await trigger(world, low, 1)
    const done = new Set<number>()
    let minutes = 0
    for (; minutes < 10 && !world.link.dispatches().some((one) => one.instanceId === old); minutes += 1) {
      await trigger(world, high, 1)
      for (const next of world.link
        .dispatches()
        .filter((one) => !done.has(one.instanceId))
        .slice(0, 1)) {
        done.add(next.instanceId)
        await world.finish(session, next)
      }
      for (let part = 0; part < 6; part += 1) {
        await world.pass(10_000)
        await world.beat(
          session,
          world.link.dispatches().filter((one) => !done.has(one.instanceId)),
        )
      }
    }
    expect(minutes).toBeGreaterThan(2)
    expect(minutes).toBeLessThan(7)
  })

  it('a group with ten thousand queued runs does not delay a run of another group', async () => {
    const world = await World.create()
    await addGroup(world.db, 2)
    const crowded = await world.task({ schedule: MANUAL, overlap: PARALLEL })
    const other = await world.task({ groupId: 2, schedule: MANUAL })
    await world.executor({ capacity: 1 })
    await trigger(world, crowded, 10_000)
    const session = await world.engine.registerExecutor(
      2,
      {
        appName: 'app-2',
        name: 'worker-2',
        protocol: { min: 1, max: 1 },
        version: '0',
        capacity: 1,
        host: 'here',
        pid: 2,
        handlers: [{ name: 'shell', kind: 'builtIn' }],
      },
      ALICE,
    )
    await world.join(session)
    const [id] = await trigger(world, other, 1)
    expect(world.link.dispatches().map((one) => one.instanceId)).toContain(id)
  }, 60_000)
})
