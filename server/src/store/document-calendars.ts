import { AppError, type DocumentSchedule, type ScheduleInput } from '@tickwheel/contract'
import { query, type ReadTx } from './database.ts'
import type { CalendarRow } from './schema.ts'
import { OF_ALL } from './variable-place.ts'
import { pathKey } from './workflow-refs.ts'

/** The calendars that live, by id and by name: schedules name one by its id, documents by `name` of all groups or `group/name`. */
export class DocumentCalendars {
  readonly #rows = new Map<number, CalendarRow>()
  readonly #names = new Map<number, string>()
  readonly #ids = new Map<string, number>()

  private constructor() {
    // made by `read`
  }

  static async read(tx: ReadTx): Promise<DocumentCalendars> {
    const calendars = new DocumentCalendars()
    const rows = await tx.rows(query.selectFrom('calendar').selectAll().where('deleted_at', 'is', null))
    if (rows.length === 0) return calendars
    const groups = await tx.rows(query.selectFrom('task_group').select(['id', 'name']))
    const nameOf = new Map(groups.map(({ id, name }) => [id, name]))
    for (const row of rows) calendars.put(row, nameOf.get(row.group_id) ?? null)
    return calendars
  }

  /** `group` null: of all groups. */
  put(row: CalendarRow, group: string | null): void {
    const name = group === null ? row.name : `${group}/${row.name}`
    this.#rows.set(row.id, row)
    this.#names.set(row.id, name)
    this.#ids.set(pathKey(name), row.id)
  }

  named(name: string): CalendarRow | null {
    return this.#rows.get(this.#ids.get(pathKey(name)) ?? 0) ?? null
  }

  /** Those of groups, and of all groups, by name. */
  of(groupIds: ReadonlySet<number>): { readonly row: CalendarRow; readonly name: string }[] {
    const found = [...this.#rows.values()].filter(({ group_id }) => group_id === OF_ALL || groupIds.has(group_id))
    const named = found.map((row) => ({ row, name: this.#names.get(row.id) ?? row.name }))
    const keyOf = (one: { readonly row: CalendarRow; readonly name: string }): string =>
      `${one.row.group_id === OF_ALL ? 0 : 1}${pathKey(one.name)}`
    return named.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
  }

  /** As a document has it. */
  toDocument(schedule: ScheduleInput): DocumentSchedule {
    if (!('calendarId' in schedule)) return schedule
    const { calendarId, ...rest } = schedule
    return calendarId == null ? rest : { ...rest, calendar: this.#names.get(calendarId) ?? String(calendarId) }
  }

  /** As it is stored. 422 where there is no such calendar. */
  toStored(schedule: DocumentSchedule): ScheduleInput {
    if (!('calendar' in schedule)) return schedule
    const { calendar, ...rest } = schedule
    if (calendar == null) return rest
    const row = this.named(calendar)
    if (row !== null) return { ...rest, calendarId: row.id }
    const message = `there is no calendar "${calendar}": name it under calendars, or make it first; write group/name for one of a group`
    throw new AppError('UNPROCESSABLE', message, {
      errors: [{ path: 'schedule.calendar', code: 'UNKNOWN_REFERENCE', message, params: { value: calendar } }],
    })
  }
}

export function calendarKey(group: string | undefined, name: string): string {
  return group === undefined ? name.trim() : `${group.trim()}/${name.trim()}`
}
