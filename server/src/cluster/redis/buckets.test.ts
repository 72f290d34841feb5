import { randomUUID } from 'node:crypto'
import { giveBack, take, type BucketLimit, type TokenBucket } from '@tickwheel/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { waitFor } from '../../../../tests/kit/wait-for.ts'
import { MemoryBuckets } from '../memory/bucket.ts'
import { parseRedisUrl } from '../redis-url.ts'
import { RedisBuckets } from './buckets.ts'
import { Connection } from './connection.ts'
import { SILENT } from './opened.fixture.ts'

/** `give`: tokens are given back, else taken. `pauseMs`: after the step before; below 0 the clock was set back. */
interface Step {
  readonly give: boolean
  readonly cost: number
  readonly pauseMs: number
  readonly limit: BucketLimit
}

const limit: fc.Arbitrary<BucketLimit> = fc.record({
  capacity: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0.5, max: 1000, noNaN: true })),
  refillPerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.001, max: 100, noNaN: true })),
})

function stepsOf(limits: fc.Arbitrary<BucketLimit>): fc.Arbitrary<Step[]> {
  const step = fc.record({
    give: fc.boolean(),
    cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 25 }), fc.double({ min: 0, max: 5, noNaN: true })),
    pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: -500, max: 5000 }), fc.double({ min: 0, max: 20, noNaN: true })),
    limit: limits,
  })
  return fc.array(step, { minLength: 1, maxLength: 30 })
}

/** Now and then the limit changes, as when a setting does. */
const steps = fc
  .tuple(limit, limit)
  .chain(([usual, other]) => stepsOf(fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constant(other))))
/** A bucket that was forgotten when it was full is full by a limit that was raised meanwhile: here it stays. */
const stepsOfOneLimit = limit.chain((usual) => stepsOf(fc.constant(usual)))

/** The arithmetic of core, as the adapter in memory uses it. */
class Model {
  #bucket: TokenBucket | null = null

  step({ give, cost, limit: by }: Step, now: number): unknown {
    if (give) {
      if (this.#bucket !== null) this.#bucket = giveBack(this.#bucket, now, by, cost)
      return null
    }
    const { bucket, ...taken } = take(this.#bucket, now, by, cost)
    this.#bucket = bucket
    return taken
  }
}

describe('the buckets in Redis', () => {
  let connection: Connection
  let buckets: RedisBuckets
  let prefix: string

  beforeAll(async () => {
    connection = new Connection(parseRedisUrl(inject('redisUrl') ?? 'redis://127.0.0.1:1'), SILENT)
    await connection.firstLook(10_000)
  })
  beforeEach(() => {
    prefix = `t-${randomUUID()}`
    buckets = new RedisBuckets({ connection, prefix, local: new MemoryBuckets(() => performance.now()), nodes: () => 1 })
  })
  afterAll(async () => {
    await connection.close()
  })

  it('calculate as core does, digit for digit, whatever the limit and the instants', async () => {
    const property = fc.asyncProperty(steps, async (sequence) => {
      const model = new Model()
      const key = randomUUID()
      let now = 1_790_000_000_000
      for (const step of sequence) {
        now += step.pauseMs
        expect(await askAt(key, step, now)).toEqual(model.step(step, now))
      }
    })
    await fc.assert(property, { numRuns: 100 })
  })

  it('calculate as core does by the clock of Redis, also after they were full and forgotten', async () => {
    const property = fc.asyncProperty(stepsOfOneLimit, async (sequence) => {
      const model = new Model()
      const key = randomUUID()
      for (const step of sequence) {
        const { answer, at } = await askNow(key, step)
        expect(answer).toEqual(model.step(step, at))
      }
    })
    await fc.assert(property, { numRuns: 60 })
  })

  it('are not kept when they are full', async () => {
    const quick = { capacity: 2, refillPerSecond: 40 }
    const isKept = async (): Promise<boolean> => (await connection.ask(async (client) => client.exists(`${prefix}:bucket:k`))) === 1
    await buckets.take('k', quick, 0)
    expect(await isKept()).toBe(false)
    await buckets.take('k', { capacity: 2, refillPerSecond: 1e-6 })
    expect(await isKept()).toBe(true)
    await buckets.take('k', quick)
    await waitFor(async () => !(await isKept()), { what: 'the end of a full bucket', everyMs: 5 })
  })

  async function askAt(key: string, { give, cost, limit: by }: Step, now: number): Promise<unknown> {
    if (give) {
      await buckets.giveBackAt(key, by, { cost, now })
      return null
    }
    const { at, ...taken } = await buckets.takeAt(key, by, { cost, now })
    expect(at).toBe(now)
    return taken
  }

  async function askNow(key: string, { give, cost, limit: by }: Step): Promise<{ answer: unknown; at: number }> {
    if (give) return { answer: null, at: await buckets.giveBackAt(key, by, { cost }) }
    const { at, ...answer } = await buckets.takeAt(key, by, { cost })
    return { answer, at }
  }
})
