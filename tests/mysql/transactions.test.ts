import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { StoreAway } from '../../server/src/store/database.ts'
import { openMysql, type MysqlDatabase } from '../../server/src/store/dialect/mysql.ts'
import { fire, type FireItem } from '../../server/src/store/fire.ts'
import { migrate } from '../../server/src/store/migrate.ts'
import { addGroup, changeAt, openRow, T0, taskInput } from '../../server/src/store/store.fixture.ts'
import { takeSlots } from '../../server/src/store/slots.ts'
import { createTask, deleteTask } from '../../server/src/store/tasks.ts'
import { trigger } from '../../server/src/store/trigger.ts'
import { SYSTEM } from '../../server/src/store/caller.ts'
import { MariaDb } from '../kit/mariadb.ts'
import { waitFor } from '../kit/wait-for.ts'

/** A server of its own, because it is killed. */
let server: MariaDb | null = null
let db: MysqlDatabase
const opened: MysqlDatabase[] = []

function open(more: { limitMs?: number } = {}): MysqlDatabase {
  const made = openMysql({ url: server?.url('one') ?? '', ...more })
  opened.push(made)
  return made
}

beforeAll(async () => {
  if (inject('mariaDbUrl') === null) return
  server = await MariaDb.start({ durable: true })
  server.sql('CREATE DATABASE one CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
  db = open()
  await migrate(db)
})
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()))
  await server?.stop()
})

const meta = async (key: string): Promise<string | undefined> =>
  (await db.read((tx) => tx.all<{ value: string }>('SELECT value FROM meta WHERE `key` = ?', [key])))[0]?.value
const put = async (key: string, value: string): Promise<unknown> => db.write('rest', (tx) => tx.insertNew('meta', [{ key, value }]))
const connectionIds = async (): Promise<number[]> =>
  (server?.sql("SELECT id FROM information_schema.PROCESSLIST WHERE db = 'one'") ?? '')
    .trim()
    .split('\n')
    .filter((id) => id !== '')
    .map(Number)

/** A promise and its key. */
function gate(): { opened: Promise<unknown>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  return { opened: promise, open: () => resolve(undefined) }
}

