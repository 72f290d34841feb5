import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import type { Leases } from './lease.ts'
import type { Pair } from './pair.fixture.ts'

/** Long enough never to end within a test, and short enough to wait for. */
const LONG_MS = 600_000
const SHORT_MS = 50

/** What every adapter of `Leases` does. Each test has slots of its own. */
export function leasesConform(open: () => Promise<Pair<Leases>>): void {
  describe('leases', () => {
    let a: Leases
    let b: Leases
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    afterAll(async () => {
      await close()
    })

    it('are taken when free, kept by their owner, and refused to others', async () => {
      expect(await a.acquire(1, [0, 1, 255], LONG_MS)).toEqual(new Set([0, 1, 255]))
      expect(await b.acquire(2, [0, 2, 255], LONG_MS)).toEqual(new Set([2]))
      expect(await a.acquire(1, [0, 2], LONG_MS)).toEqual(new Set([0]))
      expect(await ownersIn(b, [0, 1, 2, 255])).toEqual({ 0: 1, 1: 1, 2: 2, 255: 1 })
    })

    it('are renewed for their owner alone, and not when they have ended', async () => {
      await a.acquire(1, [10], LONG_MS)
      await a.acquire(1, [11], SHORT_MS)
      await ended(b, 11)
      expect(await a.renew(1, [10, 11, 12], LONG_MS)).toEqual(new Set([10]))
      expect(await b.renew(2, [10, 11, 12], LONG_MS)).toEqual(new Set())
      expect(await ownersIn(a, [10, 11, 12])).toEqual({ 10: 1 })
    })

    it('are ended by their owner alone', async () => {
      await a.acquire(1, [20, 21], LONG_MS)
      await b.release(2, [20, 21])
      expect(await ownersIn(a, [20, 21])).toEqual({ 20: 1, 21: 1 })
      await a.release(1, [20, 22])
      expect(await b.acquire(2, [20, 21], LONG_MS)).toEqual(new Set([20]))
    })

    it("end by themselves, and then are free; the owner that comes late does not end what is another's now", async () => {
      await a.acquire(1, [30], SHORT_MS)
      await ended(a, 30)
      expect(await b.acquire(2, [30], LONG_MS)).toEqual(new Set([30]))
      expect(await a.renew(1, [30], LONG_MS)).toEqual(new Set())
      await a.release(1, [30])
      expect(await ownersIn(a, [30])).toEqual({ 30: 2 })
    })

    it('last from the renewal on: longer, and shorter', async () => {
      await a.acquire(1, [40, 41, 42], SHORT_MS)
      await a.renew(1, [40], LONG_MS)
      await a.acquire(1, [41], LONG_MS)
      await ended(a, 42)
      expect(await ownersIn(a, [40, 41, 42])).toEqual({ 40: 1, 41: 1 })
      const { remainingMs = 0 } = (await b.holders()).find(({ slot }) => slot === 40) ?? {}
      expect(remainingMs).toBeGreaterThan(0)
      expect(remainingMs).toBeLessThanOrEqual(LONG_MS)
      await a.renew(1, [40], SHORT_MS)
      await ended(b, 40)
    })

    it('take run ids as large as a number holds, and no slots at all', async () => {
      const [one, other] = [2 ** 53 - 1, 2 ** 53 - 2]
      expect(await a.acquire(one, [50], LONG_MS)).toEqual(new Set([50]))
      expect(await b.acquire(other, [50], LONG_MS)).toEqual(new Set())
      expect(await ownersIn(b, [50])).toEqual({ 50: one })
      expect(await a.acquire(1, [], LONG_MS)).toEqual(new Set())
      expect(await a.renew(1, [], LONG_MS)).toEqual(new Set())
      await a.release(1, [])
    })

    it('are given to one of many who want them at once', async () => {
      const slots = [60, 61, 62, 63, 64]
      const taken = await Promise.all(
        Array.from({ length: 20 }, async (_, owner) => (owner % 2 === 0 ? a : b).acquire(owner + 1, slots, LONG_MS)),
      )
      for (const slot of slots) expect(taken.filter((mine) => mine.has(slot))).toHaveLength(1)
    })

    const releaseAll = async (): Promise<void> => {
      for (const owner of MODEL_OWNERS) await a.release(owner, MODEL_SLOTS)
    }

    it('do what a plain table of owners does, whatever is asked in whatever order', async () => {
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const model = new Map<number, number>()
        for (const one of steps) expect(await apply(one.from === 'a' ? a : b, one)).toEqual(applyToModel(model, one))
        expect(await ownersIn(a, MODEL_SLOTS)).toEqual(Object.fromEntries(model))
      })
      await fc.assert(property, { numRuns: 60, plugins: [fc.afterEach(releaseAll)] })
    })

    it('end as a plain table says: those that were given a short time last', async () => {
      const steps = fc.array(step, { minLength: 1, maxLength: 10 })
      const property = fc.asyncProperty(steps, fc.subarray(MODEL_SLOTS), async (done, short) => {
        const model = new Map<number, number>()
        for (const one of done) {
          await apply(one.from === 'a' ? a : b, one)
          applyToModel(model, one)
        }
        for (const owner of MODEL_OWNERS) await a.renew(owner, short, SHORT_MS)
        for (const slot of short) model.delete(slot)
        await waitFor(async () => Object.keys(await ownersIn(b, MODEL_SLOTS)).length <= model.size, {
          what: 'the end of the short ones',
          everyMs: 5,
        })
        expect(await ownersIn(b, MODEL_SLOTS)).toEqual(Object.fromEntries(model))
      })
      await fc.assert(property, { numRuns: 15, plugins: [fc.afterEach(releaseAll)] })
    })
  })
}

const MODEL_SLOTS = [100, 101, 102, 103]
const MODEL_OWNERS = [7, 8, 9] as const

interface Step {
  readonly what: 'acquire' | 'renew' | 'release'
  readonly from: 'a' | 'b'
  readonly owner: number
  readonly slots: readonly number[]
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('acquire', 'renew', 'release'),
  from: fc.constantFrom('a', 'b'),
  owner: fc.constantFrom(...MODEL_OWNERS),
  slots: fc.shuffledSubarray(MODEL_SLOTS),
})

async function apply(leases: Leases, { what, owner, slots }: Step): Promise<number[]> {
  if (what !== 'release') return sorted(await leases[what](owner, slots, LONG_MS))
  await leases.release(owner, slots)
  return []
}

function applyToModel(model: Map<number, number>, { what, owner, slots }: Step): number[] {
  const mine = slots.filter((slot) => model.get(slot) === owner || (what === 'acquire' && !model.has(slot)))
  for (const slot of mine) {
    if (what === 'release') model.delete(slot)
    else model.set(slot, owner)
  }
  return what === 'release' ? [] : sorted(mine)
}

function sorted(slots: Iterable<number>): number[] {
  return [...slots].sort((a, b) => a - b)
}

async function ownersIn(leases: Leases, slots: readonly number[]): Promise<Record<number, number>> {
  const held = await leases.holders()
  expect(held.map(({ slot }) => slot)).toEqual(sorted(held.map(({ slot }) => slot)))
  return Object.fromEntries(held.filter(({ slot }) => slots.includes(slot)).map(({ slot, owner }) => [slot, owner]))
}

async function ended(leases: Leases, slot: number): Promise<void> {
  await waitFor(async () => (await leases.holders()).every((lease) => lease.slot !== slot), {
    what: `the end of lease ${slot}`,
    everyMs: 5,
  })
}
