import type { TaskCreate } from '@tickwheel/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ComingFirings } from './coming-firings.ts'
import { Events } from './engine/events.ts'
import { ManualClock } from './engine/manual-clock.fixture.ts'
import type { Database } from './store/database.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store/store.fixture.ts'
import { createTask } from './store/tasks.ts'

const MINUTE = 60_000

let db: Database
let clock: ManualClock
let events: Events
let coming: ComingFirings

beforeEach(async () => {
  clock = new ManualClock(T0)
  events = new Events()
  db = await memoryStore(() => clock.now())
  coming = new ComingFirings({ db, events, now: () => clock.now(), monotonic: () => clock.monotonic() })
  await addGroup(db, 1)
  await addGroup(db, 2)
})
afterEach(async () => {
  coming.stop()
  await db.close()
})

const pass = async (ms: number): Promise<void> => clock.advance(ms, async () => undefined)
const all = () => coming.in({ tasks: null, workflows: null })

async function add(schedule: TaskCreate['schedule'], more: Partial<TaskCreate> = {}): Promise<number> {
  const input = taskInput({ name: `${JSON.stringify(schedule).length}-${Math.abs(T0)}-${(names += 1)}`, schedule, ...more })
  const { taskId } = await createTask(db, { input, serverZone: 'UTC' }, changeAt(clock.now()))
  return taskId
}
let names = 0

it.each<[string, TaskCreate['schedule'], number[], number]>([
  ['each minute', { kind: 'cron', expression: '0 * * * * ?', timezone: 'UTC' }, [1, 1, 1], 60],
  ['each second', { kind: 'cron', expression: '* * * * * ?', timezone: 'UTC' }, [60, 60, 60], 3600],
  ['at 08:20 alone', { kind: 'cron', expression: '0 20 8 * * ?', timezone: 'UTC' }, [0, 0, 0], 1],
  ['every 100 ms', { kind: 'fixedRate', everyMs: 100 }, [599, 600, 600], 35_999],
  ['every 90 s', { kind: 'fixedRate', everyMs: 90_000 }, [0, 1, 0], 39],
  ['after the run before', { kind: 'fixedDelay', delayMs: 5000 }, [1, 0, 0], 1],
  ['once', { kind: 'once', at: '2026-11-22T08:02:30.000Z' }, [0, 0, 1], 1],
  ['never by itself', { kind: 'manual' }, [0, 0, 0], 0],
])('the next hour of what is due %s', async (_what, schedule, first, total) => {
  await add(schedule, { enabled: schedule.kind !== 'manual' })
  const found = await all()
  expect([found.minutes.slice(0, 3), found.total, found.minutes.length, found.isCut]).toEqual([first, total, 60, false])
})

it('names those whose turn comes first, once each, and of what is overdue says now', async () => {
  await add({ kind: 'cron', expression: '30 * * * * ?', timezone: 'UTC' }, { name: 'second' })
  const overdue = await add({ kind: 'cron', expression: '0 5 8 * * ?', timezone: 'UTC' }, { name: 'overdue' })
  await add({ kind: 'cron', expression: '0 5 8 * * ?', timezone: 'UTC' }, { name: 'off', enabled: false })
  await db.write('rest', (tx) => tx.run('UPDATE series SET next_due_at = ? WHERE owner_id = ?', [T0 - 9000, overdue]))
  const { first, minutes } = await all()
  expect(first.map(({ name, at }) => [name, at])).toEqual([
    ['overdue', '2026-11-22T08:00:00.000Z'],
    ['second', '2026-11-22T08:00:30.000Z'],
  ])
  expect(minutes.slice(0, 2)).toEqual([2, 1])
})

it('are those of the groups that are asked for', async () => {
  await add({ kind: 'fixedRate', everyMs: MINUTE })
  await add({ kind: 'fixedRate', everyMs: MINUTE }, { groupId: 2 })
  const [both, one, none] = [await all(), await coming.in({ tasks: [2], workflows: [] }), await coming.in({ tasks: [], workflows: null })]
  expect([both.total, one.total, none.total]).toEqual([2 * 59, 59, 0])
  expect(one.first.map((firing) => firing.groupId)).toEqual([2])
})

it('are kept for ten seconds, and computed again soon after an edit', async () => {
  await all()
  const taskId = await add({ kind: 'fixedRate', everyMs: MINUTE })
  expect((await all()).total).toBe(0)
  await pass(10_000)
  expect((await all()).total).toBe(59)
  await add({ kind: 'fixedRate', everyMs: MINUTE })
  events.emit([{ kind: 'taskChanged', taskId, groupId: 1 }])
  await pass(1000)
  expect((await all()).total).toBe(2 * 59)
})

it('name the next firing of what has fired since they were computed, and say now of what is overdue', async () => {
  const overdue = await add({ kind: 'cron', expression: '0 0 8 * * ?', timezone: 'UTC' }, { name: 'overdue' })
  await pass(1000)
  await add({ kind: 'cron', expression: '0/4 * * * * ?', timezone: 'UTC' }, { name: 'every 4 s' })
  await db.write('rest', (tx) => tx.run('UPDATE series SET next_due_at = ? WHERE owner_id = ?', [T0, overdue]))
  const soonest = async () => (await all()).first.map(({ name, at }) => [name, at.slice(11, 19)])
  expect(await soonest()).toEqual([
    ['overdue', '08:00:01'],
    ['every 4 s', '08:00:04'],
  ])
  await pass(5000)
  expect(await soonest()).toEqual([
    ['overdue', '08:00:06'],
    ['every 4 s', '08:00:08'],
  ])
})
