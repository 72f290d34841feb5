import type { Chance } from '../kit/chance.ts'
import { ClusterAway } from '../../server/src/cluster/away.ts'
import type { Bus, Channel } from '../../server/src/cluster/bus.ts'
import type { Cluster } from '../../server/src/cluster/cluster.ts'
import type { Leases } from '../../server/src/cluster/lease.ts'
import type { Marks } from '../../server/src/cluster/marks.ts'
import type { Members } from '../../server/src/cluster/members.ts'
import { decodeMessage, encodeMessage, type BusMessage } from '../../server/src/cluster/messages.ts'
import { MemoryLeases } from '../../server/src/cluster/memory/leases.ts'
import { MemoryMarks } from '../../server/src/cluster/memory/marks.ts'
import { MemoryMembers } from '../../server/src/cluster/memory/members.ts'
import { latency } from './sim-database.ts'
import { never, type SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import type { Rates } from './weather.ts'

/** Every call settles within so long. */
const LIMIT_MS = 1000

interface Listener {
  readonly view: NodeRedis
  readonly channel: Channel
  readonly hear: (message: BusMessage) => void
}

/** Redis, which the nodes share: what it holds is the memory adapters' own state. */
export class SimRedis {
  readonly #timeline: Timeline
  readonly listeners = new Set<Listener>()
  leases: Leases
  marks: Marks
  members: Members
  isAway = false

  constructor(timeline: Timeline) {
    this.#timeline = timeline
    this.leases = new MemoryLeases(() => this.#timeline.now)
    this.marks = new MemoryMarks()
    this.members = new MemoryMembers(() => this.#timeline.now)
  }

  /** FLUSHALL, or a restart without a file. */
  flush(): void {
    this.leases = new MemoryLeases(() => this.#timeline.now)
    this.marks = new MemoryMarks()
    this.members = new MemoryMembers(() => this.#timeline.now)
  }
}

export interface NodeRedisOptions {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly redis: SimRedis
  readonly owner: SimProcess
  readonly rates: Rates
  readonly trace: Trace
}

/** Redis as one process reaches it: calls and messages are lost, come late, or twice. */
export class NodeRedis {
  readonly #options: NodeRedisOptions
  #answered = true
  isCut = false

  constructor(options: NodeRedisOptions) {
    this.#options = options
    const { redis, owner } = options
    owner.onDeath(() => {
      for (const listener of redis.listeners) if (listener.view === this) redis.listeners.delete(listener)
    })
  }

  canReach(): boolean {
    return !this.isCut && !this.#options.redis.isAway
  }

  /** What the engine is given. */
  cluster(): Pick<Cluster, 'leases' | 'bus' | 'members' | 'marks' | 'state'> {
    const { redis } = this.#options
    const state = (): Cluster['state'] => (this.#answered ? 'ok' : 'away')
    const leases: Leases = {
      acquire: (owner, slots, ttlMs) => this.#ask('acquire', () => redis.leases.acquire(owner, slots, ttlMs)),
      renew: (owner, slots, ttlMs) => this.#ask('renew', () => redis.leases.renew(owner, slots, ttlMs)),
      release: (owner, slots) => this.#ask('release', () => redis.leases.release(owner, slots)),
      holders: () => this.#ask('holders', () => redis.leases.holders()),
    }
    const members: Members = {
      beat: (node, ttlMs) => this.#ask('beat', () => redis.members.beat(node, ttlMs)),
      leave: (runId) => this.#ask('leave', () => redis.members.leave(runId)),
      alive: () => this.#ask('alive', () => redis.members.alive()),
    }
    const marks: Marks = {
      raise: (name, value) => this.#ask('raise', () => redis.marks.raise(name, value)),
      read: (name) => this.#ask('mark', () => redis.marks.read(name)),
    }
    return {
      leases,
      members,
      marks,
      bus: this.#bus(),
      get state() {
        return state()
      },
    }
  }

  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { timeline, chance, owner, rates, trace } = this.#options
    if (owner.isDead) return never()
    if (chance.next() < rates.crash) {
      trace.line(() => `${owner.name} dies before a call of Redis (${what})`)
      owner.kill()
      return never()
    }
    const isLostThere = !this.canReach() || chance.next() < rates.redisError / 2
    const isLostBack = chance.next() < rates.redisError / 2
    await timeline.sleep(latency(chance), owner)
    if (isLostThere || !this.canReach()) return this.#giveUp(what)
    const answer = await work()
    await timeline.sleep(latency(chance), owner)
    if (isLostBack || !this.canReach()) return this.#giveUp(what)
    this.#answered = true
    return answer
  }

  async #giveUp(what: string): Promise<never> {
    const { timeline, chance, owner, trace } = this.#options
    await timeline.sleep(chance.next() < 0.5 ? 1 : LIMIT_MS, owner)
    this.#answered = false
    trace.line(() => `${owner.name} gets no answer from Redis (${what})`)
    throw new ClusterAway()
  }

  #bus(): Bus {
    const { redis } = this.#options
    const isUp = (): boolean => this.#answered
    return {
      get isUp() {
        return isUp()
      },
      publish: (channel, message) => this.#publish(channel, encodeMessage(message)),
      listen: (channel, hear) => {
        const listener: Listener = { view: this, channel, hear }
        redis.listeners.add(listener)
        return () => redis.listeners.delete(listener)
      },
    }
  }

  #publish(channel: Channel, text: string): void {
    const { chance, redis, owner, rates, trace } = this.#options
    if (owner.isDead || !this.canReach()) return
    trace.line(() => `${owner.name} tells ${channel} ${text}`)
    for (const listener of redis.listeners) {
      if (listener.channel !== channel) continue
      if (chance.next() < rates.busLost) continue
      this.#deliver(listener, text)
      if (chance.next() < rates.busDoubled) this.#deliver(listener, text)
    }
  }

  #deliver(listener: Listener, text: string): void {
    const { timeline, chance, redis, rates } = this.#options
    const { view, hear } = listener
    const ms = chance.next() < rates.busLate ? chance.between(20, 3000) : latency(chance)
    timeline.after(ms, view.#options.owner, () => {
      const message = decodeMessage(text)
      if (message !== null && view.canReach() && redis.listeners.has(listener)) hear(message)
    })
  }
}
