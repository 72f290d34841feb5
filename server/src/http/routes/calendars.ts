import { setImmediate } from 'node:timers/promises'
import type { CalendarPreset } from '@tickwheel/contract'
import { CALENDAR_PRESETS, visibleScope, type Scope } from '@tickwheel/core'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { Commands } from '../../engine/commands.ts'
import { refuseRules } from '../../store/calendar-problems.ts'
import {
  createCalendar,
  deleteCalendar,
  getCalendar,
  listCalendars,
  listCalendarVersions,
  updateCalendar,
  usesOfCalendar,
} from '../../store/calendars.ts'
import type { Database } from '../../store/database.ts'
import { comparedFollowers, comparedSchedules } from '../../store/schedule-impact.ts'
import { TASK, WORKFLOW } from '../../store/scheduled-kind.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { calendarImpact, scheduleImpact } from '../impact.ts'
import { requireWhereSeen } from '../may-also.ts'
import { pageOf } from '../paging.ts'

type CalendarCalls =
  | 'listCalendars'
  | 'createCalendar'
  | 'listCalendarPresets'
  | 'getCalendar'
  | 'updateCalendar'
  | 'deleteCalendar'
  | 'listCalendarVersions'
  | 'listCalendarUses'
  | 'calendarImpact'
  | 'taskImpact'
  | 'workflowImpact'

export interface CalendarParts {
  readonly db: Database
  readonly change: MakeChange
  readonly commands: Commands
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: () => number
}

export function calendarHandlers({ db, change, commands, serverZone, now }: CalendarParts): HandlersOf<CalendarCalls> {
  return {
    listCalendars: async ({ query, scope }) => listCalendars(db, scope, query),
    createCalendar: async (asked) => {
      requireWhereSeen(asked.who, 'calendar:edit', asked.body.groupId)
      const id = await createCalendar(db, asked.body, await change(asked))
      return getCalendar(db, asked.scope, id)
    },
    listCalendarPresets: async () => ({ items: PRESETS, total: PRESETS.length, page: 1, pageSize: Math.max(1, PRESETS.length) }),
    getCalendar: async ({ params, scope }) => getCalendar(db, scope, params.id),
    updateCalendar: async (asked) => {
      await updateCalendar(db, asked.params.id, asked.body, await change(asked))
      commands.calendarChanged()
      return getCalendar(db, asked.scope, asked.params.id)
    },
    deleteCalendar: async (asked) => {
      await deleteCalendar(db, asked.params.id, await change(asked))
      return null
    },
    listCalendarVersions: async ({ params, query, scope }) => listCalendarVersions(db, scope, { id: params.id, ...pageOf(query) }),
    listCalendarUses: async ({ params, scope, who }) => usesOfCalendar(db, params.id, { own: scope, ...seenBy(who) }),
    calendarImpact: async ({ params, body, scope, who }) => {
      refuseRules(body.rules)
      const compared = await comparedFollowers(db, { id: params.id, rules: body.rules, scopes: { own: scope, ...seenBy(who) } })
      return calendarImpact(compared, now(), async () => setImmediate())
    },
    taskImpact: async ({ params, body, scope, who }) =>
      scheduleImpact(
        await comparedSchedules(db, { kind: TASK, id: params.id, ...body, scope, calendars: seenCalendars(who), serverZone, now: now() }),
        now(),
      ),
    workflowImpact: async ({ params, body, scope, who }) =>
      scheduleImpact(
        await comparedSchedules(db, {
          kind: WORKFLOW,
          id: params.id,
          ...body,
          scope,
          calendars: seenCalendars(who),
          serverZone,
          now: now(),
        }),
        now(),
      ),
  }
}

const PRESETS: CalendarPreset[] = CALENDAR_PRESETS.map(({ rules, years, ...preset }) => ({
  ...preset,
  years: [...years],
  rules: { weekend: [...rules.weekend], days: rules.days.map((day) => ({ ...day })), blackouts: [] },
}))

function seenBy({ grants }: SignedUser): { tasks: Scope; workflows: Scope } {
  return { tasks: visibleScope(grants, 'task:view'), workflows: visibleScope(grants, 'workflow:view') }
}

function seenCalendars({ grants }: SignedUser): Scope {
  return visibleScope(grants, 'calendar:view')
}
