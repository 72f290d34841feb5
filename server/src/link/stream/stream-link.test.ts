import { createServer, IncomingMessage } from 'node:http'
import { Socket, type AddressInfo } from 'node:net'
import { STREAM_PATH } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeConnection, describeLink, FakeHost, type LinkHarness } from '../conformance.fixture.ts'
import type { LinkHost } from '../link.ts'
import { Links } from '../links.ts'
import { StreamLink } from './stream-link.ts'
import { StreamPeer } from './stream-peer.fixture.ts'

interface StreamHarness extends LinkHarness {
  readonly link: StreamLink
  connect(): Promise<StreamPeer>
}

async function serve(host: LinkHost, helloWithinMs = 10_000): Promise<StreamHarness> {
  return listen(new StreamLink({ host, node: 'node-1', helloWithinMs }))
}

/** As in a server: what the engine sends goes through the hub. */
async function serveBehindHub(host: LinkHost): Promise<LinkHarness> {
  const links = new Links(host)
  const harness = await listen(links.add((own) => new StreamLink({ host: own, node: 'node-1' })))
  return { ...harness, link: links }
}

async function listen(link: StreamLink): Promise<StreamHarness> {
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    if (!link.upgrade(request, socket, head)) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}${STREAM_PATH}`
  return {
    link,
    connect: () => StreamPeer.open(url),
    close: async () => {
      await link.close()
      server.close()
    },
  }
}

describeLink('the stream', (host) => serve(host))
describeConnection('the stream', (host) => serve(host))
describeLink('the stream behind the hub', serveBehindHub)
describeConnection('the stream behind the hub', serveBehindHub)

describe('the stream', () => {
  const one = { executorId: 1, bootId: 10 }
  let host: FakeHost
  let harness: StreamHarness

  beforeEach(async () => {
    host = new FakeHost()
    harness = await serve(host)
  })
  afterEach(() => harness.close())

  async function joined(): Promise<StreamPeer> {
    const peer = await harness.connect()
    expect(await peer.join(one)).toBeNull()
    return peer
  }

  it('welcomes with the intervals, the clock and the name of the node', async () => {
    const peer = await joined()
    expect(peer.frames[0]).toEqual({
      type: 'welcome',
      version: 2,
      node: 'node-1',
      at: host.clock,
      heartbeatMs: 5_000,
      deadMs: 15_000,
      draining: false,
    })
  })

  it('refuses a frame of a type it does not know by name, ignores fields it does not know, and goes on', async () => {
    const peer = await joined()
    peer.say({ type: 'dance', n: 1 })
    await peer.until(() => peer.frames.some((frame) => frame.type === 'refused'))
    expect(peer.frames.find((frame) => frame.type === 'refused')).toMatchObject({ frame: 'dance' })
    expect(await peer.report({ type: 'recovered', bootId: 10, ...{ mood: 'good' } })).toBe('done')
  })

  it.each([
    ['no JSON', 'hello'],
    ['no array', '{}'],
    ['too many frames', JSON.stringify(Array.from({ length: 1_001 }, () => ({ type: 'x' })))],
    ['a second hello', JSON.stringify([{ type: 'hello', version: 1, ...one, token: 't', running: [], at: 1 }])],
  ])('ends a connection that breaks the protocol: %s', async (_why, text) => {
    const peer = await joined()
    peer.sayRaw(text)
    expect(await peer.ended).toBe('protocol')
  })

  it.each([
    ['a frame before the hello', { type: 'heartbeat', at: 1, running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } }],
    ['a hello that is not valid', { type: 'hello' }],
  ])('ends a connection that begins with %s', async (_why, frame) => {
    const peer = await harness.connect()
    peer.say(frame)
    expect(await peer.ended).toBe('protocol')
  })

  it('ends a connection that leaves more than 1,000 reports open', async () => {
    const peer = await joined()
    host.commit = new Promise(() => undefined)
    for (let each = 0; each <= 1_000; each += 1) void peer.report({ type: 'recovered', bootId: 10 })
    expect(await peer.ended).toBe('protocol')
  })

  it('turns the instants of an executor whose clock is wrong into cluster time', async () => {
    const peer = await harness.connect()
    peer.clock = host.clock - 60_000
    await peer.join(one)
    await peer.report({ type: 'log', instanceId: 1, attempt: 1, firstSeq: 1, lines: [[peer.clock + 5, 0, 1, 'x']] })
    await peer.report({
      type: 'finished',
      instanceId: 1,
      attempt: 1,
      at: peer.clock + 7,
      startedAt: peer.clock + 3,
      bootId: 10,
      outcome: 'succeeded',
    })
    expect(host.reports).toMatchObject([{ lines: [[host.clock + 5, 0, 1, 'x']] }, { at: host.clock + 7, startedAt: host.clock + 3 }])
  })

  it('leaves instants alone that differ by no more than a message may take', async () => {
    const peer = await harness.connect()
    peer.clock = host.clock - 20
    await peer.join(one)
    await peer.report({ type: 'started', instanceId: 1, attempt: 1, at: peer.clock })
    expect(host.reports).toMatchObject([{ at: peer.clock }])
  })

  it('leaves upgrades to other addresses to others', () => {
    const socket = new Socket()
    const request = new IncomingMessage(socket)
    request.url = '/api/v1/live'
    expect(harness.link.upgrade(request, socket, Buffer.alloc(0))).toBe(false)
  })

  it('cuts off a connection that never says hello', async () => {
    const short = await serve(host, 10)
    const peer = await short.connect()
    expect(await peer.ended).toBe('other')
    await short.close()
  })
})
