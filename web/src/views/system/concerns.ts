import type { ClusterNode, ClusterView } from '../../api/cluster.ts'
import { isScheduler, isSkewed, LAG_WARN_MS } from './node-rows.ts'
import { countStates, type SlotCell } from './slot-cells.ts'

/** What a person should know or do about the cluster, besides firing that is held. */
export type Concern =
  | { readonly kind: 'noScheduler' }
  | { readonly kind: 'slotsWithoutNode'; readonly count: number }
  | { readonly kind: 'redisAway' }
  /** some nodes reach Redis, these do not */
  | { readonly kind: 'redisSplit'; readonly nodes: readonly string[] }
  | { readonly kind: 'skew'; readonly node: string; readonly skewMs: number }
  | { readonly kind: 'lag'; readonly node: string; readonly lagMs: number }
  | { readonly kind: 'versions'; readonly versions: readonly string[]; readonly level: number }

/** The gravest first. */
export function concernsOf(view: ClusterView, cells: readonly SlotCell[]): Concern[] {
  const live = view.nodes.filter((node) => node.isAlive)
  return [...slotConcerns(live, cells), ...redisConcerns(view, live), ...live.flatMap(clockConcerns), ...versionConcerns(view, live)]
}

function slotConcerns(live: readonly ClusterNode[], cells: readonly SlotCell[]): Concern[] {
  if (!live.some(isScheduler)) return [{ kind: 'noScheduler' }]
  const { free, orphaned } = countStates(cells)
  return free + orphaned === 0 ? [] : [{ kind: 'slotsWithoutNode', count: free + orphaned }]
}

function redisConcerns(view: ClusterView, live: readonly ClusterNode[]): Concern[] {
  const away = live.filter((node) => node.facts?.redis === 'away')
  const hasReached = live.some((node) => node.facts?.redis === 'ok')
  if (away.length > 0 && hasReached) return [{ kind: 'redisSplit', nodes: away.map((node) => node.name) }]
  return view.redis === 'away' || away.length > 0 ? [{ kind: 'redisAway' }] : []
}

function clockConcerns(node: ClusterNode): Concern[] {
  if (node.facts === null) return []
  const { skewMs, lagMs } = node.facts
  return [...(isSkewed(node) ? [{ kind: 'skew', node: node.name, skewMs } as const] : []), ...(lagMs >= LAG_WARN_MS ? [{ kind: 'lag', node: node.name, lagMs } as const] : [])]
}

function versionConcerns(view: ClusterView, live: readonly ClusterNode[]): Concern[] {
  const versions = [...new Set(live.map((node) => node.version))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const levels = new Set(live.map((node) => node.level))
  return versions.length > 1 || levels.size > 1 ? [{ kind: 'versions', versions, level: view.level }] : []
}
