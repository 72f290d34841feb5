import { describe, inject } from 'vitest'
import { PrivateRedis } from '../../../../tests/kit/redis.ts'
import { bucketsConform } from '../buckets.fixture.ts'
import { busConforms } from '../bus.fixture.ts'
import { cacheConforms } from '../cache.fixture.ts'
import type { Cluster } from '../cluster.ts'
import { leasesConform } from '../leases.fixture.ts'
import { marksConform } from '../marks.fixture.ts'
import { membersConform } from '../members.fixture.ts'
import type { Pair } from '../pair.fixture.ts'
import { twoNodes, type TwoNodes } from './opened.fixture.ts'

describe('on Redis', () => {
  conform(async () => twoNodes())
})

// Of several keys in one command it refuses those that might lie on different nodes.
describe('on Redis Cluster', () => {
  conform(async () => {
    if (inject('redisUrl') === null) return twoNodes()
    const redis = await PrivateRedis.start({ cluster: true })
    const nodes = await twoNodes(redis.url)
    return {
      ...nodes,
      close: async () => {
        await nodes.close()
        await redis.stop()
      },
    }
  })
})

function conform(open: () => Promise<TwoNodes>): void {
  const pairOf =
    <Port>(port: (cluster: Cluster) => Port) =>
    async (): Promise<Pair<Port>> => {
      const { a, b, close } = await open()
      return { a: port(a), b: port(b), close }
    }
  leasesConform(pairOf(({ leases }) => leases))
  busConforms(pairOf(({ bus }) => bus))
  membersConform(pairOf(({ members }) => members))
  cacheConforms(pairOf(({ cache }) => cache))
  marksConform(pairOf(({ marks }) => marks))
  bucketsConform(pairOf(({ buckets }) => buckets))
}
