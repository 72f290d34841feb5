/** Calendars of the mock, and what a change of a schedule or of a calendar does. */
import type { Calendar, CalendarCreate, CalendarImpact, CalendarListItem, CalendarPreset, CalendarRules, CalendarUpdate, CalendarUse, CalendarVersion, ScheduleImpact, ScheduleInput } from '@tickwheel/contract'
import { compileCalendar, compileSchedule, IMPACT_DAYS, impactOf, lastDayOf, type CompiledSchedule, type Schedule } from '@tickwheel/core'
import type { MockAnswer, MockRequest } from './answer.ts'
import { iso, type World } from './world.ts'

interface Kept {
  readonly calendars: Map<number, Calendar>
  readonly versions: Map<number, CalendarVersion[]>
}
const kept = new WeakMap<World, Kept>()

const CHINA: CalendarRules = {
  weekend: [6, 7],
  days: [
    { from: '2026-01-01', to: '2026-01-03', kind: 'off', name: '元旦' }, { from: '2026-01-04', kind: 'work', name: '元旦补班' },
    { from: '2026-02-15', to: '2026-02-23', kind: 'off', name: '春节' }, { from: '2026-02-14', kind: 'work', name: '春节补班' }, { from: '2026-02-28', kind: 'work', name: '春节补班' },
    { from: '2026-10-01', to: '2026-10-07', kind: 'off', name: '国庆节' }, { from: '2026-10-10', kind: 'work', name: '国庆节补班' },
  ],
  blackouts: [],
}
const PRESETS: CalendarPreset[] = [{ id: 'cn', title: { en: 'Mainland China', zh: '中国大陆节假日' }, source: 'https://www.gov.cn', years: [2025, 2026], rules: CHINA }]

export function keptOf(world: World): Kept {
  const known = kept.get(world) ?? { calendars: new Map(), versions: new Map() }
  kept.set(world, known)
  return known
}

/** Adds a calendar; `groupId` null: of all groups. */
export function addCalendar(world: World, body: CalendarCreate): Calendar {
  const id = (world.lastId += 1)
  const made: Calendar = { id, groupId: body.groupId, groupName: body.groupId === null ? null : (world.groups.get(body.groupId)?.name ?? ''), name: body.name, description: body.description ?? '', version: 1, lastDay: null, useCount: 0, applying: 0, createdAt: iso(world.now), updatedAt: iso(world.now), rules: body.rules }
  keptOf(world).calendars.set(id, made)
  keptOf(world).versions.set(id, [{ version: 1, at: iso(world.now), by: { id: 1, name: 'admin' }, rules: body.rules }])
  return made
}

export function chinaRules(): CalendarRules {
  return structuredClone(CHINA)
}

const ok = (body: unknown, status = 200): MockAnswer => ({ status, body })
const refuse = (status: number, code: string): MockAnswer => ({ status, body: { type: `about:blank#${code}`, title: code, status, detail: `Mock: ${code}`, code } })
const all = <T>(items: readonly T[]) => ({ items, total: items.length, page: 1, pageSize: 200 })

export function calendars(world: World, { method, body, query }: MockRequest, id: string | undefined, rest: string | undefined): MockAnswer {
  const { calendars: known, versions } = keptOf(world)
  if (id === 'preset') return ok(all(PRESETS))
  if (id === undefined && method === 'POST') return ok(shown(world, addCalendar(world, body as CalendarCreate)), 201)
  if (id === undefined) return ok(all([...known.values()].filter(({ name }) => name.includes(query.get('keyword') ?? '')).map((one) => listed(shown(world, one)))))
  const calendar = known.get(Number(id))
  if (calendar === undefined) return refuse(404, 'CALENDAR_NOT_FOUND')
  if (rest === 'use') return ok({ items: usesOf(world, calendar.id), total: usesOf(world, calendar.id).length })
  if (rest === 'version') return ok(all(versions.get(calendar.id) ?? []))
  if (rest === 'impact') return ok(followersImpact(world, calendar, (body as { rules: CalendarRules }).rules))
  if (method === 'DELETE') return usesOf(world, calendar.id).length > 0 ? refuse(409, 'CALENDAR_IN_USE') : (known.delete(calendar.id), ok(null, 204))
  if (method === 'PUT') {
    const { name, description = '', rules, version } = body as CalendarUpdate
    if (version !== calendar.version) return refuse(409, 'STALE_VERSION')
    Object.assign(calendar, { name, description, rules, version: version + 1, updatedAt: iso(world.now) })
    versions.get(calendar.id)?.unshift({ version: version + 1, at: iso(world.now), by: { id: 1, name: 'admin' }, rules })
  }
  return ok(shown(world, calendar))
}

