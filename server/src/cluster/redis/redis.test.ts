import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PrivateRedis } from '../../../../tests/kit/redis.ts'
import { waitFor } from '../../../../tests/kit/wait-for.ts'
import { ClusterAway } from '../away.ts'
import { parseRedisUrl } from '../redis-url.ts'
import { RedisBus } from './bus.ts'
import { Connection } from './connection.ts'
import { openOn, SILENT, twoNodes, twoNodesAlone } from './opened.fixture.ts'

const LONG_MS = 600_000

describe('what is left in Redis', () => {
  it('begins with the prefix, is tagged where one script takes several, and ends by itself but for the marks', async () => {
    await using two = await twoNodesAlone()
    const { a, redis } = two
    await a.leases.acquire(1, [17, 255], LONG_MS)
    await a.members.beat({ runId: 1, name: 'n', url: 'u', isWatching: false }, LONG_MS)
    await a.cache.put('token:1', 'v', LONG_MS)
    await a.marks.raise('instance', 5)
    await a.buckets.take('login 10.0.0.1', { capacity: 3, refillPerSecond: 1e-3 })
    const keys = (await redis.ask('KEYS *')).split('\r\n').filter((line) => !/^[*$]/.test(line))
    const [, prefix = ''] = /^\{?(t-[^:]+):/.exec(keys[0] ?? '') ?? []
    expect(keys.toSorted()).toEqual(
      [
        `${prefix}:bucket:login 10.0.0.1`,
        `${prefix}:cache:token:1`,
        `${prefix}:mark:instance`,
        `${prefix}:members`,
        `{${prefix}:lease}:17`,
        `{${prefix}:lease}:255`,
      ].toSorted(),
    )
    const endless = await Promise.all(keys.map(async (key) => ((await redis.ask(`PTTL "${key}"`)) === ':-1' ? [key] : [])))
    expect(endless.flat()).toEqual([`${prefix}:mark:instance`])
  })

  it('is apart from what another cluster of nodes has there', async () => {
    await using one = await twoNodes()
    await using other = await twoNodes()
    await one.a.leases.acquire(1, [1], LONG_MS)
    expect(await other.a.leases.acquire(2, [1], LONG_MS)).toEqual(new Set([1]))
    expect(await one.b.leases.holders()).toMatchObject([{ slot: 1, owner: 1 }])
  })

  it.each(['', 'a}b', '{a', 'two words'])('cannot begin with %j', async (prefix) => {
    await expect(openOn('redis://127.0.0.1:1', prefix)).rejects.toThrow('the prefix of keys in Redis')
  })

  it('is refused for an address that is none, which is told without its password', async () => {
    await expect(openOn('redis:/me:s3cret@h', 'p')).rejects.toThrow(/must have the form redis:\/\/.*not h$/)
  })
})

describe('the bus on Redis', () => {
  it('does not hear messages that it does not know', async () => {
    await using two = await twoNodesAlone()
    const { a, redis } = two
    const heard: unknown[] = []
    a.bus.listen('all', (message) => heard.push(message))
    await a.marks.raise('m', 1)
    const [, prefix = ''] = /(t-[\w-]+):mark/.exec(await redis.ask('KEYS *mark*')) ?? []
    await waitFor(() => a.bus.isUp, { what: 'the bus' })
    for (const text of [
      'nonsense',
      '{"v":99,"kind":"members","from":1}',
      '{"v":1,"kind":"of-later","from":1}',
      '{"v":1,"kind":"runs","from":1}',
    ]) {
      await redis.ask(`PUBLISH ${prefix}:bus:all ${JSON.stringify(text)}`)
    }
    a.bus.publish('all', { kind: 'members', from: 2 })
    await waitFor(() => heard.length > 0, { what: 'the message' })
    expect(heard).toMatchObject([{ kind: 'members', from: 2 }])
  })

  it('drops and counts what is too much at once, and what goes out while Redis is away', async () => {
    await using redis = await PrivateRedis.start()
    const target = parseRedisUrl(redis.url)
    const connection = new Connection(target, SILENT)
    const bus = new RedisBus({ connection, target, prefix: randomUUID(), log: SILENT })
    await connection.firstLook(10_000)
    let heard = 0
    bus.listen('all', () => heard++)
    await waitFor(() => bus.isUp, { what: 'the bus' })
    for (let sent = 0; sent < 10_050; sent++) bus.publish('all', { kind: 'members', from: sent })
    expect(bus.dropped).toBe(50)
    await waitFor(() => heard + bus.dropped >= 10_050, { what: 'the messages' })
    const { dropped } = bus
    bus.publish('all', { kind: 'events', from: 1, events: [1n], more: false })
    expect(bus.dropped).toBe(dropped + 1)
    redis.pause()
    bus.publish('all', { kind: 'members', from: 1 })
    await waitFor(() => bus.dropped === dropped + 2, { what: 'the message to be counted' })
    expect(bus.isUp).toBe(false)
    bus.publish('all', { kind: 'members', from: 1 })
    expect(bus.dropped).toBe(dropped + 3)
    redis.resume()
    bus.close()
    await connection.close()
  })

  it('sends what was published before the end', async () => {
    await using two = await twoNodes()
    const { a, b } = two
    const heard: number[] = []
    b.bus.listen('all', ({ from }) => heard.push(from))
    await waitFor(() => a.bus.isUp && b.bus.isUp, { what: 'the bus' })
    a.bus.publish('all', { kind: 'members', from: 3 })
    await a.close()
    expect(a.state).toBe('away')
    a.bus.publish('all', { kind: 'members', from: 4 })
    await expect(a.leases.holders()).rejects.toThrow(ClusterAway)
    await waitFor(() => heard.length > 0, { what: 'the message' })
    expect(heard).toEqual([3])
  })
})

it('a command that Redis refuses is ClusterAway for who asked, and no reason to think that it is away', async () => {
  await using two = await twoNodesAlone()
  const { a, redis } = two
  await a.marks.raise('m', 1)
  const [, key = ''] = /(t-[\w:-]+)/.exec(await redis.ask('KEYS *mark*')) ?? []
  await redis.ask(`DEL ${key}`)
  await redis.ask(`LPUSH ${key} x`)
  await expect(a.marks.raise('m', 2)).rejects.toMatchObject({ name: 'ClusterAway', cause: expect.stringContaining('WRONGTYPE') })
  expect(a.state).toBe('ok')
})
