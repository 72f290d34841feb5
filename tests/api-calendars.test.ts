import type {
  AuditListItem,
  Calendar,
  CalendarImpact,
  CalendarListItem,
  CalendarPreset,
  CalendarRules,
  CalendarUses,
  CalendarVersion,
  Group,
  PreviewAnswer,
  Problem,
  ScheduleImpact,
  Task,
  WhyAnswer,
  Workflow,
} from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson } from './person.fixture.ts'

/* Calendars as the calls give them: made, used by schedules, changed under them. */

interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

let api: ApiServer
let admin: ApiClient
let home: Group
let other: Group
/** may do what a developer may, in the first group alone */
let member: ApiClient

const DAY_MS = 86_400_000
const WEEKENDS: CalendarRules = { weekend: [6, 7], days: [], blackouts: [] }
const handler = { kind: 'shell', script: 'true' }
const nightly = (more: object) => ({ kind: 'cron', expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai', ...more })
let made = 0
const named = (): string => `made ${(made += 1)}`

beforeAll(async () => {
  api = await openApi()
  admin = api.admin
  home = await admin.post<Group>('/group', { name: 'home', appName: 'home-app' })
  other = await admin.post<Group>('/group', { name: 'other', appName: 'other-app' })
  member = await makePerson(api, 'member', [{ role: 'developer', groupIds: [home.id] }])
})
afterAll(() => api.close())

async function problem(client: ApiClient, method: string, path: string, body?: unknown): Promise<[string, Record<string, string>]> {
  const answer = await client.call<Problem>(method, path, body)
  return [answer.body.code, Object.fromEntries((answer.body.errors ?? []).map((error) => [error.path, error.code]))]
}
const newCalendar = async (rules: CalendarRules = WEEKENDS, groupId: number | null = home.id): Promise<Calendar> =>
  admin.post<Calendar>('/calendar', { groupId, name: named(), rules })
const newTask = async (schedule: object, more: object = {}): Promise<Task> =>
  admin.post<Task>('/task', { groupId: home.id, name: named(), schedule, handler, ...more })
const settled = async (id: number): Promise<Calendar> =>
  waitFor(async () => {
    const calendar = await admin.get<Calendar>(`/calendar/${id}`)
    return calendar.applying === 0 ? calendar : null
  })

describe('a calendar', () => {
  it('is made, read, listed, changed under its version, and deleted', async () => {
    const rules: CalendarRules = { ...WEEKENDS, days: [{ from: '2027-01-01', kind: 'off', name: '元旦' }] }
    const calendar = await admin.post<Calendar>('/calendar', { groupId: home.id, name: 'Office', description: 'ours', rules })
    expect(calendar).toMatchObject({
      groupName: 'home',
      name: 'Office',
      version: 1,
      lastDay: '2027-01-01',
      useCount: 0,
      applying: 0,
      rules,
    })
    const { items } = await admin.get<List<CalendarListItem>>('/calendar?keyword=office')
    expect(items).toMatchObject([{ id: calendar.id, dayCount: 1, blackoutCount: 0 }])
    expect(items[0]).not.toHaveProperty('rules')
    const renamed = await admin.call<Calendar>('PUT', `/calendar/${calendar.id}`, { name: 'Bureau', rules, version: 1 })
    expect(renamed.body).toMatchObject({ name: 'Bureau', description: 'ours', version: 2 })
    expect(await problem(admin, 'PUT', `/calendar/${calendar.id}`, { name: 'Late', rules, version: 1 })).toEqual(['STALE_VERSION', {}])
    await admin.call('PUT', `/calendar/${calendar.id}`, { name: 'Bureau', rules: WEEKENDS, version: 2 })
    const versions = await admin.get<List<CalendarVersion>>(`/calendar/${calendar.id}/version`)
    expect(versions.items.map(({ version, by, rules: of }) => [version, by?.name, of.days.length])).toEqual([
      [3, 'admin', 0],
      [1, 'admin', 1],
    ])
    const { items: entries } = await admin.get<List<AuditListItem>>('/audit?action=calendar:*')
    expect(entries.slice(0, 3).map(({ action, resource }) => [action, resource.key])).toEqual([
      ['calendar:edit', 'home/Bureau'],
      ['calendar:edit', 'home/Office'],
      ['calendar:create', 'home/Office'],
    ])
    expect((await admin.call('DELETE', `/calendar/${calendar.id}`)).status).toBe(204)
    expect(await problem(admin, 'GET', `/calendar/${calendar.id}`)).toEqual(['CALENDAR_NOT_FOUND', {}])
    expect((await newCalendar()).id).toBeGreaterThan(calendar.id)
  })

  it('is refused with every field that is wrong', async () => {
    const rules = {
      weekend: [6],
      days: [
        { from: '2026-02-30', kind: 'off' },
        { from: '2026-03-02', to: '2026-03-01', kind: 'off' },
      ],
      blackouts: [{ kind: 'once', from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }],
    }
    expect(await problem(admin, 'POST', '/calendar', { groupId: home.id, name: named(), rules })).toEqual([
      'UNPROCESSABLE',
      {
        'rules.days.0.from': 'CALENDAR_DAY_INVALID',
        'rules.days.1.to': 'CALENDAR_RANGE_REVERSED',
        'rules.blackouts.0.to': 'CALENDAR_RANGE_REVERSED',
      },
    ])
    const { name } = await newCalendar()
    expect(await problem(admin, 'POST', '/calendar', { groupId: home.id, name: name.toUpperCase(), rules: WEEKENDS })).toEqual([
      'UNPROCESSABLE',
      { name: 'NAME_TAKEN' },
    ])
    expect(
      await problem(admin, 'POST', '/calendar', { groupId: other.id, name, rules: { ...WEEKENDS, weekend: [1, 2, 3, 4, 5, 6, 7] } }),
    ).toEqual(['VALIDATION_FAILED', { 'rules.weekend': 'TOO_LONG' }])
  })

  it('of another group is not there for a member; one of all groups is seen by everyone, and changed by who may in all', async () => {
    const [own, foreign, common] = [await newCalendar(), await newCalendar(WEEKENDS, other.id), await newCalendar(WEEKENDS, null)]
    const { items } = await member.get<List<CalendarListItem>>(`/calendar?groupId=${home.id}&pageSize=200`)
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining([own.id, common.id]))
    expect(items.map(({ id }) => id)).not.toContain(foreign.id)
    expect(await member.get<Calendar>(`/calendar/${common.id}`)).toMatchObject({ groupId: null, groupName: null })
    const body = { name: 'mine', rules: WEEKENDS, version: 1 }
    expect((await problem(member, 'GET', `/calendar/${foreign.id}`))[0]).toBe('CALENDAR_NOT_FOUND')
    expect((await problem(member, 'PUT', `/calendar/${common.id}`, body))[0]).toBe('FORBIDDEN')
    expect((await problem(member, 'DELETE', `/calendar/${common.id}`))[0]).toBe('FORBIDDEN')
    expect((await problem(member, 'POST', '/calendar', { groupId: null, name: named(), rules: WEEKENDS }))[0]).toBe('FORBIDDEN')
    const task = (calendarId: number) => ({
      groupId: home.id,
      name: named(),
      schedule: { ...nightly({}), calendarId },
      handler: { kind: 'named', name: 'x' },
    })
    const unknown = ['UNPROCESSABLE', { 'schedule.calendarId': 'UNKNOWN_REFERENCE' }]
    expect(await problem(member, 'POST', '/task', task(foreign.id))).toEqual(unknown)
    expect(await problem(admin, 'POST', '/task', task(foreign.id))).toEqual(unknown)
    expect(await problem(member, 'POST', '/schedule/preview', { schedule: task(foreign.id).schedule })).toEqual(unknown)
    expect((await member.call('POST', '/task', task(common.id))).status).toBe(201)
  })

  it('of mainland China can be taken over and edited', async () => {
    const { items } = await member.get<List<CalendarPreset>>('/calendar/preset')
    const [china] = items
    expect(china).toMatchObject({ id: 'china-mainland', years: [2025, 2026] })
    const calendar = await newCalendar(china?.rules)
    expect(calendar).toMatchObject({ lastDay: '2026-10-10' })
    const schedule = nightly({ calendarId: calendar.id, onDayOff: 'next' })
    const look = await admin.post<PreviewAnswer>('/schedule/preview', { schedule, from: '2026-09-30T00:00:00+08:00', count: 3 })
    expect(look.firings.map(({ local, movedFrom }) => [local.slice(0, 10), movedFrom])).toEqual([
      ['2026-09-30', undefined],
      ['2026-10-08', undefined],
      ['2026-10-09', undefined],
    ])
    expect(look.words.zh).toContain(`日历“${calendar.name}”`)
    const skip = await admin.post<PreviewAnswer>('/schedule/preview', {
      schedule: nightly({ calendarId: calendar.id }),
      from: '2026-09-30T00:00:00+08:00',
      count: 2,
    })
    expect(skip.leftOut.map(({ why, name }) => `${why} ${name}`)).toEqual(new Array(7).fill('dayOff 国庆节'))
  })
})

describe('a schedule with a calendar', () => {
  it('keeps it through save, restore, stop and start, and is counted as using it', async () => {
    const calendar = await newCalendar()
    const task = await newTask(nightly({ calendarId: calendar.id, onDayOff: 'next' }), { enabled: true })
    expect(task.schedule).toMatchObject({ calendarId: calendar.id, onDayOff: 'next' })
    const workflow = await admin.post<Workflow>('/workflow', {
      groupId: home.id,
      name: named(),
      schedule: { kind: 'fixedRate', everyMs: 60_000, calendarId: calendar.id },
      steps: [{ key: 'ask', kind: 'approval', prompt: 'Go on?' }],
      edges: [],
    })
    const uses = await member.get<CalendarUses>(`/calendar/${calendar.id}/use`)
    expect(uses).toMatchObject({
      total: 2,
      items: [
        { kind: 'task', id: task.id },
        { kind: 'workflow', id: workflow.id, groupName: 'home' },
      ],
    })
    expect(await problem(admin, 'DELETE', `/calendar/${calendar.id}`)).toEqual(['CALENDAR_IN_USE', {}])
    const without = await admin.call<Task>('PUT', `/task/${task.id}`, {
      groupId: home.id,
      name: task.name,
      schedule: nightly({ calendarId: null }),
      handler,
      version: 1,
    })
    expect(without.body.schedule).not.toHaveProperty('calendarId')
    expect(await admin.get<Calendar>(`/calendar/${calendar.id}`)).toMatchObject({ useCount: 1 })
    await admin.post(`/task/${task.id}/version/1/restore`)
    await admin.post(`/task/${task.id}/stop`)
    await admin.post(`/task/${task.id}/start`)
    const { firings } = await admin.get<PreviewAnswer>(`/task/${task.id}/next?count=14`)
    // no Saturday and no Sunday in Shanghai
    expect(firings.map(({ local }) => new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay() % 6)).not.toContain(0)
    await admin.call('DELETE', `/workflow/${workflow.id}`)
    await admin.call('DELETE', `/task/${task.id}`)
    expect((await admin.call('DELETE', `/calendar/${calendar.id}`)).status).toBe(204)
  })

  it('is refused where the calendar leaves it nothing, or the rule has no calendar', async () => {
    const closed = await newCalendar({ weekend: [], days: [], blackouts: [{ kind: 'daily', from: '01:00', to: '03:00' }] })
    const save = async (schedule: object) => problem(admin, 'POST', '/task', { groupId: home.id, name: named(), schedule, handler })
    expect(await save(nightly({ calendarId: closed.id }))).toEqual(['UNPROCESSABLE', { 'schedule.calendarId': 'CALENDAR_LEAVES_NOTHING' }])
    expect(await save(nightly({ onDayOff: 'next' }))).toEqual(['UNPROCESSABLE', { 'schedule.calendarId': 'REQUIRED' }])
    expect(await save(nightly({ calendarId: 999_999 }))).toEqual(['UNPROCESSABLE', { 'schedule.calendarId': 'UNKNOWN_REFERENCE' }])
    const look = await admin.post<PreviewAnswer>('/schedule/preview', { schedule: nightly({ calendarId: closed.id }), count: 1 })
    expect(look.firings).toEqual([])
    expect(look.leftOut).toHaveLength(100)
  })

  it('follows a change of the rules, keeps its grid, and says for ever why it did not fire', async () => {
    const calendar = await newCalendar({ weekend: [], days: [], blackouts: [] })
    const now = Date.now()
    const day = (more: number): string => new Date(now + more * DAY_MS).toISOString().slice(0, 10)
    const weekday = new Date(`${day(4)}T00:00:00Z`).getUTCDay() + 1
    const expression = `0 0 2 ? * ${weekday}`
    const weekly = await newTask(
      { kind: 'cron', expression, timezone: 'UTC', calendarId: calendar.id, onDayOff: 'next' },
      { enabled: true },
    )
    const rate = await newTask({ kind: 'fixedRate', everyMs: 7_000, calendarId: calendar.id }, { enabled: true })
    const stopped = await newTask(nightly({ calendarId: calendar.id }))
    const rules: CalendarRules = {
      weekend: [],
      days: [
        { from: day(-1), to: day(1), kind: 'off', name: 'works' },
        { from: day(4), kind: 'off', name: 'feast' },
      ],
      blackouts: [],
    }
    const saved = await admin.call<Calendar>('PUT', `/calendar/${calendar.id}`, { name: calendar.name, rules, version: 1 })
    expect(saved.body.useCount).toBe(3)
    expect((await settled(calendar.id)).version).toBe(2)
    const moved = await admin.get<Task>(`/task/${weekly.id}`)
    expect([moved.nextFireAt, moved.version]).toEqual([`${day(5)}T02:00:00.000Z`, 1])
    const later = await admin.get<Task>(`/task/${rate.id}`)
    // the grid begins where it did: with the task
    expect(Date.parse(later.nextFireAt ?? '')).toBeGreaterThan(now + 9 * 3_600_000)
    expect((Date.parse(later.nextFireAt ?? '') - Date.parse(rate.nextFireAt ?? '')) % 7000).toBe(0)
    const [from, to] = [`${day(4)}T02:00:00.000Z`, `${day(5)}T02:00:00.000Z`]
    const of = { name: calendar.name, calendarId: calendar.id, version: 2, why: 'dayOff', day: 'feast' }
    expect(await admin.get<WhyAnswer>(`/task/${weekly.id}/decisions?at=${to}`)).toMatchObject({
      verdict: 'notYet',
      calendar: { ...of, reason: 'calendarMoved', movedFrom: from, movedTo: null },
    })
    expect(await admin.get<WhyAnswer>(`/task/${weekly.id}/decisions?at=${from}`)).toMatchObject({
      verdict: 'notDue',
      calendar: { ...of, reason: 'calendarExcluded', movedFrom: null, movedTo: to },
    })
    const left = new Date(Date.parse(rate.nextFireAt ?? '') + 7000 * 1000).toISOString()
    expect(await admin.get<WhyAnswer>(`/task/${rate.id}/decisions?at=${left}`)).toMatchObject({
      verdict: 'notDue',
      calendar: { reason: 'calendarExcluded', why: 'dayOff', day: 'works', movedTo: null },
    })
    expect((await admin.get<Task>(`/task/${stopped.id}`)).enabled).toBe(false)
    for (const { id } of [weekly, rate, stopped]) await admin.call('DELETE', `/task/${id}?cancelRunning=true`)
  })
})

describe('what a change would do', () => {
  it('to the next 30 days is told before a schedule is saved', async () => {
    const calendar = await newCalendar()
    const task = await newTask(nightly({}), { enabled: true })
    const look = async (schedule: object) => member.post<ScheduleImpact>(`/task/${task.id}/impact`, { schedule })
    expect(await look(nightly({}))).toMatchObject({
      isKnown: true,
      before: 30,
      after: 30,
      added: { count: 0 },
      removed: { count: 0 },
      moved: { count: 0 },
    })
    expect(await look({ ...nightly({}), expression: '0 0 3 * * ?' })).toMatchObject({ moved: { count: 30 } })
    const skipped = await look(nightly({ calendarId: calendar.id }))
    expect(skipped.removed.count).toBe(30 - skipped.after)
    expect(skipped.removed.count).toBeGreaterThanOrEqual(8)
    expect(await look({ kind: 'fixedDelay', delayMs: 1000 })).toMatchObject({ isKnown: false })
    expect(await problem(member, 'POST', `/task/${task.id}/impact`, { schedule: nightly({ calendarId: 999_999 }) })).toEqual([
      'UNPROCESSABLE',
      { 'schedule.calendarId': 'UNKNOWN_REFERENCE' },
    ])
  })

  it('to everything that uses a calendar is told before it is saved', async () => {
    const calendar = await newCalendar({ weekend: [], days: [], blackouts: [] }, null)
    const task = await newTask(nightly({ calendarId: calendar.id }), { enabled: true })
    await newTask({ kind: 'cron', expression: '0 0 2 ? * MON-FRI', timezone: 'Asia/Shanghai', calendarId: calendar.id }, { enabled: true })
    await admin.post<Task>('/task', {
      groupId: other.id,
      name: named(),
      schedule: nightly({ calendarId: calendar.id }),
      handler,
      enabled: true,
    })
    const look = async (client: ApiClient) => client.post<CalendarImpact>(`/calendar/${calendar.id}/impact`, { rules: WEEKENDS })
    expect(await look(admin)).toMatchObject({ followers: 3, looked: 3, changed: 2 })
    const seen = await look(member)
    expect(seen).toMatchObject({ followers: 2, looked: 2, changed: 1, items: [{ kind: 'task', id: task.id, groupName: 'home' }] })
    expect(seen.items[0]?.impact.removed.count).toBeGreaterThanOrEqual(8)
  })
})
