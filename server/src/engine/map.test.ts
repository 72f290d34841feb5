import type { Dispatch, MappedShard, ShardResult, Verdict } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { MAP_LEVEL } from '../store/levels.ts'
import { SCHEMA_LEVEL } from '../store/migrate.ts'
import { getInstance, listInstances, listShards, listTrace } from '../store/instances.ts'
import type { InstanceRow } from '../store/schema.ts'
import { readShardResults } from '../store/shard-results.ts'
import { Nodes } from './nodes.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const NAMED = { schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'named' } } as const
const KNOWS_MAP = { protocol: { min: 1, max: 2 } }

async function started(
  more: object = {},
  executor: object = {},
): Promise<{ world: World; session: Session; runId: number; first: Dispatch }> {
  const world = await World.create()
  const session = await world.executor({ capacity: 50, ...KNOWS_MAP, ...executor })
  const taskId = await world.task({ ...NAMED, ...more })
  const { instanceId: runId } = await world.engine.trigger(taskId, { params: '{"a":1}' }, null, ALL, ALICE)
  await world.settled()
  const first = sent(world, runId).at(-1)
  if (first === undefined) throw new Error('the run was not sent')
  await world.accept(session, first)
  return { world, session, runId, first }
}

function sent(world: World, instanceId: number): Dispatch[] {
  return world.link.dispatches().filter((one) => one.instanceId === instanceId)
}

function shardsSent(world: World): Dispatch[] {
  return world.link.dispatches().filter((one) => one.shard !== undefined)
}

function some(from: number, to: number): MappedShard[] {
  return Array.from({ length: to - from }, (_, n) => ({ key: `k${from + n}`, items: [from + n] }))
}

async function map(
  world: World,
  session: Session,
  { instanceId, attempt }: Dispatch,
  seq: number,
  shards: MappedShard[],
): Promise<Verdict | null> {
  return world.say(session, { type: 'map', instanceId, attempt, bootId: session.bootId, seq, shards })
}

async function runAll(world: World, session: Session, fails: (index: number) => boolean = () => false): Promise<void> {
  const done = new Set<number>()
  for (;;) {
    const fresh = shardsSent(world).filter((one) => !done.has(one.instanceId))
    if (fresh.length === 0) return
    for (const one of fresh) {
      done.add(one.instanceId)
      await world.accept(session, one)
      const isBad = fails(one.shard?.index ?? 0)
      await world.finish(
        session,
        one,
        isBad ? { outcome: 'failed', error: { code: 'E', message: 'm' } } : { result: { of: one.shard?.items } },
      )
    }
  }
}

async function endOf(world: World, id: number): Promise<InstanceRow | undefined> {
  return (await world.ended()).find((row) => row.id === id)
}

async function framesLeft(world: Pick<World, 'db'>): Promise<number> {
  return (await world.db.read((tx) => tx.all('SELECT seq FROM map_frame'))).length
}

