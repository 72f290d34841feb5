import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { id } from '../ids.ts'
import type { TaskId } from '../ids.ts'
import { seededRandom } from '../random.ts'
import type { Candidate } from './candidate.ts'
import { ROUTING_STRATEGIES, rank, type Ranking, type RankQuestion, type RoutingStrategy } from './rank.ts'
import { RouteMemory } from './route-memory.ts'

const taskId = id<'task'>(1)

function candidate(executorId: number, facts: Partial<Candidate> = {}): Candidate {
  return { executorId: id<'executor'>(executorId), name: `worker-${executorId}`, running: 0, capacity: 10, labels: {}, ...facts }
}

/** A ranking of these candidates; whatever is not said does not matter. */
function ask(strategy: RoutingStrategy, candidates: readonly Candidate[], more: Partial<RankQuestion> = {}): Ranking {
  return rank({
    strategy,
    taskId,
    key: { text: 'task:1', source: 'task' },
    tried: null,
    candidates,
    memory: new RouteMemory(),
    random: seededRandom(1),
    now: 0,
    ...more,
  })
}

function idsOf({ order }: Ranking): number[] {
  return order.map((ranked) => ranked.candidate.executorId)
}

function firstOf(ranking: Ranking): number {
  const [first] = idsOf(ranking)
  if (first === undefined) throw new Error('no candidate')
  return first
}

function dispatch(memory: RouteMemory, executors: readonly number[], task: TaskId = taskId): number {
  const first = firstOf(
    ask(
      'roundRobin',
      executors.map((one) => candidate(one)),
      { memory, taskId: task },
    ),
  )
  memory.noteUsed(task, id<'executor'>(first), 0)
  return first
}

describe('every strategy', () => {
  it('ranks each candidate exactly once, answers an empty question, and gives the same answer for a seed whatever the order of the list', () => {
    for (const strategy of ROUTING_STRATEGIES) {
      fc.assert(
        fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1000 })), fc.integer(), (ids, seed) => {
          const candidates = Object.freeze(ids.map((one) => candidate(one)))
          const ranking = ask(strategy, candidates, { random: seededRandom(seed) })
          expect(idsOf(ranking).toSorted((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b))
          expect(idsOf(ask(strategy, candidates.toReversed(), { random: seededRandom(seed) }))).toEqual(idsOf(ranking))
        }),
      )
    }
  })
})

