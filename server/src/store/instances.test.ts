import { AppError, type InstanceListQuery } from '@tickwheel/contract'
import { id, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { getInstance, instancesById, listInstances, listTrace, recentRuns, runHead } from './instances.ts'
import { TASK } from './scheduled-kind.ts'
import { timingOf } from './scheduled-list.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { getTask, listTasks, listTaskVersions } from './task-list.ts'
import { createTask, setTaskEnabled, updateTask } from './tasks.ts'

const BASE = floorOfInstant(T0)
const all = (): boolean => true
const none = (): boolean => false
let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addGroup(db, 2, 'second')
})
afterEach(() => db.close())

const put = (ended: readonly InstanceRow[], open: readonly OpenInstanceRow[] = []) =>
  db.write('report', async (tx) => {
    await tx.insert('instance', ended)
    await tx.insert('open_instance', open)
  })
const ids = async (asked: InstanceListQuery, scope: Scope = 'all') =>
  (await listInstances(db, scope, asked)).items.map((item) => item.id - BASE)

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return error.code
}

describe('the list of runs', () => {
  beforeEach(() =>
    put(
      [
        endedRow(BASE + 1),
        endedRow(BASE + 2, { outcome: 2, error_code: 'EXIT_1', error: 'boom' }),
        endedRow(BASE + 3, { group_id: 2, task_id: 20, outcome: 2 }),
        endedRow(BASE + 5, { cause: 2, executor_id: 70 }),
        endedRow(BASE + 7, { group_id: 9, outcome: 5 }),
      ],
      [
        openRow(BASE + 4, { phase: 4 }),
        openRow(BASE + 6, { group_id: 2, task_id: 20 }),
        openRow(BASE + 8, { phase: 1, wait_code: 6, wait_facts: '{"blocker":4}' }),
      ],
    ),
  )

  it.each<{ why: string; asked: InstanceListQuery; scope?: Scope; found: number[] }>([
    { why: 'everything, newest first, open and ended together', asked: {}, found: [8, 7, 6, 5, 4, 3, 2, 1] },
    { why: 'what is visible', asked: {}, scope: [id(2)], found: [6, 3] },
    { why: 'several groups', asked: {}, scope: [id(2), id(9)], found: [7, 6, 3] },
    { why: 'nothing is visible', asked: {}, scope: [], found: [] },
    { why: 'a group outside the scope is as none', asked: { groupId: 1 }, scope: [id(2)], found: [] },
    { why: 'a group', asked: { groupId: 2 }, found: [6, 3] },
    { why: 'a task', asked: { taskId: 20 }, found: [6, 3] },
    { why: 'a task outside the scope', asked: { taskId: 20 }, scope: [id(1)], found: [] },
    { why: 'a task and an outcome', asked: { taskId: 10, state: 'failed' }, found: [2] },
    { why: 'outcomes over all groups, also of groups that are gone', asked: { state: 'failed,lost' }, found: [7, 3, 2] },
    { why: 'states of open runs', asked: { state: 'running' }, found: [4] },
    { why: 'open and ended', asked: { state: ' waiting , succeeded ' }, found: [8, 5, 1] },
    { why: 'a cause', asked: { cause: 'manual' }, found: [5] },
    { why: 'an executor', asked: { executorId: 70 }, found: [5] },
    { why: 'an executor and a group', asked: { executorId: 70, groupId: 2 }, found: [] },
  ])('filters: $why', async ({ asked, scope, found }) => {
    expect(await ids(asked, scope)).toEqual(found)
    expect(await listInstances(db, scope ?? 'all', asked)).toMatchObject({ total: found.length, nextCursor: null, page: 1, pageSize: 20 })
  })

  it('gives every run once, whatever the size of the page, by cursor and by page', async () => {
    for (let pageSize = 1; pageSize <= 9; pageSize += 1) {
      for (const filter of [{}, { state: 'failed,running,lost,queued' }]) {
        const expected = await ids(filter)
        const seen: number[] = []
        let cursor: string | null = null
        do {
          const page = await listInstances(db, 'all', { ...filter, pageSize, ...(cursor === null ? {} : { cursor }) })
          seen.push(...page.items.map((item) => item.id - BASE))
          cursor = page.nextCursor
        } while (cursor !== null)
        expect(seen, `pageSize ${pageSize}`).toEqual(expected)
        expect(await ids({ ...filter, pageSize, page: 2 })).toEqual(expected.slice(pageSize, 2 * pageSize))
      }
    }
  })

  it('refuses what it does not understand', async () => {
    expect(await refusal(ids({ cursor: `1.zz'; DROP TABLE instance` }))).toBe('VALIDATION_FAILED')
    expect(await refusal(ids({ state: 'exploded' }))).toBe('VALIDATION_FAILED')
    expect(await refusal(ids({ page: 600, pageSize: 20 }))).toBe('PAGE_TOO_DEEP')
  })

  it('tells what a run waits for and how it failed', async () => {
    const { items } = await listInstances(db, 'all', {})
    expect(items[0]).toMatchObject({
      state: 'waiting',
      waitingFor: { reason: 'waitsForEarlierRun', facts: { blocker: 4 } },
      error: null,
      endedAt: null,
      groupName: 'group 1',
    })
    expect(items.at(-2)).toMatchObject({ state: 'failed', waitingFor: null, error: { code: 'EXIT_1', message: 'boom' } })
  })

  it('finds a run once when it ended between two looks', async () => {
    await put([endedRow(BASE + 4)])
    expect(await ids({})).toEqual([8, 7, 6, 5, 4, 3, 2, 1])
    expect((await instancesById(db, 'all', [BASE + 4]))[0]?.state).toBe('succeeded')
  })
})

