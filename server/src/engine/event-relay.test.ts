import { beforeEach, describe, expect, it } from 'vitest'
import type { Bus, Channel } from '../cluster/bus.ts'
import { MemoryBus } from '../cluster/memory/bus.ts'
import type { BusMessage } from '../cluster/messages.ts'
import { EventRelay, otherNodes, type OtherNodes } from './event-relay.ts'
import { Events, type EngineEvent, type EventPlace } from './events.ts'
import { ManualClock } from './manual-clock.fixture.ts'

/** A bus that can be cut, and that keeps what went over it. */
class WireBus implements Bus {
  isUp = true
  readonly sent: { channel: Channel; message: BusMessage }[] = []
  readonly #bus = new MemoryBus()

  publish(channel: Channel, message: BusMessage): void {
    this.sent.push({ channel, message })
    if (this.isUp) this.#bus.publish(channel, message)
  }

  listen(channel: Channel, hear: (message: BusMessage) => void): () => void {
    return this.#bus.listen(channel, hear)
  }

  batches(): Extract<BusMessage, { kind: 'events' }>[] {
    return this.sent.flatMap(({ message }) => (message.kind === 'events' ? [message] : []))
  }
}

const REACHED: OtherNodes = { count: 1, areReached: true, isWatched: false }
const WATCHED: OtherNodes = { ...REACHED, isWatched: true }

class Node {
  readonly events = new Events()
  readonly told: EngineEvent[] = []
  readonly relay: EventRelay

  constructor(runId: number, clock: ManualClock, bus: WireBus) {
    this.relay = new EventRelay({ runId, clock, events: this.events, cluster: { bus, state: 'ok' } })
    this.relay.see(REACHED)
    this.events.listen((events, place: EventPlace) => {
      if (place === 'elsewhere') this.told.push(...events)
    })
  }

  looks(): EngineEvent[] {
    return this.told.filter(({ kind }) => kind === 'lookAgain')
  }
}

let clock: ManualClock
let bus: WireBus
let a: Node
let b: Node

const pass = async (ms: number): Promise<void> => clock.advance(ms, async () => arrived())
const arrived = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const run = (instanceId: number): EngineEvent => ({ kind: 'instanceChanged', instanceId, taskId: 1, groupId: 1 })
const lines = (firstSeq: number, count: number): EngineEvent => ({ kind: 'logAppended', instanceId: 1, attempt: 1, firstSeq, count })

beforeEach(() => {
  clock = new ManualClock(0)
  bus = new WireBus()
  a = new Node(1, clock, bus)
  b = new Node(2, clock, bus)
})

describe('events', () => {
  it('reach a node on which consoles watch, gathered, one for each subject, the log as far as it goes, and are not sent back', async () => {
    b.relay.setWatching(true)
    await arrived()
    a.events.emit([run(1), lines(1, 10), lines(11, 5), run(2), lines(2, 1)])
    a.events.emit([run(1)])
    await pass(99)
    expect(b.told).toEqual([])
    await pass(1)
    expect(b.told).toEqual([run(2), lines(11, 5), run(1)])
    a.relay.setWatching(true)
    a.relay.see(WATCHED)
    b.relay.see(WATCHED)
    await pass(500)
    expect(bus.batches()).toHaveLength(1)
    expect(a.told).toEqual([])
  })

  it('are sent while another node says that it is watched, and to nobody otherwise', async () => {
    a.events.emit([run(1)])
    await pass(200)
    a.relay.see(WATCHED)
    a.events.emit([run(2)])
    await pass(200)
    a.relay.see(REACHED)
    a.events.emit([run(3)])
    await pass(200)
    expect(bus.batches()).toMatchObject([{ from: 1, events: [run(2)], more: false }])
  })

  it('go in messages of 500, 5,000 at most, and then the others are told to look at everything', async () => {
    b.relay.setWatching(true)
    a.relay.see(WATCHED)
    a.events.emit(Array.from({ length: 5200 }, (_, index) => run(index + 1)))
    await pass(100)
    expect(bus.batches().map(({ events, more }) => [events.length, more])).toEqual(
      Array.from({ length: 10 }, (_, index) => [500, index === 9]),
    )
    expect(b.told).toHaveLength(5001)
    expect(b.told.at(-1)).toEqual({ kind: 'lookAgain', lists: true })
  })

  it.each([
    ['nothing', null],
    ['an unknown kind', { kind: 'moonRose', instanceId: 1 }],
    ['a kind that every object has', { kind: 'constructor' }],
    ['an id that is a text', { kind: 'instanceChanged', instanceId: '1', taskId: 1, groupId: 1 }],
    ['a field that is missing', { kind: 'logAppended', instanceId: 1, attempt: 1, firstSeq: 1 }],
    ['a number that is none', { kind: 'logEnded', instanceId: 1, attempt: 1.5 }],
    ['a change of access', { kind: 'accessChanged' }],
    ['what only a node says to itself', { kind: 'lookAgain', lists: true }],
  ])('of another node that are %s are dropped, and what is sound beside them is not', async (_, event) => {
    b.relay.setWatching(true)
    bus.publish('watchers', { kind: 'events', from: 1, events: [event, { ...run(1), secret: 'x' }], more: false })
    await arrived()
    expect(b.told).toEqual([run(1)])
  })

  it('are heard only while consoles watch, and five seconds longer', async () => {
    expect(b.relay.isWatching).toBe(false)
    b.relay.setWatching(true)
    b.relay.setWatching(false)
    await pass(4999)
    b.relay.setWatching(true)
    b.relay.setWatching(false)
    await pass(4999)
    expect(b.relay.isWatching).toBe(true)
    await pass(1)
    expect(b.relay.isWatching).toBe(false)
    a.relay.see(WATCHED)
    a.events.emit([run(1)])
    await pass(100)
    expect(bus.batches()).toHaveLength(1)
    expect(b.told).toEqual([])
  })
})

