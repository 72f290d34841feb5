import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Value } from 'typebox/value'
import { describeLink, dispatchOf, FakeHost, type LinkHarness } from '../conformance.fixture.ts'
import type { LinkHost, Order } from '../link.ts'
import { Networks } from '../networks.ts'
import { PostLink, readAddress, type PostLinkOptions } from './post-link.ts'
import { PostPeer } from './post-peer.fixture.ts'
import { signatureOf } from './poster.ts'
import type { Check } from './posted-reports.ts'

const one = { executorId: 1, bootId: 10 }
const check: Check = (schema, value) => (Value.Check(schema, value) ? [] : [{ path: 'value', code: 'TOO_LARGE', message: 'is wrong' }])

interface PostHarness extends LinkHarness {
  readonly link: PostLink
  connect(): Promise<PostPeer>
  addresses: Map<number, string>
}

function serve(host: LinkHost, timeoutMs = 5_000, more: Partial<PostLinkOptions> = {}): PostHarness {
  const addresses = new Map<number, string>()
  const link = new PostLink({
    host,
    tokenOf: ({ executorId, bootId }) => `tws_${String(executorId)}.${String(bootId)}`,
    addressOf: ({ executorId }) => Promise.resolve(addresses.get(executorId) ?? null),
    check,
    networks: Networks.everywhere,
    timeoutMs,
    ...more,
  })
  const peers: PostPeer[] = []
  return {
    link,
    addresses,
    connect: async () => {
      const peer = await PostPeer.open(link)
      peers.push(peer)
      return peer
    },
    close: async () => {
      await link.close()
      for (const peer of peers) peer.leave()
    },
  }
}

/** An engine that knows the newest boot of each executor, as the real one does. */
function withBoots(host: LinkHost): LinkHost {
  const newest = new Map<number, number>()
  const joined = host.joined.bind(host)
  const hear = host.hear.bind(host)
  host.joined = (session) => {
    newest.set(session.executorId, session.bootId)
    joined(session)
  }
  host.hear = (session, beat) =>
    (newest.get(session.executorId) ?? 0) > session.bootId ? Promise.resolve({ kind: 'superseded' }) : hear(session, beat)
  return host
}

describeLink('post', (host) => Promise.resolve(serve(withBoots(host))))

