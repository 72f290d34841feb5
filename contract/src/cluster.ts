import { Type, type Static } from 'typebox'
import { defineRoute } from './route.ts'
import { Id, Instant, NoContent, nullable, oneOf, strict } from './shape.ts'

const REDIS_STATES = ['none', 'ok', 'away'] as const
const Count = Type.Integer({ minimum: 0 })

/** What a node tells of itself each second. */
export const NodeFacts = strict({
  lagMs: Type.Integer({ description: 'how late the wheel was, the worst of the last seconds' }),
  skewMs: Type.Integer({ description: "how far the clock of its machine is ahead of the database's" }),
  openRuns: Count,
  queuedRuns: Count,
  links: Type.Integer({ minimum: 0, description: 'executors that hold their link there' }),
  redis: oneOf(REDIS_STATES),
  contended: Type.Integer({ minimum: 0, description: 'how often another node took a slot that it tried for, since it started' }),
})

export const ClusterNode = strict({
  runId: Id,
  name: Type.String(),
  url: Type.String({ description: 'where people and programs reach it; empty: not told' }),
  roles: Type.Array(Type.String()),
  version: Type.String(),
  level: Type.Integer(),
  isThis: Type.Boolean({ description: 'the node that answers' }),
  isAlive: Type.Boolean(),
  beatAgeMs: Type.Integer({ description: "how long ago its last beat was, by the database's clock" }),
  startedAt: Instant,
  slots: Count,
  facts: nullable(NodeFacts),
})

export const ClusterSlot = strict({
  slot: Count,
  owner: nullable(Id),
  fence: Count,
  takenAt: Instant,
  lease: nullable(strict({ owner: Id, remainingMs: Count })),
})

/** Nodes, slots and leases as one node sees them. `redis`: `none` where this node is alone. */
export const ClusterView = strict({
  now: Instant,
  store: oneOf(['sqlite', 'mysql']),
  redis: oneOf(REDIS_STATES),
  level: Type.Integer({ description: 'what every live node knows' }),
  held: nullable(strict({ since: Instant, storeAt: Instant, seenAt: Instant })),
  contended: Count,
  nodes: Type.Array(ClusterNode),
  slots: Type.Array(ClusterSlot),
})
export type ClusterView = Static<typeof ClusterView>

/** After a restore. `fromNow`: what was missed is skipped; `replay`: each task's misfire policy decides. */
export const ResumeFiring = strict({ how: oneOf(['fromNow', 'replay']) })

const tag = 'cluster'
export const clusterRoutes = [
  defineRoute({
    id: 'getCluster',
    method: 'GET',
    path: '/cluster',
    access: 'system:view',
    budget: 'read',
    tag,
    summary: 'Nodes, slots and leases',
    status: 200,
    answer: ClusterView,
  }),
  defineRoute({
    id: 'resumeFiring',
    method: 'POST',
    path: '/cluster/resume',
    access: 'system:edit',
    budget: 'write',
    tag,
    summary: 'Let firing go on that is held because the store was restored',
    body: ResumeFiring,
    status: 204,
    answer: NoContent,
  }),
] as const
