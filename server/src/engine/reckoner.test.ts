import type { TaskCreate, TaskDefinition } from '@tickwheel/contract'
import { id } from '@tickwheel/core'
import { afterEach, describe, expect, it } from 'vitest'
import { completeness, listFindings } from '../store/completeness.ts'
import { RunIds } from '../store/ids.ts'
import { listRecoveries } from '../store/recovery.ts'
import { addGroup, T0 } from '../store/store.fixture.ts'
import { addChannel, addRule, outbox } from './alarms.fixture.ts'
import { Folder } from './folder.ts'
import { Reckoner, SETTLE_MS, type Incomplete } from './reckoner.ts'
import { reckonerOf } from './reckoner-of.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
let world: World
let told: Incomplete[] = []

afterEach(async () => {
  await world.engine.stop()
})

async function begin(): Promise<void> {
  world = await World.create()
  told = []
}

/** A reckoner that is new each time: what it must know is in the store. */
async function reckon(): Promise<void> {
  const { db, clock } = world
  const reckoner = new Reckoner({ db, clock, ids: new RunIds(db, () => clock.now()), onIncomplete: (found) => told.push(...found) })
  while (await reckoner.step(clock.now())) {
    // until nothing is left
  }
}

const figures = async () => {
  const { total } = await completeness(world.db, 'all', {
    from: new Date(T0 - 24 * HOUR).toISOString(),
    to: new Date(world.clock.now()).toISOString(),
    now: world.clock.now(),
  })
  return total
}
const found = async () =>
  (await listFindings(world.db, 'all', { now: world.clock.now() })).items.map(({ kind, fromAt, n }) => ({
    kind,
    at: Date.parse(fromAt) - T0,
    n,
  }))
const get = async (taskId: number) => {
  const [row] = await world.db.read((tx) =>
    tx.all<{ definition: string; group_id: number }>(
      'SELECT v.definition, t.group_id FROM task_version v JOIN task t ON t.id = v.task_id WHERE t.id = ? ORDER BY v.version DESC LIMIT 1',
      [taskId],
    ),
  )
  return { definition: JSON.parse(row?.definition ?? '{}') as TaskDefinition }
}
const run = async (sql: string, params: number[] = []): Promise<number> => world.db.write('rest', (tx) => tx.run(sql, params))

const parallel = { overlap: { policy: 'parallel' } } as const
const everySecond: Partial<TaskCreate> = { schedule: { kind: 'fixedRate', everyMs: 1000 }, ...parallel }
const everyMinute: Partial<TaskCreate> = { schedule: { kind: 'cron', expression: '0 * * * * *', timezone: 'UTC' }, ...parallel }

