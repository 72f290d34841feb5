import type { FanOutItem, StepDetail, Workflow, WorkflowGrid, WorkflowRetryBody, WorkflowRun, WorkflowRunListItem } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

export interface WorkflowRunsQuery {
  cursor?: string
  pageSize?: number
  workflowId?: number
  groupId?: number
  state?: string
  cause?: string
  date?: string
  from?: string
  to?: string
}

const post = <Answer>(url: string, data?: unknown) => call<Answer>({ method: 'POST', url, ...(data === undefined ? {} : { data }) })
const stepUrl = (id: number, key: string) => `/workflow-run/${id}/step/${key}`

export const listWorkflowRuns = (query: WorkflowRunsQuery = {}) => call<List<WorkflowRunListItem>>({ url: '/workflow-run', params: query })
export const getWorkflowRun = (id: number) => call<WorkflowRun>({ url: `/workflow-run/${id}` })
/** The workflow of a run, as it is now. */
export const getWorkflowOf = (workflowId: number) => call<Workflow>({ url: `/workflow/${workflowId}` })
export const workflowGrid = (workflowId: number, count: number) => call<WorkflowGrid>({ url: `/workflow/${workflowId}/grid`, params: { count } })
export const getStep = (id: number, key: string) => call<StepDetail>({ url: stepUrl(id, key) })
export const listStepItems = (id: number, key: string, query: { page?: number; pageSize?: number; state?: string } = {}) => call<List<FanOutItem>>({ url: `${stepUrl(id, key)}/item`, params: query })
export const cancelWorkflowRun = (id: number) => post<WorkflowRun>(`/workflow-run/${id}/cancel`)
export const pauseWorkflowRun = (id: number) => post<WorkflowRun>(`/workflow-run/${id}/pause`)
export const resumeWorkflowRun = (id: number) => post<WorkflowRun>(`/workflow-run/${id}/resume`)
export const retryWorkflowRun = (id: number, body: WorkflowRetryBody) =>
  call<{ workflowRunId: number }>({ method: 'POST', url: `/workflow-run/${id}/retry`, data: body, headers: { 'Idempotency-Key': idempotencyKey() } })
export const approveStep = (id: number, key: string, comment: string) => post<WorkflowRun>(`${stepUrl(id, key)}/approve`, { comment })
export const rejectStep = (id: number, key: string, comment: string) => post<WorkflowRun>(`${stepUrl(id, key)}/reject`, { comment })
export const completeStep = (id: number, key: string, body: { output?: unknown; reason: string }) => post<WorkflowRun>(`${stepUrl(id, key)}/complete`, body)
