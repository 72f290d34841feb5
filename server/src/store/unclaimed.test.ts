import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { createGroup } from './groups.ts'
import { changeAt, memoryStore, T0 } from './store.fixture.ts'
import { forgetUnclaimed, listUnclaimed, noteUnclaimed } from './unclaimed.ts'

let db: Database
beforeEach(async () => {
  db = await memoryStore()
})
afterEach(() => db.close())

const note = async (appName: string, address: string, at = T0): Promise<void> => noteUnclaimed(db, at, { appName, address })

it('app names without a group are listed with their addresses and when they were heard of last', async () => {
  await note('Orders', 'http://b:1')
  await note('Orders', 'http://a:1')
  await note('Orders', 'http://a:1', T0 + 60_000)
  await note('库存', 'http://c:1')
  expect(await listUnclaimed(db, T0)).toEqual([
    { appName: 'Orders', groupAppName: 'orders', addresses: ['http://a:1', 'http://b:1'], seenAt: T0 + 60_000 },
    { appName: '库存', groupAppName: null, addresses: ['http://c:1'], seenAt: T0 },
  ])
  expect(await listUnclaimed(db, T0 + 1)).toMatchObject([{ appName: 'Orders', addresses: ['http://a:1'] }])
})

it('one that says goodbye is not listed, nor are those whose group was made', async () => {
  await note('Orders', 'http://a:1')
  await note('stock', 'http://b:1')
  await forgetUnclaimed(db, { appName: 'stock', address: 'http://b:1' })
  expect((await listUnclaimed(db, T0)).map((app) => app.appName)).toEqual(['Orders'])
  await createGroup(db, { input: { name: 'Orders', appName: 'orders' } }, changeAt(T0))
  expect(await listUnclaimed(db, T0)).toEqual([])
})

it('no more than a thousand are kept, and room is made by those that were not heard of for an hour', async () => {
  await db.write('rest', (tx) =>
    tx.insert(
      'unclaimed_executor',
      Array.from({ length: 1_000 }, (_, index) => ({ app_name: `app-${String(index)}`, address: 'http://a:1', seen_at: T0 })),
    ),
  )
  await note('late', 'http://a:1', T0 + 1)
  expect((await listUnclaimed(db, T0 + 1)).map((app) => app.appName)).toEqual([])
  await note('later', 'http://a:1', T0 + 3_600_001)
  expect(await listUnclaimed(db, 0)).toMatchObject([{ appName: 'later' }])
})

it('two nodes that hear of the same one at once write it once', async () => {
  await Promise.all([note('Orders', 'http://a:1'), note('Orders', 'http://a:1')])
  expect(await listUnclaimed(db, T0)).toHaveLength(1)
})
