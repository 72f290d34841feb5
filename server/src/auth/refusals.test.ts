import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Caller } from '../store/caller.ts'
import { query, type Database } from '../store/database.ts'
import { RunIds } from '../store/ids.ts'
import { memoryStore, T0 } from '../store/store.fixture.ts'
import { Refusals } from './refusals.ts'

let db: Database
let refusals: Refusals
beforeEach(async () => {
  db = await memoryStore()
  refusals = new Refusals({ db, ids: new RunIds(db, () => T0), now: () => T0 })
})
afterEach(() => db.close())

const by = (name: string, ip = '::1'): Caller => ({ actor: { kind: 'user', id: 7, name }, ip, requestId: '' })
const forbidden = (id: number, groupId: number) => ({ action: 'task:run', code: 'FORBIDDEN', about: { kind: 'task', id, groupId } })

async function written(): Promise<unknown[]> {
  await refusals.flush()
  const rows = await db.read((tx) => tx.rows(query.selectFrom('audit').selectAll().orderBy('id')))
  return rows.map((row) => [row.actor_name, row.resource_kind, row.resource_id, row.resource_key, row.group_id, row.count])
}

it('of one thing name it and its group, so that who watches over the group sees them', async () => {
  for (let time = 0; time < 3; time += 1) refusals.note(by('ann'), forbidden(5, 1))
  expect(await written()).toEqual([['ann', 'task', 5, '#5', 1, 3]])
})

it('of several things of a group are one entry, of another group another', async () => {
  for (const [id, groupId] of [
    [5, 1],
    [6, 1],
    [5, 1],
    [9, 2],
  ] as const)
    refusals.note(by('ann'), forbidden(id, groupId))
  expect(await written()).toEqual([
    ['ann', 'task', null, '', 1, 3],
    ['ann', 'task', 9, '#9', 2, 1],
  ])
})

it('about nothing name who called', async () => {
  refusals.note(by('ann'), { action: 'group:edit', code: 'FORBIDDEN' })
  expect(await written()).toEqual([['ann', 'user', 7, 'ann', null, 1]])
})

it('are bounded: above a thousand entries a minute the rest is one', async () => {
  for (let n = 0; n < 1010; n += 1) refusals.note(by(`guest ${n}`), forbidden(5, 1))
  const rows = await written()
  expect(rows).toHaveLength(1001)
  expect(rows.at(-1)).toEqual(['others', 'user', null, 'others', null, 10])
})
