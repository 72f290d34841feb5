import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { PrivateRedis } from '../../../../tests/kit/redis.ts'
import { waitFor } from '../../../../tests/kit/wait-for.ts'
import { ClusterAway } from '../away.ts'
import type { Cluster } from '../cluster.ts'
import type { RedisLog } from './log.ts'
import { openOn, twoNodesAlone } from './opened.fixture.ts'

const LONG_MS = 600_000
const NODE = { runId: 1, name: 'n', url: 'http://n', isWatching: false }
const LIMIT = { capacity: 4, refillPerSecond: 1e-6 }

describe('while Redis is away', () => {
  it('a node starts, every call settles, and it comes to Redis when that is there', async () => {
    await using redis = await PrivateRedis.start()
    await redis.kill()
    await using node = closing(await openOn(redis.url, 'p'))
    await goesOnWithout(node.cluster)
    const heard: number[] = []
    node.cluster.bus.listen('all', ({ from }) => heard.push(from))
    await redis.up()
    await works(node.cluster)
    node.cluster.bus.publish('all', { kind: 'members', from: 7 })
    await waitFor(() => heard.length > 0, { what: 'the message' })
    expect(heard).toEqual([7])
  })

  it('a node starts where something takes the connection and never answers', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const node = await openOn(`redis://127.0.0.1:${String(port)}`, 'p')
    await goesOnWithout(node)
    await waitFor(() => sockets.size > 2, { what: 'another try' })
    await node.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('a Redis that stands still makes no call wait for ever, and all is as before when it goes on', async () => {
    await using two = await twoNodesAlone()
    const { a, b, redis } = two
    const heard: number[] = []
    b.bus.listen('all', ({ from }) => heard.push(from))
    await waitFor(() => a.bus.isUp && b.bus.isUp, { what: 'the bus' })
    expect(await a.leases.acquire(1, [1, 2], LONG_MS)).toEqual(new Set([1, 2]))
    redis.pause()
    await goesOnWithout(a)
    await waitFor(() => !a.bus.isUp && !b.bus.isUp && b.state === 'away', { what: 'both nodes to see it' })
    await goesOnWithout(a)
    redis.resume()
    await waitFor(() => a.bus.isUp && b.bus.isUp, { what: 'the bus' })
    await works(b)
    expect(await b.leases.acquire(2, [1, 2, 3], LONG_MS)).toEqual(new Set([3]))
    heard.length = 0
    a.bus.publish('all', { kind: 'members', from: 7 })
    await waitFor(() => heard.includes(7), { what: 'the message' })
  })

  it('a Redis that dies and comes back empty is used again, with its scripts and channels', async () => {
    await using two = await twoNodesAlone()
    const { a, b, redis } = two
    const heard: number[] = []
    b.bus.listen('node:2', ({ from }) => heard.push(from))
    await a.leases.acquire(1, [1], LONG_MS)
    for (let round = 1; round <= 3; round++) {
      await redis.kill()
      await waitFor(() => a.state === 'away' && b.state === 'away', { what: 'both nodes to see it' })
      await goesOnWithout(b)
      await redis.up()
      await waitFor(() => a.bus.isUp && b.bus.isUp, { what: 'the bus' })
      expect(await a.leases.renew(1, [1], LONG_MS)).toEqual(new Set())
      expect(await b.leases.acquire(2, [1], LONG_MS)).toEqual(new Set([1]))
      await b.leases.release(2, [1])
      await a.leases.acquire(1, [1], LONG_MS)
      a.bus.publish('node:2', { kind: 'members', from: round })
      await waitFor(() => heard.length === round, { what: 'the message' })
    }
    expect(heard).toEqual([1, 2, 3])
  })

  it('limits are kept by each node for itself, divided by the nodes that were there, and by Redis again when it is back', async () => {
    await using two = await twoNodesAlone()
    const { a, b, redis } = two
    const taken = async (): Promise<number> => {
      const takes = await Promise.all(Array.from({ length: 8 }, async () => a.buckets.take('k', LIMIT)))
      return takes.filter(({ allowed }) => allowed).length
    }
    await a.members.beat(NODE, LONG_MS)
    await b.members.beat({ ...NODE, runId: 2 }, LONG_MS)
    await a.members.alive()
    expect(await taken()).toBe(4)
    await redis.kill()
    await waitFor(() => a.state === 'away', { what: 'the node to see it' })
    expect(await taken()).toBe(2)
    await a.buckets.giveBack('k', LIMIT)
    expect(await taken()).toBe(1)
    await redis.up()
    await waitFor(() => a.state === 'ok', { what: 'Redis' })
    expect(await taken()).toBe(4)
  })

  it('a value that was to be dropped is not there for the node that dropped it, and for nobody when Redis is back', async () => {
    await using two = await twoNodesAlone()
    const { a, b, redis } = two
    await a.cache.put('revoked', 'no', LONG_MS)
    await a.cache.put('other', 'value', LONG_MS)
    redis.pause()
    await a.cache.drop(['revoked'])
    redis.resume()
    expect(await a.cache.get('revoked')).toBeNull()
    await waitFor(async () => (await b.cache.get('other')) === 'value', { what: 'Redis' })
    await waitFor(async () => b.state === 'ok' && (await b.cache.get('revoked')) === null, { what: 'the drop' })
  })

  it('a wrong password is tried again until it is right, and told nowhere', async () => {
    await using redis = await PrivateRedis.start()
    await redis.ask('CONFIG SET requirepass s3cret')
    const lines: string[] = []
    const write = (fields: object, message: string): number => lines.push(JSON.stringify(fields) + message)
    const log: RedisLog = { info: write, warn: write, error: write }
    await using wrong = closing(await openOn(redis.url.replace('//', '//:wr0ng@'), 'p', log))
    await waitFor(() => lines.length > 0, { what: 'a line of the log' })
    await goesOnWithout(wrong.cluster)
    await using right = closing(await openOn(redis.url.replace('//', '//:s3cret@'), 'p', log))
    await works(right.cluster)
    expect(lines.join('\n')).toMatch(/WRONGPASS[\s\S]*Redis answers/)
    expect(lines.join('\n')).not.toMatch(/wr0ng|s3cret/)
  })
})

describe('a Redis that was emptied', () => {
  it('has no leases, members and values any more, and takes new ones at once', async () => {
    await using two = await twoNodesAlone()
    const { a, b, redis } = two
    await a.leases.acquire(1, [1], LONG_MS)
    await a.members.beat(NODE, LONG_MS)
    await a.cache.put('k', 'v', LONG_MS)
    await a.marks.raise('m', 5)
    await redis.flushAll()
    expect(await b.leases.holders()).toEqual([])
    expect(await b.members.alive()).toEqual([])
    expect(await b.cache.get('k')).toBeNull()
    expect(await b.marks.raise('m', 4)).toBe(4)
    expect(await a.leases.renew(1, [1], LONG_MS)).toEqual(new Set())
    expect(await b.leases.acquire(2, [1], LONG_MS)).toEqual(new Set([1]))
    expect(a.state).toBe('ok')
  })
})

/** Nothing hangs, what must throw throws `ClusterAway`, and the rest answers as its port says. */
async function goesOnWithout({ leases, members, marks, cache, buckets, bus }: Cluster): Promise<void> {
  const refused = [
    leases.acquire(1, [1], LONG_MS),
    leases.renew(1, [1], LONG_MS),
    leases.release(9, [9]),
    leases.holders(),
    members.beat(NODE, LONG_MS),
    members.alive(),
    marks.raise('m', 1),
    marks.read('m'),
  ]
  const answered = [cache.get('k'), cache.put('k', 'v', 1000), cache.drop(['k']), members.leave(9), buckets.take('away', LIMIT)]
  bus.publish('all', { kind: 'members', from: 1 })
  for (const call of await Promise.allSettled(refused)) {
    expect(call).toMatchObject({ status: 'rejected', reason: expect.any(ClusterAway) })
  }
  expect(await Promise.all(answered)).toMatchObject([null, undefined, undefined, undefined, { allowed: true }])
}

async function works(cluster: Cluster): Promise<void> {
  await waitFor(() => cluster.state === 'ok' && cluster.bus.isUp, { what: 'Redis' })
  expect(await cluster.leases.acquire(5, [200], LONG_MS)).toEqual(new Set([200]))
}

function closing(cluster: Cluster): AsyncDisposable & { readonly cluster: Cluster } {
  return { cluster, [Symbol.asyncDispose]: async () => cluster.close() }
}
