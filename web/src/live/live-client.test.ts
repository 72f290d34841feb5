import type { ClientMessage, LiveMessage } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LIVE_PAUSES, LiveClient, type LiveListener, type LivePorts, type LiveSocket } from './live-client.ts'

class FakeSocket implements LiveSocket {
  onmessage: LiveSocket['onmessage'] = null
  onclose: LiveSocket['onclose'] = null
  readyState: LiveSocket['readyState'] = 1
  readonly protocols: readonly string[]
  readonly sent: ClientMessage[] = []
  wasClosed = false
  constructor(protocols: readonly string[]) {
    this.protocols = protocols
  }
  send(text: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    this.sent.push(JSON.parse(String(text)))
  }
  close(): void {
    this.wasClosed = true
    this.readyState = 3
  }
  say(message: LiveMessage): void {
    this.onmessage?.call(this as never, new MessageEvent('message', { data: JSON.stringify(message) }))
  }
  break(code: number): void {
    this.readyState = 3
    this.onclose?.call(this as never, new CloseEvent('close', { code }))
  }
}

function world(over: Partial<LivePorts> = {}) {
  const sockets: FakeSocket[] = []
  const states: unknown[] = []
  const session = { token: 'one' as string | null, tell: (_token: string | null) => {}, checks: 0, renewals: 0, renewAtMs: Date.now() + 60_000 }
  const client = new LiveClient({
    connect: (protocols) => {
      const socket = new FakeSocket(protocols)
      sockets.push(socket)
      return socket
    },
    token: () => {
      session.renewals += 1
      return Promise.resolve(session.token)
    },
    checkSession: () => {
      session.checks += 1
      return Promise.resolve()
    },
    watchToken: (listener) => (session.tell = listener),
    renewAtMs: () => (session.token === null ? null : session.renewAtMs),
    tellState: (state) => states.push(state),
    chance: () => 0.5,
    ...over,
  })
  return { client, sockets, states, session }
}

