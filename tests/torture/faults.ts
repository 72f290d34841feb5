/** What is done to the processes, one fault a function: strike, hold, heal. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Chance } from '../kit/chance.ts'
import type { ClusterNode } from '../kit/cluster.ts'
import type { TortureExecutor, World } from './world.ts'

export const FAULTS = [
  'nodeKill',
  'nodeFreeze',
  'nodeRestart',
  'nodeWithoutRedis',
  'nodeWithoutStore',
  'executorKill',
  'executorFreeze',
  'executorRestart',
  'mariaDbKill',
  'redisKill',
  'redisFlush',
  'redisPause',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** One fault as it was: instants as epoch ms. */
export interface Injury {
  readonly kind: FaultKind
  /** `node a`, `executor x`, `mariaDb`, `redis` */
  readonly target: string
  readonly from: number
  /** when all was well again */
  readonly until: number
}

export interface Blow {
  readonly kind: FaultKind
  readonly target: string
  /** how long it waits before it strikes, ms */
  readonly afterMs: number
  /** how long it holds, ms */
  readonly holdMs: number
}

/** How long faults hold, ms. A frozen node always outlasts its lease of 3 s. */
export interface Holds {
  readonly most: number
}

export interface FaultPlanOptions {
  readonly nodes: readonly string[]
  readonly executors: readonly string[]
  readonly holds: Holds
  /** those that are dealt */
  readonly kinds: readonly FaultKind[]
}

/** what nodes suffer is what this is about: twice in a deck */
const TWICE: readonly FaultKind[] = ['nodeKill', 'nodeFreeze', 'nodeRestart']

/** Deals faults from a shuffled deck, so that each kind comes about equally often, up to three at once and never two on one target. */
export class FaultPlan {
  readonly #chance: Chance
  readonly #nodes: readonly string[]
  readonly #executors: readonly string[]
  readonly #holds: Holds
  readonly #kinds: readonly FaultKind[]
  #deck: FaultKind[] = []

  constructor(chance: Chance, { nodes, executors, holds, kinds }: FaultPlanOptions) {
    this.#chance = chance
    this.#nodes = nodes
    this.#executors = executors
    this.#holds = holds
    this.#kinds = kinds
  }

  /** The blows of one round. */
  next(): Blow[] {
    const roll = this.#chance.next()
    const count = roll < 0.6 ? 1 : roll < 0.9 ? 2 : 3
    const hit = new Set<string>()
    return Array.from({ length: count }, () => this.#deal()).flatMap((kind) => {
      const target = this.#target(kind)
      if (hit.has(target)) return []
      hit.add(target)
      return [{ kind, target, afterMs: hit.size === 1 ? 0 : this.#chance.between(0, 1500), holdMs: this.#hold(kind) }]
    })
  }

  #deal(): FaultKind {
    if (this.#deck.length === 0) {
      this.#deck = [...this.#kinds, ...this.#kinds.filter((kind) => TWICE.includes(kind))]
      for (let last = this.#deck.length - 1; last > 0; last -= 1) {
        const other = this.#chance.between(0, last)
        const [a, b] = [this.#deck[last], this.#deck[other]]
        if (a !== undefined && b !== undefined) [this.#deck[last], this.#deck[other]] = [b, a]
      }
    }
    return this.#deck.pop() ?? 'nodeKill'
  }

  #target(kind: FaultKind): string {
    if (kind.startsWith('node')) return this.#any(this.#nodes)
    if (kind.startsWith('executor')) return this.#any(this.#executors)
    return kind.startsWith('redis') ? 'redis' : 'mariaDb'
  }

  #any(names: readonly string[]): string {
    return names[this.#chance.between(0, names.length - 1)] ?? ''
  }

  #hold(kind: FaultKind): number {
    const { most } = this.#holds
    switch (kind) {
      case 'nodeFreeze':
      case 'nodeWithoutRedis':
      case 'nodeWithoutStore':
        return this.#chance.between(3_500, Math.max(5_000, most))
      case 'nodeKill':
      case 'executorFreeze':
      case 'executorKill':
      case 'redisPause':
      case 'redisKill':
        return this.#chance.between(500, most)
      case 'mariaDbKill':
        return this.#chance.between(300, Math.min(6_000, most))
      case 'nodeRestart':
      case 'executorRestart':
      case 'redisFlush':
        return 0
    }
  }
}

