import { afterEach, beforeEach, expect, it } from 'vitest'
import { countAccessChange, readAccessGeneration } from './access.ts'
import type { Database } from './database.ts'
import { endSession, endSessionsOf, insertSession } from './sessions.ts'
import { addGroup, changeAt, memoryStore, T0 } from './store.fixture.ts'
import { ALL_TOKENS, createToken, revokeToken } from './tokens.ts'

let db: Database

beforeEach(async () => {
  db = await memoryStore()
})
afterEach(async () => db.close())

/** By how much the generation grew. */
async function counted(change: () => Promise<unknown>): Promise<number> {
  const before = await readAccessGeneration(db)
  await change()
  return (await readAccessGeneration(db)) - before
}

it('counts each taking in its own transaction, and nothing that takes nothing', async () => {
  const times = { created_at: T0, rotated_at: T0, expires_at: T0 + 1000, ended_at: null }
  const open = async (): Promise<void> =>
    db.write('rest', (tx) =>
      insertSession(tx, { id: 's', user_id: 1, refresh_hash: '', previous_hash: null, ...times, limited: 0, ip: '' }),
    )
  expect(await counted(open)).toBe(0)
  const end = async (): Promise<boolean> => db.write('rest', (tx) => endSession(tx, 's', T0))
  expect(await counted(end)).toBe(1)
  expect(await counted(end)).toBe(0)
  expect(await counted(() => db.write('rest', (tx) => endSessionsOf(tx, 1, T0)))).toBe(1)
  await addGroup(db, 1)
  const { id } = await createToken(db, { input: { kind: 'executor', groupIds: [1] } }, changeAt(T0))
  expect(await counted(() => revokeToken(db, { tokenId: id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0)))).toBe(1)
  expect(await counted(() => revokeToken(db, { tokenId: id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0)))).toBe(0)
})

it('does not count a taking that was rolled back', async () => {
  const failing = async (): Promise<unknown> =>
    db.write('rest', async (tx) => {
      await countAccessChange(tx)
      throw new Error('no')
    })
  expect(await counted(async () => expect(failing()).rejects.toThrow('no'))).toBe(0)
})

it('counts every one of many at the same time, the first among them', async () => {
  expect(await counted(() => Promise.all(Array.from({ length: 8 }, () => db.write('rest', countAccessChange))))).toBe(8)
})
