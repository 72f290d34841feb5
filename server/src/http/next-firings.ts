import { AppError, type PreviewAnswer, type ScheduleInput } from '@tickwheel/contract'
import { previewSchedule, type Scope } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import type { NamedCalendar } from '../store/named-calendar.ts'
import type { ScheduledKind } from '../store/scheduled-kind.ts'
import { timingOf } from '../store/scheduled-list.ts'
import { scheduleFieldProblem, toSchedule } from '../store/schedules.ts'

export interface PreviewParts {
  readonly db: Database
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: () => number
}

/** The firings of a schedule, and the schedule in words; 422 where it has none. */
export function preview(
  schedule: ScheduleInput,
  { serverZone, now }: PreviewParts,
  { from, count, anchorAt, calendar }: { from?: number | undefined; count: number; anchorAt?: number; calendar: NamedCalendar | null },
): PreviewAnswer {
  const found = previewSchedule(toSchedule(schedule, serverZone), {
    count,
    now: now(),
    anchorAt: anchorAt ?? now(),
    timezone: serverZone,
    ...(from === undefined ? {} : { from }),
    ...(calendar === null ? {} : { calendar }),
  })
  if (found.ok) return { firings: [...found.firings], leftOut: [...found.leftOut], words: found.words }
  const errors = found.problems.map(scheduleFieldProblem)
  throw new AppError('UNPROCESSABLE', errors.map((problem) => problem.message).join('; '), { errors })
}

/** The coming instants of a task or a workflow; none while it is stopped, one while only the next is known. */
export async function nextFirings(
  parts: PreviewParts,
  { kind, id, scope, count }: { kind: ScheduledKind; id: number; scope: Scope; count: number },
): Promise<PreviewAnswer> {
  const { schedule, anchorAt, isEnabled, nextDueAt, calendar } = await timingOf(parts.db, kind, scope, id)
  const { words } = preview(schedule, parts, { count: 1, anchorAt, calendar })
  if (!isEnabled || nextDueAt === null) return { firings: [], leftOut: [], words }
  const isKnownOnce = schedule.kind === 'fixedDelay'
  const shown: ScheduleInput = isKnownOnce ? { kind: 'once', at: new Date(nextDueAt).toISOString() } : schedule
  return { ...preview(shown, parts, { count, anchorAt, from: nextDueAt - 1, calendar: isKnownOnce ? null : calendar }), words }
}
