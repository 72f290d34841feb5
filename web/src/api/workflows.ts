import type { LedgerEntry, PreviewAnswer, WhyAnswer, Workflow, WorkflowCreate, WorkflowListItem, WorkflowProblems, WorkflowTriggerBody, WorkflowUpdate, WorkflowVersion } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

export interface WorkflowListQuery {
  page?: number
  pageSize?: number
  groupId?: number
  keyword?: string
  enabled?: boolean
  scheduleKind?: string
  tag?: string
}
/** A row of the list of versions. */
export type WorkflowVersionItem = Omit<WorkflowVersion, 'definition'> & { readonly steps: number }

export const listWorkflows = (query: WorkflowListQuery = {}) => call<List<WorkflowListItem>>({ url: '/workflow', params: query })
export const getWorkflow = (id: number) => call<Workflow>({ url: `/workflow/${id}` })
export const createWorkflow = (body: WorkflowCreate) => call<Workflow>({ method: 'POST', url: '/workflow', data: body })
export const updateWorkflow = (id: number, body: WorkflowUpdate) => call<Workflow>({ method: 'PUT', url: `/workflow/${id}`, data: body })
export const deleteWorkflow = (id: number, cancelRunning = false) => call<null>({ method: 'DELETE', url: `/workflow/${id}`, params: cancelRunning ? { cancelRunning } : {} })
export const startWorkflow = (id: number) => call<Workflow>({ method: 'POST', url: `/workflow/${id}/start` })
export const stopWorkflow = (id: number) => call<Workflow>({ method: 'POST', url: `/workflow/${id}/stop` })
export const validateWorkflow = (body: WorkflowCreate) => call<WorkflowProblems>({ method: 'POST', url: '/workflow/validate', data: body })
/** Each call is a new run: a repeat by hand is meant, a repeat by the network is not. */
export const triggerWorkflow = (id: number, body: WorkflowTriggerBody = {}) =>
  call<{ workflowRunId: number }>({ method: 'POST', url: `/workflow/${id}/trigger`, data: body, headers: { 'Idempotency-Key': idempotencyKey() } })
export const nextWorkflowFirings = (id: number, count = 10) => call<PreviewAnswer>({ url: `/workflow/${id}/next`, params: { count } })
export const listWorkflowVersions = (id: number, query: { page?: number; pageSize?: number } = {}) => call<List<WorkflowVersionItem>>({ url: `/workflow/${id}/version`, params: query })
export const getWorkflowVersion = (id: number, version: number) => call<WorkflowVersion>({ url: `/workflow/${id}/version/${version}` })
export const restoreWorkflowVersion = (id: number, version: number) => call<Workflow>({ method: 'POST', url: `/workflow/${id}/version/${version}/restore` })
export const listWorkflowFirings = (id: number, query: { from?: string; to?: string; cursor?: string; pageSize?: number } = {}) => call<List<LedgerEntry>>({ url: `/workflow/${id}/firing`, params: query })
export const whyWorkflow = (id: number, at: string) => call<WhyAnswer>({ url: `/workflow/${id}/decisions`, params: { at } })
