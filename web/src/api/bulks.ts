import type { Bulk, BulkItem, BulkItemPage, BulkPreview } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

/** One action for many things: those with these ids, or all that match a filter, as the lists have it. */
export interface BulkWish {
  readonly kind: Bulk['kind']
  readonly action: Bulk['action']
  readonly ids?: readonly number[]
  readonly filter?: object
  readonly cancelRunning?: boolean
}

/** Each call is a new operation: a repeat by hand is meant, a repeat by the network is not. */
export const startBulk = (wish: BulkWish) => call<{ bulkId: number; total: number }>({ method: 'POST', url: '/bulk', data: wish, headers: { 'Idempotency-Key': idempotencyKey() } })
export const previewBulk = (wish: BulkWish) => call<BulkPreview>({ method: 'POST', url: '/bulk/preview', data: wish })
export const listBulks = (query: { page?: number; pageSize?: number; state?: string } = {}) => call<List<Bulk>>({ url: '/bulk', params: query })
export const getBulk = (id: number) => call<Bulk>({ url: `/bulk/${id}` })
export const listBulkItems = (id: number, query: { state?: BulkItem['state']; cursor?: string; pageSize?: number } = {}) => call<BulkItemPage>({ url: `/bulk/${id}/item`, params: query })
export const cancelBulk = (id: number) => call<Bulk>({ method: 'POST', url: `/bulk/${id}/cancel` })