describe('a run that its handler splits', () => {
  it('runs its shards when the attempt that split it has succeeded, and ends as they do', async () => {
    const { world, session, runId, first } = await started()
    expect(await map(world, session, first, 1, some(0, 3))).toBe('done')
    expect(await map(world, session, first, 2, some(3, 5))).toBe('done')
    expect(shardsSent(world)).toEqual([])
    expect(await world.finish(session, first, { map: { shards: 5, reduce: false } })).toBe('done')
    expect(shardsSent(world).map((one) => [one.shard, one.params])).toEqual(
      some(0, 5).map(({ key, items }, index) => [{ index, total: 5, key, items, mapped: true }, '{"a":1}']),
    )
    expect(await framesLeft(world)).toBe(0)
    expect((await listInstances(world.db, ALL, {})).items.map((item) => item.id)).toEqual([runId])
    expect((await listShards(world.db, ALL, runId, {})).sums).toEqual({ total: 5, made: 5, ended: {}, mapped: true, reduce: 'none' })
    await runAll(world, session, (index) => index === 2)
    expect(await endOf(world, runId)).toMatchObject({
      outcome: 2,
      error_code: 'SHARDS_FAILED',
      result: '{"shards":5,"succeeded":4,"failed":1}',
    })
    expect((await listTrace(world.db, ALL, runId)).map((entry) => entry.reason)).toEqual(
      expect.arrayContaining(['dispatched', 'mapped', 'shardsEnded']),
    )
    const { attempts } = await getInstance(world.db, ALL, runId, () => true)
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([[1, 'succeeded']])
    expect(await world.open()).toEqual([])
  })

  it('takes each frame once, in whatever order they come', async () => {
    const { world, session, runId, first } = await started()
    const verdicts = [
      await map(world, session, first, 2, some(2, 4)),
      await map(world, session, first, 1, some(0, 2)),
      await map(world, session, first, 2, some(2, 4)),
      await map(world, session, first, 1, some(0, 2)),
    ]
    expect(verdicts).toEqual(['done', 'done', 'already', 'already'])
    await world.finish(session, first, { map: { shards: 4, reduce: false } })
    expect(shardsSent(world).map((one) => one.shard?.key)).toEqual(['k0', 'k1', 'k2', 'k3'])
    expect(await map(world, session, first, 2, some(2, 4))).toBe('stale')
    await runAll(world, session)
    expect(await endOf(world, runId)).toMatchObject({ outcome: 1, result: '{"shards":4,"succeeded":4}' })
    expect(await map(world, session, first, 2, some(2, 4))).toBe('already')
    expect(await framesLeft(world)).toBe(0)
  })

  it('begins anew when an attempt that split it did not succeed, and nothing of that one runs', async () => {
    const { world, session, runId, first } = await started({ retry: { max: 1, delayMs: 10 } })
    await map(world, session, first, 1, some(0, 3))
    await world.finish(session, first, { outcome: 'failed', error: { code: 'E', message: 'm' } })
    expect(await framesLeft(world)).toBe(0)
    await world.pass(1000)
    const second = sent(world, runId).at(-1)
    if (second === undefined) throw new Error('not sent again')
    expect(second.attempt).toBe(2)
    expect(await map(world, session, first, 2, some(3, 6))).toBe('stale')
    expect(await map(world, session, second, 1, some(7, 9))).toBe('done')
    await world.finish(session, second, { map: { shards: 2, reduce: false } })
    expect(shardsSent(world).map((one) => one.shard?.key)).toEqual(['k7', 'k8'])
    expect((await listTrace(world.db, ALL, runId)).find((entry) => entry.reason === 'mapDropped')?.facts).toEqual({ shards: 3 })
  })

  it('is lost with what it has split off, and a shard of it is never made', async () => {
    const { world, session, first, runId } = await started({ onLost: 'fail' })
    await map(world, session, first, 1, some(0, 3))
    await world.pass(40_000)
    expect(await endOf(world, runId)).toMatchObject({ outcome: 5, mapped: 3, first_child_id: null })
    expect(await framesLeft(world)).toBe(0)
    expect(await world.finish(session, first, { map: { shards: 3, reduce: false } })).toBe('stale')
    expect(await world.open()).toEqual([])
  })

  it.each([
    ['its end names more shards than have come', 2, { map: { shards: 3, reduce: false } }],
    ['its end does not name them', 2, {}],
    ['its end names shards and none have come', 0, { map: { shards: 3, reduce: true } }],
  ])('fails when %s', async (_why, count, end) => {
    const { world, session, first, runId } = await started()
    if (count > 0) await map(world, session, first, 1, some(0, count))
    await world.finish(session, first, end)
    expect(await endOf(world, runId)).toMatchObject({ outcome: 2, error_code: 'MAP_INCOMPLETE' })
    expect(await framesLeft(world)).toBe(0)
    expect(shardsSent(world)).toEqual([])
  })

  it('is canceled while it is being split: none of its shards is made', async () => {
    const { world, session, first, runId } = await started()
    await map(world, session, first, 1, some(0, 3))
    await world.engine.cancelInstance(runId, ALL, ALICE)
    await world.finish(session, first, { map: { shards: 3, reduce: true } })
    expect(await endOf(world, runId)).toMatchObject({ outcome: 4, first_child_id: null })
    expect((await listTrace(world.db, ALL, runId)).find((entry) => entry.reason === 'shardsNeverMade')?.facts).toEqual({ missing: 3 })
    expect((await getInstance(world.db, ALL, runId, () => true)).attempts).toMatchObject([{ attempt: 1, outcome: 'succeeded' }])
    expect(await framesLeft(world)).toBe(0)
  })

  it('is canceled while its shards run: they end, nothing is combined, and the result says how many there were', async () => {
    const { world, session, first, runId } = await started({}, { capacity: 2 })
    for (let seq = 1; seq <= 5; seq += 1) await map(world, session, first, seq, some(seq * 1000 - 1000, seq * 1000))
    await world.finish(session, first, { map: { shards: 5000, reduce: true } })
    const going = shardsSent(world)
    expect(going).toHaveLength(2)
    await world.engine.cancelInstance(runId, ALL, ALICE)
    await world.settled()
    for (const one of going) await world.finish(session, one)
    expect(await endOf(world, runId)).toMatchObject({ outcome: 4, result: '{"shards":5000,"canceled":4998,"succeeded":2}' })
    expect(await framesLeft(world)).toBe(0)
    expect(sent(world, runId)).toHaveLength(1)
  })

  it('is refused more than 10,000 shards, a shard of its own that splits, and one whose items are too long', async () => {
    const { world, session, first } = await started()
    for (let seq = 1; seq <= 10; seq += 1) expect(await map(world, session, first, seq, some(0, 1000))).toBe('done')
    expect(await map(world, session, first, 11, some(0, 1))).toBe('bad')
    expect(await map(world, session, first, 10, some(0, 1000))).toBe('already')
    const other = await started()
    expect(await map(other.world, other.session, other.first, 1, [{ key: 'long', items: ['x'.repeat(65_536)] }])).toBe('bad')
    expect(await map(other.world, other.session, other.first, 1, some(0, 1))).toBe('done')
    await other.world.finish(other.session, other.first, { map: { shards: 1, reduce: false } })
    const [shard] = shardsSent(other.world)
    if (shard === undefined) throw new Error('no shard')
    expect(await map(other.world, other.session, shard, 1, some(0, 1))).toBe('bad')
  })

  it('keeps long items apart from the rows that are read often, and gives them to a shard that is run again', async () => {
    const { world, session, first, runId } = await started()
    const long = 'x'.repeat(50_000)
    await map(world, session, first, 1, [{ key: 'long', items: [long] }])
    await world.finish(session, first, { map: { shards: 1, reduce: false } })
    const [row] = (await world.open()).filter((one) => one.parent_id === runId)
    expect(row?.shard_part).toBe('{"mapped":1,"far":1}')
    expect(shardsSent(world)[0]?.shard?.items).toEqual([long])
    await runAll(world, session, () => true)
    const { instanceId } = await world.engine.retryInstance(row?.id ?? 0, null, ALL, ALICE)
    await world.settled()
    expect(sent(world, instanceId)[0]?.shard).toMatchObject({ key: 'long', items: [long], mapped: true })
    expect((await getInstance(world.db, ALL, instanceId, () => true)).params).toBe(JSON.stringify([long]))
  })

  it.each([
    ['goes on where it was', false],
    ['is canceled where it was, and says how many were never made', true],
  ])(
    '%s when the node was killed while its shards were made',
    async (_title, isCanceled) => {
      const world = await Nodes.create(2)
      const [victim, other] = [world.node(0), world.node(1)]
      const session = await other.executor({ capacity: 1, ...KNOWS_MAP })
      const { taskId } = await world.taskOf(victim, other)
      const { instanceId } = await other.engine.trigger(taskId, {}, null, ALL, ALICE)
      await world.pass(1000)
      const first = other.link.dispatches()[0]
      if (first === undefined) throw new Error('not sent')
      const run = { instanceId, attempt: first.attempt, bootId: session.bootId }
      for (let seq = 1; seq <= 9; seq += 1)
        await other.engine.report(session, { type: 'map', n: seq, ...run, seq, shards: some(seq * 1000 - 1000, seq * 1000) })
      const died = new Promise<void>((resolve) => {
        victim.afterWrite = async () => {
          const [row] = await world.db.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM open_instance'))
          if ((row?.n ?? 0) <= 3000) return
          victim.isDead = true
          resolve()
        }
      })
      const at = world.clock.now()
      const end = { outcome: 'succeeded', map: { shards: 9000, reduce: true } } as const
      await other.engine.report(session, { type: 'finished', n: 10, ...run, at, startedAt: at, ...end })
      await died
      const made = (await world.open()).length - 1
      expect(made).toBeLessThan(9000)
      if (isCanceled) await other.engine.cancelInstance(instanceId, ALL, ALICE)
      await world.pass(8000)
      const shards = (await world.open()).filter((row) => row.parent_id === instanceId)
      if (!isCanceled) return expect(shards.map((row) => row.shard_key)).toEqual(some(0, 9000).map((shard) => shard.key))
      expect(shards.length).toBeLessThanOrEqual(1)
      for (const { id, attempt } of shards) await other.finish(session, { instanceId: id, attempt }, at)
      await world.pass(2000)
      expect(await world.open()).toEqual([])
      expect((await world.ended()).find((row) => row.id === instanceId)).toMatchObject({ outcome: 4, children_made: made })
      expect(await framesLeft(world)).toBe(0)
    },
    60_000,
  )

  it('is refused while a node of an older release is at work, and keeps such programs out from its first shard on', async () => {
    const { world, session, first } = await started()
    const oldest = async (): Promise<number> =>
      Number((await world.db.read((tx) => tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'oldest_reader'")))[0]?.value)
    await world.db.write('rest', async (tx) => {
      const [node] = await tx.all<{ run_id: number }>('SELECT run_id FROM node')
      await tx.run("UPDATE meta SET value = '2' WHERE `key` = 'oldest_reader'")
      await tx.run('UPDATE node SET level = 4, beat_at = ? WHERE run_id = ?', [await tx.now(), node?.run_id ?? 0])
    })
    expect(await map(world, session, first, 1, some(0, 1))).toBe('bad')
    expect(await oldest()).toBeLessThan(SCHEMA_LEVEL)
    await world.db.write('rest', (tx) => tx.run('UPDATE node SET level = ?', [MAP_LEVEL]))
    expect(await map(world, session, first, 1, some(0, 1))).toBe('done')
    expect(await oldest()).toBe(MAP_LEVEL)
  })

  it('gives its shards to executors that know such runs only, and says so where there are none', async () => {
    const { world, session, first } = await started({}, { capacity: 1 })
    await map(world, session, first, 1, some(0, 2))
    await world.executor({ name: 'older', capacity: 10 })
    await world.finish(session, first, { map: { shards: 2, reduce: false } })
    expect(shardsSent(world).map((one) => one.bootId)).toEqual([session.bootId])
    await world.engine.drainExecutor(session.executorId, true, ALL, ALICE)
    const alone = await started({}, { protocol: { min: 1, max: 1 } })
    await map(alone.world, alone.session, alone.first, 1, some(0, 1))
    await alone.world.finish(alone.session, alone.first, { map: { shards: 1, reduce: false } })
    await alone.world.pass(2000)
    const waiting = (await listInstances(alone.world.db, ALL, { shards: true })).items.find((item) => item.shard !== null)
    expect(waiting?.waitingFor?.reason).toBe('waitsForMapper')
  })
})

describe('the attempt that combines results', () => {
  async function combined(world: World, session: Session, { instanceId, attempt }: Dispatch): Promise<ShardResult[]> {
    const all: ShardResult[] = []
    for (let from: number | null = 0; from !== null;) {
      const page: { items: ShardResult[]; next: number | null } = await readShardResults(world.db, session, { instanceId, attempt, from })
      all.push(...page.items)
      from = page.next
    }
    return all
  }

  it('comes when all shards have ended, however they did, sees what each came to, and its outcome is that of the run', async () => {
    const { world, session, first, runId } = await started()
    await map(world, session, first, 1, some(0, 4))
    await world.finish(session, first, { map: { shards: 4, reduce: true } })
    await runAll(world, session, (index) => index === 1)
    const reduce = sent(world, runId).at(-1)
    if (reduce === undefined) throw new Error('not sent')
    expect(reduce).toMatchObject({ attempt: 2, reduce: { total: 4 }, params: '{"a":1}' })
    expect(
      (await combined(world, session, reduce)).map(({ index, key, state, result, error }) => [index, key, state, result, error]),
    ).toEqual([
      [0, 'k0', 'succeeded', { of: [0] }, null],
      [1, 'k1', 'failed', null, { code: 'E', message: 'm' }],
      [2, 'k2', 'succeeded', { of: [2] }, null],
      [3, 'k3', 'succeeded', { of: [3] }, null],
    ])
    await world.accept(session, reduce)
    expect((await getInstance(world.db, ALL, runId, () => true)).shards).toMatchObject({ mapped: true, reduce: 'begun' })
    await world.finish(session, reduce, { result: { sum: 5 } })
    expect(await endOf(world, runId)).toMatchObject({ outcome: 1, result: '{"sum":5}', attempt: 2, mapped: 4, reduce: 2 })
    const { attempts } = await getInstance(world.db, ALL, runId, () => true)
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'succeeded'],
      [2, 'succeeded'],
    ])
  })

  it('is tried again like any other when its executor is lost, with tries of its own', async () => {
    const { world, session, first, runId } = await started({ retry: { max: 1, delayMs: 10 } })
    await world.finish(session, first, { outcome: 'failed', error: { code: 'E', message: 'm' } })
    await world.pass(1000)
    const second = sent(world, runId).at(-1)
    if (second === undefined) throw new Error('not sent')
    await map(world, session, second, 1, some(0, 2))
    await world.finish(session, second, { map: { shards: 2, reduce: true } })
    await runAll(world, session)
    const third = sent(world, runId).at(-1)
    if (third === undefined) throw new Error('not sent')
    await world.accept(session, third)
    await world.pass(10_000)
    const other = await world.executor({ name: 'other', ...KNOWS_MAP })
    for (let beats = 0; beats < 4; beats += 1) {
      await world.pass(4000)
      await world.beat(other)
    }
    const fourth = sent(world, runId).at(-1)
    if (fourth === undefined) throw new Error('not sent')
    expect(fourth).toMatchObject({ attempt: 4, bootId: other.bootId, reduce: { total: 2 } })
    await expect(readShardResults(world.db, session, third)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await combined(world, other, fourth)).toHaveLength(2)
    await world.finish(other, fourth)
    expect(await endOf(world, runId)).toMatchObject({ outcome: 1, attempt: 4 })
  })

  it('comes at once when there was nothing to split, and splits nothing itself', async () => {
    const { world, session, first, runId } = await started()
    await world.finish(session, first, { map: { shards: 0, reduce: true } })
    const reduce = sent(world, runId).at(-1)
    if (reduce === undefined) throw new Error('not sent')
    expect(reduce).toMatchObject({ attempt: 2, reduce: { total: 0 } })
    expect(await combined(world, session, reduce)).toEqual([])
    expect(await map(world, session, reduce, 1, some(0, 1))).toBe('bad')
    await world.finish(session, reduce, { map: { shards: 0, reduce: true } })
    expect(await endOf(world, runId)).toMatchObject({ outcome: 2, error_code: 'MAP_REFUSED' })
  })

  it('is canceled where it waits, and where it runs', async () => {
    for (const isSent of [false, true]) {
      const { world, session, first, runId } = await started({ concurrency: 1, overlap: { policy: 'parallel' } })
      await map(world, session, first, 1, some(0, 1))
      await world.finish(session, first, { map: { shards: 1, reduce: true } })
      if (!isSent) await world.engine.drainExecutor(session.executorId, true, ALL, ALICE)
      await runAll(world, session)
      await world.engine.cancelInstance(runId, ALL, ALICE)
      await world.settled()
      const reduce = sent(world, runId).at(-1)
      if (isSent && reduce !== undefined) await world.finish(session, reduce, { outcome: 'canceled' })
      expect(await endOf(world, runId)).toMatchObject({ outcome: 4, reduce: 2 })
      expect(await world.open()).toEqual([])
    }
  })

  it('is not passed by a later run of its task, nor timed out in the queue for what its shards took', async () => {
    const { world, session, first, runId } = await started({ queueTimeoutMs: 5000 }, { capacity: 1 })
    await map(world, session, first, 1, some(0, 1))
    await world.finish(session, first, { map: { shards: 1, reduce: true } })
    const [shard] = shardsSent(world)
    if (shard === undefined) throw new Error('no shard')
    for (let beats = 0; beats < 3; beats += 1) {
      await world.beat(session, [shard])
      await world.pass(4000)
    }
    const { instanceId: later } = await world.engine.trigger(first.task.id, {}, null, ALL, ALICE)
    await world.engine.drainExecutor(session.executorId, true, ALL, ALICE)
    await world.finish(session, shard)
    await world.beat(session)
    await world.pass(2000)
    expect((await world.open()).map((row) => row.id)).toEqual([runId, later])
    expect(sent(world, later)).toEqual([])
    await world.engine.drainExecutor(session.executorId, false, ALL, ALICE)
    await world.pass(1000)
    expect(sent(world, runId).at(-1)).toMatchObject({ attempt: 2, reduce: { total: 1 } })
    expect(sent(world, later)).toEqual([])
  })
})
