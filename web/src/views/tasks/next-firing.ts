import type { TaskListItem } from '@tickwheel/contract'
import { compileSchedule } from '@tickwheel/core'
import { toSchedule } from '../../components/schedule-words.ts'

/**
 * When a row fires next, as of now. The row's own figure is passed as soon as the task fires; the next one follows from the schedule, so
 * that the list need not be read again. Null: never, or (fixedDelay) not known before the run has ended.
 */
export function nextFiring(task: Pick<TaskListItem, 'schedule' | 'nextFireAt' | 'enabled'>, nowMs: number): string | null {
  if (!task.enabled || task.nextFireAt === null) return null
  const known = Date.parse(task.nextFireAt)
  if (known > nowMs || task.schedule.kind === 'fixedDelay') return task.nextFireAt
  const compilation = compileSchedule(toSchedule(task.schedule), { anchorAt: known })
  const next = compilation.ok ? compilation.compiled.next(nowMs) : null
  return next === null ? null : new Date(next).toISOString()
}