describe('a transaction on MySQL', () => {
  it('that loses a deadlock is run again from its start', async () => {
    await put('a', '0')
    await put('b', '0')
    const bothHoldOne = [gate(), gate()] as const
    let runs = 0
    const add = (own: 0 | 1, first: string, second: string) =>
      db.write('rest', async (tx) => {
        runs += 1
        await tx.run('UPDATE meta SET value = value + 1 WHERE `key` = ?', [first])
        bothHoldOne[own].open()
        await bothHoldOne[own === 0 ? 1 : 0].opened
        await tx.run('UPDATE meta SET value = value + 1 WHERE `key` = ?', [second])
      })
    await Promise.all([add(0, 'a', 'b'), add(1, 'b', 'a')])
    expect([await meta('a'), await meta('b')]).toEqual(['2', '2'])
    expect(runs).toBe(3)
  })

  it('that waits too long for a lock gives up what it had, and is run again', async () => {
    await put('held', '0')
    await put('mine', '0')
    const held = gate()
    const release = gate()
    const holder = db.write('fire', async (tx) => {
      await tx.run("UPDATE meta SET value = '1' WHERE `key` = 'held'")
      held.open()
      await release.opened
    })
    await held.opened
    let runs = 0
    const waiter = db.write('rest', async (tx) => {
      runs += 1
      if (runs === 2) release.open()
      await tx.run("UPDATE meta SET value = value + 1 WHERE `key` = 'mine'")
      await tx.run("UPDATE meta SET value = value + 1 WHERE `key` = 'held'")
    })
    await Promise.all([holder, waiter])
    expect([await meta('mine'), await meta('held'), runs]).toEqual(['1', '2', 2])
  })

  it('whose connection dies tells that the store is away, wrote nothing, and the next one works', async () => {
    const dying = db.write('report', async (tx) => {
      await tx.insert('meta', [{ key: 'dying', value: '' }])
      for (const id of await connectionIds()) server?.sql(`KILL ${String(id)}`)
    })
    await expect(dying).rejects.toBeInstanceOf(StoreAway)
    await waitFor(() => put('after', 'x').then(() => true))
    expect([await meta('dying'), await meta('after')]).toEqual([undefined, 'x'])
  })

  it('that takes too long ends with its connection, also at the server', async () => {
    const hasty = open({ limitMs: 300 })
    await expect(hasty.write('rest', (tx) => tx.all('SELECT SLEEP(30)'))).rejects.toBeInstanceOf(StoreAway)
    await waitFor(() => !(server?.sql('SELECT info FROM information_schema.PROCESSLIST') ?? '').includes('SLEEP(30)'), {
      what: 'the end of the query at the server',
    })
    expect(await hasty.read((tx) => tx.all('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  })

  it('finds the server again after it was killed', async () => {
    await put('before', 'x')
    await server?.kill()
    await expect(db.write('fire', (tx) => tx.all('SELECT 1'))).rejects.toBeInstanceOf(StoreAway)
    await expect(db.read((tx) => tx.all('SELECT 1'))).rejects.toBeInstanceOf(StoreAway)
    await server?.up()
    await waitFor(() => put('again', 'x').then(() => true))
    expect([await meta('before'), await meta('again')]).toEqual(['x', 'x'])
  })

  it('matches rows that it leaves as they were, and refuses what does not fit', async () => {
    await put('same', 'x')
    expect(await db.write('rest', (tx) => tx.run("UPDATE meta SET value = 'x' WHERE `key` = 'same'"))).toBe(1)
    await expect(db.write('rest', (tx) => tx.insert('meta', [{ key: 'k'.repeat(300), value: '' }]))).rejects.toThrow(/too long/)
    const hostile = `'; DROP TABLE meta; -- \\ " \u0000 🎉`
    await put('hostile', hostile)
    expect(await meta('hostile')).toBe(hostile)
  })

  it('changes many rows at once as one by one would', async () => {
    await db.write('rest', (tx) =>
      tx.insert(
        'counter',
        Array.from({ length: 450 }, (_, n) => ({ hour_at: 0, group_id: n, metric: 1, lane: 0, n: 0 })),
      ),
    )
    const rows = Array.from({ length: 1000 }, (_, n) => [n, 0, n % 460, 1, 0])
    const matched = await db.write('rest', (tx) =>
      tx.runMany('UPDATE counter SET n = n + ? WHERE hour_at = ? AND group_id = ? AND metric = ? AND lane = ?', rows),
    )
    expect(matched).toBe(rows.filter(([, , group = 0]) => group < 450).length)
    const sums = new Map<number, number>()
    for (const [n = 0, , group = 0] of rows) sums.set(group, (sums.get(group) ?? 0) + n)
    const counted = await db.read((tx) => tx.all<{ group_id: number; n: number }>('SELECT group_id, n FROM counter WHERE hour_at = 0'))
    expect(counted.every((row) => row.n === sums.get(row.group_id))).toBe(true)
    expect(
      await db.write('rest', (tx) =>
        tx.runMany('DELETE FROM counter WHERE group_id = ? AND hour_at = ? AND metric = 1 AND lane = 0', [
          [1, 0],
          [2, 0],
          [999, 0],
        ]),
      ),
    ).toBe(2)
  })
})

describe('the clock and the set-up of the database', () => {
  it('is told in milliseconds', async () => {
    expect(Math.abs((await db.now()) - Date.now())).toBeLessThan(60_000)
  })

  it('is complained of when a commit would not be durable', async () => {
    expect(await db.warnings()).toEqual([])
    server?.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 2')
    expect((await db.warnings())[0]).toMatch(/innodb_flush_log_at_trx_commit=2.*set it to 1/)
    server?.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
  })

  it('gets partitions ahead, each once, and loses those that are over and empty', async () => {
    const partitions = (): string[] =>
      (
        server?.sql(
          "SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'one' AND TABLE_NAME = 'instance' ORDER BY PARTITION_ORDINAL_POSITION",
        ) ?? ''
      )
        .trim()
        .split('\n')
    await db.makePartitions(Date.UTC(2026, 0, 5))
    await db.makePartitions(Date.UTC(2026, 1, 5))
    expect(partitions()).toEqual(['m2026_01', 'm2026_02', 'm2026_03', 'm2026_04', 'm2026_05', 'later'])
    while (await db.compact()) {
      /* one partition a call */
    }
    const now = new Date(await db.now())
    expect(partitions()[0]).toBe(`m${now.getUTCFullYear()}_${String(now.getUTCMonth() + 1).padStart(2, '0')}`)
    expect(partitions()).toHaveLength(5)
  })
})

describe('transactions beside each other', () => {
  const item = (seriesId: number, slot: number): FireItem => ({
    seriesId,
    slot,
    groupId: 1,
    revision: 1,
    skips: [],
    taskId: 1,
    widen: null,
    payloads: [],
    once: null,
    firings: [{ due_at: T0, series_id: seriesId, prev_due_at: 0, task_version: 1, instance_id: 1000 + seriesId }],
    runs: [openRow(1000 + seriesId)],
    cursor: { nextDueAt: T0 + 1000, lastDueAt: T0, taskVersion: 1, awaitsId: null },
  })

  /** Nobody beats here, so that whoever wants a slot gets it. */
  async function take(runId: number, slots: readonly number[]): Promise<Map<number, number>> {
    return (await takeSlots(db, { runId, wanted: new Map(slots.map((slot) => [slot, 0])), dead: new Map() })).fences
  }

  it('a series that is being edited is left out of a firing, and the others fire', async () => {
    await addGroup(db, 1)
    const made = [
      await createTask(db, { input: taskInput({ name: 'one' }), serverZone: 'UTC' }, changeAt(T0)),
      await createTask(db, { input: taskInput({ name: 'two' }), serverZone: 'UTC' }, changeAt(T0)),
    ]
    const fences = await take(
      5,
      Array.from({ length: 256 }, (_, slot) => slot),
    )
    const [busy, free] = made.map((task) => item(task.seriesId, task.slot))
    if (busy === undefined || free === undefined) throw new Error('two tasks')
    const held = gate()
    const release = gate()
    const edit = db.write('rest', async (tx) => {
      await tx.all(`SELECT * FROM series WHERE id = ?${tx.locks.update}`, [busy.seriesId])
      held.open()
      await release.opened
    })
    await held.opened
    const outcome = await fire(db, T0, fences, [busy, free])
    expect([[...outcome.applied], [...outcome.overtaken]]).toEqual([[free.seriesId], [busy.seriesId]])
    release.open()
    await edit
    expect([...(await fire(db, T0, fences, [busy])).applied]).toEqual([busy.seriesId])
  })

  it('firings of two lanes count in rows of their own, and a fence that has moved stops them', async () => {
    const fences = await take(6, [0, 1])
    await take(7, [1])
    expect([...(await fire(db, T0, fences, [item(999_999, 1)])).fenced]).toEqual([999_999])
  })

  it('a trigger waits for a deletion of its task, and is refused', async () => {
    const task = await createTask(db, { input: taskInput({ name: 'goes' }), serverZone: 'UTC' }, changeAt(T0))
    const request = (runId: number, keyHash: string | null) =>
      ({
        taskId: task.taskId,
        scope: 'all',
        at: T0,
        runId,
        auditId: runId + 1,
        keyHash,
        caller: SYSTEM,
        params: null,
        executorId: null,
        scheduledAt: null,
        openRuns: { now: 0, max: 10, ofTask: 0 },
      }) as const
    const [first, second] = await Promise.all([trigger(db, [request(5000, 'k')]), trigger(db, [request(6000, 'k')])])
    expect(
      new Set([...first, ...second].map((answer) => ('instanceId' in answer ? answer.instanceId : answer.code))).size,
      'one key, one run',
    ).toBe(1)
    await db.write('rest', (tx) => tx.run('DELETE FROM open_instance'))
    const [deleted, late] = await Promise.all([
      deleteTask(db, { taskId: task.taskId, cancelRunning: true }, changeAt(T0)),
      trigger(db, [request(7000, null)]),
    ])
    const [answer] = late
    const open = await db.read((tx) => tx.all<{ id: number }>('SELECT id FROM open_instance'))
    // whichever came first: no run is left that the deletion did not know of
    expect(answer !== undefined && 'instanceId' in answer ? deleted.openRunIds : open).toEqual(
      answer !== undefined && 'instanceId' in answer ? [7000] : [],
    )
  })
})
