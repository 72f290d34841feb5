import type { Finished, Started } from '@tickwheel/contract'
import { CAUSE, latenessBucket } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { METRIC } from './counters.ts'
import type { Database } from './database.ts'
import { readHourFigures, type HourFigures } from './hour-figures.ts'
import { floorOfInstant } from './ids.ts'
import type { RunFrame } from './judge.ts'
import { report } from './report.ts'
import { endRuns } from './run-writes.ts'
import type { OpenInstanceRow } from './schema.ts'
import type { GroupFilter } from './scope.ts'
import { splitRuns } from './shards.ts'
import { addGroup, fileStore, openRow, T0 } from './store.fixture.ts'

const EXECUTOR = 7
const BOOT = 8
const HOUR = 3_600_000

let db: Database
let remove: () => Promise<void>
let ids = floorOfInstant(T0)

beforeEach(async () => {
  const store = await fileStore()
  db = store.db
  remove = store.remove
  await addGroup(db, 1)
  await addGroup(db, 2)
})
afterEach(async () => {
  await db.close()
  await remove()
})

/** A run that was sent to the executor and accepted. */
async function sent(more: Partial<OpenInstanceRow> = {}): Promise<number> {
  const row = openRow((ids += 1), {
    ...{ phase: 3, lane: 0, attempt: 1, executor_id: EXECUTOR, boot_id: BOOT, sent_at: T0, accepted_at: T0, due_at: T0 },
    ...more,
  })
  await db.write('rest', (tx) => tx.insert('open_instance', [row]))
  return row.id
}

const started = (instanceId: number, lateMs: number, attempt = 1): Started => ({
  ...{ type: 'started', n: 1, instanceId, attempt },
  at: T0 + lateMs,
})
const finished = (instanceId: number, more: Partial<Finished> = {}): Finished => ({
  ...{ type: 'finished', n: 1, instanceId, attempt: 1, at: T0 + 5000, startedAt: T0 + 1000, bootId: BOOT, outcome: 'succeeded' },
  ...more,
})

async function say(frames: readonly RunFrame[], at = T0): Promise<string[]> {
  const reports = frames.map((frame) => ({ executorId: EXECUTOR, bootId: BOOT, frame }))
  return [...(await report(db, at, (ids += 1000), reports)).verdicts]
}

const figures = (groups: GroupFilter = null, from = T0, hours = 1): Promise<HourFigures> =>
  db.read((tx) => readHourFigures(tx, { from, hours, groups }))
const starts = async (): Promise<number> => (await figures()).lateness.starts

/** The buckets that have something, as the table has them. */
async function buckets(): Promise<Record<number, number>> {
  const rows = await db.read((tx) =>
    tx.all<{ metric: number; n: number }>(`SELECT metric, n FROM counter WHERE metric >= ${METRIC.start} ORDER BY metric`),
  )
  return Object.fromEntries(rows.map(({ metric, n }) => [metric - METRIC.start, n]))
}

describe('how late runs start', () => {
  it('is counted by the lateness against their instant, in the transaction that notes the start', async () => {
    const [a, b, c] = [await sent(), await sent(), await sent()]
    expect(await say([started(a, 3), started(b, 3), started(c, 900)])).toEqual(['done', 'done', 'done'])
    expect(await buckets()).toEqual({ [latenessBucket(3)]: 2, [latenessBucket(900)]: 1 })
  })

  it('is counted once, however often it is told, and by the end where the start was not told', async () => {
    const [a, b] = [await sent(), await sent()]
    await say([started(a, 3), started(a, 3)])
    await say([started(a, 3), finished(a), finished(a)])
    await say([finished(a), finished(b)])
    await say([finished(b)])
    expect(await buckets()).toEqual({ [latenessBucket(3)]: 1, [latenessBucket(1000)]: 1 })
    expect((await figures()).outcomes.succeeded).toBe(2)
  })

  it.each([
    ['a person has started', { cause: CAUSE.manual }],
    ['that try again', { tries: 1 }],
    ['that have no instant', { due_at: null }],
    ['that combine the results of shards', { reduce: 2, mapped: 3 }],
  ])('is not counted of runs %s', async (_which, more) => {
    await say([started(await sent(more), 3)])
    expect(await starts()).toBe(0)
  })

  it('of a run that is split is that of the whole, and its shards do not count', async () => {
    const parent = openRow((ids += 1), { due_at: T0, slot: 1 })
    await db.write('rest', async (tx) => {
      await tx.insert('open_instance', [parent])
      await tx.run('UPDATE slot SET fence = 1 WHERE id = 1')
    })
    const trace = { reason: 'split', at: T0, facts: {} } as const
    const split = { instanceId: parent.id, slot: 1, total: 3, firstChildId: (ids += 10), executors: null, error: null, trace }
    await splitRuns(db, T0 + 40, new Map([[1, 1]]), { splits: [split], firstId: (ids += 10) })
    await say([started(await sent({ cause: CAUSE.shard, parent_id: parent.id, shard_index: 0 }), 100)])
    expect(await buckets()).toEqual({ [latenessBucket(40)]: 1 })
  })

  it('is not counted where the transaction is not committed', async () => {
    const row = openRow((ids += 1), { phase: 4 })
    await db.write('rest', (tx) => tx.insert('open_instance', [row]))
    const work = db.write('report', async (tx) => {
      const ends = [{ row, outcome: 1, endedAt: T0, result: null, error: null, trace: [] }]
      await endRuns(tx, T0, (ids += 10), ends, [{ groupId: 1, metric: METRIC.start, n: 1 }])
      throw new Error('power failure')
    })
    await expect(work).rejects.toThrow('power failure')
    const { lateness, outcomes } = await figures()
    expect([lateness.starts, outcomes.succeeded]).toEqual([0, 0])
  })
})

describe('the figures of hours', () => {
  it('are there for each hour, also for those in which nothing happened', async () => {
    const [a, b, c] = [await sent(), await sent(), await sent()]
    await say([finished(a)], T0)
    await say([finished(b, { outcome: 'failed', error: { code: 'E', message: 'no' } }), finished(c)], T0 + 2 * HOUR)
    const { hours, outcomes } = await figures(null, T0 - HOUR, 4)
    expect(hours.map(({ hourAt, succeeded, failed, starts: n }) => [hourAt, succeeded, failed, n])).toEqual([
      ['2026-11-22T07:00:00.000Z', 0, 0, 0],
      ['2026-11-22T08:00:00.000Z', 1, 0, 1],
      ['2026-11-22T09:00:00.000Z', 0, 0, 0],
      ['2026-11-22T10:00:00.000Z', 1, 1, 2],
    ])
    expect(hours.map((hour) => hour.p99Ms)).toEqual([null, 1024, null, 1024])
    expect(outcomes).toEqual({ succeeded: 2, failed: 1, timedOut: 0, canceled: 0, lost: 0, skipped: 0 })
  })

  it('are sums over the groups that are asked for, and nothing where none is', async () => {
    const [a, b] = [await sent(), await sent({ group_id: 2 })]
    await say([finished(a), finished(b)])
    const sums = await Promise.all([null, [1], [2], [1, 2], [], [3]].map(async (groups) => (await figures(groups)).outcomes.succeeded))
    expect(sums).toEqual([2, 1, 1, 2, 0, 0])
  })
})