describe('a long list of runs', () => {
  it('narrows by instants exactly, though ids are only coarsely of an instant', async () => {
    const rows = Array.from({ length: 200 }, (_, n) => endedRow(floorOfInstant(T0 + n * 500) + n, { created_at: T0 + n * 500 + 9_500 }))
    await put(rows)
    const asked = { from: new Date(T0 + 20_000).toISOString(), to: new Date(T0 + 40_000).toISOString(), pageSize: 200 }
    const expected = rows
      .filter((row) => row.created_at >= T0 + 20_000 && row.created_at < T0 + 40_000)
      .map((row) => row.id - BASE)
      .reverse()
    expect(await ids(asked)).toEqual(expected)
  })

  it('counts exactly to 10,000, scans at most 20,000 entries for a page, and goes on from there', async () => {
    await put(Array.from({ length: 45_000 }, (_, n) => endedRow(BASE + n, n === 3 ? { cause: 2 } : {})))
    expect(await listInstances(db, 'all', { pageSize: 1 })).toMatchObject({ total: 10_000, totalCapped: true })
    const first = await listInstances(db, 'all', { cause: 'manual' })
    expect(first).toMatchObject({ items: [], totalCapped: true })
    const second = await listInstances(db, 'all', { cause: 'manual', cursor: first.nextCursor ?? '' })
    const third = await listInstances(db, 'all', { cause: 'manual', cursor: second.nextCursor ?? '' })
    expect(third.items.map((item) => item.id - BASE)).toEqual([3])
    expect(third.nextCursor).toBeNull()
  })

  it('shares what may be scanned among groups and outcomes, and finds the same in the end', async () => {
    const groups = [1, 2, 3]
    await addGroup(db, 3)
    const rows = Array.from({ length: 24_000 }, (_, n) =>
      endedRow(BASE + n, { group_id: groups[n % 3] ?? 1, outcome: n % 50 === 0 ? 2 : 1, ...(n % 7_000 === 5 ? { cause: 2 } : {}) }),
    )
    await put(rows)
    const scope = [id<'group'>(1), id<'group'>(2)]
    const found: number[] = []
    let cursor: string | null = ''
    let pages = 0
    while (cursor !== null) {
      const page = await listInstances(db, scope, { cause: 'manual', ...(cursor === '' ? {} : { cursor }) })
      found.push(...page.items.map((item) => item.id))
      cursor = page.nextCursor
      pages += 1
    }
    expect(found).toEqual(
      rows
        .filter((row) => row.cause === 2 && row.group_id !== 3)
        .map((row) => row.id)
        .reverse(),
    )
    expect(pages).toBeLessThan(8)
  })

  it('reads on where runs are with what is left over where there are none', async () => {
    await put(Array.from({ length: 9_000 }, (_, n) => endedRow(BASE + n, n === 3 ? { cause: 2 } : {})))
    const found = await listInstances(db, [id<'group'>(1), id<'group'>(2)], { cause: 'manual' })
    expect(found.items.map((item) => item.id - BASE)).toEqual([3])
    expect(found).toMatchObject({ total: 1, nextCursor: null })
    expect(found.totalCapped).toBeUndefined()
  })
})

