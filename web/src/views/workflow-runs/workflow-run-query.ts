/** What the address of the list of workflow runs says, and what it means. */
import { WORKFLOW_RUN_STATES } from '@tickwheel/contract'
import type { WorkflowRunsQuery } from '../../api/workflow-runs.ts'
import type { WorkflowState } from '../../components/run-state.ts'
import { trailOf } from '../runs/run-query.ts'

export const FILTERS = ['workflow', 'group', 'state', 'cause', 'date', 'from', 'to'] as const
export type Filter = (typeof FILTERS)[number]
export type Filters = Readonly<Partial<Record<Filter, string | undefined>>>

/** The call for one page. `page` is the trail of cursors that led there. A business date is asked for only with its workflow: the server has no other index. */
export function requestOf(filters: Filters, page: string | undefined, pageSize: number): WorkflowRunsQuery {
  const { workflow, group, state, cause, date, from, to } = filters
  const cursor = trailOf(page).at(-1)
  return {
    pageSize,
    ...(cursor === undefined ? {} : { cursor }), ...(workflow === undefined ? {} : { workflowId: Number(workflow) }), ...(group === undefined ? {} : { groupId: Number(group) }), ...(state === undefined ? {} : { state }),
    ...(cause === undefined ? {} : { cause }), ...(date === undefined || workflow === undefined ? {} : { date }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }),
  }
}

export function statesOf(state: string | undefined): WorkflowState[] {
  const words = state?.split(',') ?? []
  return WORKFLOW_RUN_STATES.filter((known) => words.includes(known))
}
