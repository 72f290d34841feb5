import type { Cluster } from '../cluster.ts'
import { MemoryBuckets } from './bucket.ts'
import { MemoryBus } from './bus.ts'
import { MemoryCache } from './cache.ts'
import { MemoryLeases } from './leases.ts'
import { MemoryMarks } from './marks.ts'
import { MemoryMembers } from './members.ts'

/** What a process that is alone on its store shares with nobody. `monotonic`: ms. */
export function memoryCluster(monotonic: () => number): Cluster {
  return {
    leases: new MemoryLeases(monotonic),
    bus: new MemoryBus(),
    members: new MemoryMembers(monotonic),
    cache: new MemoryCache(monotonic),
    marks: new MemoryMarks(),
    buckets: new MemoryBuckets(monotonic),
    state: 'none',
    close: async () => undefined,
  }
}