it('tells a change of access to every node at once, watched or not, and once', async () => {
  a.events.emit([{ kind: 'accessChanged' }])
  await arrived()
  expect(b.told).toEqual([{ kind: 'accessChanged' }])
  expect(a.told).toEqual([])
  expect(bus.sent).toEqual([{ channel: 'all', message: { kind: 'access', from: 1 } }])
})

describe('without messages', () => {
  const steady = async (): Promise<void> => {
    b.relay.setWatching(true)
    await pass(5000)
    b.told.length = 0
  }

  it('logs and runs are looked at each second, lists every third, until three seconds after the bus is back', async () => {
    await steady()
    bus.isUp = false
    await pass(6000)
    expect(b.looks()).toHaveLength(6)
    expect(b.looks().filter((look) => look.kind === 'lookAgain' && look.lists)).toHaveLength(2)
    bus.isUp = true
    b.told.length = 0
    await pass(2900)
    expect(b.looks().length).toBeGreaterThanOrEqual(2)
    await pass(1000)
    b.told.length = 0
    await pass(5000)
    expect(b.looks().length).toBeLessThanOrEqual(1)
  })

  it.each<[string, OtherNodes]>([
    ['another node does not reach the bus', { ...REACHED, areReached: false }],
    ['nobody knows who watches', { count: 1, areReached: false, isWatched: true }],
  ])('it looks too when %s', async (_, others) => {
    await steady()
    b.relay.see(others)
    await pass(3000)
    expect(b.looks()).toHaveLength(3)
  })

  it('it looks in the first seconds of listening, when the others may not know yet, and every ten seconds for no reason', async () => {
    b.relay.setWatching(true)
    await pass(4000)
    expect(b.looks()).toHaveLength(2)
    await pass(16_000)
    expect(b.looks()).toHaveLength(4)
  })

  it('a node that is alone, or that nobody watches, looks at nothing', async () => {
    b.relay.see({ count: 0, areReached: true, isWatched: false })
    bus.isUp = false
    b.relay.setWatching(true)
    await pass(10_000)
    b.relay.see(REACHED)
    b.relay.setWatching(false)
    await pass(10_000)
    expect(b.told).toEqual([])
  })
})

it('does nothing more when it is stopped', async () => {
  b.relay.setWatching(true)
  a.relay.see(WATCHED)
  b.relay.stop()
  a.events.emit([run(1), { kind: 'accessChanged' }])
  bus.isUp = false
  await pass(5000)
  expect(b.told).toEqual([])
})

const beat = (runId: number, isWatching: boolean) => ({ runId, name: '', url: '', isWatching })
it.each<[string, Parameters<typeof otherNodes>, OtherNodes]>([
  ['alone', [1, [{ runId: 1, redis: 'none' }], [beat(1, true)]], { count: 0, areReached: true, isWatched: false }],
  [
    'with one that is watched',
    [
      1,
      [
        { runId: 1, redis: 'ok' },
        { runId: 2, redis: 'ok' },
      ],
      [beat(1, false), beat(2, true)],
    ],
    { count: 1, areReached: true, isWatched: true },
  ],
  ['with one whose Redis is away', [1, [{ runId: 2, redis: 'away' }], [beat(1, true)]], { count: 1, areReached: false, isWatched: false }],
  ['without Redis', [1, [{ runId: 2, redis: 'ok' }], null], { count: 1, areReached: false, isWatched: true }],
  ['with one that does not tell', [1, [{ runId: 2, redis: null }], []], { count: 1, areReached: false, isWatched: false }],
])('sees the other nodes: %s', (_, given, seen) => {
  expect(otherNodes(...given)).toEqual(seen)
})
