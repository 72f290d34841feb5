import type { CalendarRules, ScheduleInput } from '@tickwheel/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { carryFollower, changedCalendars, endCarrying, followersBehind } from './calendar-carry.ts'
import { createCalendar, deleteCalendar, getCalendar, updateCalendar } from './calendars.ts'
import type { Database } from './database.ts'
import type { ScheduleSpanRow, SeriesRow } from './schema.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { seriesSchedule, spansSince } from './spans.ts'
import { createTask, setTaskEnabled } from './tasks.ts'

const OPEN: CalendarRules = { weekend: [], days: [], blackouts: [] }
const CLOSED: CalendarRules = {
  ...OPEN,
  blackouts: [{ kind: 'once', from: new Date(T0 + 10_000).toISOString(), to: new Date(T0 + 60_000).toISOString(), name: 'works' }],
}
let db: Database
let calendarId: number

beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  calendarId = await createCalendar(db, { groupId: 1, name: 'works', rules: OPEN }, changeAt(T0))
})

const rate = (everyMs: number): ScheduleInput => ({ kind: 'fixedRate', everyMs, calendarId })
async function follower(name: string, schedule: ScheduleInput, enabled = true): Promise<number> {
  const input = taskInput({ groupId: 1, name, schedule, enabled })
  return (await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0))).taskId
}
async function spansOfTask(taskId: number): Promise<ScheduleSpanRow[]> {
  return db.read((tx) =>
    tx.all('SELECT p.* FROM schedule_span p JOIN task t ON t.series_id = p.series_id WHERE t.id = ? ORDER BY p.from_at', [taskId]),
  )
}
async function seriesOfTask(taskId: number): Promise<SeriesRow> {
  const [row] = await db.read((tx) => tx.all<SeriesRow>('SELECT * FROM series WHERE owner_id = ?', [taskId]))
  if (row === undefined) throw new Error('no series')
  return row
}
const save = async (rules: CalendarRules, version: number): Promise<void> =>
  updateCalendar(db, calendarId, { name: 'works', rules, version }, changeAt(T0 + 1))

describe('a change of a calendar', () => {
  it('is carried to each follower at an instant of its own, and counted down to nothing', async () => {
    const [one, other, stopped] = [
      await follower('one', rate(20_000)),
      await follower('other', rate(7000)),
      await follower('x', rate(7000), false),
    ]
    await save(CLOSED, 1)
    expect(await getCalendar(db, 'all', calendarId)).toMatchObject({ version: 2, useCount: 3, applying: 3 })
    const [calendar] = await changedCalendars(db, 10)
    if (calendar === undefined) throw new Error('it has changed')
    expect(calendar).toEqual({ id: calendarId, version: 2 })
    expect(await followersBehind(db, calendar, 10)).toEqual([one, other, stopped])
    // too early: nothing ends before the last follower was moved
    await endCarrying(db, calendar)
    expect(await changedCalendars(db, 10)).toHaveLength(1)
    expect(await carryFollower(db, one, T0 + 500)).toMatchObject({ taskId: one, nextDueAt: T0 + 60_000 })
    expect(await carryFollower(db, other, T0 + 900)).toMatchObject({ nextDueAt: T0 + 7000 })
    expect(await getCalendar(db, 'all', calendarId)).toMatchObject({ applying: 1 })
    expect(await carryFollower(db, stopped, T0 + 1000)).toMatchObject({ nextDueAt: null })
    // again, as after a crash behind the commit
    expect(await carryFollower(db, one, T0 + 2000)).toBeNull()
    await endCarrying(db, calendar)
    expect(await changedCalendars(db, 10)).toEqual([])
    expect(
      (await spansOfTask(one)).map((span) => [span.from_at - T0, span.calendar_version, span.anchor_at - T0, span.task_version]),
    ).toEqual([
      [0, 1, 0, 1],
      [500, 2, 0, 1],
    ])
    const seriesId = (await seriesOfTask(other)).id
    const schedule = seriesSchedule(await db.read((tx) => spansSince(tx, seriesId, 0)))
    expect([schedule.next(T0 + 7000), schedule.previous(T0 + 61_000)]).toEqual([T0 + 63_000, T0 + 7000])
  })

  it('leaves an instant that is already overdue to the span under which it was due', async () => {
    const id = await follower('one', rate(20_000))
    await save(CLOSED, 1)
    expect(await carryFollower(db, id, T0 + 25_000)).toMatchObject({ nextDueAt: T0 + 20_000 })
  })

  it('makes a delay that is running wait until the calendar opens', async () => {
    const id = await follower('one', { kind: 'fixedDelay', delayMs: 15_000, calendarId })
    expect((await seriesOfTask(id)).next_due_at).toBe(T0 + 15_000)
    await save(CLOSED, 1)
    expect(await carryFollower(db, id, T0 + 500)).toMatchObject({ nextDueAt: T0 + 60_000 })
  })

  it('does not let a series go on that is held', async () => {
    const id = await follower('one', rate(20_000))
    await db.write('rest', (tx) => tx.run("UPDATE series SET held = '{}' WHERE owner_id = ?", [id]))
    const before = await seriesOfTask(id)
    await save(CLOSED, 1)
    await carryFollower(db, id, T0 + 500)
    expect(await seriesOfTask(id)).toEqual(before)
    expect((await spansOfTask(id)).map((span) => span.calendar_version)).toEqual([1, 2])
    expect(await getCalendar(db, 'all', calendarId)).toMatchObject({ applying: 0 })
  })

  it('that is only a new name reaches nobody, and a start takes the rules of now', async () => {
    const id = await follower('one', rate(20_000), false)
    await updateCalendar(db, calendarId, { name: 'renamed', rules: OPEN, version: 1 }, changeAt(T0 + 1))
    expect(await changedCalendars(db, 10)).toEqual([])
    await save(CLOSED, 2)
    expect(await setTaskEnabled(db, { taskId: id, isEnabled: true }, changeAt(T0 + 2))).toMatchObject({ nextDueAt: T0 + 60_000 })
    expect(await getCalendar(db, 'all', calendarId)).toMatchObject({ version: 3, applying: 0 })
    await expect(deleteCalendar(db, calendarId, changeAt(T0 + 3))).rejects.toMatchObject({
      code: 'CALENDAR_IN_USE',
      params: { useCount: 1 },
    })
  })
})
