import type { ClusterNode, ClusterView, NodeFacts } from '../../src/api/cluster.ts'
import { iso, type World } from './world.ts'

const HOUR = 3_600_000
const SLOTS = 256

/** What `TICKWHEEL_MOCK_CLUSTER` names: one node alone, three and a dead one (the default), the same with firing held, ten with long names. */
export type MockCluster = 'alone' | 'three' | 'held' | 'many'

const FACTS: NodeFacts = { lagMs: 4, skewMs: 3, openRuns: 12, queuedRuns: 3, links: 2, redis: 'ok', contended: 0 }

/** A cluster of a kind, moving a little with time. */
export function clusterOf(world: World, kind: MockCluster): ClusterView {
  const nodes = NODES[kind](world.now)
  const owners = nodes.filter((node) => node.isAlive && node.roles.includes('scheduler'))
  const slots = Array.from({ length: SLOTS }, (_, slot) => slotOf(world, kind, slot, owners))
  const counted = nodes.map((node) => ({ ...node, slots: slots.filter((slot) => slot.owner === node.runId).length }))
  const redis = kind === 'alone' ? 'none' : 'ok'
  const held = kind === 'held' && !world.hasResumed ? { since: iso(world.now - 240_000), storeAt: iso(world.now - 26 * HOUR), seenAt: iso(world.now - 300_000) } : null
  return { now: iso(world.now), store: kind === 'alone' ? 'sqlite' : 'mysql', redis, level: 3, held, contended: kind === 'many' ? 1_204 : 0, nodes: counted, slots }
}

function slotOf(world: World, kind: MockCluster, slot: number, owners: readonly ClusterNode[]): ClusterView['slots'][number] {
  const spread = ((slot * 2_654_435_761) >>> 7) % owners.length
  const isLost = kind === 'held' && slot % 37 === 5
  const isFree = kind !== 'alone' && slot % 61 === 9
  const owner = isFree ? null : isLost ? 99 : (owners[spread]?.runId ?? null)
  const lease = owner === null || isLost || kind === 'alone' ? null : { owner: slot === 40 ? (owners[(spread + 1) % owners.length]?.runId ?? owner) : owner, remainingMs: 3_000 - ((world.now + slot * 13) % 1_000) }
  return { slot, owner, fence: 3 + (slot % 5), takenAt: iso(world.now - 2 * HOUR - slot * 700), lease }
}

function node(now: number, over: Partial<ClusterNode> & { runId: number; name: string }): ClusterNode {
  return { url: `http://10.4.0.${over.runId}:8080`, roles: ['api', 'scheduler'], version: '0.2.0', level: 3, isThis: false, isAlive: true, beatAgeMs: 100 + ((now / 7 + over.runId * 311) % 900), startedAt: iso(now - 50 * HOUR), slots: 0, facts: FACTS, ...over }
}

const three = (now: number): ClusterNode[] => [
  node(now, { runId: 11, name: 'tick-a', isThis: true }),
  node(now, { runId: 12, name: 'tick-b', facts: { ...FACTS, skewMs: -1_240, lagMs: 18, openRuns: 1_204, queuedRuns: 380 } }),
  node(now, { runId: 13, name: 'tick-c.eu-central-1.compute.internal', url: 'https://tick-c.eu-central-1.compute.internal:8443', version: '0.1.9', facts: { ...FACTS, lagMs: 1_730, redis: 'away', links: 0 } }),
  node(now, { runId: 99, name: 'tick-d', isAlive: false, beatAgeMs: 94_000 }),
]

const NODES: Record<MockCluster, (now: number) => ClusterNode[]> = {
  alone: (now) => [node(now, { runId: 11, name: 'localhost', url: 'http://localhost:8080', isThis: true, facts: { ...FACTS, redis: 'none', skewMs: 0 } })],
  three,
  held: three,
  many: (now) => Array.from({ length: 10 }, (_, index) => node(now, { runId: 20 + index, name: `a-node-with-quite-a-long-name-that-a-platform-once-made-${index}`, isThis: index === 4, roles: index === 9 ? ['api'] : ['api', 'scheduler'], facts: index === 7 ? null : FACTS })),
}
