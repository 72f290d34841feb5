import { expect, it } from 'vitest'
import { TextCache } from './text-cache.ts'

it('what was used least recently is forgotten when the texts are too long together', () => {
  const cache = new TextCache<number>(10)
  cache.add('aaaa', 1)
  cache.add('bbbb', 2)
  expect(cache.get('aaaa')).toBe(1)
  cache.add('cc', 3)
  expect(cache.size).toBe(3)
  cache.add('d', 4)
  expect(['aaaa', 'bbbb', 'cc', 'd'].map((text) => cache.get(text))).toEqual([1, undefined, 3, 4])
  cache.add('e'.repeat(11), 5)
  expect(cache.size).toBe(0)
})
