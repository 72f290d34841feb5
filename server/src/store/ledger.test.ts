import { AppError, type LedgerEntry, type ScheduleInput } from '@tickwheel/contract'
import { id, settle, type MisfirePolicy } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder } from '../engine/folder.ts'
import { query, type Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { listFirings, whyAt } from './ledger.ts'
import { seriesSchedule, spansSince } from './spans.ts'
import { addGroup, changeAt, endedRow, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask, deleteTask, setTaskEnabled, updateTask } from './tasks.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const CRON: ScheduleInput = { kind: 'cron', expression: '0 * * * * *', timezone: 'UTC' }
let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
})
afterEach(() => db.close())

interface Made {
  readonly taskId: number
  readonly seriesId: number
}
const create = async (schedule: ScheduleInput, now = T0): Promise<Made> =>
  createTask(db, { input: taskInput({ schedule }), serverZone: 'UTC' }, changeAt(now))
const toggle = (taskId: number, isEnabled: boolean, now: number) => setTaskEnabled(db, { taskId, isEnabled }, changeAt(now))
let lastRun = 0
const nextRun = (at: number): number => floorOfInstant(at) + ((lastRun += 1) % 1_000_000)

/** What the firer does, by the same parts: settles passed instants and moves the cursor. Runs end at once. */
async function fireUpTo({ seriesId, taskId }: Made, now: number, policy: MisfirePolicy = 'fireAll'): Promise<void> {
  await db.write('fire', async (tx) => {
    const series = await tx.first(query.selectFrom('series').selectAll().where('id', '=', seriesId))
    if (series === null || series.next_due_at === null) return
    const compiled = seriesSchedule(await spansSince(tx, seriesId, series.last_due_at))
    const settled = settle({
      compiled,
      lastDueAt: series.last_due_at,
      nextDueAt: series.next_due_at,
      now,
      misfire: { policy, graceMs: 1000, max: 100_000 },
      maxFires: 100_000,
    })
    for (const entry of settled.entries) {
      if (entry.kind === 'skip') {
        await tx.insert('skip', [
          {
            series_id: seriesId,
            from_at: entry.fromAt,
            to_at: entry.toAt,
            prev_due_at: entry.prevDueAt,
            count: entry.count,
            reason: 60,
            facts: '{"policy":"skip"}',
            instance_id: null,
            decided_at: now,
          },
        ])
        continue
      }
      const run = nextRun(entry.dueAt)
      await tx.insert('firing', [
        {
          due_at: entry.dueAt,
          series_id: seriesId,
          prev_due_at: entry.prevDueAt,
          task_version: compiled.spanAt(entry.dueAt)?.taskVersion ?? 0,
          instance_id: run,
        },
      ])
      await tx.insert('instance', [endedRow(run, { task_id: taskId, series_id: seriesId, due_at: entry.dueAt })])
    }
    const isDelay = compiled.spanAt(settled.lastDueAt)?.schedule.kind === 'fixedDelay'
    const nextDueAt = isDelay ? compiled.nextAfterEnd(now) : settled.nextDueAt
    await tx.run('UPDATE series SET last_due_at = ?, next_due_at = ?, revision = revision + 1 WHERE id = ?', [
      settled.lastDueAt,
      nextDueAt,
      seriesId,
    ])
  })
}

const why = (taskId: number, at: number, now: number) => whyAt(db, 'all', { taskId, at, now })
const list = (taskId: number, more: object = {}) => listFirings(db, 'all', { taskId, pageSize: 200, ...more })
const spot = (entry: LedgerEntry): string =>
  entry.kind === 'fired'
    ? `fired ${(Date.parse(entry.dueAt) - T0) / 1000}`
    : `${entry.kind} ${(Date.parse(entry.fromAt) - T0) / 1000}–${(Date.parse(entry.toAt) - T0) / 1000} (${entry.count})`