describe('one run', () => {
  it('has its own params, result, error and attempts', async () => {
    const hostile = `{"a":"'\\u0000🎉"}`
    const made = await createTask(db, { input: taskInput({ params: 'of the task' }), serverZone: 'UTC' }, changeAt(T0))
    const run = endedRow(BASE + 1, {
      task_id: made.taskId,
      outcome: 2,
      attempt: 3,
      error_code: 'EXIT_1',
      error: 'long…',
      actor: '{"kind":"user","id":5,"name":"O\'Hara"}',
      trace: '[[1,0,{"lateMs":3}],[23,1500]]',
    })
    await put([run, endedRow(BASE + 2, { task_id: made.taskId, attempt: 0, result: '{"ok":true}' })])
    await db.write('report', async (tx) => {
      await tx.insert('payload', [
        { instance_id: run.id, kind: 1, body: hostile },
        { instance_id: run.id, kind: 2, body: `"${'r'.repeat(3000)}"` },
        { instance_id: run.id, kind: 3, body: 'e'.repeat(5000) },
      ])
      const attempt = {
        instance_id: run.id,
        executor_id: null,
        boot_id: null,
        sent_at: T0,
        accepted_at: null,
        started_at: null,
        ended_at: T0 + 1,
        error_code: null,
        error: null,
      }
      await tx.insert('attempt', [
        { ...attempt, attempt: 1, late: 0, outcome: 7 },
        { ...attempt, attempt: 2, late: 0, outcome: 5 },
        { ...attempt, attempt: 2, late: 1, outcome: 1 },
      ])
      await tx.insert('retry_link', [{ instance_id: run.id, retry_id: BASE + 2 }])
    })
    const shown = await getInstance(db, 'all', run.id, all)
    expect(shown).toMatchObject({
      taskName: 'nightly',
      params: hostile,
      result: 'r'.repeat(3000),
      error: { code: 'EXIT_1', message: 'e'.repeat(5000) },
      actor: { kind: 'user', id: 5, name: "O'Hara" },
      retriedBy: BASE + 2,
    })
    expect(shown.attempts.map((attempt) => [attempt.attempt, attempt.outcome, attempt.late])).toEqual([
      [1, 'rejected', false],
      [2, 'lost', false],
      [2, 'succeeded', true],
      [3, 'failed', false],
    ])
    expect(await getInstance(db, 'all', BASE + 2, all)).toMatchObject({ params: 'of the task', result: { ok: true }, attempts: [] })
    expect(await getInstance(db, 'all', run.id, none)).toMatchObject({ params: null, result: null, hidden: ['params', 'result'] })
    expect(await listTrace(db, 'all', run.id)).toEqual([
      { at: '2026-11-22T08:00:00.000Z', reason: 'fired', facts: { lateMs: 3 } },
      { at: '2026-11-22T08:00:01.500Z', reason: 'succeeded', facts: {} },
    ])
  })

  it('that is open shows its progress, and no attempt twice while it waits for another try', async () => {
    const waiting = openRow(BASE + 1, { phase: 1, attempt: 1, progress: '[0.5,"half"]' })
    await put([], [waiting, openRow(BASE + 2, { phase: 4, attempt: 1, sent_at: T0 })])
    await db.write('report', (tx) =>
      tx.insert('attempt', [
        {
          instance_id: waiting.id,
          attempt: 1,
          late: 0,
          executor_id: null,
          boot_id: null,
          sent_at: T0,
          accepted_at: T0,
          started_at: T0,
          ended_at: T0 + 1,
          outcome: 2,
          error_code: 'X',
          error: 'y',
        },
      ]),
    )
    expect(await getInstance(db, 'all', waiting.id, all)).toMatchObject({
      state: 'waiting',
      progress: { value: 0.5, text: 'half' },
      attempts: [{ attempt: 1, outcome: 'failed' }],
    })
    expect((await getInstance(db, 'all', BASE + 2, all)).attempts).toMatchObject([{ attempt: 1, outcome: null }])
  })

  it('does not exist for who may not see its group', async () => {
    await put([endedRow(BASE + 1)])
    expect(await refusal(getInstance(db, [id(2)], BASE + 1, all))).toBe('INSTANCE_NOT_FOUND')
    expect(await refusal(listTrace(db, [], BASE + 1))).toBe('INSTANCE_NOT_FOUND')
    expect(await runHead(db, [id(2)], BASE + 1)).toBeNull()
    expect(await runHead(db, 'all', BASE + 1)).toEqual({ instanceId: BASE + 1, taskId: 10, groupId: 1, isEnded: true, step: null })
    expect(await instancesById(db, [id(2)], [BASE + 1])).toEqual([])
  })
})

