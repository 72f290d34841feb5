import type { AuditEntry, AuditListItem, AuditQuery, ExportFormat } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export type AuditFilters = Omit<AuditQuery, 'page' | 'pageSize' | 'cursor'>

export const listAudit = (query: AuditQuery) => call<List<AuditListItem>>({ url: '/audit', params: query })
export const getAuditEntry = (id: number) => call<AuditEntry>({ url: `/audit/${id}` })
export const exportAudit = (filters: AuditFilters, format: ExportFormat) => call<Blob>({ url: '/audit/export', params: { ...filters, format }, responseType: 'blob', timeout: 0 })
