import { describe, expect, it } from 'vitest'
import { Pool, type PoolJob } from './pool.ts'

function jobs(pool: Pool): {
  offer: (name: string, options?: { handler?: string; priority?: number }) => string
  started: string[]
  of: Map<string, PoolJob>
} {
  const started: string[] = []
  const of = new Map<string, PoolJob>()
  return {
    started,
    of,
    offer: (name, { handler = 'any', priority = 5 } = {}) => {
      const job = { handler, priority, start: () => void started.push(name) }
      of.set(name, job)
      return pool.offer(job)
    },
  }
}

describe('the pool', () => {
  it('runs as many as it may, lets as many wait as it may and refuses the rest', () => {
    const pool = new Pool({ concurrency: 2, queueLimit: 1 })
    const { offer } = jobs(pool)
    expect(['a', 'b', 'c', 'd'].map((name) => offer(name))).toEqual(['started', 'started', 'queued', 'full'])
    expect([pool.running, pool.queued]).toEqual([2, 1])
  })

  it('starts what waits by priority, equal ones in the order they came', () => {
    const pool = new Pool({ concurrency: 1, queueLimit: 10 })
    const { offer, started, of } = jobs(pool)
    offer('first')
    for (const [name, priority] of [
      ['low', 1],
      ['a', 5],
      ['high', 9],
      ['b', 5],
    ] as const)
      offer(name, { priority })
    for (const name of ['first', 'high', 'a', 'b', 'low']) {
      expect(started.at(-1)).toBe(name)
      const job = of.get(name)
      if (job !== undefined) pool.release(job)
    }
    expect([pool.running, pool.queued]).toEqual([0, 0])
  })

  it('lets others pass those whose handler is at its own limit', () => {
    const pool = new Pool({ concurrency: 3, queueLimit: 10 })
    pool.limit('narrow', 1)
    const { offer, started, of } = jobs(pool)
    expect([offer('n1', { handler: 'narrow' }), offer('n2', { handler: 'narrow' }), offer('wide')]).toEqual([
      'started',
      'queued',
      'started',
    ])
    const first = of.get('n1')
    if (first !== undefined) pool.release(first)
    expect(started).toEqual(['n1', 'wide', 'n2'])
  })

  it('gives back the place of one that is withdrawn', () => {
    const pool = new Pool({ concurrency: 1, queueLimit: 1 })
    const { offer, started, of } = jobs(pool)
    offer('a')
    offer('b')
    const [a, b] = [of.get('a'), of.get('b')]
    if (a === undefined || b === undefined) throw new Error('no jobs')
    expect([pool.withdraw(b), pool.withdraw(b), pool.withdraw(a)]).toEqual([true, false, false])
    pool.release(a)
    expect(started).toEqual(['a'])
    expect(offer('c')).toBe('started')
  })
})
