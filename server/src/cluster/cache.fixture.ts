import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import type { Cache } from './cache.ts'
import type { Pair } from './pair.fixture.ts'

const LONG_MS = 600_000
const SHORT_MS = 50

/** What every adapter of `Cache` does while nothing is away. Each test has keys of its own. */
export function cacheConforms(open: () => Promise<Pair<Cache>>): void {
  describe('the cache', () => {
    let a: Cache
    let b: Cache
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    afterAll(async () => {
      await close()
    })

    it.each([
      ['a word', 'value'],
      ['nothing', ''],
      ['what JSON writes', '{"a":"\\u0000\\n 任务"}'],
      ['much', 'x'.repeat(100_000)],
    ])('gives %s back as it was put', async (key, value) => {
      expect(await b.get(key)).toBeNull()
      await a.put(key, value, LONG_MS)
      expect(await b.get(key)).toBe(value)
    })

    it('keeps the last value, until its own end', async () => {
      await a.put('twice', 'first', SHORT_MS)
      await b.put('twice', 'second', LONG_MS)
      await a.put('short', 'value', SHORT_MS)
      await waitFor(async () => (await b.get('short')) === null, { what: 'the end of a value', everyMs: 5 })
      expect(await a.get('twice')).toBe('second')
    })

    it('drops what it is told, of any keys, and nothing else', async () => {
      for (const key of ['user:1', 'user:{2}', 'user:3']) await a.put(key, key, LONG_MS)
      await b.drop(['user:1', 'user:{2}', 'nobody'])
      await b.drop([])
      expect(await Promise.all(['user:1', 'user:{2}', 'user:3'].map(async (key) => a.get(key)))).toEqual([null, null, 'user:3'])
      await b.put('user:1', 'again', LONG_MS)
      expect(await a.get('user:1')).toBe('again')
    })
  })
}
