import { CalendarRules } from '@tickwheel/contract'
import type { BoundCalendar, CompiledCalendar } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { query, type Database, type ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import type { ScheduleSpanRow } from './schema.ts'
import { BrokenData } from './schedules.ts'

const rulesCheck = Compile(CalendarRules)

/** The calendar of a span: a version of its rules, and by whose clock a rate or a delay tells its days. */
export interface SpanCalendar extends BoundCalendar {
  readonly id: number
  readonly version: number
}

interface VersionKey {
  readonly id: number
  readonly version: number
}

/** Versions of calendars, from the shelf of this process, or from the store in one read. One that is not there is missing from the answer. */
export async function calendarsAt(tx: ReadTx, keys: readonly VersionKey[]): Promise<(key: VersionKey) => CompiledCalendar | null> {
  const shelf = tx.watch.calendars
  const found = new Map<string, CompiledCalendar>()
  const missing = new Map<string, VersionKey>()
  for (const { id, version } of keys) {
    const known = shelf.get(id, version)
    if (known === null) missing.set(`${id}:${version}`, { id, version })
    else found.set(`${id}:${version}`, known)
  }
  for (const { id, version } of missing.values()) {
    const row = await tx.first(
      query.selectFrom('calendar_version').select('rules').where('calendar_id', '=', id).where('version', '=', version),
    )
    if (row !== null) found.set(`${id}:${version}`, shelf.put(id, version, readRules(row.rules)))
  }
  return ({ id, version }) => found.get(`${id}:${version}`) ?? null
}

/** Takes versions that are at hand from the store again: it was away, and may have been restored meanwhile. */
export async function readCalendarsAgain(db: Database): Promise<void> {
  await db.read((tx) => {
    tx.watch.calendars.clear()
    return Promise.resolve()
  })
}

/** What spans name, by row. */
export async function calendarsOfSpans(
  tx: ReadTx,
  rows: readonly ScheduleSpanRow[],
): Promise<(row: ScheduleSpanRow) => SpanCalendar | null> {
  const keys = rows.flatMap((row) => keysOf(row))
  if (keys.length === 0) return () => null
  const calendarAt = await calendarsAt(tx, keys)
  return (row) => {
    const [key] = keysOf(row)
    if (key === undefined) return null
    const calendar = calendarAt(key)
    if (calendar === null)
      throw new BrokenData(`calendar ${key.id} has no version ${key.version}, which a span of series ${row.series_id} names`)
    return { ...key, calendar, zone: row.calendar_zone ?? 'UTC' }
  }
}

function keysOf({ calendar_id: id, calendar_version: version }: ScheduleSpanRow): VersionKey[] {
  return id === null || version === null ? [] : [{ id, version }]
}

/** Rules as they are stored. Throws `BrokenData` for text that this program did not write. */
export function readRules(text: string): CalendarRules {
  const value = parseJson(text)
  if (rulesCheck.Check(value)) return value
  throw new BrokenData(`stored rules of a calendar are not valid: ${text.slice(0, 200)}`)
}
