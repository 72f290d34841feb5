import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { id } from '../ids.ts'
import type { TaskId } from '../ids.ts'
import { seededRandom } from '../random.ts'
import type { Candidate } from './candidate.ts'
import { eligible } from './eligible.ts'
import { ROUTING_STRATEGIES, rank } from './rank.ts'
import { RouteMemory } from './route-memory.ts'

const taskId = id<'task'>(1)

function candidate(executorId: number, facts: Partial<Candidate> = {}): Candidate {
  return { executorId: id<'executor'>(executorId), running: 0, capacity: 10, labels: {}, ...facts }
}

function dispatch(memory: RouteMemory, executors: readonly number[], task: TaskId = taskId): number {
  const { candidates } = rank({
    strategy: 'roundRobin',
    taskId: task,
    candidates: executors.map((one) => candidate(one)),
    memory,
    random: seededRandom(1),
  })
  const [first] = candidates
  if (first === undefined) throw new Error('no candidate')
  memory.noteUsed(task, first.executorId)
  return first.executorId
}

describe('every strategy', () => {
  it('ranks each candidate exactly once, leaves the question as it was, and answers an empty one', () => {
    for (const strategy of ROUTING_STRATEGIES) {
      fc.assert(
        fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1000 })), fc.integer(), (ids, seed) => {
          const candidates = Object.freeze(ids.map((one) => candidate(one)))
          const ranking = rank({ strategy, taskId, candidates, memory: new RouteMemory(), random: seededRandom(seed) })
          expect(ranking.candidates.toSorted((a, b) => a.executorId - b.executorId)).toEqual(
            candidates.toSorted((a, b) => a.executorId - b.executorId),
          )
          expect(ranking.reason).toMatchObject({ strategy, among: ids.length })
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
    const ask = () =>
      rank({ strategy: 'roundRobin', taskId, candidates: [candidate(1), candidate(2)], memory, random: seededRandom(1) }).reason
    expect(ask()).toEqual({ strategy: 'roundRobin', among: 2, after: null })
    memory.noteUsed(taskId, id<'executor'>(1))
    expect(ask()).toEqual({ strategy: 'roundRobin', among: 2, after: 1 })
  })
})

describe('random', () => {
  it('puts every executor first equally often, and repeats itself for a seed', () => {
    const candidates = [1, 2, 3, 4].map((one) => candidate(one))
    const firsts = (seed: number, list: readonly Candidate[]) => {
      const random = seededRandom(seed)
      return Array.from(
        { length: 8000 },
        () => rank({ strategy: 'random', taskId, candidates: list, memory: new RouteMemory(), random }).candidates[0]?.executorId,
      )
    }
    expect(firsts(3, candidates)).toEqual(firsts(3, candidates.toReversed()))
    for (const { executorId } of candidates) {
      const count = firsts(3, candidates).filter((first) => first === executorId).length
      expect(Math.abs(count - 2000)).toBeLessThan(200)
    }
  })
})

describe('what routing remembers', () => {
  it('is bounded: the task used least recently is forgotten first', () => {
    const memory = new RouteMemory({ maxTasks: 2 })
    for (const task of [1, 2, 1, 3]) memory.noteUsed(id<'task'>(task), id<'executor'>(task * 10))
    expect([1, 2, 3].map((task) => memory.lastUsed(id<'task'>(task)))).toEqual([10, null, 30])
    expect(memory.size).toBe(2)
    memory.forget(id<'task'>(1))
    expect(memory.lastUsed(id<'task'>(1))).toBeNull()
  })
})

describe('who may be asked', () => {
  it.each([
    ['nobody is alive', [], {}, { kind: 'none', reason: 'noExecutor', among: 0 }],
    [
      'nobody carries the label',
      [candidate(1), candidate(2, { labels: { zone: 'b' } })],
      { zone: 'a' },
      { kind: 'none', reason: 'labelsNotMet', among: 2 },
    ],
    [
      'all who carry it are full',
      [candidate(1), candidate(2, { labels: { zone: 'a' }, running: 10 })],
      { zone: 'a' },
      { kind: 'none', reason: 'capacityFull', among: 1 },
    ],
  ] as const)('says why not when %s', (_, alive, labels, expected) => {
    expect(eligible(alive, labels)).toEqual(expected)
  })

  it('keeps those who carry all labels and have room', () => {
    const fit = candidate(1, { labels: { zone: 'a', disk: 'ssd', more: 'x' }, running: 9 })
    const alive = [fit, candidate(2, { labels: { zone: 'a' } }), candidate(3, { labels: { zone: 'a', disk: 'ssd' }, capacity: 0 })]
    expect(eligible(alive, { zone: 'a', disk: 'ssd' })).toEqual({ kind: 'some', candidates: [fit] })
    expect(eligible([fit], {})).toEqual({ kind: 'some', candidates: [fit] })
  })
})
