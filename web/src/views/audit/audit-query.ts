/** What the address of the audit log says, and what it means. */
import type { AuditQuery } from '@tickwheel/contract'
import type { AuditFilters } from '../../api/audit.ts'
import { trailOf } from '../runs/run-query.ts'

export const FILTERS = ['q', 'actor', 'actorKind', 'actorId', 'action', 'kind', 'thing', 'group', 'outcome', 'ip', 'from', 'to'] as const
export type AuditFilter = (typeof FILTERS)[number]
export type Filters = Readonly<Partial<Record<AuditFilter, string | undefined>>>

export const PAGE_SIZE = 50

export function filtersOf({ q, actor, actorKind, actorId, action, kind, thing, group, outcome, ip, from, to }: Filters): AuditFilters {
  const actorWord = (['user', 'token', 'executor', 'system'] as const).find((word) => word === actorKind)
  return {
    ...(q === undefined ? {} : { keyword: q }), ...(actor === undefined ? {} : { actor }), ...(actorWord === undefined ? {} : { actorKind: actorWord }), ...(actorId === undefined ? {} : { actorId: Number(actorId) }),
    ...(action === undefined ? {} : { action }), ...(kind === undefined ? {} : { resourceKind: kind }), ...(thing === undefined ? {} : { resourceId: Number(thing) }), ...(group === undefined ? {} : { groupId: Number(group) }),
    ...(outcome === 'done' || outcome === 'refused' ? { outcome } : {}), ...(ip === undefined ? {} : { ip }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }),
  }
}

/** The call for one page. `page` is the trail of cursors that led there. */
export function requestOf(filters: Filters, page: string | undefined): AuditQuery {
  const cursor = trailOf(page).at(-1)
  return { ...filtersOf(filters), pageSize: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }
}
