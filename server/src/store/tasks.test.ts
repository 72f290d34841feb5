import { AppError, type TaskCreate } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { query, type Database } from './database.ts'
import { EXECUTORS_LEVEL } from './levels.ts'
import { seriesSchedule, spanAt, spansSince } from './spans.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask, deleteTask, readDefinition, restoreTaskVersion, setTaskEnabled, updateTask } from './tasks.ts'

const MINUTE = 60_000
let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addGroup(db, 2)
})
afterEach(() => db.close())

const create = (more: Partial<TaskCreate> = {}, now = T0) =>
  createTask(db, { input: taskInput(more), serverZone: 'Asia/Shanghai' }, changeAt(now))
const update = (taskId: number, version: number, more: Partial<TaskCreate>, now: number) =>
  updateTask(db, { taskId, input: { ...taskInput(more), version }, serverZone: 'Asia/Shanghai' }, changeAt(now))
const toggle = (taskId: number, isEnabled: boolean, now: number) => setTaskEnabled(db, { taskId, isEnabled }, changeAt(now))

const series = async (id: number) =>
  (await db.read((tx) => tx.first(query.selectFrom('series').selectAll().where('id', '=', id)))) ?? expect.fail('no series')
const spans = (id: number) =>
  db.read((tx) => tx.rows(query.selectFrom('schedule_span').selectAll().where('series_id', '=', id).orderBy('from_at')))
const skips = (id: number) => db.read((tx) => tx.rows(query.selectFrom('skip').selectAll().where('series_id', '=', id).orderBy('from_at')))
const audits = () => db.read((tx) => tx.rows(query.selectFrom('audit').selectAll().orderBy('id')))
/** What the firer does: the instants up to `lastDueAt` are settled. */
const fired = (id: number, lastDueAt: number, nextDueAt: number | null, awaitsId: number | null = null) =>
  db.write('fire', (tx) =>
    tx.run('UPDATE series SET last_due_at = ?, next_due_at = ?, awaits_id = ?, revision = revision + 1 WHERE id = ?', [
      lastDueAt,
      nextDueAt,
      awaitsId,
      id,
    ]),
  )

async function refusal(work: Promise<unknown>): Promise<{ code: string; fields: string[]; params: object }> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return { code: error.code, fields: error.errors.map((problem) => `${problem.path} ${problem.code}`), params: error.params }
}