describe('the ledger of a task', () => {
  it('lists what fired and what did not, newest first, through edits and pauses', async () => {
    const made = await create(CRON)
    await fireUpTo(made, T0 + 2 * MINUTE)
    await updateTask(
      db,
      {
        taskId: made.taskId,
        input: { ...taskInput({ schedule: { kind: 'cron', expression: '30 * * * * *' } }), version: 1 },
        serverZone: 'UTC',
      },
      changeAt(T0 + 2 * MINUTE + 10_000),
    )
    await fireUpTo(made, T0 + 3 * MINUTE)
    await toggle(made.taskId, false, T0 + 5 * MINUTE)
    await toggle(made.taskId, true, T0 + 10 * MINUTE)
    await fireUpTo(made, T0 + 20 * MINUTE, 'skip')
    expect((await list(made.taskId)).items.map(spot)).toEqual([
      'skipped 630–1170 (10)',
      'skipped 210–270 (2)',
      'fired 150',
      'fired 120',
      'fired 60',
      'fired 0',
    ])
    expect(
      (await list(made.taskId, { from: new Date(T0 + MINUTE).toISOString(), to: new Date(T0 + 151_000).toISOString() })).items.map(spot),
    ).toEqual(['fired 150', 'fired 120', 'fired 60'])
  })

  it('gives every entry once, whatever the size of the page', async () => {
    const made = await create(CRON)
    await fireUpTo(made, T0 + 20 * MINUTE)
    for (const pageSize of [1, 2, 7, 21, 22]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page = await list(made.taskId, { pageSize, ...(cursor === null ? {} : { cursor }) })
        seen.push(...page.items.map(spot))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(seen, `pageSize ${pageSize}`).toEqual(Array.from({ length: 21 }, (_, n) => `fired ${(20 - n) * 60}`))
    }
  })

  it('of a delay is found through its runs, where no schedule can tell its instants', async () => {
    const made = await create({ kind: 'fixedDelay', delayMs: 10_000 })
    for (const at of [10_500, 20_700, 31_000]) await fireUpTo(made, T0 + at)
    expect((await list(made.taskId)).items.map(spot)).toEqual(['fired 30.7', 'fired 20.5', 'fired 10'])
    expect((await list(made.taskId, { to: new Date(T0 + 25_000).toISOString() })).items.map(spot)).toEqual(['fired 20.5', 'fired 10'])
    expect((await why(made.taskId, T0 + 20_500, T0 + 60_000)).verdict).toBe('fired')
    expect((await why(made.taskId, T0 + 20_501, T0 + 60_000)).verdict).toBe('notDue')
    expect((await why(made.taskId, T0 + 41_000, T0 + 60_000)).verdict).toBe('overdue')
  })

  it('does not exist for who may not see the group, and stays when the task is deleted', async () => {
    const made = await create(CRON)
    await fireUpTo(made, T0)
    await deleteTask(db, { taskId: made.taskId, cancelRunning: false }, changeAt(T0 + 1))
    expect((await list(made.taskId)).items.map(spot)).toEqual(['fired 0'])
    const refused = await listFirings(db, [id(2)], { taskId: made.taskId }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused instanceof AppError ? refused.code : refused).toBe('TASK_NOT_FOUND')
    const bad = await list(made.taskId, { cursor: '1.-5' }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(bad instanceof AppError ? bad.code : bad).toBe('VALIDATION_FAILED')
  })
})

describe('why did it not run', () => {
  it('is answered for every instant of a life', async () => {
    const made = await create(CRON)
    await fireUpTo(made, T0 + 2 * MINUTE)
    await toggle(made.taskId, false, T0 + 4 * MINUTE + 1)
    await toggle(made.taskId, true, T0 + 8 * MINUTE + 1)
    await fireUpTo(made, T0 + 12 * MINUTE, 'skip')
    const now = T0 + 15 * MINUTE
    const verdicts: readonly (readonly [number, string])[] = [
      [-1, 'beforeTask'],
      [0, 'fired'],
      [MINUTE, 'fired'],
      [MINUTE + 1, 'notDue'],
      [3 * MINUTE, 'skipped'],
      [3 * MINUTE + 30_000, 'notDue'],
      [4 * MINUTE, 'skipped'],
      [5 * MINUTE, 'paused'],
      [8 * MINUTE, 'paused'],
      [9 * MINUTE, 'skipped'],
      [12 * MINUTE, 'fired'],
      [13 * MINUTE, 'overdue'],
      [15 * MINUTE, 'overdue'],
      [16 * MINUTE, 'notYet'],
      [16 * MINUTE + 1, 'notYet'],
    ]
    const answers = await Promise.all(
      verdicts.slice(0, -1).map(async ([offset]) => [offset, (await why(made.taskId, T0 + offset, now)).verdict]),
    )
    expect(answers).toEqual(verdicts.slice(0, -1))
    expect(await why(made.taskId, T0 + 5 * MINUTE, now)).toMatchObject({
      facts: { fromAt: '2026-11-22T08:04:00.001Z', toAt: '2026-11-22T08:08:00.001Z' },
      previousDueAt: '2026-11-22T08:04:00.000Z',
      nextDueAt: '2026-11-22T08:09:00.000Z',
      taskVersion: 1,
    })
    expect((await why(made.taskId, T0 + 9 * MINUTE, now)).entry).toMatchObject({
      kind: 'skipped',
      reason: 'misfire',
      count: 3,
      facts: { policy: 'skip' },
    })
    await deleteTask(db, { taskId: made.taskId, cancelRunning: false }, changeAt(now))
    expect((await why(made.taskId, now + MINUTE, now + HOUR)).verdict).toBe('deleted')
    expect((await why(made.taskId, T0 + 13 * MINUTE, now + HOUR)).entry).toMatchObject({ reason: 'stoppedFirst' })
  })

  it('names a series that is held', async () => {
    const made = await create(CRON)
    await db.write('fire', (tx) => tx.run('UPDATE series SET held = ? WHERE id = ?', ['{"reason":"doubled","at":5}', made.seriesId]))
    expect(await why(made.taskId, T0, T0 + 1)).toMatchObject({ verdict: 'held', facts: { reason: 'doubled' } })
  })
})

describe('an hour that is folded', () => {
  const fold = async (now: number): Promise<Folder> => {
    const folder = new Folder(db)
    while (await folder.step(now)) {
      /* bounded steps */
    }
    return folder
  }
  const firings = async () => (await db.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM firing')))[0]?.n

  it('is one row, and still answers', async () => {
    const made = await create({ kind: 'fixedRate', everyMs: 10_000 })
    const rare = await createTask(db, { input: taskInput({ name: 'rare', schedule: CRON }), serverZone: 'UTC' }, changeAt(T0))
    await fireUpTo(made, T0 + 2 * HOUR - 1)
    await fireUpTo(rare, T0 + 2 * HOUR - 1)
    await fold(T0 + DAY + HOUR - 1)
    expect(await firings()).toBe(719 + 120)
    await fold(T0 + DAY + HOUR)
    expect(await firings()).toBe(360 + 120)
    expect((await list(made.taskId, { from: new Date(T0 + HOUR - 1).toISOString() })).items).toHaveLength(200)
    expect((await list(made.taskId, { to: new Date(T0 + HOUR + 5000).toISOString() })).items.map(spot)).toEqual([
      'fired 3600',
      'folded 10–3590 (359)',
    ])
    expect(await why(made.taskId, T0 + 600_000, T0 + DAY)).toMatchObject({
      verdict: 'fired',
      facts: { folded: true },
      entry: { kind: 'fired', dueAt: '2026-11-22T08:10:00.000Z' },
    })
    expect((await why(made.taskId, T0 + 600_001, T0 + DAY)).verdict).toBe('notDue')
    await db.write('rest', (tx) => tx.run('DELETE FROM instance'))
    expect(await why(made.taskId, T0 + 600_000, T0 + DAY)).toMatchObject({ verdict: 'folded', entry: { count: 359 } })
    await fold(T0 + 3 * DAY)
    expect(await firings()).toBe(120)
    expect((await list(made.taskId)).items.map(spot)).toEqual(['folded 3600–7190 (360)', 'folded 10–3590 (359)'])
  })

  it.each([
    { why: 'a firing is missing', damage: `DELETE FROM firing WHERE due_at = ${T0 + 100_000}`, folds: false },
    { why: 'a link is wrong', damage: `UPDATE firing SET prev_due_at = prev_due_at - 10000 WHERE due_at = ${T0 + 100_000}`, folds: false },
    { why: 'the cursor has not passed', damage: `UPDATE series SET next_due_at = ${T0 + HOUR - 1000}`, folds: false },
    { why: 'nothing is wrong', damage: 'UPDATE series SET revision = 9', folds: true },
  ])('is folded only when it was verified: $why', async ({ damage, folds }) => {
    const made = await create({ kind: 'fixedRate', everyMs: 10_000 })
    await fireUpTo(made, T0 + HOUR - 1)
    await db.write('rest', (tx) => tx.run(damage))
    const before = await firings()
    const folder = await fold(T0 + 2 * DAY)
    expect(await firings()).toBe(folds ? 0 : before)
    expect(folder.unverified).toBe(folds ? 0 : 1)
  })

  it('keeps its skips, and folds around them', async () => {
    const made = await create({ kind: 'fixedRate', everyMs: 10_000 })
    await fireUpTo(made, T0 + 20 * MINUTE)
    await fireUpTo(made, T0 + 30 * MINUTE, 'skip')
    await fireUpTo(made, T0 + HOUR - 1)
    await fold(T0 + 2 * DAY)
    expect(await firings()).toBe(0)
    expect((await why(made.taskId, T0 + 25 * MINUTE, T0 + DAY)).verdict).toBe('skipped')
    expect((await why(made.taskId, T0 + 35 * MINUTE, T0 + DAY)).verdict).toBe('fired')
  })

  it('goes on after an interruption at any step', async () => {
    const made = await create({ kind: 'fixedRate', everyMs: 1000 })
    await fireUpTo(made, T0 + 3 * HOUR - 1)
    for (let steps = 1; steps < 40; steps += 3) {
      const folder = new Folder(db)
      for (let step = 0; step < steps; step += 1) if (!(await folder.step(T0 + 3 * DAY))) break
    }
    expect(await firings()).toBe(0)
    expect((await list(made.taskId)).items.map(spot)).toEqual([
      'folded 7200–10799 (3600)',
      'folded 3600–7199 (3600)',
      'folded 1–3599 (3599)',
    ])
  })
})

describe('any life of a task', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))('leaves exactly one answer for every due instant (seed %i)', async (seed) => {
    let state = seed * 2_654_435_761
    const random = (below: number): number => {
      state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0
      return (state >>> 0) % below
    }
    const schedules: readonly ScheduleInput[] = [
      CRON,
      { kind: 'cron', expression: '*/20 * * * * *', timezone: 'UTC' },
      { kind: 'fixedRate', everyMs: 7000 },
      { kind: 'fixedRate', everyMs: 45_000 },
    ]
    const made = await create(schedules[random(4)] ?? CRON)
    let now = T0
    let version = 1
    for (let turn = 0; turn < 25; turn += 1) {
      now += random(120_000)
      const act = random(6)
      if (act < 3) await fireUpTo(made, now, act === 0 ? 'skip' : act === 1 ? 'fireOnce' : 'fireAll')
      else if (act < 5) await toggle(made.taskId, act === 3, now)
      else {
        await updateTask(
          db,
          {
            taskId: made.taskId,
            input: { ...taskInput({ schedule: schedules[random(4)] ?? CRON, enabled: random(4) > 0 }), version },
            serverZone: 'UTC',
          },
          changeAt(now),
        )
        version += 1
      }
    }
    await fireUpTo(made, now)
    const schedule = seriesSchedule(await db.read((tx) => spansSince(tx, made.seriesId, 0)))
    const due: number[] = []
    for (let at = schedule.next(T0 - 1); at !== null && at <= now; at = schedule.next(at)) due.push(at)
    const { items } = await list(made.taskId, { pageSize: 100_000 })
    const covering = (at: number): number =>
      items.filter((entry) =>
        entry.kind === 'fired' ? Date.parse(entry.dueAt) === at : Date.parse(entry.fromAt) <= at && at <= Date.parse(entry.toAt),
      ).length
    expect(due.filter((at) => covering(at) !== 1)).toEqual([])
    const fired = items.filter((entry) => entry.kind === 'fired').length
    const skipped = items.reduce((sum, entry) => sum + (entry.kind === 'skipped' ? (entry.count ?? NaN) : 0), 0)
    expect(fired + skipped).toBe(due.length)
    for (const at of due) expect((await why(made.taskId, at, now)).verdict).toMatch(/^(fired|skipped)$/)
  })
})
