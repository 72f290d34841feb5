import type { Buckets } from '../bucket.ts'
import type { Cluster } from '../cluster.ts'
import { RedisBuckets } from './buckets.ts'
import { RedisBus } from './bus.ts'
import { RedisCache } from './cache.ts'
import { Connection } from './connection.ts'
import { RedisLeases } from './leases.ts'
import type { RedisLog } from './log.ts'
import { RedisMarks } from './marks.ts'
import { RedisMembers } from './members.ts'
import { parseRedisUrl } from '../redis-url.ts'

export interface RedisClusterOptions {
  /** `redis://…`, `rediss://…`, `redis+cluster://host:port,host:port`; see `parseRedisUrl` */
  readonly url: string
  /** what every key and channel begins with: one for each cluster of nodes; letters, digits and `-_.:` */
  readonly prefix: string
  readonly log: RedisLog
  /** what limits callers while Redis is away */
  readonly localBuckets: Buckets
}

/** How long a start waits to know whether Redis answers. */
const FIRST_LOOK_MS = 1000
const PREFIX = /^[\w.:-]+$/

/**
 * What nodes share in Redis. It opens also when Redis cannot be reached, after a second at most: then its state is `away`, and it tries for ever. Throws
 * for an address or prefix that is none; the message does not hold the password.
 */
export async function openRedisCluster({ url, prefix, log, localBuckets }: RedisClusterOptions): Promise<Cluster> {
  const target = parseRedisUrl(url)
  if (!PREFIX.test(prefix))
    throw new Error(`the prefix of keys in Redis must consist of letters, digits and -_.: and not be ${JSON.stringify(prefix)}`)
  const connection = new Connection(target, log)
  const bus = new RedisBus({ connection, target, prefix, log })
  const members = new RedisMembers(connection, prefix)
  const cluster: Cluster = {
    leases: new RedisLeases(connection, prefix),
    bus,
    members,
    cache: new RedisCache(connection, prefix),
    marks: new RedisMarks(connection, prefix),
    buckets: new RedisBuckets({ connection, prefix, local: localBuckets, nodes: () => members.lastCount }),
    get state() {
      return connection.isUp ? 'ok' : 'away'
    },
    close: async () => {
      bus.close()
      await connection.close()
    },
  }
  await connection.firstLook(FIRST_LOOK_MS)
  return cluster
}