const settle = () => vi.advanceTimersByTimeAsync(0)
const listener = (over: Partial<LiveListener> = {}): LiveListener => ({ topic: 'group:*', onEvent: () => {}, ...over })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the live connection', () => {
  it('connects once for many listeners, with the token as a subprotocol, and subscribes when the server is ready', async () => {
    const { client, sockets } = world()
    client.subscribe(listener())
    client.subscribe(listener({ topic: 'executor' }))
    await settle()
    expect(sockets).toHaveLength(1)
    expect(sockets[0]?.protocols).toEqual(['tickwheel.live.1', 'bearer.one'])
    expect(sockets[0]?.sent).toEqual([])
    sockets[0]?.say({ type: 'ready' })
    expect(sockets[0]?.sent).toEqual([{ type: 'subscribe', id: 1, topic: 'group:*' }, { type: 'subscribe', id: 2, topic: 'executor' }])
  })

  it('gives each event to the listener that asked for it, and to none after it has stopped', async () => {
    const { client, sockets } = world()
    const seen: unknown[] = []
    const stop = client.subscribe(listener({ onEvent: ({ data }) => seen.push(data) }))
    client.subscribe(listener({ topic: 'executor', onEvent: () => seen.push('wrong') }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.say({ type: 'event', id: 1, topic: 'group:*', seq: 1, data: 'a' })
    stop()
    sockets[0]?.say({ type: 'event', id: 1, topic: 'group:*', seq: 2, data: 'b' })
    expect(seen).toEqual(['a'])
    expect(sockets[0]?.sent.at(-1)).toEqual({ type: 'unsubscribe', id: 1 })
  })

  it('connects again after a break, with growing pauses, and asks for logs from the last line it has', async () => {
    const { client, sockets, states } = world()
    let last = 0
    client.subscribe(listener({ topic: 'instance:7:logs', after: () => last }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    expect(sockets[0]?.sent).toEqual([{ type: 'subscribe', id: 1, topic: 'instance:7:logs', after: 0 }])
    last = 41
    sockets[0]?.break(1006)
    expect(states.at(-1)).toEqual({ retryAtMs: Date.now() + LIVE_PAUSES.firstMs * 0.75 })
    await vi.advanceTimersByTimeAsync(LIVE_PAUSES.firstMs)
    sockets[1]?.break(1006)
    expect(states.at(-1)).toEqual({ retryAtMs: Date.now() + LIVE_PAUSES.firstMs * 1.5 })
    await vi.advanceTimersByTimeAsync(LIVE_PAUSES.firstMs * 2)
    sockets[2]?.say({ type: 'ready' })
    expect(sockets[2]?.sent).toEqual([{ type: 'subscribe', id: 1, topic: 'instance:7:logs', after: 41 }])
    expect(states.at(-1)).toBe('open')
  })

  it('tells a list that the server is behind as what it may have missed, and a log as lines that are still to come', async () => {
    const { client, sockets } = world()
    const told: string[] = []
    client.subscribe(listener({ onResume: () => told.push('list') }))
    client.subscribe(listener({ topic: 'instance:7:logs', onBehind: ({ to }) => told.push(`log ${to}`), onResume: () => told.push('wrong') }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.say({ type: 'behind', id: 1, topic: 'group:*', from: 3, to: 4 })
    sockets[0]?.say({ type: 'behind', id: 2, topic: 'instance:7:logs', from: 3, to: 40 })
    expect(told).toEqual(['list', 'log 40'])
  })

  it.each([[1012, 'its node leaves'], [1013, 'the node has no room']])('goes to another node after a close with %d, because %s', async (code) => {
    const { client, sockets, states } = world()
    client.subscribe(listener({ topic: 'instance:7:logs', after: () => 41 }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.break(code)
    expect(states.at(-1)).toEqual({ retryAtMs: Date.now() + LIVE_PAUSES.firstMs * 0.75 })
    await vi.advanceTimersByTimeAsync(LIVE_PAUSES.firstMs)
    sockets[1]?.say({ type: 'ready' })
    expect(sockets[1]?.sent).toEqual([{ type: 'subscribe', id: 1, topic: 'instance:7:logs', after: 41 }])
  })

  it('tells a listener without a position that it may have missed something, but not at its first subscription', async () => {
    const { client, sockets } = world()
    let resumed = 0
    client.subscribe(listener({ onResume: () => (resumed += 1) }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.say({ type: 'subscribed', id: 1, next: 0 })
    expect(resumed).toBe(0)
    sockets[0]?.break(1012)
    await vi.advanceTimersByTimeAsync(1_000)
    sockets[1]?.say({ type: 'ready' })
    sockets[1]?.say({ type: 'subscribed', id: 1, next: 0 })
    expect(resumed).toBe(1)
  })

  it('tells a listener that came before or during a break, too: what its page asked for then never came', async () => {
    const { client, sockets } = world()
    const resumed: string[] = []
    client.subscribe(listener({ onResume: () => resumed.push('before') }))
    await settle()
    sockets[0]?.break(1006)
    client.subscribe(listener({ onResume: () => resumed.push('during') }))
    await vi.advanceTimersByTimeAsync(1_000)
    sockets[1]?.say({ type: 'ready' })
    sockets[1]?.say({ type: 'subscribed', id: 1, next: 0 })
    sockets[1]?.say({ type: 'subscribed', id: 2, next: 0 })
    expect(resumed).toEqual(['before', 'during'])
  })

  it('sends a renewed token over the open connection', async () => {
    const { client, sockets, session } = world()
    client.subscribe(listener())
    await settle()
    sockets[0]?.say({ type: 'ready' })
    session.tell('two')
    expect(sockets[0]?.sent.at(-1)).toEqual({ type: 'auth', token: 'two' })
    expect(sockets).toHaveLength(1)
  })

  it('renews the token in time while nothing else calls the server', async () => {
    const { client, sockets, session } = world()
    client.subscribe(listener())
    await settle()
    sockets[0]?.say({ type: 'ready' })
    const before = session.renewals
    await vi.advanceTimersByTimeAsync(59_000)
    expect(session.renewals).toBe(before)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(session.renewals).toBe(before + 1)
  })

  it('asks whether the session stands when the server says it ended, and connects at once when it does', async () => {
    const { client, sockets, session } = world()
    client.subscribe(listener())
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.break(4401)
    await settle()
    expect(session.checks).toBe(1)
    expect(sockets).toHaveLength(2)
    // refused again: no endless loop without a pause
    sockets[1]?.break(4401)
    await settle()
    expect(sockets).toHaveLength(2)
  })

  it('gives up quietly when the session is over, and comes back with the next one', async () => {
    const { client, sockets, session, states } = world({ checkSession: () => Promise.reject(new Error('401')) })
    client.subscribe(listener())
    await settle()
    sockets[0]?.say({ type: 'ready' })
    session.token = null
    sockets[0]?.break(4401)
    session.tell(null)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
    expect(states.at(-1)).toBe('idle')
    session.token = 'new'
    session.tell('new')
    await settle()
    expect(sockets[1]?.protocols).toContain('bearer.new')
  })

  it('tells the listener whose topic was refused, and keeps the others', async () => {
    const { client, sockets } = world()
    const closed: string[] = []
    const seen: unknown[] = []
    client.subscribe(listener({ topic: 'instance:1', onClosed: (code) => closed.push(code) }))
    client.subscribe(listener({ onEvent: ({ data }) => seen.push(data) }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.say({ type: 'error', id: 1, code: 'INSTANCE_NOT_FOUND', detail: '' })
    sockets[0]?.say({ type: 'event', id: 2, topic: 'group:*', seq: 1, data: 'still here' })
    expect(closed).toEqual(['INSTANCE_NOT_FOUND'])
    expect(seen).toEqual(['still here'])
  })

  it('asks again for a topic that the server could not open just now', async () => {
    const { client, sockets } = world()
    const closed: string[] = []
    client.subscribe(listener({ topic: 'instance:1:logs', after: () => 5, onClosed: (code) => closed.push(code) }))
    await settle()
    sockets[0]?.say({ type: 'ready' })
    sockets[0]?.say({ type: 'error', id: 1, code: 'RATE_LIMITED', detail: '' })
    await vi.advanceTimersByTimeAsync(LIVE_PAUSES.againMs)
    expect(sockets[0]?.sent.slice(1)).toEqual([{ type: 'unsubscribe', id: 1 }, { type: 'subscribe', id: 1, topic: 'instance:1:logs', after: 5 }])
    expect(closed).toEqual([])
  })

  it('closes the connection a while after the last listener has gone', async () => {
    const { client, sockets } = world()
    const stop = client.subscribe(listener())
    await settle()
    sockets[0]?.say({ type: 'ready' })
    stop()
    expect(sockets[0]?.wasClosed).toBe(false)
    await vi.advanceTimersByTimeAsync(LIVE_PAUSES.idleMs + 1)
    expect(sockets[0]?.wasClosed).toBe(true)
  })
})
