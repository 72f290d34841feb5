import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError } from '@tickwheel/contract'
import { REASON } from '@tickwheel/core'
import { expect, it, onTestFinished } from 'vitest'
import { ClusterAway } from '../cluster/away.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import { MemoryMarks } from '../cluster/memory/marks.ts'
import type { Session } from '../link/link.ts'
import type { Database } from '../store/database.ts'
import { openSqlite } from '../store/dialect/sqlite.ts'
import type { HeldFiring } from '../store/held.ts'
import { floorOfInstant, RunIds } from '../store/ids.ts'
import { migrate } from '../store/migrate.ts'
import { addGroup, changeAt, T0 } from '../store/store.fixture.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { RestoreGuard } from './restore-guard.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tickwheel-restore-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An installation with a backup of its database: time goes on, then the backup is put back. */
class Installation {
  readonly clock = new ManualClock(T0)
  readonly #folder = tempFolder()
  #cluster: Cluster = memoryCluster(() => this.clock.monotonic())
  #db: Database
  #world: World | null = null

  constructor() {
    this.#db = this.#open('live.db')
    onTestFinished(() => this.#end())
  }

  static async create(): Promise<{ installation: Installation; world: World }> {
    const installation = new Installation()
    await migrate(installation.#db)
    await addGroup(installation.#db, 1)
    return { installation, world: await installation.#start() }
  }

  /** The files as they are now. */
  async backUp(): Promise<void> {
    await this.#world?.settled()
    for (const end of ['', '-wal'])
      if (existsSync(this.#path(`live.db${end}`))) copyFileSync(this.#path(`live.db${end}`), this.#path(`backup.db${end}`))
  }

  /** The server ends, its store becomes the backup, and a new server starts on it. `isRedisNew`: Redis has lost what it knew. */
  async restore({ isRedisNew = false } = {}): Promise<World> {
    await this.#end()
    for (const end of ['', '-wal', '-shm']) {
      rmSync(this.#path(`live.db${end}`), { force: true })
      if (existsSync(this.#path(`backup.db${end}`))) copyFileSync(this.#path(`backup.db${end}`), this.#path(`live.db${end}`))
    }
    this.#db = this.#open('live.db')
    if (isRedisNew) this.#cluster = memoryCluster(() => this.clock.monotonic())
    return this.#start()
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }

  #open(name: string): Database {
    return openSqlite({ path: this.#path(name), now: () => this.clock.now() })
  }

  async #start(): Promise<World> {
    this.#world = await World.create({ on: { db: this.#db, clock: this.clock, cluster: this.#cluster } })
    return this.#world
  }

  async #end(): Promise<void> {
    if (this.#world === null) return
    await this.#world.engine.stop()
    this.#world.logs.close()
    await this.#db.close()
    this.#world = null
  }
}

const held = async (world: World): Promise<HeldFiring | null> => (await world.engine.cluster()).held
const everyTen = { schedule: { kind: 'fixedRate', everyMs: 10 * SECOND }, overlap: { policy: 'parallel' } } as const

/** One run goes on in an executor while the store is put back by ten minutes. */
async function restoredTenMinutesBack(): Promise<{ world: World; session: Session; run: { instanceId: number; attempt: number } }> {
  const { installation, world } = await Installation.create()
  const session = await world.executor()
  await world.task(everyTen)
  await world.pass(10 * SECOND)
  const [run] = world.link.dispatches()
  if (run === undefined) throw new Error('nothing was sent')
  await world.accept(session, run)
  await world.beat(session, [run])
  await installation.backUp()
  await world.passWithWork(session, 10 * MINUTE, 10 * SECOND)
  const restored = await installation.restore()
  await restored.join(session)
  return { world: restored, session, run }
}

it('a store that was put back by ten minutes: nothing fires or is sent, runs go on, reports are taken, and a person can read why', async () => {
  const { world, session, run } = await restoredTenMinutesBack()
  const taskId = await world.task({ schedule: { kind: 'manual' } })
  await world.engine.trigger(taskId, {}, null, ALL, ALICE)
  for (let second = 0; second < 30; second += 5) {
    await world.pass(5 * SECOND)
    await world.beat(session, [run])
  }
  expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([10 * SECOND])
  expect(await world.skips()).toEqual([])
  expect(world.link.dispatches()).toEqual([])
  expect(await held(world)).toMatchObject({ storeAt: expect.toSatisfy((at: number) => at <= T0 + 12 * SECOND) as number })
  expect(world.troubles.filter(({ text }) => text.includes('nothing fires until a person chooses'))).toHaveLength(1)
  expect((await world.open()).map((row) => row.phase)).toEqual([4, 2])
  expect(await world.finish(session, run)).toBe('done')
})

it('"from now": each series has one skip over the gap, in the chain, and goes on', async () => {
  const { world, session } = await restoredTenMinutesBack()
  await world.pass(5 * SECOND)
  const now = world.clock.now()
  await world.engine.resumeFiring('fromNow', ALICE)
  await world.settled()
  const [skip, ...more] = await world.skips()
  expect(more).toEqual([])
  expect(skip).toMatchObject({ reason: REASON.restored, from_at: T0 + 20 * SECOND, prev_due_at: T0 + 10 * SECOND, count: 60 })
  expect(skip?.to_at).toBeLessThanOrEqual(now)
  await world.passWithWork(session, 20 * SECOND)
  const [, next] = await world.firings()
  expect(next).toMatchObject({ due_at: (skip?.to_at ?? 0) + 10 * SECOND, prev_due_at: skip?.to_at })
  expect(await held(world)).toBeNull()
})

it('"replay": what passed is settled by the misfire policy of each task', async () => {
  const { world } = await restoredTenMinutesBack()
  await world.pass(5 * SECOND)
  await world.engine.resumeFiring('replay', ALICE)
  await world.settled()
  expect((await world.skips()).map((row) => [row.reason, row.count])).toEqual([[REASON.misfire, 59]])
  expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([10 * SECOND, 10 * MINUTE + 10 * SECOND])
})

it('"from now" for series that are no grid: a once is over, a fixedDelay begins anew, and one that waits for its run goes on after it', async () => {
  const { installation, world } = await Installation.create()
  const session = await world.executor()
  const delay = { kind: 'fixedDelay', delayMs: 10 * SECOND } as const
  const waiting = await world.task({ schedule: delay })
  await world.pass(10 * SECOND)
  const [run] = world.link.dispatches()
  if (run === undefined) throw new Error('nothing was sent')
  await world.accept(session, run)
  const idle = await world.task({ schedule: delay })
  const once = await world.task({ schedule: { kind: 'once', at: new Date(T0 + 3 * MINUTE).toISOString() } })
  await installation.backUp()
  await world.pass(10 * MINUTE)
  await world.engine.trigger(idle, {}, null, ALL, ALICE)
  const restored = await installation.restore()
  await restored.join(session)
  await restored.pass(2 * SECOND)
  await restored.engine.resumeFiring('fromNow', ALICE)
  await restored.settled()
  const now = restored.clock.now()
  expect((await restored.skips()).map((row) => [row.from_at - T0, row.to_at - T0, row.count, row.reason])).toEqual([
    [20 * SECOND, 20 * SECOND, 1, REASON.restored],
    [3 * MINUTE, 3 * MINUTE, 1, REASON.restored],
  ])
  const seriesOf = async (taskId: number) => (await restored.series()).find((row) => row.owner_id === taskId)
  expect((await seriesOf(idle))?.next_due_at).toBe(now + 10 * SECOND)
  expect(await seriesOf(once)).toMatchObject({ next_due_at: null, last_due_at: T0 + 3 * MINUTE })
  expect(await seriesOf(waiting)).toMatchObject({ next_due_at: null, awaits_id: run.instanceId })
  await restored.pass(SECOND)
  expect(await restored.db.read((tx) => tx.all('SELECT enabled FROM task WHERE id = ?', [once]))).toEqual([{ enabled: 0 }])
  await restored.beat(session, [run])
  await restored.finish(session, run)
  expect((await seriesOf(waiting))?.next_due_at).toBe(restored.clock.now() + 10 * SECOND)
})

it('a store that lost half a minute goes on, and says so', async () => {
  const { installation, world } = await Installation.create()
  const session = await world.executor()
  await world.task(everyTen)
  await world.pass(5 * SECOND)
  await installation.backUp()
  await world.passWithWork(session, 30 * SECOND)
  const restored = await installation.restore()
  await restored.join(session)
  await restored.pass(SECOND)
  expect(await held(restored)).toBeNull()
  expect((await restored.firings()).length).toBeGreaterThan(0)
  expect(restored.troubles.filter(({ text }) => text.includes('has lost its last seconds'))).toHaveLength(1)
  const lost = Math.max(...world.link.dispatches().map((one) => one.instanceId))
  expect(Math.min(...(await restored.open()).map((row) => row.id))).toBeGreaterThan(lost)
})

it.each([
  { who: 'a run that an executor has', named: (run: number) => ({ running: [{ instanceId: run, attempt: 1 }] }) },
  { who: 'the boot of an executor', named: () => ({ running: [] }) },
])('without Redis, $who tells that the store was put back', async ({ named }) => {
  const { installation, world } = await Installation.create()
  const old = await world.executor()
  await world.task(everyTen)
  await world.pass(5 * SECOND)
  await installation.backUp()
  await world.passWithWork(old, 10 * MINUTE, 10 * SECOND)
  const young = await world.executor({ name: 'another' })
  await world.pass(10 * SECOND)
  const run = world.link.dispatches().at(-1)
  const restored = await installation.restore({ isRedisNew: true })
  expect(await held(restored)).toBeNull()
  const before = await restored.firings()
  const { running } = named(run?.instanceId ?? 0)
  const session = running.length === 0 ? young : old
  await restored.engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running })
  expect(await held(restored)).toMatchObject({ seenAt: expect.toSatisfy((at: number) => at >= T0 + 9 * MINUTE) as number })
  await restored.pass(MINUTE)
  expect(await restored.firings()).toEqual(before)

  await restored.engine.resumeFiring('replay', ALICE)
  await restored.engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running })
  expect(await held(restored), 'what was decided is not asked again').toBeNull()
})

it('a backup that is loaded under a living server: nothing fires, and memory is made from the store again', async () => {
  const { world } = await Installation.create()
  const session = await world.executor()
  await world.task({ ...everyTen, schedule: { kind: 'fixedRate', everyMs: 700 } })
  await world.passWithWork(session, 3 * SECOND)
  const before = await world.firings()
  const [series] = await world.series()
  const nextId = await world.db.read((tx) => tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'run'"))
  await world.passWithWork(session, 90 * SECOND)
  await world.db.write('rest', async (tx) => {
    await tx.run('UPDATE series SET next_due_at = ?, last_due_at = ?, revision = ?', [
      series?.next_due_at ?? null,
      series?.last_due_at ?? 0,
      series?.revision ?? 0,
    ])
    await tx.run('DELETE FROM firing WHERE due_at > ?', [series?.last_due_at ?? 0])
    await tx.run('DELETE FROM instance WHERE due_at > ?', [series?.last_due_at ?? 0])
    await tx.run("UPDATE id_block SET next_id = ? WHERE name = 'run'", [nextId[0]?.next_id ?? 0])
  })
  await world.passWithWork(session, 5 * SECOND)
  expect(await world.firings()).toEqual(before)
  expect(await held(world)).not.toBeNull()
  await world.engine.resumeFiring('fromNow', ALICE)
  await world.passWithWork(session, 5 * SECOND)
  expect(await world.skips()).toMatchObject([{ reason: REASON.restored, from_at: T0 + 3500, prev_due_at: T0 + 2800 }])
  expect((await world.firings()).length).toBeGreaterThan(before.length + 5)
})

it('only who may decide can: nothing is held, nothing goes on', async () => {
  const { world } = await Installation.create()
  await expect(world.engine.resumeFiring('replay', ALICE)).rejects.toSatisfy(
    (error) => error instanceof AppError && error.code === 'FIRING_NOT_HELD',
  )
})

/** Guards of several nodes on one store, each with its own view of it. */
async function guards(count: number, marks = new MemoryMarks()): Promise<{ guards: RestoreGuard[]; ids: RunIds[]; dbs: Database[] }> {
  const path = join(tempFolder(), 'shared.db')
  const dbs = Array.from({ length: count }, () => openSqlite({ path, now: () => T0 }))
  onTestFinished(async () => {
    for (const db of dbs) await db.close()
  })
  if (dbs[0] !== undefined) await migrate(dbs[0])
  const ids = dbs.map((db) => new RunIds(db, () => T0))
  const made: RestoreGuard[] = []
  for (const [index, db] of dbs.entries()) {
    const own = ids[index] ?? new RunIds(db, () => T0)
    const guard = new RestoreGuard({
      db,
      ids: own,
      clock: new ManualClock(T0),
      marks,
      log: { warn: () => undefined, error: () => undefined },
    })
    await guard.learn()
    await own.take(1)
    await guard.beat()
    await guard.idle()
    made.push(guard)
  }
  return { guards: made, ids, dbs }
}

const fallBack = async (db: Database | undefined): Promise<unknown> =>
  db?.write('rest', (tx) => tx.run("UPDATE id_block SET next_id = ? WHERE name = 'run'", [floorOfInstant(T0 - 10 * MINUTE)]))

it('a store that falls back while nodes work on it is noticed by the next beat, and every node learns of it and of its end', async () => {
  const { guards: nodes, ids, dbs } = await guards(2)
  const [first, second] = nodes
  expect(nodes.map((guard) => guard.isHeld)).toEqual([false, false])
  const before = Math.max(...ids.map((one) => one.highest))
  await fallBack(dbs[0])
  await second?.beat()
  expect([second?.held, first?.isHeld]).toEqual([{ since: T0, storeAt: T0 - 10 * MINUTE, seenAt: T0 }, false])
  await first?.beat()
  expect(first?.held).toEqual(second?.held)
  expect(await ids[0]?.take(4096)).toBeGreaterThan(before)
  await first?.resume('fromNow', changeAt(T0 + 5))
  expect([first?.isHeld, first?.restoredUntil]).toEqual([false, T0 + 5])
  await second?.beat()
  expect([second?.isHeld, second?.restoredUntil]).toEqual([false, T0 + 5])
})

it('whoever takes ids first after the fall back, nobody forgets it', async () => {
  const { guards: nodes, ids, dbs } = await guards(2)
  await fallBack(dbs[0])
  await ids[1]?.compare()
  for (const guard of nodes) await guard.beat()
  expect(nodes.map((guard) => guard.isHeld)).toEqual([true, true])
})

it('after the store was away nothing fires until it was looked at again', async () => {
  const { guards: nodes } = await guards(1)
  nodes[0]?.doubt()
  expect([nodes[0]?.isHeld, nodes[0]?.held]).toEqual([true, null])
  await nodes[0]?.beat()
  expect(nodes[0]?.isHeld).toBe(false)
})

class LameMarks extends MemoryMarks {
  isAway = true
  override async read(name: string): Promise<number> {
    if (this.isAway) throw new ClusterAway()
    return super.read(name)
  }
}

it('Redis that is away keeps nobody from firing, and is told when it is back', async () => {
  const marks = new LameMarks()
  const { guards: nodes, ids } = await guards(1, marks)
  expect(nodes[0]?.isHeld).toBe(false)
  marks.isAway = false
  await nodes[0]?.beat()
  await nodes[0]?.idle()
  expect(await marks.read('runId')).toBe(ids[0]?.highest)
})

it('Redis that was away when the node started tells when it is back that the store was put back', async () => {
  const marks = new LameMarks()
  marks.isAway = false
  await marks.raise('runId', floorOfInstant(T0 - MINUTE) + 9)
  marks.isAway = true
  const db = openSqlite({ path: ':memory:', now: () => T0 })
  onTestFinished(() => db.close())
  await migrate(db)
  await fallBack(db)
  const ids = new RunIds(db, () => T0)
  const log = { warn: () => undefined, error: () => undefined }
  const guard = new RestoreGuard({ db, ids, clock: new ManualClock(T0), marks, log })
  await guard.learn()
  await ids.take(1)
  await guard.beat()
  await guard.idle()
  expect(guard.isHeld).toBe(false)
  marks.isAway = false
  await guard.beat()
  await guard.idle()
  expect(guard.held).toEqual({ since: T0, storeAt: T0 - 10 * MINUTE, seenAt: T0 - MINUTE })
  await guard.resume('replay', changeAt(T0))
  await guard.beat()
  await guard.idle()
  expect(guard.isHeld).toBe(false)
})
