/** What the address of the list of runs says, and what it means. */
import type { InstanceListItem } from '@tickwheel/contract'
import type { RunListQuery } from '../../api/instances.ts'
import { RUN_STATES, type RunState } from '../../components/run-state.ts'

export const FILTERS = ['task', 'group', 'state', 'cause', 'executor', 'from', 'to'] as const
export type RunFilter = (typeof FILTERS)[number]
export type RunFilters = Readonly<Partial<Record<RunFilter, string | undefined>>>

export const PAGE_SIZE = 50
const MAX_TRAIL = 40

/** The call for one page. `page` is the trail of cursors that led there. */
export function requestOf(filters: RunFilters, page: string | undefined, pageSize: number): RunListQuery {
  const cursor = trailOf(page).at(-1)
  return { pageSize, ...(cursor === undefined ? {} : { cursor }), ...filterOf(filters) }
}

/** The filters as the API has them. */
export function filterOf({ task, group, state, cause, executor, from, to }: RunFilters): RunListQuery {
  return {
    ...(task === undefined ? {} : { taskId: Number(task) }), ...(group === undefined ? {} : { groupId: Number(group) }), ...(state === undefined ? {} : { state }),
    ...(cause === undefined ? {} : { cause }), ...(executor === undefined ? {} : { executorId: Number(executor) }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }),
  }
}

/** Whether a run that was told live belongs into the list. */
export function matches(filters: RunFilters, run: InstanceListItem): boolean {
  const { task, group, state, cause, executor, from, to } = filters
  const at = Date.parse(run.firedAt)
  return (
    (task === undefined || run.taskId === Number(task)) && (group === undefined || run.groupId === Number(group)) && (state === undefined || statesOf(state).includes(run.state)) && (cause === undefined ? run.cause !== 'shard' : run.cause === cause) &&
    (executor === undefined || run.executorId === Number(executor)) && (from === undefined || at >= Date.parse(from)) && (to === undefined || at < Date.parse(to))
  )
}

export function statesOf(state: string | undefined): RunState[] {
  const words = state?.split(',') ?? []
  return RUN_STATES.filter((known) => words.includes(known))
}

/**
 * Cursors lead only to older runs, so the address keeps those that led here (`a~b~c`): one back is the page before, also after a reload.
 * Only the last 40 are kept; from deeper, the way back is the first page.
 */
export function trailOf(page: string | undefined): string[] {
  return page === undefined ? [] : page.split('~')
}

export function olderPage(page: string | undefined, cursor: string): string {
  return [...trailOf(page), cursor].slice(-MAX_TRAIL).join('~')
}

export function newerPage(page: string | undefined): string | undefined {
  const trail = trailOf(page).slice(0, -1)
  return trail.length === 0 ? undefined : trail.join('~')
}
