import type { Backfill, BackfillBody, BackfillPreview } from '@tickwheel/contract'
import { call, idempotencyKey } from './client.ts'
import type { List } from './list.ts'

export type BackfillKind = Backfill['kind']
export type BackfillWish = Omit<BackfillBody, 'concurrency'>

/** Each call is a new backfill: a repeat by hand is meant, a repeat by the network is not. */
export const startBackfill = (kind: BackfillKind, id: number, body: BackfillBody) =>
  call<{ backfillId: number }>({ method: 'POST', url: `/${kind}/${id}/backfill`, data: body, headers: { 'Idempotency-Key': idempotencyKey() } })
export const previewBackfill = (kind: BackfillKind, id: number, body: BackfillWish) => call<BackfillPreview>({ method: 'POST', url: `/${kind}/${id}/backfill/preview`, data: body })
export const listBackfills = (kind: BackfillKind, id: number, query: { page?: number; pageSize?: number } = {}) =>
  call<List<Backfill>>({ url: '/backfill', params: { ...query, ...(kind === 'task' ? { taskId: id } : { workflowId: id }) } })
export const cancelBackfill = (id: number, cancelRunning: boolean) => call<Backfill>({ method: 'POST', url: `/backfill/${id}/cancel`, params: cancelRunning ? { cancelRunning } : {} })