describe('round robin', () => {
  it('takes one after the other by ascending id, whatever the order of the list', () => {
    const memory = new RouteMemory()
    expect(
      [
        [3, 1, 2],
        [2, 1, 3],
        [1, 2, 3],
        [3, 2, 1],
      ].map((list) => dispatch(memory, list)),
    ).toEqual([1, 2, 3, 1])
  })

  it('turns for each task on its own', () => {
    const memory = new RouteMemory()
    expect([1, 1, 2, 1, 2].map((task) => dispatch(memory, [10, 20, 30], id<'task'>(task)))).toEqual([10, 20, 10, 30, 20])
  })

  it('goes on with the next one when the executor used last has left', () => {
    const memory = new RouteMemory()
    dispatch(memory, [1, 2, 3])
    dispatch(memory, [1, 2, 3])
    expect(dispatch(memory, [1, 3])).toBe(3)
    expect(dispatch(memory, [1])).toBe(1)
  })

  it('gives everybody who stays the same number of turns, give or take one for each change, while others come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.subarray([2, 4, 6, 8]), fc.integer({ min: 1, max: 12 })), { maxLength: 20 }), (periods) => {
        const memory = new RouteMemory()
        const turns = new Map<number, number>([
          [1, 0],
          [5, 0],
          [9, 0],
        ])
        for (const [guests, count] of periods) {
          for (let times = 0; times < count; times++) {
            const chosen = dispatch(memory, [1, 5, 9, ...guests])
            if (turns.has(chosen)) turns.set(chosen, (turns.get(chosen) ?? 0) + 1)
          }
        }
        expect(Math.max(...turns.values()) - Math.min(...turns.values())).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('says behind whom it began', () => {
    const memory = new RouteMemory()
    const facts = () => ask('roundRobin', [candidate(1), candidate(2)], { memory }).facts
    expect(facts()).toEqual({ after: null })
    memory.noteUsed(taskId, id<'executor'>(1), 0)
    expect(facts()).toEqual({ after: 1 })
  })
})

describe('random', () => {
  it('puts every executor first equally often, and repeats itself for a seed', () => {
    const candidates = [1, 2, 3, 4].map((one) => candidate(one))
    const firsts = (seed: number, list: readonly Candidate[]) => {
      const random = seededRandom(seed)
      return Array.from({ length: 8000 }, () => firstOf(ask('random', list, { random })))
    }
    expect(firsts(3, candidates)).toEqual(firsts(3, candidates.toReversed()))
    for (const { executorId } of candidates) {
      const count = firsts(3, candidates).filter((first) => first === executorId).length
      expect(Math.abs(count - 2000)).toBeLessThan(200)
    }
  })
})

describe('by consistent hash', () => {
  const keys = Array.from({ length: 4000 }, (_, n) => ({ text: `value:customer-${n}`, source: 'params.customer' }))
  const workers = (count: number) => Array.from({ length: count }, (_, n) => candidate(100 + 7 * n))
  const homes = (candidates: readonly Candidate[], memory = new RouteMemory()) =>
    keys.map((key) => firstOf(ask('consistentHash', candidates, { key, memory })))

  it('moves only the keys of whoever leaves, and about one in N to whoever joins', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), (count, which) => {
        const all = workers(count)
        const gone = all[which % count]
        const before = homes(all)
        const after = homes(all.filter((one) => one !== gone))
        const moved = before.filter((home, n) => home !== after[n])
        expect(moved.every((home) => home === gone?.executorId)).toBe(true)
        expect(moved.length).toBe(before.filter((home) => home === gone?.executorId).length)
        expect(moved.length / keys.length).toBeGreaterThan(0.5 / count)
        expect(moved.length / keys.length).toBeLessThan(1.6 / count)
      }),
      { numRuns: 20 },
    )
  })

  it('gives each executor about as many keys', () => {
    const counts = Map.groupBy(homes(workers(5)), (home) => home)
      .values()
      .map((list) => list.length)
      .toArray()
    expect(counts).toHaveLength(5)
    for (const count of counts) expect(Math.abs(count - keys.length / 5)).toBeLessThan((keys.length / 5) * 0.3)
  })

  it('never gives an executor more than a quarter above its share, nor passes over one that is less than half full', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ executorId: fc.integer({ min: 1, max: 500 }), capacity: fc.integer({ min: 1, max: 20 }) }), {
          minLength: 2,
          maxLength: 8,
          selector: (one) => one.executorId,
        }),
        fc.integer({ min: 1, max: 60 }),
        (machines, runs) => {
          const running = new Map(machines.map((one) => [one.executorId, 0]))
          const capacity = machines.reduce((sum, one) => sum + one.capacity, 0)
          for (let run = 0; run < Math.min(runs, capacity); run++) {
            const now = machines.map((one) =>
              candidate(one.executorId, { capacity: one.capacity, running: running.get(one.executorId) ?? 0 }),
            )
            const { order } = ask('consistentHash', now, { key: { text: `value:${run % 3}`, source: 'params.x' } })
            const first = order[0]?.candidate
            const home = order.find((one) => one.facts['place'] === 1)?.candidate
            if (first === undefined || home === undefined) throw new Error('nobody')
            const share = Math.ceil((1.25 * (run + 1) * first.capacity) / capacity)
            expect(first.running + 1).toBeLessThanOrEqual(Math.max(share, Math.ceil(first.capacity / 2)))
            if (home.running < home.capacity / 2) expect(first).toBe(home)
            running.set(first.executorId, first.running + 1)
          }
        },
      ),
    )
  })

  it('keeps an answer that does not depend on what a node has seen: the same on every node', () => {
    const busy = new RouteMemory()
    for (let n = 0; n < 50; n++) busy.noteUsed(id<'task'>(n), id<'executor'>(100 + 7 * (n % 5)), n)
    expect(homes(workers(5).toReversed(), busy)).toEqual(homes(workers(5)))
  })

  it('is stored nowhere, but nodes of two releases must agree: these homes never change', () => {
    expect(keys.slice(0, 8).map((key) => firstOf(ask('consistentHash', workers(5), { key })))).toMatchInlineSnapshot(`
      [
        107,
        128,
        114,
        107,
        114,
        107,
        128,
        107,
      ]
    `)
  })
})

describe('least used', () => {
  it('takes who had the fewest runs lately, of any task, and counts a run half after a minute', () => {
    const memory = new RouteMemory()
    const next = (now: number) => ask('leastUsed', [candidate(1), candidate(2)], { memory, now }).order
    for (let n = 0; n < 4; n++) memory.noteUsed(id<'task'>(n), id<'executor'>(1), 0)
    memory.noteUsed(taskId, id<'executor'>(2), 120_000)
    expect(next(120_000).map(({ candidate: { executorId }, facts }) => [executorId, facts['uses']])).toEqual([
      [1, 1],
      [2, 1],
    ])
    memory.noteUsed(taskId, id<'executor'>(1), 120_000)
    expect(next(120_000).map(({ candidate: { executorId }, facts }) => [executorId, facts['uses']])).toEqual([
      [2, 1],
      [1, 2],
    ])
    // a clock that is set back makes nobody older
    expect(next(0).map(({ facts }) => facts['uses'])).toEqual([1, 2])
  })

  it('spreads evenly, and a newcomer has caught up after some minutes', () => {
    const memory = new RouteMemory()
    const count = (executors: readonly number[], from: number, to: number) => {
      const turns = new Map(executors.map((one) => [one, 0]))
      for (let now = from; now < to; now += 1000) {
        const first = firstOf(
          ask(
            'leastUsed',
            executors.map((one) => candidate(one)),
            { memory, now },
          ),
        )
        memory.noteUsed(taskId, id<'executor'>(first), now)
        turns.set(first, (turns.get(first) ?? 0) + 1)
      }
      return [...turns.values()]
    }
    expect(count([1, 2, 3], 0, 600_000)).toEqual([200, 200, 200])
    expect(count([1, 2, 3, 4], 600_000, 660_000)[3]).toBeGreaterThan(25)
    const later = count([1, 2, 3, 4], 900_000, 1_300_000)
    expect(Math.max(...later) - Math.min(...later)).toBeLessThanOrEqual(4)
  })
})