describe('the reckoner', () => {
  it('counts what fired and what was skipped with its reason, once, however often it begins again', async () => {
    await begin()
    await world.task({ ...everySecond, overlap: { policy: 'skip' } })
    await world.task(everyMinute)
    await world.pass(3 * MINUTE)
    for (let times = 0; times < 3; times += 1) await reckon()
    const { expected, fired, skipped, missing, doubled, reasons } = await figures()
    // the first run of the first task never ends: its other instants are skipped; the second was made at the begin of a minute
    expect({ fired, missing, doubled, reasons }).toEqual({ fired: 1 + 3, missing: 0, doubled: 0, reasons: { overlap: skipped } })
    expect(skipped).toBeGreaterThan(100)
    expect(expected).toBe(fired + skipped)
    await world.pass(MINUTE)
    await reckon()
    await world.clock.advance(6 * MINUTE, () => world.settled())
    await reckon()
    const later = await figures()
    expect(later.reasons['overlap']).toBeGreaterThanOrEqual(skipped + 300)
    expect(later.missing + later.doubled).toBe(0)
    expect(told).toEqual([])
  })

  it.each<readonly [string, string, { kind: string; at: number; n: number }[], Partial<{ missing: number; doubled: number }>]>([
    ['an entry was deleted', `DELETE FROM firing WHERE due_at = ${T0 + 20_000}`, [{ kind: 'missing', at: 20_000, n: 1 }], { missing: 1 }],
    [
      'several were',
      `DELETE FROM firing WHERE due_at BETWEEN ${T0 + 20_000} AND ${T0 + 24_000}`,
      [{ kind: 'missing', at: 20_000, n: 5 }],
      { missing: 5 },
    ],
    [
      'the last was',
      `DELETE FROM firing WHERE due_at = (SELECT m FROM (SELECT MAX(due_at) AS m FROM firing) AS newest)`,
      [{ kind: 'missing', at: 120_000, n: 1 }],
      { missing: 1 },
    ],
    [
      'one fired that was not due',
      `INSERT INTO firing (due_at, series_id, prev_due_at, task_version, instance_id) SELECT due_at + 1, series_id, due_at, 1, instance_id FROM firing WHERE due_at = ${T0 + 20_000}`,
      [
        { kind: 'notDue', at: 20_001, n: 1 },
        { kind: 'wrongRun', at: 20_001, n: 1 },
      ],
      { doubled: 1, missing: 0 },
    ],
    [
      'an instant that fired was skipped too',
      `INSERT INTO skip (series_id, from_at, to_at, prev_due_at, count, reason, facts, instance_id, decided_at) SELECT series_id, due_at, due_at, prev_due_at, 1, 61, '{}', NULL, due_at FROM firing WHERE due_at = ${T0 + 20_000}`,
      [{ kind: 'doubled', at: 20_000, n: 1 }],
      { doubled: 1 },
    ],
    [
      'an entry names another before it',
      `UPDATE firing SET prev_due_at = prev_due_at - 1 WHERE due_at = ${T0 + 20_000}`,
      [{ kind: 'broken', at: 20_000, n: 1 }],
      {},
    ],
    ['a run is gone', `DELETE FROM open_instance WHERE due_at = ${T0 + 20_000}`, [{ kind: 'noRun', at: 20_000, n: 1 }], { missing: 1 }],
    [
      'a run is that of another instant',
      `UPDATE open_instance SET due_at = due_at + 1 WHERE due_at = ${T0 + 20_000}`,
      [{ kind: 'wrongRun', at: 20_000, n: 1 }],
      { missing: 1 },
    ],
  ])('finds it when %s, once, and nothing else', async (_what, sql, faults, counts) => {
    await begin()
    const taskId = await world.task(everySecond)
    await world.pass(2 * MINUTE)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await run(sql)
    await world.pass(MINUTE)
    await reckon()
    await reckon()
    expect((await found()).sort((a, b) => a.kind.localeCompare(b.kind))).toEqual(faults)
    expect(told.map(({ kind }) => kind).sort()).toEqual(faults.map(({ kind }) => kind).sort())
    expect(await figures()).toMatchObject({ missing: 0, doubled: 0, ...counts })
  })

  it('tells the rules that watch for it, in the transaction that writes it down', async () => {
    await begin()
    await addChannel(world.db)
    await addRule(world.db, world.clock.now(), [{ event: 'incomplete' }])
    const taskId = await world.task(everySecond)
    await world.pass(2 * MINUTE)
    await run(`DELETE FROM firing WHERE due_at = ${T0 + 20_000}`)
    await reckon()
    await world.pass(5000)
    expect(await outbox(world.db)).toMatchObject([
      {
        message: {
          kind: 'opened',
          event: 'incomplete',
          target: { kind: 'task', id: taskId },
          count: 1,
          facts: { missing: 1, dueAt: T0 + 20_000 },
        },
      },
    ])
  })

  it('takes edits, pauses, deletions and another group for what they are', async () => {
    await begin()
    await addGroup(world.db, 2)
    const edited = await world.task(everySecond)
    const paused = await world.task(everyMinute)
    const delayed = await world.task({ schedule: { kind: 'fixedDelay', delayMs: 5000 } })
    const once = await world.task({ schedule: { kind: 'once', at: new Date(T0 + 40_000).toISOString() } })
    const session = await world.executor({ capacity: 1000 })
    await world.passWithWork(session, MINUTE, 2000)
    const { definition } = await get(edited)
    await world.engine.updateTask(
      edited,
      { ...definition, groupId: 2, schedule: { kind: 'cron', expression: '*/7 * * * * *', timezone: 'UTC' }, version: 1 },
      ALL,
      ALICE,
    )
    await world.engine.stopTask(paused, { cancelRunning: false }, ALL, ALICE)
    await world.passWithWork(session, 3 * MINUTE, 2000)
    await world.engine.startTask(paused, ALL, ALICE)
    await world.passWithWork(session, 2 * MINUTE, 2000)
    await world.engine.deleteTask(edited, { cancelRunning: true }, ALL, ALICE)
    await world.engine.deleteTask(once, { cancelRunning: true }, ALL, ALICE)
    await world.passWithWork(session, MINUTE, 2000)
    await reckon()
    expect(told).toEqual([])
    expect(await figures()).toMatchObject({
      missing: 0,
      doubled: 0,
      fired: (await world.firings()).filter((row) => row.due_at < world.clock.now() - SETTLE_MS).length,
    })
    expect(delayed).toBeGreaterThan(0)
  })

  it('finds a fixedDelay that fired at another time than its delay after the end of the run before', async () => {
    await begin()
    await world.task({ schedule: { kind: 'fixedDelay', delayMs: 5000 } })
    const session = await world.executor()
    await world.passWithWork(session, MINUTE, 1000)
    const [, , third, fourth] = await world.firings()
    expect(fourth?.prev_due_at).toBe(third?.due_at)
    for (const table of ['open_instance', 'instance'])
      await run(`UPDATE ${table} SET due_at = due_at + 700 WHERE id = ${third?.instance_id}`)
    await run(`UPDATE firing SET due_at = due_at + 700 WHERE instance_id = ${third?.instance_id}`)
    await run(`UPDATE firing SET prev_due_at = prev_due_at + 700 WHERE instance_id = ${fourth?.instance_id}`)
    await world.pass(MINUTE)
    await reckon()
    expect((await found()).map(({ kind }) => kind)).toEqual(['notDue'])
  })

  it('goes past hours that were folded before it came to them', async () => {
    await begin()
    await world.task(everySecond)
    await world.pass(2 * MINUTE)
    const entries = (await world.firings()).length
    await world.crash(26 * HOUR)
    await world.pass(5000)
    const folder = new Folder(world.db)
    while (await folder.step(world.clock.now())) {
      // until nothing is left to fold
    }
    expect((await world.firings()).length).toBeLessThan(entries - 100)
    await reckon()
    expect(told).toEqual([])
    expect(await figures()).toMatchObject({ missing: 0, doubled: 0 })
    expect((await figures()).fired).toBeGreaterThanOrEqual(entries)
  })

  it('counts what the ledger left uncounted, a bounded part a step', async () => {
    await begin()
    await world.task({
      schedule: { kind: 'cron', expression: '* * * * * *', timezone: 'UTC' },
      misfire: { policy: 'skip', graceMs: 1000 },
      ...parallel,
    })
    await world.pass(5000)
    await world.crash(12 * HOUR)
    await world.pass(MINUTE)
    const [skip] = await world.skips()
    expect(skip?.count).toBeNull()
    await reckon()
    const [counted] = await world.skips()
    expect(counted?.count).toBe(((counted?.to_at ?? 0) - (counted?.from_at ?? 0)) / 1000 + 1)
    expect(await figures()).toMatchObject({ missing: 0, doubled: 0, skipped: counted?.count })
    expect(told).toEqual([])
  })

  it('tells of a cursor that nobody moves, once, and that it is over', async () => {
    await begin()
    await world.task(everyMinute)
    await world.pass(2 * MINUTE)
    const { db, clock } = world
    const reckoner = new Reckoner({ db, clock, ids: new RunIds(db, () => clock.now()), onIncomplete: (one) => told.push(...one) })
    await reckoner.step(clock.now())
    await world.engine.stop()
    for (let minute = 0; minute < 6; minute += 1) {
      await clock.advance(MINUTE, async () => undefined)
      await reckoner.step(clock.now())
    }
    expect(await found()).toEqual([{ kind: 'overdue', at: 3 * MINUTE, n: 1 }])
    expect(told).toHaveLength(1)
    await world.crash(0)
    await world.pass(2 * MINUTE)
    await reckoner.step(clock.now())
    expect((await listFindings(db, 'all', { now: clock.now() })).items.map((one) => one.goneAt === null)).toEqual([false])
  })

  it('begins with what comes, where the store is older than its reckoner', async () => {
    await begin()
    await world.task(everySecond)
    await world.pass(MINUTE)
    await run('DELETE FROM reckoner')
    await run(`DELETE FROM firing WHERE due_at = ${T0 + 20_000}`)
    await reckon()
    const sinceAt = world.clock.now()
    await world.pass(2 * MINUTE)
    await reckon()
    expect(told).toEqual([])
    const answer = await completeness(world.db, 'all', { now: world.clock.now() })
    expect(answer.since).toBe(new Date(sinceAt).toISOString())
    expect(answer.total).toMatchObject({ missing: 0, doubled: 0 })
    expect(answer.total.fired).toBeGreaterThan(80)
  })

  it('does nothing twice when two do it at once', async () => {
    await begin()
    await world.task(everySecond)
    await world.pass(3 * MINUTE)
    const { db, clock } = world
    const two = [1, 2].map(
      () => new Reckoner({ db, clock, ids: new RunIds(db, () => clock.now()), onIncomplete: (one) => told.push(...one) }),
    )
    for (let step = 0; step < 6; step += 1) await Promise.all(two.map((one) => one.step(clock.now())))
    expect(told).toEqual([])
    expect((await figures()).fired).toBe((await world.firings()).filter((row) => row.due_at < clock.now() - SETTLE_MS).length)
  })

  it('keeps figures and findings to the groups that may be seen', async () => {
    await begin()
    await world.task(everySecond)
    await world.pass(2 * MINUTE)
    await run(`DELETE FROM firing WHERE due_at = ${T0 + 20_000}`)
    await reckon()
    const now = world.clock.now()
    expect((await completeness(world.db, [id(2)], { now })).total.expected).toBe(0)
    expect((await completeness(world.db, [id(1), id(2)], { now })).groups).toMatchObject([{ groupId: 1, missing: 1 }])
    expect((await listFindings(world.db, [id(2)], { now })).items).toEqual([])
    await expect(completeness(world.db, 'all', { now, from: '2020-01-01T00:00:00Z' })).rejects.toThrow('at most 31 days')
  })
})

