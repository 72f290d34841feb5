import { SLOT_COUNT } from '@tickwheel/core'
import type { ClusterNode } from '../../api/cluster.ts'
import { markAt, type NodeMark } from './node-marks.ts'

/** From here on the clock of a node is worth a warning, in both directions. */
export const SKEW_WARN_MS = 500
/** No firing should wait longer, even while nodes come and go. */
export const LAG_WARN_MS = 1_000

export interface NodeRow {
  readonly node: ClusterNode
  readonly mark: NodeMark
  /** of all slots, 0–1 */
  readonly share: number
  readonly isSkewed: boolean
  readonly isLate: boolean
  /** a live node of a newer version is there */
  readonly isOlder: boolean
  /** when its last beat came, epoch ms; null while it lives */
  readonly silentSinceMs: number | null
}

/** The rows of the table: the living before the dead, each by name. `answeredAtMs`: when their ages were true. */
export function nodeRows(nodes: readonly ClusterNode[], places: ReadonlyMap<number, number>, answeredAtMs: number): NodeRow[] {
  const newest = newestOf(nodes)
  return nodes.toSorted(inOrder).map((node) => ({
    node,
    mark: markAt(places.get(node.runId) ?? 0),
    share: node.slots / SLOT_COUNT,
    isSkewed: node.isAlive && isSkewed(node),
    isLate: node.isAlive && (node.facts?.lagMs ?? 0) >= LAG_WARN_MS,
    isOlder: node.isAlive && newest !== null && compareVersions(node, newest) < 0,
    silentSinceMs: node.isAlive ? null : answeredAtMs - node.beatAgeMs,
  }))
}

export function isSkewed(node: ClusterNode): boolean {
  return Math.abs(node.facts?.skewMs ?? 0) >= SKEW_WARN_MS
}

export function isScheduler(node: ClusterNode): boolean {
  return node.roles.includes('scheduler')
}

/** Host and port of an address, which is what tells nodes apart; an address that is none as it is. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

/** Below zero: `a` is older. The level decides, because it is what nodes must have in common. */
export function compareVersions(a: ClusterNode, b: ClusterNode): number {
  return a.level - b.level || a.version.localeCompare(b.version, 'en', { numeric: true })
}

function newestOf(nodes: readonly ClusterNode[]): ClusterNode | null {
  return nodes.filter((node) => node.isAlive).reduce<ClusterNode | null>((newest, node) => (newest === null || compareVersions(node, newest) > 0 ? node : newest), null)
}

function inOrder(a: ClusterNode, b: ClusterNode): number {
  return Number(b.isAlive) - Number(a.isAlive) || a.name.localeCompare(b.name, 'en', { numeric: true }) || b.runId - a.runId
}