describe('least recently used', () => {
  it('takes who has waited longest, whatever the task and the clock; who had none yet comes first', () => {
    const memory = new RouteMemory()
    for (const [executorId, at] of [
      [3, 50],
      [1, 40],
      [2, 40],
    ] as const)
      memory.noteRun(id<'executor'>(executorId), at)
    expect(
      idsOf(
        ask(
          'leastRecentlyUsed',
          [1, 2, 3, 4].map((one) => candidate(one)),
          { memory },
        ),
      ),
    ).toEqual([4, 3, 1, 2])
    expect(memory.lastUsed(taskId)).toBeNull()
  })

  it('never gives anybody a second run while another waits', () => {
    fc.assert(
      fc.property(fc.array(fc.subarray([1, 2, 3, 4, 5], { minLength: 1 }), { maxLength: 40 }), (turns) => {
        const memory = new RouteMemory()
        const last = new Map<number, number>()
        turns.forEach((here, turn) => {
          const first = firstOf(
            ask(
              'leastRecentlyUsed',
              here.map((one) => candidate(one)),
              { memory },
            ),
          )
          for (const other of here) expect(last.get(first) ?? -1).toBeLessThanOrEqual(last.get(other) ?? -1)
          memory.noteUsed(taskId, id<'executor'>(first), 0)
          last.set(first, turn)
        })
      }),
    )
  })
})

describe('by name', () => {
  const three = [candidate(3, { name: 'alpha' }), candidate(1, { name: 'beta' }), candidate(2, { name: 'gamma' })]

  it('first and last begin at the ends of the alphabet', () => {
    expect(idsOf(ask('first', three))).toEqual([3, 1, 2])
    expect(idsOf(ask('last', three))).toEqual([2, 1, 3])
  })

  it.each([
    ['a run that was not tried begins with the first', null, [3, 1, 2]],
    ['the next try begins behind the executor of the last', 'alpha', [1, 2, 3]],
    ['behind the last comes the first again', 'gamma', [3, 1, 2]],
    ['one that has left still has its place', 'bravo', [2, 3, 1]],
    ['one that was behind all', 'zulu', [3, 1, 2]],
  ])('failover: %s', (_, tried, expected) => {
    expect(idsOf(ask('failover', three, { tried }))).toEqual(expected)
  })
})

describe('least loaded', () => {
  it('compares what is in flight with capacity; equals take turns', () => {
    const memory = new RouteMemory()
    memory.noteRun(id<'executor'>(1), 0)
    const list = [
      candidate(1, { running: 0 }),
      candidate(2, { running: 0, capacity: 1 }),
      candidate(3, { running: 2, capacity: 4 }),
      candidate(4, { running: 3, capacity: 100 }),
      candidate(5, { capacity: 0 }),
    ]
    expect(idsOf(ask('leastLoaded', list, { memory }))).toEqual([2, 1, 4, 3, 5])
  })
})

describe('what routing remembers', () => {
  it('is bounded: the task used least recently is forgotten first', () => {
    const memory = new RouteMemory({ maxTasks: 2 })
    for (const task of [1, 2, 1, 3]) memory.noteUsed(id<'task'>(task), id<'executor'>(task * 10), 0)
    expect([1, 2, 3].map((task) => memory.lastUsed(id<'task'>(task)))).toEqual([10, null, 30])
    expect(memory.size).toBe(2)
    memory.forget(id<'task'>(1))
    expect(memory.lastUsed(id<'task'>(1))).toBeNull()
  })

  it('forgets the executor that was used least recently, and rings', () => {
    const memory = new RouteMemory({ maxExecutors: 2, maxRingPoints: 800 })
    for (const one of [1, 2, 1, 3]) memory.noteRun(id<'executor'>(one), 0)
    expect([1, 2, 3].map((one) => memory.usesOf(id<'executor'>(one), 0))).toEqual([2, 0, 1])
    const ring = memory.ringOf([id<'executor'>(1), id<'executor'>(2)])
    expect(memory.ringOf([id<'executor'>(2), id<'executor'>(1)])).toBe(ring)
    memory.ringOf([id<'executor'>(3)])
    expect(memory.ringOf([id<'executor'>(1), id<'executor'>(2)])).not.toBe(ring)
  })
})