describe('tasks as they are shown', () => {
  const create = (more: Parameters<typeof taskInput>[0]) => createTask(db, { input: taskInput(more), serverZone: 'UTC' }, changeAt(T0))

  it('are listed newest first with their last runs, narrowed by any filter', async () => {
    const a = await create({ name: 'alpha 100%', tags: ['night', 'money'], handler: { kind: 'named', name: 'f' } })
    const b = await create({ name: 'beta', groupId: 2, enabled: false, schedule: { kind: 'manual' }, description: 'the ALPHA of all' })
    await put(
      [endedRow(BASE + 1, { task_id: a.taskId, outcome: 2 }), endedRow(BASE + 3, { task_id: a.taskId })],
      [openRow(BASE + 2, { task_id: a.taskId, phase: 4 })],
    )
    const { items, total } = await listTasks(db, 'all', {})
    expect(total).toBe(2)
    expect(items.map((item) => item.id)).toEqual([b.taskId, a.taskId])
    expect(items[1]).toMatchObject({
      openRuns: 1,
      nextFireAt: '2026-11-22T08:00:00.000Z',
      tags: ['night', 'money'],
      handlerKind: 'named',
      recent: [{ state: 'succeeded', durationMs: 1500 }, { state: 'running' }, { state: 'failed' }],
    })
    const found = async (asked: Parameters<typeof listTasks>[2], scope: Scope = 'all') =>
      (await listTasks(db, scope, asked)).items.map((item) => item.name)
    expect(await found({ keyword: '100%' })).toEqual(['alpha 100%'])
    expect(await found({ keyword: 'ALPHA' })).toEqual(['beta', 'alpha 100%'])
    expect(await found({ tag: 'money' })).toEqual(['alpha 100%'])
    expect(await found({ tag: 'mone' })).toEqual([])
    expect(await found({ enabled: false })).toEqual(['beta'])
    expect(await found({ scheduleKind: 'cron' })).toEqual(['alpha 100%'])
    expect(await found({ handlerKind: 'shell' })).toEqual(['beta'])
    expect(await found({ groupId: 2 })).toEqual(['beta'])
    expect(await found({}, [id(1)])).toEqual(['alpha 100%'])
    expect(await found({ groupId: 2 }, [id(1)])).toEqual([])
  })

  it('hide what may not be seen, and say so', async () => {
    const { taskId } = await create({
      params: 'secret',
      handler: { kind: 'http', url: 'https://example.org', headers: { a: 'secret' }, body: 'secret' },
    })
    expect(await getTask(db, 'all', taskId, all)).toMatchObject({ params: 'secret', lastFiredAt: null, handler: { body: 'secret' } })
    const hidden = await getTask(db, 'all', taskId, none)
    expect(JSON.stringify(hidden)).not.toContain('secret')
    expect(hidden.hidden).toEqual(['params', 'handler.headers', 'handler.body'])
    const versions = await listTaskVersions(db, 'all', { taskId, page: 1, pageSize: 9, mayViewParams: none })
    expect(JSON.stringify(versions)).not.toContain('secret')
    expect(await refusal(getTask(db, [], taskId, all))).toBe('TASK_NOT_FOUND')
  })

  it('list their versions newest first', async () => {
    const { taskId } = await create({})
    await updateTask(
      db,
      { taskId, input: { ...taskInput({ description: 'second' }), version: 1 }, serverZone: 'UTC' },
      changeAt(T0 + 5, { caller: { actor: { kind: 'user', id: 3, name: 'ann' }, ip: '', requestId: '' } }),
    )
    const { items, total } = await listTaskVersions(db, 'all', { taskId, page: 1, pageSize: 1, mayViewParams: all })
    expect({ items, total }).toMatchObject({
      total: 2,
      items: [{ version: 2, savedAt: '2026-11-22T08:00:00.005Z', savedBy: { id: 3, name: 'ann' }, definition: { description: 'second' } }],
    })
  })

  it('tell when they fire next and when they last did', async () => {
    const { taskId, seriesId } = await create({})
    await put([
      endedRow(BASE + 3 * 2 ** 21, { task_id: taskId, series_id: seriesId }),
      endedRow(BASE + 9 * 2 ** 21, { task_id: taskId, series_id: null, cause: 2 }),
    ])
    expect(await getTask(db, 'all', taskId, all)).toMatchObject({
      nextFireAt: '2026-11-22T08:00:00.000Z',
      lastFiredAt: '2026-11-22T08:00:03.000Z',
    })
    await setTaskEnabled(db, { taskId, isEnabled: false }, changeAt(T0))
    expect(await timingOf(db, TASK, 'all', taskId)).toMatchObject({
      isEnabled: false,
      nextDueAt: null,
      schedule: { kind: 'cron', timezone: 'UTC' },
    })
  })

  it('have at most so many recent runs as asked', async () => {
    await put(Array.from({ length: 30 }, (_, n) => endedRow(BASE + n)))
    const runs = await db.read((tx) => recentRuns(tx, [10, 11], 20))
    expect([runs.get(10)?.recent.length, runs.get(10)?.recent[0]?.id, runs.get(11)]).toEqual([20, BASE + 29, { recent: [], openRuns: 0 }])
  })
})
