import type { ScheduleInput } from '@tickwheel/contract'
import { businessDate } from '@tickwheel/core'
import type { RunFacts } from './schema.ts'

/** The business date of a run (YYYY-MM-DD): the day of its instant in the zone of the schedule; of a schedule without one, in that of the server. */
export function runDate(
  { due_at, created_at }: Pick<RunFacts, 'due_at' | 'created_at'>,
  schedule: ScheduleInput | undefined,
  serverZone: string,
): string {
  return businessDate(due_at ?? created_at, schedule?.kind === 'cron' ? (schedule.timezone ?? serverZone) : serverZone)
}
