import type { Instance, InstanceComparison, InstanceListItem, LogLine, ShardPage, TraceEntry } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

export interface RunListQuery {
  cursor?: string
  pageSize?: number
  taskId?: number
  groupId?: number
  state?: string
  cause?: string
  executorId?: number
  from?: string
  to?: string
}

export interface LogPage {
  readonly lines: readonly LogLine[]
  readonly next: number
  readonly end: boolean
}

export const listInstances = (query: RunListQuery = {}) => call<List<InstanceListItem>>({ url: '/instance', params: query })
export const getInstance = (id: number) => call<Instance>({ url: `/instance/${id}` })
export const compareInstance = (id: number) => call<InstanceComparison>({ url: `/instance/${id}/compare` })
export const listShards = (id: number, query: { page?: number; pageSize?: number; state?: string } = {}) => call<ShardPage>({ url: `/instance/${id}/shards`, params: query })
export const cancelInstance = (id: number) => call<Instance>({ method: 'POST', url: `/instance/${id}/cancel` })
export const retryInstance = (id: number) => call<{ instanceId: number }>({ method: 'POST', url: `/instance/${id}/retry`, headers: { 'Idempotency-Key': idempotencyKey() } })
export const readLogs = (id: number, after = 0, limit = 1000) => call<LogPage>({ url: `/instance/${id}/logs`, params: { after, limit } })
export const downloadLogs = (id: number) => call<Blob>({ url: `/instance/${id}/logs/raw`, responseType: 'blob', timeout: 0 })
export const listEvents = (id: number) => call<{ items: readonly TraceEntry[] }>({ url: `/instance/${id}/events` })
