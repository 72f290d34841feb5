import { AppError } from '@tickwheel/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { holdFiring, readGuardState, resumeFiring } from './held.ts'
import { floorOfInstant, instantOfId, RunIds, takeRunIds } from './ids.ts'
import { SCHEMA_LEVEL } from './migrate.ts'
import { changeAt, memoryStore, T0 } from './store.fixture.ts'

const MINUTE = 60_000

let db: Database
beforeEach(async () => {
  db = await memoryStore()
})
afterEach(() => db.close())

/** The store is as it was at an instant: what it gave out since is forgotten. */
async function restoreTo(at: number): Promise<void> {
  await db.write('rest', (tx) => tx.run("UPDATE id_block SET next_id = ? WHERE name = 'run'", [floorOfInstant(at)]))
}
const held = async () => (await readGuardState(db)).held
async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return error
}

it.each([
  { what: 'a restore', backMs: 10 * MINUTE, isHeld: true },
  { what: 'a restore of just over a minute', backMs: MINUTE + 1000, isHeld: true },
  { what: 'a failover to a replica that lagged for a minute', backMs: MINUTE, isHeld: false },
])('$what: ids go on beyond what was seen, and firing is held: $isHeld', async ({ backMs, isHeld }) => {
  const last = (await takeRunIds(db, T0, 5)) + 4
  await restoreTo(T0 - backMs)
  // the clock may be behind as well
  expect(await takeRunIds(db, T0 - 2 * backMs, 5)).toBe(last + 1)
  const behind = { storeAt: T0 - backMs, seenAt: T0 }
  expect(await held()).toEqual(isHeld ? { since: T0 - 2 * backMs, ...behind } : null)
  const ids = new RunIds(db, () => T0)
  expect(ids.tellBehind()).toEqual(behind)
  expect(ids.tellBehind()).toBeNull()
})

it('what others have seen of the store counts as well; of a store that was never used, nothing can have run twice', async () => {
  const ids = new RunIds(db, () => T0)
  ids.saw(floorOfInstant(T0 + 5 * MINUTE) + 7)
  expect(await ids.take(1)).toBe(floorOfInstant(T0 + 5 * MINUTE) + 8)
  expect(await held()).toBeNull()
  ids.saw(floorOfInstant(T0 + 20 * MINUTE))
  await ids.compare()
  expect(await held()).toMatchObject({ storeAt: T0 + 5 * MINUTE, seenAt: T0 + 20 * MINUTE })
  expect(instantOfId(await ids.take(1))).toBe(T0 + 20 * MINUTE)
})

it('ids that the first take of a process passed over were given out by a store that is gone, until a person has decided', async () => {
  await restoreTo(T0 - 10 * MINUTE)
  const ids = new RunIds(db, () => T0)
  expect(ids.behindOf([floorOfInstant(T0 - MINUTE)])).toBeNull()
  const first = await ids.take(1)
  const lost = floorOfInstant(T0 - MINUTE) + 3
  expect(ids.behindOf([1, lost, lost - 1, first, first + 1])).toEqual({ storeAt: T0 - 10 * MINUTE, seenAt: T0 - MINUTE })
  expect(ids.behindOf([1, floorOfInstant(T0 - 10 * MINUTE) - 1, first, first + 9_000])).toBeNull()
  ids.settle()
  expect(ids.behindOf([lost])).toBeNull()
})

it('the first reason to hold stays, and an unreadable one still holds', async () => {
  const hold = async (at: number) => db.write('rest', (tx) => holdFiring(tx, { since: at, storeAt: at - 2, seenAt: at - 1 }))
  await hold(T0)
  await hold(T0 + 5)
  expect(await held()).toEqual({ since: T0, storeAt: T0 - 2, seenAt: T0 - 1 })
  await db.write('rest', (tx) => tx.run("UPDATE meta SET value = '{' WHERE `key` = 'held'"))
  expect(await held()).toEqual({ since: 0, storeAt: 0, seenAt: 0 })
})

it('firing goes on once, audited, with the instant up to which all is skipped', async () => {
  expect((await refusal(resumeFiring(db, 'replay', changeAt(T0)))).code).toBe('FIRING_NOT_HELD')
  const hold = async () => db.write('rest', (tx) => holdFiring(tx, { since: T0, storeAt: 1, seenAt: 2 }))
  await hold()
  await resumeFiring(db, 'replay', changeAt(T0 + 1))
  expect(await readGuardState(db)).toMatchObject({ held: null, restoredUntil: 0 })
  expect((await refusal(resumeFiring(db, 'fromNow', changeAt(T0 + 2)))).code).toBe('FIRING_NOT_HELD')
  for (const at of [T0 + 3, T0 + 4]) {
    await hold()
    await resumeFiring(db, 'fromNow', changeAt(at))
    expect(await readGuardState(db)).toMatchObject({ held: null, restoredUntil: at })
  }
  const audited = await db.read((tx) => tx.all<{ action: string; after: string }>('SELECT action, `after` FROM audit ORDER BY at'))
  expect(audited).toEqual(['replay', 'fromNow', 'fromNow'].map((how) => ({ action: 'system:resume', after: `{"how":"${how}"}` })))
})

it('"from now" waits until no live node is of a release that would fire what is to be skipped', async () => {
  const node = { url: '', roles: 'scheduler', connection_ids: '', facts: null }
  await db.write('rest', async (tx) => {
    await tx.insert('node', [
      { ...node, run_id: 1, name: 'gone', version: '1.0', level: 2, beat_at: T0 - MINUTE },
      { ...node, run_id: 2, name: 'old', version: '1.1', level: 2, beat_at: T0 - 500 },
      { ...node, run_id: 3, name: 'new', version: '2.0', level: SCHEMA_LEVEL, beat_at: T0 },
    ])
    await holdFiring(tx, { since: T0, storeAt: 1, seenAt: 2 })
  })
  const refused = await refusal(resumeFiring(db, 'fromNow', changeAt(T0)))
  expect([refused.code, refused.params]).toEqual(['NODE_TOO_OLD', { node: 'old', version: '1.1', level: 2, neededLevel: 3 }])
  expect(refused.message).toContain('node old')
  expect(await held()).not.toBeNull()
  await db.write('rest', (tx) => tx.run('DELETE FROM node WHERE run_id = 2'))
  await resumeFiring(db, 'fromNow', changeAt(T0))
  expect(await held()).toBeNull()
})