/** What others may want to know the moment a node is hurt. */
export type OnNodeHurt = (node: ClusterNode, kind: FaultKind, at: number) => void

const READY_MS = 60_000

/** Strikes, holds and heals; resolves when the target is well again. Rejects when it does not get well within a minute. */
export async function strike(world: World, blow: Blow, onNodeHurt: OnNodeHurt): Promise<Injury> {
  await pause(blow.afterMs)
  const from = Date.now()
  await inflict(world, blow, onNodeHurt)
  return { kind: blow.kind, target: blow.target, from, until: Date.now() }
}

async function inflict(world: World, { kind, target, holdMs }: Blow, onNodeHurt: OnNodeHurt): Promise<void> {
  switch (kind) {
    case 'nodeKill':
    case 'nodeFreeze':
    case 'nodeRestart':
    case 'nodeWithoutRedis':
    case 'nodeWithoutStore': {
      const node = world.cluster.node(target)
      onNodeHurt(node, kind, Date.now())
      return hurtNode(world, node, { kind, holdMs })
    }
    case 'executorKill':
    case 'executorFreeze':
    case 'executorRestart':
      return hurtExecutor(world, executorNamed(world, target), { kind, holdMs })
    case 'mariaDbKill':
      await world.mariaDb.kill()
      await pause(holdMs)
      return world.isOver ? undefined : world.mariaDb.up()
    case 'redisKill':
      await world.redis.kill()
      await pause(holdMs)
      return world.isOver ? undefined : world.redis.up()
    case 'redisFlush':
      return world.redis.flushAll()
    case 'redisPause':
      world.redis.pause()
      await pause(holdMs)
      return world.redis.resume()
  }
}

async function hurtNode(world: World, node: ClusterNode, { kind, holdMs }: Pick<Blow, 'kind' | 'holdMs'>): Promise<void> {
  const { program } = node
  const wires = world.wires.get(node.name)
  if (kind === 'nodeFreeze') {
    program.freeze()
    await pause(holdMs)
    program.thaw()
  } else if (kind === 'nodeWithoutRedis' || kind === 'nodeWithoutStore') {
    const wire = kind === 'nodeWithoutRedis' ? wires?.redis : wires?.mariaDb
    wire?.cut()
    await pause(holdMs)
    wire?.mend()
  } else {
    world.expectEnd(program)
    await (kind === 'nodeKill' ? node.kill() : within(READY_MS, node.stop(), `the orderly end of node ${node.name}`))
    await pause(holdMs)
  }
  const readiness: Promise<unknown> = node.isRunning ? node.ready() : world.bringUp(node)
  await within(READY_MS, readiness, `node ${node.name} to be ready`)
}

async function hurtExecutor(world: World, executor: TortureExecutor, { kind, holdMs }: Pick<Blow, 'kind' | 'holdMs'>): Promise<void> {
  const { program } = executor
  if (kind === 'executorFreeze') {
    program.freeze()
    await pause(holdMs)
    return program.thaw()
  }
  world.expectEnd(program)
  await (kind === 'executorKill' ? program.kill() : within(READY_MS, program.stop(), `the orderly end of executor ${executor.name}`))
  await pause(holdMs)
  world.startExecutor(executor)
  await executor.joined()
}

function executorNamed(world: World, name: string): TortureExecutor {
  const executor = world.executors.find((each) => each.name === name)
  if (executor === undefined) throw new Error(`no executor ${name}`)
  return executor
}

async function within<Answer>(ms: number, promise: Promise<Answer>, what: string): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what} did not come within ${String(ms)} ms`)), ms)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
