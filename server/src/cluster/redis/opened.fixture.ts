import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { PrivateRedis } from '../../../../tests/kit/redis.ts'
import type { Cluster } from '../cluster.ts'
import { MemoryBuckets } from '../memory/bucket.ts'
import type { Pair } from '../pair.fixture.ts'
import { openRedisCluster } from './cluster.ts'
import type { RedisLog } from './log.ts'

export const SILENT: RedisLog = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What one node has of a Redis. */
export async function openOn(url: string, prefix: string, log: RedisLog = SILENT): Promise<Cluster> {
  return openRedisCluster({ url, prefix, log, localBuckets: new MemoryBuckets(() => performance.now()) })
}

export type TwoNodes = Pair<Cluster> & AsyncDisposable

/** Two nodes on the Redis that all tests of a run share, under a prefix of their own. */
export async function twoNodes(url: string | null = inject('redisUrl')): Promise<TwoNodes> {
  // without a Redis every test is skipped before it asks
  const prefix = `t-${randomUUID()}`
  const [a, b] = await Promise.all([openOn(url ?? 'redis://127.0.0.1:1', prefix), openOn(url ?? 'redis://127.0.0.1:1', prefix)])
  const close = async (): Promise<void> => {
    await Promise.all([a.close(), b.close()])
  }
  return { a, b, close, [Symbol.asyncDispose]: close }
}

/** Two nodes on a Redis of their own, which may be killed, emptied and paused. */
export async function twoNodesAlone(): Promise<TwoNodes & { readonly redis: PrivateRedis }> {
  const redis = await PrivateRedis.start()
  const nodes = await twoNodes(redis.url)
  const close = async (): Promise<void> => {
    await nodes.close()
    await redis.stop()
  }
  return { a: nodes.a, b: nodes.b, redis, close, [Symbol.asyncDispose]: close }
}
