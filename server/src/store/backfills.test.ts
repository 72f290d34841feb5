import { MAX_BACKFILL, type BackfillBody } from '@tickwheel/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { activeBackfills, applyBackfillEnds, lockBackfills, makeBackfillRuns } from './backfill-runs.ts'
import { getBackfill, listBackfillRuns } from './backfill-views.ts'
import { cancelBackfill, previewBackfill, startBackfill } from './backfills.ts'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { pruneBackfills } from './prune.ts'
import { TASK } from './scheduled-kind.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'

const SECOND = 1000
const HOUR = 3_600_000
const SEEN = { tasks: 'all', workflows: 'all' } as const
const SLOTS = new Set(Array.from({ length: 256 }, (_, slot) => slot))
const at = (ms: number): string => new Date(T0 + ms).toISOString()

describe('backfills in the store', () => {
  let db: Database
  let taskId: number
  let seriesId: number

  beforeEach(async () => {
    db = await memoryStore()
    await addGroup(db, 1)
    await makeTask(60 * SECOND)
  })

  async function makeTask(everyMs: number): Promise<void> {
    const input = taskInput({ name: `every ${everyMs}`, schedule: { kind: 'fixedRate', everyMs }, overlap: { policy: 'parallel' } })
    const made = await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0))
    ;({ taskId, seriesId } = made)
    // everything up to far away is settled
    await db.write('rest', (tx) => tx.run('UPDATE series SET next_due_at = NULL WHERE id = ?', [seriesId]))
  }

  async function begin(body: Partial<BackfillBody> = {}, now = T0 + 24 * HOUR, keyHash: string | null = null): Promise<number> {
    return startBackfill(db, { ...changeAt(now), kind: TASK, taskId, body: { from: at(0), to: at(5 * 60 * SECOND), ...body }, keyHash })
  }

  async function preview(to: number, only: NonNullable<BackfillBody['only']> = 'all'): Promise<(string | null)[]> {
    const body = { from: at(0), to: at(to), only }
    const found = await previewBackfill(db, 'all', { kind: TASK, taskId, body, now: T0 + 24 * HOUR, serverZone: 'Asia/Shanghai' })
    return found.items.map((item) => item.state)
  }

  async function make(id: number, { firstId, fence = 0 }: { firstId: number; fence?: number }): Promise<number[] | null> {
    const row = (await activeBackfills(db, SLOTS, 10)).find((one) => one.id === id)
    if (row === undefined) return null
    const runs = await makeBackfillRuns(db, { backfill: row, at: T0 + 25 * HOUR, fences: new Map([[row.slot, fence]]), firstId })
    return runs?.map((run) => (run.due_at ?? 0) - T0) ?? null
  }

  it('counts a run, what people have retried of it, and the newest run of a backfill; a run that is not kept counts as one', async () => {
    const runs = [1, 2, 3, 4].map((n) => ({ id: floorOfInstant(T0) + n, due: T0 + n * 60 * SECOND }))
    const retryId = floorOfInstant(T0 + HOUR)
    await db.write('rest', async (tx) => {
      await tx.insert(
        'firing',
        runs.map(({ id, due }) => ({ due_at: due, series_id: seriesId, prev_due_at: T0, task_version: 1, instance_id: id })),
      )
      const [first, second, third] = runs.map(({ id }) => id)
      if (first === undefined || second === undefined || third === undefined) throw new Error('no runs')
      await tx.insert('instance', [
        endedRow(first, { task_id: taskId }),
        endedRow(second, { task_id: taskId, outcome: 2 }),
        endedRow(third, { task_id: taskId, outcome: 2 }),
        endedRow(retryId, { task_id: taskId, retry_of: second }),
      ])
      await tx.insert('retry_link', [{ instance_id: second, retry_id: retryId }])
    })
    expect(await preview(6 * 60 * SECOND)).toEqual(['succeeded', 'succeeded', 'failed', 'gone', null])
    expect(await preview(6 * 60 * SECOND, 'missing')).toEqual(['failed', null])
    expect(await preview(6 * 60 * SECOND, 'failed')).toEqual(['failed'])
    await db.write('rest', (tx) => tx.insert('open_instance', [openRow(retryId + 1, { task_id: taskId })]))
    await db.write('rest', (tx) =>
      tx.insert('backfill_run', [{ task_id: taskId, due_at: T0 + 180 * SECOND, backfill_id: 1, instance_id: retryId + 1 }]),
    )
    expect(await preview(6 * 60 * SECOND, 'failed')).toEqual([])
    expect(await preview(6 * 60 * SECOND)).toEqual(['succeeded', 'succeeded', 'queued', 'gone', null])
  })

  it('finds the runs of a folded hour by their instants, and takes what is gone of it as run, but for what was skipped', async () => {
    await makeTask(600 * SECOND)
    const id = floorOfInstant(T0)
    await db.write('rest', async (tx) => {
      await tx.insert('firing_hour', [
        {
          hour_at: T0,
          series_id: seriesId,
          fired: 3,
          first_due_at: T0 + 600_000,
          last_due_at: T0 + 2_400_000,
          first_id: id,
          last_id: id + 9,
        },
      ])
      await tx.insert('skip', [
        {
          series_id: seriesId,
          from_at: T0 + 1_200_000,
          to_at: T0 + 1_200_000,
          prev_due_at: T0 + 600_000,
          count: 1,
          reason: 61,
          facts: '{}',
          instance_id: null,
          decided_at: T0,
        },
      ])
      await tx.insert('instance', [endedRow(id, { task_id: taskId, series_id: seriesId, due_at: T0 + 600_000 })])
    })
    expect(await preview(HOUR)).toEqual(['succeeded', null, 'gone', 'gone', null])
  })

  it('shows the clock of the zone of the schedule, else of the server', async () => {
    const body = { from: at(0), to: at(61 * SECOND) }
    const found = await previewBackfill(db, 'all', { kind: TASK, taskId, body, now: T0 + HOUR, serverZone: 'Asia/Shanghai' })
    expect(found).toMatchObject({ total: 1, items: [{ dueAt: at(60 * SECOND), local: '2026-11-22 16:01:00', state: null }] })
  })

  it('refuses more than it may have, and takes as many', async () => {
    await makeTask(SECOND)
    await expect(begin({ to: at((MAX_BACKFILL + 2) * SECOND) })).rejects.toMatchObject({
      errors: [{ path: 'to', code: 'BACKFILL_TOO_MANY' }],
    })
    const id = await begin({ to: at((MAX_BACKFILL + 1) * SECOND), order: 'newestFirst', concurrency: 1000 })
    expect((await getBackfill(db, SEEN, id)).total).toBe(MAX_BACKFILL)
    const shown = await listBackfillRuns(db, SEEN, { backfillId: id, page: 6, pageSize: 200 })
    expect(shown.items).toHaveLength(200)
    expect(shown.items[0]?.dueAt).toBe(at((MAX_BACKFILL - 1000) * SECOND))
    expect((await make(id, { firstId: 5000 }))?.length).toBe(1000)
    expect(await make(id, { firstId: 9000 })).toEqual([])
  })

  it('makes nothing under another fence, from another place, or once it has ended', async () => {
    const id = await begin({ concurrency: 2 })
    expect(await make(id, { firstId: 100, fence: 7 })).toBeNull()
    const [before] = await activeBackfills(db, SLOTS, 10)
    expect(await make(id, { firstId: 100 })).toEqual([60 * SECOND, 120 * SECOND])
    if (before === undefined) throw new Error('no backfill')
    const again = { backfill: before, at: T0, fences: new Map([[before.slot, 0]]), firstId: 200 }
    expect(await makeBackfillRuns(db, again)).toBeNull()
    await cancelBackfill(db, { ...changeAt(T0 + 26 * HOUR), backfillId: id, cancelRunning: false })
    expect(await makeBackfillRuns(db, { ...again, backfill: { ...before, made: 2 } })).toBeNull()
    expect(await getBackfill(db, SEEN, id)).toMatchObject({ state: 'canceled', made: 2, open: 2 })
  })

  it('counts the ends of its runs, and is done with the last', async () => {
    const id = await begin({ to: at(121 * SECOND), concurrency: 5 })
    await make(id, { firstId: 100 })
    const signal = { id: 1, slot: 1, kind: 6, target_id: id, instance_id: 100, outcome: 1, at: T0, facts: '{}' }
    const end = (outcomes: readonly number[]): Promise<void> =>
      db.write('rest', async (tx) =>
        applyBackfillEnds(tx, {
          backfills: await lockBackfills(tx, [id]),
          signals: outcomes.map((outcome) => ({ ...signal, outcome })),
          at: T0 + 30 * HOUR,
        }),
      )
    await end([1])
    expect(await getBackfill(db, SEEN, id)).toMatchObject({ state: 'running', open: 1, ended: { succeeded: 1 } })
    await end([2])
    expect(await getBackfill(db, SEEN, id)).toMatchObject({
      state: 'done',
      open: 0,
      ended: { succeeded: 1, failed: 1 },
      endedAt: at(30 * HOUR),
    })
  })

  it('is forgotten with its instants when it ended long ago', async () => {
    const [old, running] = [await begin({ to: at(61 * SECOND), concurrency: 5 }), await begin({ from: at(61 * SECOND) })]
    await make(old, { firstId: 100 })
    await cancelBackfill(db, { ...changeAt(T0 + 26 * HOUR), backfillId: old, cancelRunning: false })
    expect(await pruneBackfills(db, T0 + 26 * HOUR)).toBe(false)
    expect(await pruneBackfills(db, T0 + 27 * HOUR)).toBe(true)
    expect(await pruneBackfills(db, T0 + 27 * HOUR)).toBe(false)
    await expect(getBackfill(db, SEEN, old)).rejects.toMatchObject({ code: 'BACKFILL_NOT_FOUND' })
    expect((await getBackfill(db, SEEN, running)).state).toBe('running')
    const left = await db.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM backfill_run'))
    expect(left).toEqual([{ n: 0 }])
  })

  it('waits for nodes that do not know backfills', async () => {
    await db.write('rest', async (tx) =>
      tx.insert('node', [
        {
          run_id: 9,
          name: 'old',
          url: '',
          roles: 'scheduler',
          version: '0.1',
          level: 7,
          connection_ids: '[]',
          beat_at: await tx.now(),
          facts: null,
        },
      ]),
    )
    await expect(begin()).rejects.toMatchObject({ code: 'NODE_TOO_OLD', params: { node: 'old', neededLevel: 8 } })
  })
})
