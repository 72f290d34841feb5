import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { play, type Outcome } from './play.ts'
import { playMany } from './play-many.ts'
import { SEEDS_OF_ONE_NODE, SEEDS_THAT_FAILED } from './seeds.ts'

/** The same seeds everywhere, as many of them as fit into a minute: whoever finds one bad can play it. `npm run sim` plays others. */
const count = Number(process.env['SIM_SEEDS'] ?? 100)
const WITHIN_MS = 60_000
const first = Number(process.env['SIM_FIRST'] ?? 10_000)
const JOBS = Math.min(2, availableParallelism())
const MOST_MS = 600_000

/** What is wrong, by seed. */
async function faultsOf(
  seeds: readonly number[],
  nodes = 4,
): Promise<{ faults: Record<string, readonly string[]>; outcomes: readonly Outcome[] }> {
  const outcomes: Outcome[] = []
  await playMany({ seeds, nodes, jobs: JOBS, withinMs: WITHIN_MS, onOutcome: (outcome) => outcomes.push(outcome) })
  const failed = outcomes.filter((outcome) => outcome.faults.length > 0)
  return {
    faults: Object.fromEntries(failed.map(({ seed, faults }) => [`npm run sim -- --seed ${seed} --nodes ${nodes} --trace`, faults])),
    outcomes,
  }
}

describe('the simulation', () => {
  it(
    'finds nothing wrong with seeds that failed once',
    async () => {
      const many = await faultsOf(Object.keys(SEEDS_THAT_FAILED).map(Number))
      const one = await faultsOf(Object.keys(SEEDS_OF_ONE_NODE).map(Number), 1)
      expect({ ...many.faults, ...one.faults }).toEqual({})
    },
    MOST_MS,
  )

  it(
    `finds nothing wrong with up to ${count} seeds from ${first} on, in which much happens`,
    async () => {
      const { faults, outcomes } = await faultsOf(Array.from({ length: count }, (_, index) => first + index))
      expect(faults).toEqual({})
      expect(outcomes.length).toBeGreaterThan(0)
      expect(outcomes.reduce((sum, { fired }) => sum + fired, 0)).toBeGreaterThan(20 * outcomes.length)
      expect(outcomes.reduce((sum, { executed }) => sum + executed, 0)).toBeGreaterThan(10 * outcomes.length)
    },
    MOST_MS,
  )

  it.each([1, 2, 3, 4, 5])('plays the same scene again for the same seed (%i)', async (seed) => {
    const once = await play({ seed, isTraced: true })
    const again = await play({ seed, isTraced: true })
    expect(firstDifference(once.trace, again.trace)).toBeNull()
    expect(once.trace.length).toBeGreaterThan(10_000)
  })

  it('plays another scene for another seed', async () => {
    const [one, other] = [await play({ seed: 1, isTraced: true }), await play({ seed: 2, isTraced: true })]
    expect(one.trace).not.toBe(other.trace)
  })
})

function firstDifference(one: string, other: string): string | null {
  const [a, b] = [one.split('\n'), other.split('\n')]
  const place = a.findIndex((line, index) => line !== b[index])
  if (place < 0) return a.length === b.length ? null : `${a.length} lines and ${b.length}`
  return `line ${place}: ${a[place]}\n     and: ${b[place]}`
}