describe('a new task', () => {
  it('has its version, span and cursor in one commit, with every default filled in', async () => {
    const made = await create({ name: '  nightly ', tags: ['a', 'a', ' b '] })
    expect(made).toMatchObject({ nextDueAt: T0, revision: 1, groupId: 1, openRunIds: [] })
    expect(await readDefinition(db, made.taskId, 1)).toMatchObject({
      name: 'nightly',
      tags: ['a', 'b'],
      priority: 5,
      retry: { max: 0, backoff: 'exponential' },
      schedule: { kind: 'cron', expression: '0 * * * * *', timezone: 'Asia/Shanghai' },
    })
    expect(await spans(made.seriesId)).toMatchObject([{ from_at: T0, to_at: null, task_version: 1, enabled: 1, anchor_at: T0 }])
    expect(await series(made.seriesId)).toMatchObject({
      kind: 1,
      owner_id: made.taskId,
      slot: made.slot,
      last_due_at: T0 - 1,
      next_due_at: T0,
      awaits_id: null,
    })
    expect(await audits()).toMatchObject([{ action: 'task:create', resource_key: 'group 1/nightly', before: null }])
  })

  it.each<{ why: string; input: Partial<TaskCreate>; next: number | null }>([
    { why: 'a cron in the zone of the server', input: { schedule: { kind: 'cron', expression: '0 30 16 * * *' } }, next: T0 + 30 * MINUTE },
    { why: 'a rate begins after one interval', input: { schedule: { kind: 'fixedRate', everyMs: 5000 } }, next: T0 + 5000 },
    { why: 'a delay begins after one delay', input: { schedule: { kind: 'fixedDelay', delayMs: 5000 } }, next: T0 + 5000 },
    { why: 'once', input: { schedule: { kind: 'once', at: '2026-11-22T10:00:00+01:00' } }, next: T0 + 60 * MINUTE },
    { why: 'not enabled', input: { enabled: false }, next: null },
    { why: 'by hand only', input: { schedule: { kind: 'manual' }, enabled: false }, next: null },
    {
      why: 'not before validFrom',
      input: { schedule: { kind: 'fixedDelay', delayMs: 100, validFrom: '2026-11-22T09:00:00Z', validUntil: null } },
      next: T0 + 60 * MINUTE,
    },
    {
      why: 'never again, because validUntil has passed',
      input: { schedule: { kind: 'fixedDelay', delayMs: 100, validUntil: '2026-11-22T07:00:00Z' } },
      next: null,
    },
  ])('is due first: $why', async ({ input, next }) => {
    expect((await create(input)).nextDueAt).toBe(next)
  })

  it.each<{ why: string; input: Partial<TaskCreate>; fields: string[] }>([
    { why: 'unknown group', input: { groupId: 99 }, fields: ['groupId UNKNOWN_REFERENCE'] },
    {
      why: 'cron with a wrong minute and an unknown zone',
      input: { schedule: { kind: 'cron', expression: '0 61 * * * *', timezone: 'Mars/Olympus' } },
      fields: ['schedule.expression CRON_OUT_OF_RANGE', 'schedule.timezone ZONE_UNKNOWN'],
    },
    {
      why: 'never fires',
      input: { schedule: { kind: 'cron', expression: '0 0 0 31 2 ?' } },
      fields: ['schedule.expression CRON_NEVER_FIRES'],
    },
    {
      why: 'once in the past',
      input: { schedule: { kind: 'once', at: '2026-11-22T08:00:00.000Z' } },
      fields: ['schedule.at ONCE_IN_PAST'],
    },
    {
      why: 'once in the past, but not enabled',
      input: { schedule: { kind: 'once', at: '2026-11-22T07:00:00.000Z' }, enabled: false },
      fields: [],
    },
    { why: 'nothing to enable', input: { schedule: { kind: 'manual' } }, fields: ['enabled ENABLED_WITHOUT_SCHEDULE'] },
    {
      why: 'all at once',
      input: { groupId: 99, schedule: { kind: 'fixedRate', everyMs: 100, validFrom: 'yesterday' } },
      fields: ['groupId UNKNOWN_REFERENCE', 'schedule.validFrom INSTANT_MALFORMED'],
    },
  ])('is refused with every wrong field: $why', async ({ input, fields }) => {
    if (fields.length === 0) return expect(create(input)).resolves.toBeDefined()
    expect(await refusal(create(input))).toMatchObject({ code: 'UNPROCESSABLE', fields })
    return expect(await audits()).toEqual([])
  })

  it('has a name that no other task of its group has, whatever its case', async () => {
    await create({ name: 'Café 🎉' })
    expect(await refusal(create({ name: ' CAFE\u0301 🎉' }))).toMatchObject({ fields: ['name NAME_TAKEN'] })
    await create({ name: 'Café 🎉', groupId: 2 })
  })

  it('keeps hostile text as it is', async () => {
    const name = `Robert'); DROP TABLE task;-- "\`🎉\\`
    const params = '\u0000\'"😀'.repeat(13_107)
    const made = await create({ name, params, description: '\u202e<script>' })
    expect(await readDefinition(db, made.taskId, 1)).toMatchObject({ name, params, description: '\u202e<script>' })
    const [audit] = await audits()
    expect(JSON.parse(audit?.after ?? '')).toMatchObject({
      params: { length: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
  })

  it('does not show the secrets of its headers in the audit log', async () => {
    await create({ handler: { kind: 'http', url: 'https://example.org', headers: { Authorization: 'Bearer s3cret', accept: '*/*' } } })
    const [audit] = await audits()
    expect(audit?.after).not.toContain('s3cret')
    expect(JSON.parse(audit?.after ?? '')).toMatchObject({ handler: { headers: { Authorization: '***', accept: '*/*' } } })
  })

  it('does not exist for those who may not see its group', async () => {
    const made = await create()
    const change = changeAt(T0, { scope: [] })
    expect((await refusal(setTaskEnabled(db, { taskId: made.taskId, isEnabled: false }, change))).code).toBe('TASK_NOT_FOUND')
    expect((await refusal(deleteTask(db, { taskId: made.taskId, cancelRunning: true }, change))).code).toBe('TASK_NOT_FOUND')
    expect((await refusal(createTask(db, { input: taskInput({ name: 'x' }), serverZone: 'UTC' }, change))).fields).toEqual([
      'groupId UNKNOWN_REFERENCE',
    ])
  })
})

describe('an edit', () => {
  it('begins a new span and leaves the old one for what came before', async () => {
    const { taskId, seriesId } = await create()
    await fired(seriesId, T0, T0 + MINUTE)
    const now = T0 + 10_000
    const changed = await update(taskId, 1, { schedule: { kind: 'cron', expression: '30 * * * * *', timezone: 'UTC' } }, now)
    expect(changed).toMatchObject({ nextDueAt: T0 + 30_000, revision: 3 })
    expect(await spans(seriesId)).toMatchObject([
      { from_at: T0, to_at: now, task_version: 1 },
      { from_at: now, to_at: null, task_version: 2 },
    ])
    expect(await series(seriesId)).toMatchObject({ task_version: 2 })
  })

  it('keeps an overdue instant under its old definition, and joins the spans for the firer', async () => {
    const { taskId, seriesId } = await create()
    const now = T0 + 2 * MINUTE + 1000
    const changed = await update(taskId, 1, { schedule: { kind: 'cron', expression: '30 * * * * *', timezone: 'UTC' } }, now)
    expect(changed.nextDueAt).toBe(T0)
    expect(await series(seriesId)).toMatchObject({ task_version: 1, last_due_at: T0 - 1 })
    const joined = seriesSchedule(await db.read((tx) => spansSince(tx, seriesId, T0 - 1)))
    const due: (readonly [number, number | undefined])[] = []
    for (let at = joined.next(T0 - 1); at !== null && due.length < 5; at = joined.next(at))
      due.push([at - T0, joined.spanAt(at)?.taskVersion])
    expect(due).toEqual([
      [0, 1],
      [MINUTE, 1],
      [2 * MINUTE, 1],
      [2 * MINUTE + 30_000, 2],
      [3 * MINUTE + 30_000, 2],
    ])
    expect(joined.previous(now + 1)).toBe(T0 + 2 * MINUTE)
    expect(joined.countBetween(T0, T0 + 4 * MINUTE, 100)).toBe(5)
  })

  it('never begins before what is settled, even when the clock went back', async () => {
    const { taskId, seriesId } = await create()
    await fired(seriesId, T0 + 10 * MINUTE, T0 + 11 * MINUTE)
    const changed = await update(taskId, 1, {}, T0 + MINUTE)
    expect(changed.nextDueAt).toBe(T0 + 11 * MINUTE)
    expect((await spans(seriesId)).at(-1)?.from_at).toBe(T0 + 10 * MINUTE + 1)
  })

  it('twice in one millisecond makes two spans', async () => {
    const { taskId, seriesId } = await create()
    await update(taskId, 1, {}, T0)
    await update(taskId, 2, {}, T0)
    expect((await spans(seriesId)).map((span) => [span.from_at - T0, span.to_at === null ? null : span.to_at - T0])).toEqual([
      [0, 1],
      [1, 2],
      [2, null],
    ])
  })

  it.each([
    {
      why: 'the same interval keeps its grid',
      before: { kind: 'fixedRate', everyMs: 60_000 },
      after: { kind: 'fixedRate', everyMs: 60_000 },
      next: MINUTE,
    },
    {
      why: 'another interval begins a new grid',
      before: { kind: 'fixedRate', everyMs: 60_000 },
      after: { kind: 'fixedRate', everyMs: 30_000 },
      next: 40_000,
    },
    {
      why: 'the same delay goes on',
      before: { kind: 'fixedDelay', delayMs: 60_000 },
      after: { kind: 'fixedDelay', delayMs: 60_000 },
      next: MINUTE,
    },
    {
      why: 'another delay begins anew',
      before: { kind: 'fixedDelay', delayMs: 60_000 },
      after: { kind: 'fixedDelay', delayMs: 30_000 },
      next: 40_000,
    },
  ] as const)('of an interval: $why', async ({ before, after, next }) => {
    const { taskId, seriesId } = await create({ schedule: before })
    await fired(seriesId, T0, T0 + MINUTE)
    expect((await update(taskId, 1, { schedule: after }, T0 + 10_000)).nextDueAt).toBe(T0 + next)
  })

  it('of a delay whose run is open waits for its end', async () => {
    const { taskId, seriesId } = await create({ schedule: { kind: 'fixedDelay', delayMs: 1000 } })
    await fired(seriesId, T0, null, 4711)
    expect((await update(taskId, 1, { schedule: { kind: 'fixedDelay', delayMs: 500 } }, T0 + 10)).nextDueAt).toBeNull()
    expect(await series(seriesId)).toMatchObject({ awaits_id: 4711 })
    expect((await update(taskId, 2, { schedule: { kind: 'fixedRate', everyMs: 500 } }, T0 + 20)).nextDueAt).toBe(T0 + 520)
    expect(await series(seriesId)).toMatchObject({ awaits_id: null })
  })

  it('with an old version is refused with the current one', async () => {
    const { taskId } = await create()
    await update(taskId, 1, { description: 'mine' }, T0 + 1)
    expect(await refusal(update(taskId, 1, { description: 'yours' }, T0 + 2))).toMatchObject({
      code: 'STALE_VERSION',
      params: { version: 2 },
    })
  })

  it('that moves the task to another group takes its series along, and needs to see both', async () => {
    const { taskId, seriesId } = await create()
    expect(await update(taskId, 1, { groupId: 2 }, T0 + 1)).toMatchObject({ groupId: 2 })
    expect(await series(seriesId)).toMatchObject({ group_id: 2 })
  })

  it('writes only what has changed into the audit log', async () => {
    const { taskId } = await create()
    await update(taskId, 1, { priority: 9 }, T0 + 1)
    const entry = (await audits()).at(-1)
    expect([entry?.action, entry?.before, entry?.after]).toEqual(['task:edit', '{"priority":5}', '{"priority":9}'])
  })

  it('of the words alone is allowed while a once is overdue', async () => {
    const schedule = { kind: 'once', at: '2026-11-22T08:01:00.000Z' } as const
    const { taskId } = await create({ schedule })
    expect((await update(taskId, 1, { schedule, description: 'late' }, T0 + 2 * MINUTE)).nextDueAt).toBe(T0 + MINUTE)
    expect(await refusal(update(taskId, 2, { schedule: { kind: 'once', at: '2026-11-22T08:01:30.000Z' } }, T0 + 2 * MINUTE))).toMatchObject(
      { fields: ['schedule.at ONCE_IN_PAST'] },
    )
  })
})

describe('stop and start', () => {
  it('turn instants that had not fired into one skip, and the pause into nothing', async () => {
    const { taskId, seriesId } = await create()
    await fired(seriesId, T0, T0 + MINUTE)
    expect(await toggle(taskId, false, T0 + 3 * MINUTE + 5)).toMatchObject({ nextDueAt: null })
    expect(await skips(seriesId)).toMatchObject([{ from_at: T0 + MINUTE, to_at: T0 + 3 * MINUTE, prev_due_at: T0, count: 3, reason: 63 }])
    expect(await series(seriesId)).toMatchObject({ last_due_at: T0 + 3 * MINUTE, next_due_at: null })
    expect(await toggle(taskId, true, T0 + 10 * MINUTE + 1)).toMatchObject({ nextDueAt: T0 + 11 * MINUTE })
    expect((await spans(seriesId)).map((span) => span.enabled)).toEqual([1, 0, 1])
    expect(await db.read((tx) => spanAt(tx, seriesId, T0 + 5 * MINUTE))).toMatchObject({ isEnabled: false, taskVersion: 1 })
  })

  it('do nothing when it is so already', async () => {
    const { taskId, seriesId } = await create()
    expect(await toggle(taskId, true, T0 + 1)).toMatchObject({ revision: 1, nextDueAt: T0 })
    await toggle(taskId, false, T0)
    await toggle(taskId, false, T0 + 5)
    expect(await spans(seriesId)).toHaveLength(2)
    expect((await audits()).map((entry) => entry.action)).toEqual(['task:create', 'task:stop'])
  })

  it('skip across an edit: the range covers both spans', async () => {
    const { taskId, seriesId } = await create()
    await update(taskId, 1, { schedule: { kind: 'cron', expression: '30 * * * * *' } }, T0 + MINUTE + 1)
    await toggle(taskId, false, T0 + 2 * MINUTE + 31_000)
    expect(await skips(seriesId)).toMatchObject([{ from_at: T0, to_at: T0 + 2 * MINUTE + 30_000, count: 4 }])
  })

  it('leave the count of a very long outage open', async () => {
    const { taskId, seriesId } = await create({ schedule: { kind: 'cron', expression: '* * * * * *' } })
    await toggle(taskId, false, T0 + 24 * 60 * MINUTE)
    expect(await skips(seriesId)).toMatchObject([{ count: null, to_at: T0 + 24 * 60 * MINUTE - 1000 }])
  })

  it('are refused for a once that has passed and for a task without a schedule', async () => {
    const { taskId } = await create({ schedule: { kind: 'once', at: '2026-11-22T08:01:00Z' }, enabled: false })
    expect(await refusal(toggle(taskId, true, T0 + MINUTE))).toMatchObject({ fields: ['schedule.at ONCE_IN_PAST'] })
    const manual = await create({ name: 'by hand', schedule: { kind: 'manual' }, enabled: false })
    expect(await refusal(toggle(manual.taskId, true, T0))).toMatchObject({ fields: ['enabled ENABLED_WITHOUT_SCHEDULE'] })
  })

  it('keep a rate on its grid and a delay waiting for its open run', async () => {
    const rate = await create({ schedule: { kind: 'fixedRate', everyMs: 60_000 } })
    await fired(rate.seriesId, T0, T0 + MINUTE)
    await toggle(rate.taskId, false, T0 + 1)
    expect(await toggle(rate.taskId, true, T0 + 90_000)).toMatchObject({ nextDueAt: T0 + 2 * MINUTE })
    const delay = await create({ name: 'delay', schedule: { kind: 'fixedDelay', delayMs: 1000 } })
    await fired(delay.seriesId, T0, null, 4711)
    await toggle(delay.taskId, false, T0 + 1)
    expect(await toggle(delay.taskId, true, T0 + 5)).toMatchObject({ nextDueAt: null })
  })
})

describe('a deletion', () => {
  it('frees the name and keeps the history', async () => {
    const { taskId, seriesId } = await create()
    expect(await deleteTask(db, { taskId, cancelRunning: false }, changeAt(T0 + 30_000))).toMatchObject({ nextDueAt: null })
    expect(await skips(seriesId)).toMatchObject([{ from_at: T0, to_at: T0, count: 1 }])
    expect(await spans(seriesId)).toMatchObject([{ to_at: T0 + 30_000 }])
    expect((await refusal(toggle(taskId, true, T0 + 31_000))).code).toBe('TASK_NOT_FOUND')
    const again = await create({}, T0 + MINUTE)
    expect(again.taskId).not.toBe(taskId)
    expect(await readDefinition(db, taskId, 1)).not.toBeNull()
  })

  it('is refused while runs are open, unless they are canceled', async () => {
    const { taskId } = await create()
    await db.write('rest', (tx) =>
      tx.run(
        "INSERT INTO open_instance (id, slot, group_id, task_id, task_version, cause, created_at, priority, attempt, tries, trace, phase, lane, rank_at, on_end) VALUES (77, 1, 1, ?, 1, 2, 0, 5, 0, 0, '[]', 2, 1, 0, 0)",
        [taskId],
      ),
    )
    expect(await refusal(deleteTask(db, { taskId, cancelRunning: false }, changeAt(T0)))).toMatchObject({
      code: 'TASK_HAS_OPEN_RUNS',
      params: { openRuns: 1 },
    })
    expect((await toggle(taskId, false, T0)).openRunIds).toEqual([77])
    expect((await deleteTask(db, { taskId, cancelRunning: true }, changeAt(T0))).openRunIds).toEqual([77])
  })
})

describe('an old version', () => {
  it('comes back as a new version', async () => {
    const { taskId } = await create()
    await update(taskId, 1, { name: 'renamed', schedule: { kind: 'fixedRate', everyMs: 1000 } }, T0 + 1)
    await restoreTaskVersion(db, { taskId, version: 1, serverZone: 'UTC' }, changeAt(T0 + 2))
    expect(await readDefinition(db, taskId, 3)).toEqual(await readDefinition(db, taskId, 1))
    expect((await refusal(restoreTaskVersion(db, { taskId, version: 9, serverZone: 'UTC' }, changeAt(T0 + 3)))).code).toBe(
      'TASK_VERSION_NOT_FOUND',
    )
  })

  it('does not take a name that another task has by now', async () => {
    const { taskId } = await create()
    await update(taskId, 1, { name: 'renamed' }, T0 + 1)
    await create({}, T0 + 2)
    expect(await refusal(restoreTaskVersion(db, { taskId, version: 1, serverZone: 'UTC' }, changeAt(T0 + 3)))).toMatchObject({
      fields: ['name NAME_TAKEN'],
    })
  })
})

describe('a task whose runs are split', () => {
  const fixed = { sharding: { kind: 'fixed', total: 4 } } as const

  it('keeps how; one that is not split has nothing that an older program could not read', async () => {
    const split = await create({ ...fixed, name: 'split' })
    expect((await readDefinition(db, split.taskId, 1))?.sharding).toEqual(fixed.sharding)
    const whole = await create({ sharding: { kind: 'none' }, name: 'whole' })
    const [row] = await db.read((tx) =>
      tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ?', [whole.taskId]),
    )
    expect(row?.definition).not.toContain('sharding')
  })

  it.each<[string, Partial<TaskCreate>, string[]]>([
    ['a range that ends where it begins', { sharding: { kind: 'range', from: 1, to: 1, size: 1 } }, ['sharding.to RANGE_EMPTY']],
    ['a range of too many parts', { sharding: { kind: 'range', from: 0, to: 10_001, size: 1 } }, ['sharding.size TOO_MANY_SHARDS']],
    [
      'a list in params that are none',
      { sharding: { kind: 'list', itemsFrom: 'params', size: 1 }, params: '{}' },
      ['params PARAMS_NOT_A_LIST'],
    ],
  ])('is refused for %s', async (_why, more, fields) => {
    expect(await refusal(create(more))).toMatchObject({ code: 'UNPROCESSABLE', fields })
  })

  it('may have no params yet where only people start it, with the list that they give', async () => {
    await create({ sharding: { kind: 'list', itemsFrom: 'params', size: 1 }, schedule: { kind: 'manual' }, enabled: false })
  })

  it('is refused while a live node would run it whole', async () => {
    const node = { url: '', roles: 'scheduler', connection_ids: '', facts: null }
    const plain = await create({ name: 'plain' })
    await db.write('rest', (tx) =>
      tx.insert('node', [
        { ...node, run_id: 1, name: 'gone', version: '1.0', level: 3, beat_at: T0 - MINUTE },
        { ...node, run_id: 2, name: 'old', version: '1.1', level: EXECUTORS_LEVEL - 1, beat_at: T0 - 500 },
      ]),
    )
    const params = { node: 'old', version: '1.1', level: EXECUTORS_LEVEL - 1, neededLevel: EXECUTORS_LEVEL }
    expect(await refusal(create({ ...fixed, name: 'x' }))).toMatchObject({ code: 'NODE_TOO_OLD', params })
    expect(await refusal(update(plain.taskId, 1, { ...fixed, name: 'plain' }, T0))).toMatchObject({ code: 'NODE_TOO_OLD', params })
    await db.write('rest', (tx) => tx.run('DELETE FROM node WHERE run_id = 2'))
    await update(plain.taskId, 1, { ...fixed, name: 'plain' }, T0)
  })
})
