import { expect, it } from 'vitest'
import { fileStore } from './store.fixture.ts'
import { storeId } from './store-id.ts'

it('is made once, also when several nodes start at once', async () => {
  const { db, remove } = await fileStore()
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(async () => storeId(db)))
  expect(first).toMatch(/^[\w-]{36}$/)
  expect(new Set(others)).toEqual(new Set([first]))
  expect(await storeId(db)).toBe(first)
  await remove()
})
