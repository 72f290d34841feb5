import type { LedgerEntry, PreviewAnswer, RouteAnswer, ScheduleInput, Task, TaskCreate, TaskListItem, TaskUpdate, TaskVersion, TriggerBody, WhyAnswer } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

export interface TaskListQuery {
  page?: number
  pageSize?: number
  groupId?: number
  keyword?: string
  enabled?: boolean
  scheduleKind?: string
  handlerKind?: string
  tag?: string
}

export const listTasks = (query: TaskListQuery = {}) => call<List<TaskListItem>>({ url: '/task', params: query })
export const getTask = (id: number) => call<Task>({ url: `/task/${id}` })
export const createTask = (body: TaskCreate) => call<Task>({ method: 'POST', url: '/task', data: body })
export const updateTask = (id: number, body: TaskUpdate) => call<Task>({ method: 'PUT', url: `/task/${id}`, data: body })
export const deleteTask = (id: number, cancelRunning = false) => call<null>({ method: 'DELETE', url: `/task/${id}`, params: flag(cancelRunning) })
export const startTask = (id: number) => call<Task>({ method: 'POST', url: `/task/${id}/start` })
export const stopTask = (id: number, cancelRunning = false) => call<Task>({ method: 'POST', url: `/task/${id}/stop`, params: flag(cancelRunning) })
/** Each call is a new run: a repeat by hand is meant, a repeat by the network is not. */
export const triggerTask = (id: number, body: TriggerBody = {}) =>
  call<{ instanceId: number }>({ method: 'POST', url: `/task/${id}/trigger`, data: body, headers: { 'Idempotency-Key': idempotencyKey() } })
export const nextFirings = (id: number, count = 10) => call<PreviewAnswer>({ url: `/task/${id}/next`, params: { count } })
/** Of a schedule that is not saved. */
export const previewOnServer = (schedule: ScheduleInput, count: number) => call<PreviewAnswer>({ method: 'POST', url: '/schedule/preview', data: { schedule, count } })
export const previewRoute = (id: number) => call<RouteAnswer>({ url: `/task/${id}/route` })
export const listTaskVersions = (id: number, query: { page?: number; pageSize?: number } = {}) => call<List<TaskVersion>>({ url: `/task/${id}/version`, params: query })
export const restoreTaskVersion = (id: number, version: number) => call<Task>({ method: 'POST', url: `/task/${id}/version/${version}/restore` })
export const listFirings = (id: number, query: { from?: string; to?: string; cursor?: string; pageSize?: number } = {}) => call<List<LedgerEntry>>({ url: `/task/${id}/firing`, params: query })
export const whyTask = (id: number, at: string) => call<WhyAnswer>({ url: `/task/${id}/decisions`, params: { at } })

function flag(cancelRunning: boolean): { cancelRunning?: true } {
  return cancelRunning ? { cancelRunning } : {}
}
