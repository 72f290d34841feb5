import { CALENDAR_DAY_KINDS, CALENDAR_LIMITS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { Name } from './groups.ts'
import { ScheduleImpact } from './impact.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'
import { Words } from './tasks.ts'

/*
 * Calendars: which days are worked, which are off, when nothing may fire. A calendar belongs to a group, or to all groups (`groupId` null). Schedules name
 * one by its id, of their own group or of all groups.
 */

const DayText = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a day of the Gregorian calendar, such as 2026-10-01' })
const TimeText = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'HH:MM' })
const DayName = Type.Optional(Type.String({ maxLength: CALENDAR_LIMITS.nameLength }))
const Weekday = Type.Integer({ minimum: 1, maximum: 7, description: '1 = Monday to 7 = Sunday' })

/** `from` to `to`, both inclusive; without `to` one day. Of two entries for a day the later in the list counts. */
export const CalendarDayRuleInput = strict({ from: DayText, to: Type.Optional(DayText), kind: oneOf(CALENDAR_DAY_KINDS), name: DayName })
export const BlackoutInput = Type.Union([
  strict({ kind: Type.Literal('once'), from: Instant, to: Instant, name: DayName }),
  strict({
    kind: Type.Literal('daily'),
    from: TimeText,
    to: TimeText,
    weekdays: Type.Optional(
      Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true, description: 'on which it begins; absent: every day' }),
    ),
    name: DayName,
  }),
])
/** What a calendar says. A blackout that ends before it begins goes over midnight; that ends as it begins takes the whole day. */
export const CalendarRules = strict({
  weekend: Type.Array(Weekday, { maxItems: 6, uniqueItems: true, description: 'weekdays that are off' }),
  days: Type.Array(CalendarDayRuleInput, { maxItems: CALENDAR_LIMITS.days }),
  blackouts: Type.Array(BlackoutInput, { maxItems: CALENDAR_LIMITS.blackouts }),
})
export type CalendarRules = Static<typeof CalendarRules>

const Description = Type.Optional(Type.String({ maxLength: 1000 }))
export const CalendarCreate = strict({ groupId: nullable(Id), name: Name, description: Description, rules: CalendarRules })
export type CalendarCreate = Static<typeof CalendarCreate>
/** Group and id stay; a rename reaches every schedule at once. */
export const CalendarUpdate = strict({
  name: Name,
  description: Description,
  rules: CalendarRules,
  version: Type.Integer({ minimum: 1 }),
})
export type CalendarUpdate = Static<typeof CalendarUpdate>

const known = {
  id: Id,
  groupId: nullable(Id),
  groupName: nullable(Type.String()),
  name: Type.String(),
  description: Type.String(),
  version: Type.Integer(),
  lastDay: nullable(Type.String({ description: 'the last day that its days speak of; null: they speak of none' })),
  useCount: Type.Integer({ description: 'tasks and workflows that use it, in all groups' }),
  applying: Type.Integer({ description: 'tasks and workflows that its last change has not reached yet' }),
  createdAt: Instant,
  updatedAt: Instant,
}
export const CalendarListItem = strict({ ...known, dayCount: Type.Integer(), blackoutCount: Type.Integer() })
export type CalendarListItem = Static<typeof CalendarListItem>
export const Calendar = strict({ ...known, rules: CalendarRules })
export type Calendar = Static<typeof Calendar>

/** A version at which the rules changed; a rename alone makes none. */
export const CalendarVersion = strict({
  version: Type.Integer(),
  at: Instant,
  by: nullable(strict({ id: Id, name: Type.String() })),
  rules: CalendarRules,
})
export type CalendarVersion = Static<typeof CalendarVersion>

/** `groupId`: of this group and of all groups: what its schedules may use. `scope`: `all`: only what belongs to all groups; `group`: only what belongs to one. */
export const CalendarListQuery = strict({
  ...PageQuery,
  groupId: Type.Optional(Id),
  scope: Type.Optional(oneOf(['all', 'group'])),
  keyword: Type.Optional(Type.String({ maxLength: 64 })),
})
export type CalendarListQuery = Static<typeof CalendarListQuery>

