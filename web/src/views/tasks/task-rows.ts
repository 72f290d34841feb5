import type { InstanceListItem, TaskListItem } from '@tickwheel/contract'
import { isEnded } from '../../components/run-state.ts'

const KEPT = 20

/** The rows with what live events say about their runs; rows that are not concerned stay the same objects. */
export function withRuns(rows: readonly TaskListItem[], runs: readonly InstanceListItem[]): TaskListItem[] {
  return rows.map((row) => runs.filter((run) => run.taskId === row.id).reduce(withRun, row))
}

function withRun(row: TaskListItem, run: InstanceListItem): TaskListItem {
  const durationMs = run.startedAt === null || run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt)
  const dot = { id: run.id, state: run.state, scheduledAt: run.scheduledAt ?? run.firedAt, durationMs }
  const others = row.recent.filter((known) => known.id !== run.id)
  const recent = [dot, ...others].sort((a, b) => b.id - a.id).slice(0, KEPT)
  return { ...row, recent, openRuns: openAfter(row, run) }
}

/** The server's count is of all open runs; an event of one run changes it by what that run was before. */
function openAfter(row: TaskListItem, run: InstanceListItem): number {
  const before = row.recent.find((known) => known.id === run.id)
  const wasOpen = before !== undefined && before.durationMs === null && !isEndedWord(before.state)
  const isOpen = !isEnded(run.state)
  return Math.max(0, row.openRuns + Number(isOpen) - Number(wasOpen))
}

function isEndedWord(state: string): boolean {
  return ['succeeded', 'failed', 'timedOut', 'canceled', 'lost', 'skipped'].includes(state)
}
