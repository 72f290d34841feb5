import type { ClusterNode, ClusterSlot, ClusterView, NodeFacts } from '../../api/cluster.ts'

const AT = '2026-11-22T08:00:00.000Z'

export const factsWith = (over: Partial<NodeFacts> = {}): NodeFacts => ({ lagMs: 0, skewMs: 0, openRuns: 0, queuedRuns: 0, links: 0, redis: 'ok', contended: 0, ...over })

export const nodeWith = (runId: number, over: Partial<ClusterNode> = {}): ClusterNode => ({
  runId, name: `node-${runId}`, url: '', roles: ['api', 'scheduler'], version: '0.2.0', level: 3, isThis: false, isAlive: true, beatAgeMs: 200, startedAt: AT, slots: 0, facts: factsWith(), ...over,
})

export const slotWith = (slot: number, over: Partial<ClusterSlot> = {}): ClusterSlot => ({ slot, owner: 1, fence: 1, takenAt: AT, lease: null, ...over })

/** Two live nodes of which the first owns every slot. */
export const viewWith = (over: Partial<ClusterView> = {}): ClusterView => ({
  now: AT, store: 'mysql', redis: 'ok', level: 3, held: null, contended: 0, nodes: [nodeWith(1, { isThis: true }), nodeWith(2)], slots: Array.from({ length: 256 }, (_, slot) => slotWith(slot)), ...over,
})
