import type { ClusterView as ClusterAnswer } from '@tickwheel/contract'
import type { ClusterNode, ClusterView, Commands } from '../../engine/commands.ts'
import { instantText } from '../../store/page.ts'
import type { HandlersOf } from '../handlers.ts'

export function clusterHandlers({ commands }: { commands: Commands }): HandlersOf<'getCluster' | 'resumeFiring'> {
  return {
    getCluster: async () => answerOf(await commands.cluster()),
    resumeFiring: async ({ body, caller }) => {
      await commands.resumeFiring(body.how, caller)
      return null
    },
  }
}

function answerOf(view: ClusterView): ClusterAnswer {
  const { now, store, redis, level, held, contended, nodes, slots } = view
  return {
    now: instantText(now),
    store,
    redis,
    level,
    held: held === null ? null : { since: instantText(held.since), storeAt: instantText(held.storeAt), seenAt: instantText(held.seenAt) },
    contended,
    nodes: nodes.map(nodeOf),
    slots: slots.map(({ slot, owner, fence, takenAt, lease }) => ({ slot, owner, fence, takenAt: instantText(takenAt), lease })),
  }
}

/** Fields are named one by one: what nodes tell each other beside them is not for people. */
function nodeOf({ runId, name, url, roles, version, level, isThis, isAlive, beatAgeMs, startedAt, slots, facts }: ClusterNode) {
  return {
    runId,
    name,
    url,
    roles: [...roles],
    version,
    level,
    isThis,
    isAlive,
    beatAgeMs: Math.round(beatAgeMs),
    startedAt: instantText(startedAt),
    slots,
    facts: facts === null ? null : factsOf(facts),
  }
}

function factsOf({ lagMs, skewMs, openRuns, queuedRuns, links, redis, contended }: NonNullable<ClusterNode['facts']>) {
  return { lagMs: Math.round(lagMs), skewMs: Math.round(skewMs), openRuns, queuedRuns, links, redis, contended }
}