describe('post', () => {
  let host: FakeHost
  let harness: PostHarness
  beforeEach(() => {
    host = new FakeHost()
    harness = serve(host)
  })
  afterEach(() => harness.close())

  async function joined(): Promise<PostPeer> {
    const peer = await harness.connect()
    expect(await peer.join(one)).toBeNull()
    return peer
  }
  const cancelOf = (instanceId: number): Order => ({ type: 'cancel', instanceId, attempt: 1, bootId: 10, at: 1 })

  it('signs timestamp and body with the session token, and posts to the paths below the address', async () => {
    const peer = await joined()
    harness.link.send(one, [dispatchOf(1, one), cancelOf(1)])
    await peer.until(() => peer.orders.length === 2)
    expect(peer.letters.map(({ path }) => path)).toEqual(['/tickwheel/dispatch', '/tickwheel/cancel'])
    for (const { timestamp, signature, body } of peer.letters) {
      expect(Number(timestamp)).toBe(host.clock)
      expect(signature).toBe(signatureOf('tws_1.10', Number(timestamp), body))
    }
    expect(signatureOf('tws_1.10', 1, 'x')).not.toBe(signatureOf('tws_1.11', 1, 'x'))
    // as Python's hmac makes it
    expect(signatureOf('key', 1_700_000_000_000, '{}')).toBe('v1=36a72f4525d3323bd0f238fe82098164fb77b1e42288ff8e07b074c686178ad3')
  })

  it('takes 2xx for accepted', async () => {
    await joined()
    harness.link.send(one, [dispatchOf(1, one)])
    await host.until(() => host.reports.length === 1)
    expect(host.reports).toMatchObject([{ type: 'accepted', instanceId: 1, attempt: 1, at: host.clock }])
  })

  it.each([
    [{ status: 503, body: '' }, 'capacity'],
    [{ status: 429, body: 'busy' }, 'capacity'],
    [{ status: 503, body: '{"code":"draining"}' }, 'draining'],
    [{ status: 404, body: '{"code":"unknownHandler"}' }, 'unknownHandler'],
    [{ status: 409, body: '{"code":"tooOld"}' }, 'tooOld'],
    [{ status: 404, body: '<html>' }, 'unreachable'],
    [{ status: 302, body: '' }, 'unreachable'],
    [{ status: 400, body: '{"code":"noSuchCode"}' }, 'unreachable'],
  ] as const)('takes %j for rejected: %s', async (answer, code) => {
    const peer = await joined()
    peer.answer = () => answer
    harness.link.send(one, [dispatchOf(1, one)])
    await host.until(() => host.reports.length === 1)
    expect(host.reports).toMatchObject([{ type: 'rejected', instanceId: 1, attempt: 1, code }])
  })

  it('does not connect where executors are not called, whatever a name leads to', async () => {
    await harness.close()
    harness = serve(host, 5_000, { networks: new Networks({ listed: '10.0.0.0/8', isLoopbackOpen: true }) })
    const peer = await harness.connect()
    for (const [instanceId, address] of [peer.address, peer.address.replace('127.0.0.1', 'localhost')].entries()) {
      await harness.link.join(one, address)
      harness.link.send(one, [dispatchOf(instanceId + 1, one)])
      await host.until(() => host.reports.length === instanceId + 1)
    }
    expect(host.reports).toMatchObject(
      [1, 2].map((instanceId) => ({
        type: 'rejected',
        instanceId,
        code: 'unreachable',
        detail: expect.stringContaining('executor.networks') as string,
      })),
    )
    expect(peer.orders).toEqual([])
  })

  it('follows no redirect', async () => {
    const peer = await joined()
    const called: string[] = []
    const trap = createServer((request, response) => {
      called.push(request.url ?? '')
      response.end()
    })
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    const to = `http://127.0.0.1:${String((trap.address() as AddressInfo).port)}/`
    peer.answer = () => ({ status: 302, body: '', headers: { Location: to } })
    harness.link.send(one, [dispatchOf(1, one)])
    await host.until(() => host.reports.length === 1)
    expect([host.reports[0]?.type, called]).toEqual(['rejected', []])
    trap.close()
  })

  it('rejects what no connection came about for', async () => {
    const peer = await joined()
    peer.leave()
    harness.link.send(one, [dispatchOf(1, one)])
    await host.until(() => host.reports.length === 1)
    expect(host.reports).toMatchObject([{ type: 'rejected', code: 'unreachable', detail: 'ECONNREFUSED' }])
  })

  it('says nothing of what has no answer or 500, and sends it when it is told again', async () => {
    await harness.close()
    harness = serve(host, 100)
    const peer = await joined()
    const answers: ('silence' | number)[] = ['silence', 500, 200]
    peer.answer = () => answers[peer.orders.length] ?? 200
    for (let time = 1; time <= 3; time += 1) {
      // a sweep tells it once a second; while it is on its way, telling it again does nothing
      while (peer.orders.length < time) {
        harness.link.send(one, [dispatchOf(1, one)])
        await new Promise(setImmediate)
      }
    }
    await host.until(() => host.reports.length === 1)
    expect(host.reports).toMatchObject([{ type: 'accepted', instanceId: 1, attempt: 1 }])
    expect(peer.orders.length).toBeGreaterThanOrEqual(3)
  })

  describe('of an executor that answers errors and nothing else', () => {
    const PATIENCE = { forMs: 0, tries: 4, beats: 2 }
    let peer: PostPeer
    beforeEach(async () => {
      await harness.close()
      harness = serve(host, 5_000, { patience: PATIENCE })
      peer = await joined()
      peer.answer = () => 500
    })
    /** As a sweep sends what was not accepted, but at once: while one is on its way, sending it again does nothing. */
    async function sent(times: number): Promise<void> {
      const enough = peer.orders.length + times
      while (peer.orders.length < enough) {
        harness.link.send(one, [dispatchOf(1, one)])
        await new Promise(setImmediate)
      }
    }

    it('gives the run to another when heartbeats do not name it either', async () => {
      await sent(3)
      await peer.beat()
      await peer.beat()
      expect(host.reports).toEqual([])
      await sent(1)
      await host.until(() => host.reports.length === 1)
      expect(host.reports).toMatchObject([
        { type: 'rejected', instanceId: 1, attempt: 1, code: 'unreachable', detail: expect.stringContaining('4 tries') as string },
      ])
    })

    it.each([
      ['no heartbeat came', async () => undefined],
      [
        'it names the run in its heartbeats',
        async () => {
          for (let beats = 0; beats < 3; beats += 1) await peer.beat([{ instanceId: 1, attempt: 1 }])
        },
      ],
      [
        'it gave no answer in between',
        async () => {
          await peer.beat()
          await peer.beat()
          peer.answer = () => 'cut'
          // over a connection that was kept, and once more over a new one
          await sent(2)
          peer.answer = () => 500
        },
      ],
    ])('leaves it there when %s', async (_what, between) => {
      await sent(3)
      await between()
      await sent(2)
      expect(host.reports).toEqual([])
    })
  })

  it('keeps the orders of one run in their order, while others go on', async () => {
    const peer = await joined()
    const gate = Promise.withResolvers<null>()
    peer.hold = (order) => (order.instanceId === 1 && order.type === 'dispatch' ? gate.promise : null)
    harness.link.send(one, [dispatchOf(1, one), cancelOf(1), dispatchOf(2, one)])
    await host.until(() => host.reports.length === 1)
    expect(host.reports).toMatchObject([{ type: 'accepted', instanceId: 2 }])
    gate.resolve(null)
    await peer.until(() => peer.orders.some((order) => order.type === 'cancel'))
    expect(peer.orders.filter((order) => order.instanceId === 1).map((order) => order.type)).toEqual(['dispatch', 'cancel'])
  })

  it('has at most eight orders on their way', async () => {
    const peer = await joined()
    const gate = Promise.withResolvers<null>()
    peer.hold = () => gate.promise
    harness.link.send(
      one,
      Array.from({ length: 20 }, (_, place) => dispatchOf(place + 1, one)),
    )
    await peer.until(() => peer.orders.length === 8)
    expect(peer.most).toBe(8)
    gate.resolve(null)
    await host.until(() => host.reports.length === 20)
    expect(peer.most).toBe(8)
  })

  it('judges each report by itself, and names what is wrong with a bad one', async () => {
    const peer = await joined()
    const answer = await peer.post([
      { kind: 'started', instanceId: 1, attempt: 1 },
      { kind: 'progress', instanceId: 1, attempt: 1, value: 7 },
      { kind: 'log', instanceId: 1, attempt: 1, firstSeq: 1, lines: ['a', { text: 'b', at: 5, stream: 'stderr', level: 'error' }] },
      { kind: 'finished', instanceId: 1, attempt: 1, outcome: 'succeeded', result: { n: 1 }, lines: 2 },
    ])
    expect(answer?.verdicts).toEqual(['done', 'bad', 'done', 'done'])
    expect(answer?.errors).toMatchObject([{ path: 'reports.1.value' }])
    expect(host.reports).toMatchObject([
      { type: 'started', at: host.clock },
      {
        type: 'log',
        lines: [
          [host.clock, 0, 1, 'a'],
          [5, 1, 3, 'b'],
        ],
      },
      { type: 'logEnd', lines: 2 },
      { type: 'finished', bootId: 10, outcome: 'succeeded', result: { n: 1 }, startedAt: null },
    ])
  })

  it('takes the difference of a wrong clock off', async () => {
    const peer = await joined()
    await peer.post([{ kind: 'started', instanceId: 1, attempt: 1, at: 1_000 }], { at: 3_000 })
    expect(host.reports).toMatchObject([{ at: host.clock - 2_000 }])
  })

  it('goes on for an executor that no node sends to, when it hears of it', async () => {
    const peer = await harness.connect()
    await peer.join(one)
    await harness.close()
    harness = serve(host)
    const again = await harness.connect()
    again.speakFor(one)
    host.link = 'nobody'
    await again.beat()
    expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
    harness.addresses.set(1, again.address)
    await again.beat([{ instanceId: 9, attempt: 1 }])
    expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('sent')
    await again.until(() => again.orders.length === 1)
  })

  it('leaves an executor to the node that sends to it', async () => {
    const peer = await harness.connect()
    peer.speakFor(one)
    harness.addresses.set(1, peer.address)
    host.link = 'elsewhere'
    await peer.beat()
    expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
    expect(host.heard).toEqual([])
  })

  it('gives its executors up when the node leaves', async () => {
    await joined()
    await harness.close()
    expect(host.heard).toContain('left 1/10')
    expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
  })

  it('tells that what an older process had is lost when a process registers', async () => {
    const peer = await harness.connect()
    expect(await harness.link.register(one, peer.address)).toBe('welcome')
    expect(host.reports).toMatchObject([{ type: 'recovered', bootId: 10 }])
  })

  it.each([
    ['http://10.0.0.7:9000/', 'http://10.0.0.7:9000'],
    ['https://workers.example/tickwheel//', 'https://workers.example/tickwheel'],
    ['HTTP://[::1]:80/a', 'http://[::1]/a'],
    ['ftp://10.0.0.7', null],
    ['file:///etc/passwd', null],
    ['10.0.0.7:9000', null],
    ['http://user:secret@10.0.0.7', null],
    ['http://10.0.0.7/?a=b', null],
    ['http://10.0.0.7/#a', null],
    ['http://', null],
    ['javascript:alert(1)', null],
  ])('reads the address %s as %s', (text, address) => {
    expect(readAddress(text)).toBe(address)
  })
})
