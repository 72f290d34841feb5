import type { Chance } from '../kit/chance.ts'
import type { SimDatabase } from './sim-database.ts'
import type { SimExecutor } from './sim-executor.ts'
import type { SimNode } from './sim-node.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimRedis } from './sim-redis.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import type { Blow, Weather } from './weather.ts'

/** The database's clock is never further from where it began, so that a scene can end. */
const CLOCK_REACH_MS = 20_000

export interface StormOptions {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly trace: Trace
  readonly weather: Weather
  readonly database: SimDatabase
  readonly redis: SimRedis
  readonly nodes: readonly SimNode[]
  readonly executors: readonly SimExecutor[]
}

/** Lets blows fall, one after another, until it is calmed. Each ends by itself within a quarter of a minute, or with the storm. */
export class Storm {
  readonly #options: StormOptions
  #isOver = false
  #clockOff = 0
  #redisIsAway = false

  constructor(options: StormOptions) {
    this.#options = options
  }

  start(): void {
    const { timeline, chance, weather } = this.#options
    timeline.after(chance.next() * 2 * weather.blowEveryMs, null, () => {
      if (this.#isOver) return
      this.#blow(this.#draw())
      this.start()
    })
  }

  /** No further blow, and what is cut is joined again. */
  calm(): void {
    const { database, redis, nodes, weather } = this.#options
    this.#isOver = true
    database.isAway = false
    redis.isAway = !weather.hasRedis
    for (const node of nodes) this.#join(node)
  }

  #draw(): Blow {
    const { chance, weather } = this.#options
    let place = chance.next() * weather.blows.reduce((sum, { weight }) => sum + weight, 0)
    for (const { blow, weight } of weather.blows) {
      place -= weight
      if (place < 0) return blow
    }
    return 'crashNode'
  }

  #blow(blow: Blow): void {
    const { chance, trace } = this.#options
    const ms = chance.next() < 0.7 ? chance.between(100, 4000) : chance.between(4000, 9000)
    trace.line(() => `blow: ${blow} (${ms} ms)`)
    switch (blow) {
      case 'crashNode':
        return this.#node()?.kill()
      case 'pauseNode':
        return this.#pause(this.#node()?.process, ms)
      case 'suspendNode':
        return this.#node()?.suspend(ms)
      case 'cutDatabase':
        return this.#cutDatabase(ms)
      case 'cutRedis':
        return this.#cutRedis(ms)
      case 'redisAway':
        return this.#redisAway(ms)
      case 'redisFlush':
        return this.#options.redis.flush()
      case 'databaseAway':
        return this.#databaseAway(ms)
      case 'databaseClock':
        return this.#databaseClock()
      case 'leaveNode':
        return void this.#node()?.leave()
      case 'joinNode':
        return this.#options.nodes.find((node) => !node.isWanted)?.start()
      case 'crashExecutor':
        return this.#crashExecutor(ms)
      case 'pauseExecutor':
        return this.#pause(this.#executor()?.current?.process, 1.3 * ms)
      case 'replaceExecutor':
        return this.#replaceExecutor(ms)
      case 'cutWire':
        return this.#executor()?.current?.wire?.close(1006)
      case 'silenceWire':
        return this.#executor()?.current?.wire?.silence()
    }
  }

  #node(): SimNode | undefined {
    return this.#pick(this.#options.nodes.filter((node) => node.isUp))
  }

  #executor(): SimExecutor | undefined {
    return this.#pick(this.#options.executors.filter((executor) => executor.isUp))
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#options.chance.between(0, items.length - 1)]
  }

  #pause(process: SimProcess | null | undefined, ms: number): void {
    if (process == null || process.isPaused) return
    process.pause()
    this.#options.timeline.after(ms, null, () => process.continue())
  }

  #cutDatabase(ms: number): void {
    const { chance, timeline } = this.#options
    const store = this.#node()?.store
    if (store == null) return
    store.cut = chance.next() < 0.5 ? 'refused' : 'silent'
    timeline.after(ms, null, () => (store.cut = 'none'))
  }

  #cutRedis(ms: number): void {
    const redis = this.#node()?.redis
    if (redis == null) return
    redis.isCut = true
    this.#options.timeline.after(ms, null, () => (redis.isCut = false))
  }

  #redisAway(ms: number): void {
    const { redis, timeline, chance, weather } = this.#options
    if (this.#redisIsAway || !weather.hasRedis) return
    this.#redisIsAway = true
    redis.isAway = true
    timeline.after(ms, null, () => {
      this.#redisIsAway = false
      redis.isAway = false
      if (chance.next() < 0.5) redis.flush()
    })
  }

  #databaseAway(ms: number): void {
    const { database, timeline } = this.#options
    database.isAway = true
    timeline.after(ms, null, () => (database.isAway = false))
  }

  #databaseClock(): void {
    const { chance, database } = this.#options
    const by = chance.pick([chance.between(-300, 300), chance.between(-3000, 3000), chance.between(-20_000, 20_000)])
    if (Math.abs(this.#clockOff + by) > CLOCK_REACH_MS) return
    this.#clockOff += by
    database.jump(by)
    this.#options.trace.line(() => `the clock of the database jumps by ${by} ms`)
  }

  #crashExecutor(ms: number): void {
    const executor = this.#executor()
    if (executor === undefined) return
    executor.kill()
    this.#options.timeline.after(2 * ms, null, () => {
      if (!executor.isUp) executor.start()
    })
  }

  /** The process stands still, and another is started in its place. */
  #replaceExecutor(ms: number): void {
    const executor = this.#executor()
    if (executor === undefined) return
    this.#pause(executor.current?.process, ms)
    this.#options.timeline.after(ms / 2, null, () => executor.start())
  }

  #join(node: SimNode): void {
    if (node.store !== null) node.store.cut = 'none'
    if (node.redis !== null) node.redis.isCut = false
  }
}
