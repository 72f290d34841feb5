import type { Database } from './database.ts'
import { listOfNumbers } from './list.ts'
import type { ScheduleSpanRow } from './schema.ts'
import { TASK_SERIES } from './span-moves.ts'
import { spansOf, type Span } from './spans.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** A series that is due soon, with the schedule that is in force. */
export interface ComingSeries {
  readonly groupId: number
  readonly taskId: number
  readonly name: string
  readonly isWorkflow: boolean
  readonly nextDueAt: number
  readonly span: Span
  /** the schedule as it is stored, and its calendar: the same key and anchor are due at the same instants */
  readonly scheduleKey: string
}

interface ComingRow extends ScheduleSpanRow {
  group_id: number
  owner_id: number
  next_due_at: number
  name: string
  handler_kind: string
}

/** Series of some slots that are due up to an instant, in no order; at most `limit`. Held ones are left out, and those whose schedule is over. */
export async function comingSeries(
  db: Database,
  { slots, until, limit }: { slots: readonly number[]; until: number; limit: number },
): Promise<ComingSeries[]> {
  const list = listOfNumbers(slots)
  return db.read(async (tx) => {
    const rows = await tx.all<ComingRow>(
      `SELECT p.*, s.group_id, s.owner_id, s.next_due_at, t.name, t.handler_kind FROM series s
       JOIN schedule_span p ON p.series_id = s.id AND p.to_at IS NULL JOIN task t ON t.id = s.owner_id
       WHERE s.slot IN ${list.sql} AND s.next_due_at <= ? AND s.held IS NULL AND s.kind = ${TASK_SERIES} LIMIT ?`,
      [...list.params, until, limit],
    )
    const inForce = rows.filter((row) => row.enabled === 1)
    const spans = await spansOf(tx, inForce)
    return inForce.flatMap((row, index) => {
      const span = spans[index]
      return span === undefined ? [] : [seriesOf(row, span)]
    })
  })
}

function seriesOf(row: ComingRow, span: Span): ComingSeries {
  return {
    groupId: row.group_id,
    taskId: row.owner_id,
    name: row.name,
    isWorkflow: row.handler_kind === WORKFLOW_KIND,
    nextDueAt: row.next_due_at,
    span,
    scheduleKey: `${row.calendar_id ?? ''} ${row.calendar_version ?? ''} ${row.calendar_zone ?? ''} ${row.schedule}`,
  }
}
