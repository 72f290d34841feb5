import type { Calendar, CalendarCreate, CalendarImpact, CalendarListItem, CalendarListQuery, CalendarPreset, CalendarRules, CalendarUpdate, CalendarUses, CalendarVersion } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export const listCalendars = (query: CalendarListQuery) => call<List<CalendarListItem>>({ url: '/calendar', params: query })
export const getCalendar = (id: number) => call<Calendar>({ url: `/calendar/${id}` })
export const createCalendar = (body: CalendarCreate) => call<Calendar>({ method: 'POST', url: '/calendar', data: body })
export const updateCalendar = (id: number, body: CalendarUpdate) => call<Calendar>({ method: 'PUT', url: `/calendar/${id}`, data: body })
export const deleteCalendar = (id: number) => call<null>({ method: 'DELETE', url: `/calendar/${id}` })
export const listPresets = () => call<List<CalendarPreset>>({ url: '/calendar/preset' })
export const listCalendarUses = (id: number) => call<CalendarUses>({ url: `/calendar/${id}/use` })
export const listCalendarVersions = (id: number, query: { page: number; pageSize: number }) => call<List<CalendarVersion>>({ url: `/calendar/${id}/version`, params: query })
export const calendarImpact = (id: number, rules: CalendarRules) => call<CalendarImpact>({ method: 'POST', url: `/calendar/${id}/impact`, data: { rules } })

const PAGE_SIZE = 200

/** Those that a schedule of a group may follow: its own and those of all groups. There are few of them. */
export async function calendarsFor(groupId: number): Promise<CalendarListItem[]> {
  const calendars: CalendarListItem[] = []
  for (let page = 1; ; page += 1) {
    const { items } = await listCalendars({ groupId, page, pageSize: PAGE_SIZE })
    calendars.push(...items)
    if (items.length < PAGE_SIZE) return calendars
  }
}