describe('the recovery report', () => {
  it.each([
    ['skip', { madeUp: 0, skipped: 30 }],
    ['fireOnce', { madeUp: 1, skipped: 29 }],
    // the last of them was not late for long
    ['fireAll', { madeUp: 29, skipped: 0 }],
  ] as const)('says after an outage what was made up and what was skipped: %s', async (policy, counts) => {
    await begin()
    const taskId = await world.task({ ...everyMinute, misfire: { policy, graceMs: 1000, max: 100 } })
    await world.pass(90_000)
    await world.crash(30 * MINUTE)
    await world.pass(MINUTE)
    await reckon()
    const [report, ...more] = await listRecoveries(world.db, 'all', 20)
    expect(more).toEqual([])
    expect(report).toMatchObject({
      ...counts,
      fromAt: new Date(T0 + 2 * MINUTE).toISOString(),
      groups: [{ groupId: 1, ...counts }],
      isCut: false,
    })
    expect(report?.tasks).toMatchObject([{ taskId, policy, ...counts }])
    expect(Date.parse(report?.toAt ?? '')).toBeGreaterThanOrEqual(T0 + 31.5 * MINUTE)
    expect(await listRecoveries(world.db, [id(2)], 20)).toEqual([])
  })

  it('makes one report of one outage, another of the next, and none of a day without', async () => {
    await begin()
    await world.task(everyMinute)
    await world.task({ ...everyMinute, misfire: { policy: 'skip', graceMs: 1000 } })
    await world.pass(10 * MINUTE)
    await reckon()
    expect(await listRecoveries(world.db, 'all', 20)).toEqual([])
    for (const minutes of [10, 20]) {
      await world.crash(minutes * MINUTE)
      await world.pass(10 * MINUTE)
      await reckon()
    }
    const reports = await listRecoveries(world.db, 'all', 20)
    expect(reports.map(({ madeUp, skipped, tasks }) => ({ sum: madeUp + skipped, tasks: tasks.length }))).toEqual([
      { sum: 39, tasks: 2 },
      { sum: 19, tasks: 2 },
    ])
  })
})

describe('who reckons', () => {
  const node = (runId: number, fires = true) => ({ runId, fires })
  it.each([
    ['a node that does not fire', [node(1), node(2), node(3, false)], 1, 3],
    ['else the one after the house-keeper', [node(1), node(2), node(3)], 3, 1],
    ['whoever is alone', [node(7)], 7, 7],
    ['the first while nobody keeps house', [node(5), node(4)], null, 4],
    ['nobody where nobody lives', [], 1, null],
  ] as const)('is %s', (_who, nodes, keeper, expected) => expect(reckonerOf(nodes, keeper)).toBe(expected))
})