export function scheduleImpactOf(world: World, before: ScheduleInput, after: ScheduleInput): ScheduleImpact | null {
  const [old, fresh] = [compiled(world, before), compiled(world, after)]
  return old === null || fresh === null ? null : impactIn(world, old, fresh)
}

function impactIn(world: World, old: CompiledSchedule, fresh: CompiledSchedule): ScheduleImpact {
  const { from, until, added, removed, moved, ...counts } = impactOf(old, fresh, { from: world.now, until: world.now + IMPACT_DAYS * 86_400_000 })
  const told = ({ count, firings }: { count: number; firings: readonly number[] }) => ({ count, firings: firings.map(iso) })
  return { ...counts, from: iso(from), until: iso(until), added: told(added), removed: told(removed), moved: { count: moved.count, firings: moved.firings.map((one) => ({ from: iso(one.from), to: iso(one.to) })) } }
}

function compiled(world: World, input: ScheduleInput, rules?: CalendarRules): CompiledSchedule | null {
  const id = 'calendarId' in input ? (input.calendarId ?? null) : null
  const known = rules ?? (id === null ? undefined : keptOf(world).calendars.get(id)?.rules)
  const schedule: Schedule = input.kind === 'cron' ? { kind: 'cron', expression: input.expression, timezone: input.timezone ?? 'UTC', ...(input.onDayOff === undefined ? {} : { onDayOff: input.onDayOff }) } : (input as Schedule)
  const compilation = compileSchedule(schedule, { anchorAt: world.now, ...(known === undefined ? {} : { calendar: { calendar: compileCalendar(known), zone: 'UTC' } }) })
  return compilation.ok ? compilation.compiled : null
}

function followersImpact(world: World, { id }: Calendar, rules: CalendarRules): CalendarImpact {
  const uses = usesOf(world, id)
  const items = uses.flatMap(({ kind, id: useId, name, groupName }) => {
    const schedule = (kind === 'task' ? world.tasks : world.workflows).get(useId)?.schedule
    const [old, fresh] = schedule === undefined ? [null, null] : [compiled(world, schedule), compiled(world, schedule, rules)]
    const impact = old === null || fresh === null ? null : impactIn(world, old, fresh)
    return impact === null || impact.added.count + impact.removed.count + impact.moved.count === 0 ? [] : [{ kind, id: useId, name, groupName, impact }]
  })
  return { followers: uses.length, looked: uses.length, changed: items.length, items }
}

function usesOf(world: World, id: number): CalendarUse[] {
  const of = (kind: CalendarUse['kind'], held: Map<number, { id: number; groupId: number; groupName: string; name: string; schedule: ScheduleInput }>) =>
    [...held.values()].filter(({ schedule }) => 'calendarId' in schedule && schedule.calendarId === id).map((one): CalendarUse => ({ kind, id: one.id, groupId: one.groupId, groupName: one.groupName, name: one.name }))
  return [...of('task', world.tasks), ...of('workflow', world.workflows)]
}

function shown(world: World, calendar: Calendar): Calendar {
  return { ...calendar, lastDay: lastDayOf(calendar.rules), useCount: usesOf(world, calendar.id).length }
}

function listed({ rules, ...known }: Calendar): CalendarListItem {
  return { ...known, dayCount: rules.days.length, blackoutCount: rules.blackouts.length }
}
