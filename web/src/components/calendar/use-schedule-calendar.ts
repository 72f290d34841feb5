import { compileCalendar, type CompiledCalendar } from '@tickwheel/core'
import { shallowRef, watch, type ShallowRef } from 'vue'
import { getCalendar } from '../../api/calendars.ts'

/** `wait`: it is being read; `unseen`: this user may not see it, or it could not be read. */
export type ScheduleCalendar = { readonly kind: 'none' | 'wait' | 'unseen' } | { readonly kind: 'known'; readonly id: number; readonly name: string; readonly calendar: CompiledCalendar }

/** The calendar that a schedule follows, compiled as the server does it. Read anew when another is chosen. */
export function useScheduleCalendar(calendarId: () => number | null): Readonly<ShallowRef<ScheduleCalendar>> {
  const held = shallowRef<ScheduleCalendar>({ kind: 'none' })
  watch(calendarId, async (id) => {
    held.value = { kind: id === null ? 'none' : 'wait' }
    if (id === null) return
    const found = await getCalendar(id).catch(() => null)
    if (calendarId() !== id) return
    held.value = found === null ? { kind: 'unseen' } : { kind: 'known', id, name: found.name, calendar: compileCalendar(found.rules) }
  }, { immediate: true })
  return held
}
