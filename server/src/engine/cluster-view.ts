import type { Lease } from '../cluster/lease.ts'
import { instantOfId } from '../store/ids.ts'
import type { ClusterRows } from '../store/nodes.ts'
import type { NodeRow } from '../store/schema.ts'
import type { ClusterNode, ClusterView, HeldFiring, NodeFacts } from './commands.ts'

export interface ClusterSight {
  readonly rows: ClusterRows
  readonly leases: readonly Lease[]
  readonly runId: number
  readonly now: number
  readonly isLive: (runId: number) => boolean
  readonly level: number
  readonly store: ClusterView['store']
  readonly redis: ClusterView['redis']
  readonly held: HeldFiring | null
}

/** Nodes, slots and leases, for people. */
export function clusterView(sight: ClusterSight): ClusterView {
  const { rows, leases, now, level, store, redis, held } = sight
  const nodes = rows.nodes.map((node) => nodeOf(node, sight))
  const leaseOf = new Map(leases.map((lease) => [lease.slot, { owner: lease.owner, remainingMs: lease.remainingMs }]))
  return {
    now,
    store,
    redis,
    level,
    held,
    contended: nodes.reduce((sum, node) => sum + (node.isAlive ? (node.facts?.contended ?? 0) : 0), 0),
    nodes,
    slots: rows.slots.map((row) => ({
      slot: row.id,
      owner: row.owner_run,
      fence: row.fence,
      takenAt: row.taken_at,
      lease: leaseOf.get(row.id) ?? null,
    })),
  }
}

function nodeOf(node: NodeRow, { rows, runId, isLive }: ClusterSight): ClusterNode {
  return {
    runId: node.run_id,
    name: node.name,
    url: node.url,
    roles: node.roles.split(','),
    version: node.version,
    level: node.level,
    isThis: node.run_id === runId,
    isAlive: isLive(node.run_id),
    beatAgeMs: Math.max(0, rows.now - node.beat_at),
    startedAt: instantOfId(node.run_id),
    slots: rows.slots.filter((row) => row.owner_run === node.run_id).length,
    facts: factsOf(node),
  }
}

/** What a node tells of itself; null when it is of a version that does not, or told something else. */
export function factsOf(node: NodeRow): NodeFacts | null {
  if (node.facts === null) return null
  try {
    const value = JSON.parse(node.facts) as Partial<NodeFacts>
    return { ...NOTHING, ...value }
  } catch {
    return null
  }
}

const NOTHING: NodeFacts = { lagMs: 0, skewMs: 0, openRuns: 0, queuedRuns: 0, links: 0, redis: 'none', contended: 0, steadyMs: Infinity, fullTasks: [] }
