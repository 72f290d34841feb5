import type { Buckets } from './bucket.ts'
import type { Bus } from './bus.ts'
import type { Cache } from './cache.ts'
import type { Leases } from './lease.ts'
import type { Marks } from './marks.ts'
import type { Members } from './members.ts'

/** What the nodes of one cluster share beside the database: Redis, or the memory of the only process. */
export interface Cluster {
  readonly leases: Leases
  readonly bus: Bus
  readonly members: Members
  readonly cache: Cache
  readonly marks: Marks
  readonly buckets: Buckets
  /** `none`: this process is alone; `ok`; `away`: it does not answer, and everything goes on without it. */
  readonly state: 'none' | 'ok' | 'away'
  close(): Promise<void>
}