/** A task or a workflow that uses a calendar now. At most 200 are listed; `total` counts them up to 1,000. */
export const CalendarUse = strict({ kind: oneOf(['task', 'workflow']), id: Id, groupId: Id, groupName: Type.String(), name: Type.String() })
export type CalendarUse = Static<typeof CalendarUse>
export const CalendarUses = strict({ items: Type.Array(CalendarUse), total: Type.Integer() })
export type CalendarUses = Static<typeof CalendarUses>

/** Rules to begin with, which a person may edit. `years`: those of which every official day is in them; `source`: where they were published. */
export const CalendarPreset = strict({
  id: Type.String(),
  title: Words,
  source: Type.String(),
  years: Type.Array(Type.Integer()),
  rules: CalendarRules,
})
export type CalendarPreset = Static<typeof CalendarPreset>

/**
 * What other rules would change for those who use the calendar. `followers`: how many there are that the caller may see; `looked`: how many of them were
 * looked at; `changed`: of how many of these a firing of the next 30 days changes; `items`: the first 20 of these.
 */
export const CalendarImpact = strict({
  followers: Type.Integer(),
  looked: Type.Integer(),
  changed: Type.Integer(),
  items: Type.Array(
    strict({ kind: oneOf(['task', 'workflow']), id: Id, name: Type.String(), groupName: Type.String(), impact: ScheduleImpact }),
  ),
})
export type CalendarImpact = Static<typeof CalendarImpact>

const tag = 'calendar'
export const calendarRoutes = [
  defineRoute({
    id: 'listCalendars',
    method: 'GET',
    path: '/calendar',
    access: 'calendar:view',
    budget: 'read',
    tag,
    summary: 'List calendars',
    query: CalendarListQuery,
    status: 200,
    answer: listOf(CalendarListItem),
  }),
  defineRoute({
    id: 'createCalendar',
    method: 'POST',
    path: '/calendar',
    access: 'calendar:edit',
    budget: 'write',
    tag,
    summary: 'Create a calendar',
    body: CalendarCreate,
    status: 201,
    answer: Calendar,
  }),
  defineRoute({
    id: 'listCalendarPresets',
    method: 'GET',
    path: '/calendar/preset',
    access: 'self',
    budget: 'read',
    tag,
    summary: 'Rules to begin a calendar with',
    status: 200,
    answer: listOf(CalendarPreset),
  }),
  defineRoute({
    id: 'getCalendar',
    method: 'GET',
    path: '/calendar/:id',
    access: 'calendar:view',
    budget: 'read',
    tag,
    summary: 'One calendar',
    params: IdParams,
    status: 200,
    answer: Calendar,
  }),
  defineRoute({
    id: 'updateCalendar',
    method: 'PUT',
    path: '/calendar/:id',
    access: 'calendar:edit',
    budget: 'write',
    tag,
    summary: 'Change a calendar; what uses it follows soon after',
    params: IdParams,
    body: CalendarUpdate,
    status: 200,
    answer: Calendar,
  }),
  defineRoute({
    id: 'deleteCalendar',
    method: 'DELETE',
    path: '/calendar/:id',
    access: 'calendar:delete',
    budget: 'write',
    tag,
    summary: 'Delete a calendar that nothing uses',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
  defineRoute({
    id: 'listCalendarVersions',
    method: 'GET',
    path: '/calendar/:id/version',
    access: 'calendar:view',
    budget: 'read',
    tag,
    summary: 'What its rules were, newest first',
    params: IdParams,
    query: strict(PageQuery),
    status: 200,
    answer: listOf(CalendarVersion),
  }),
  defineRoute({
    id: 'listCalendarUses',
    method: 'GET',
    path: '/calendar/:id/use',
    access: 'calendar:view',
    budget: 'read',
    tag,
    summary: 'Tasks and workflows that use a calendar',
    params: IdParams,
    status: 200,
    answer: CalendarUses,
  }),
  defineRoute({
    id: 'calendarImpact',
    method: 'POST',
    path: '/calendar/:id/impact',
    access: 'calendar:view',
    budget: 'heavy',
    tag,
    summary: 'What other rules would change in the next 30 days',
    params: IdParams,
    body: strict({ rules: CalendarRules }),
    status: 200,
    answer: CalendarImpact,
  }),
] as const
