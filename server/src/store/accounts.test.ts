import { ACCESS_LIMITS, AppError, type Binding } from '@tickwheel/contract'
import { BUILT_IN_ROLES, type Grant } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAccount, deleteAccount, getAccount, listAccounts, updateAccount } from './accounts.ts'
import { createApiToken } from './api-tokens.ts'
import type { Giver } from './bindings.ts'
import { query, type Database } from './database.ts'
import { deleteGroup } from './groups.ts'
import { createRole, deleteRole, getRole, updateRole } from './roles.ts'
import { addGroup, changeAt, memoryStore, T0 } from './store.fixture.ts'
import { readUserFacts } from './users.ts'

let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addGroup(db, 2)
})
afterEach(() => db.close())

const ROOT: Grant = { role: 'admin', permissions: BUILT_IN_ROLES.admin, groups: 'all', binding: '' }
const giver: Giver = { grants: [ROOT], groups: 'all' }
const ADMIN: Binding = { role: 'admin', groupIds: null }
const page = { page: 1, pageSize: 200 }

let made = 0
const make = async (bindings: readonly Binding[], username = `user-${(made += 1)}`): Promise<number> =>
  createAccount(db, { input: { username, password: '', bindings: [...bindings] }, passwordHash: '', giver }, changeAt(T0))
async function update(userId: number, change: { bindings?: Binding[]; disabled?: boolean }): Promise<void> {
  const { displayName, disabled, bindings, version } = await getAccount(db, userId)
  await updateAccount(db, { userId, input: { displayName, disabled, bindings, version, ...change }, giver }, changeAt(T0))
}
const remove = async (userId: number): Promise<void> => deleteAccount(db, { userId, giver }, changeAt(T0))
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof AppError) return error.code
      throw error
    },
  )
const makeRole = async (name: string): Promise<number> =>
  createRole(db, { input: { name, permissions: ['task:view'] }, grants: [ROOT] }, changeAt(T0))

describe('the last administrator', () => {
  it.each([
    ['deleted', remove],
    ['disabled', async (userId: number) => update(userId, { disabled: true })],
    ['demoted', async (userId: number) => update(userId, { bindings: [] })],
    ['bound to single groups', async (userId: number) => update(userId, { bindings: [{ role: 'admin', groupIds: [1] }] })],
  ])('is left when all are %s at the same time', async (_what, take) => {
    const ids = [await make([ADMIN]), await make([ADMIN]), await make([{ role: 'viewer', groupIds: null }, ADMIN]), await make([ADMIN])]
    await make([{ role: 'admin', groupIds: [1] }])
    const codes = await Promise.all(ids.map((userId) => codeOf(take(userId))))
    expect(codes.sort()).toEqual(['LAST_ADMIN', 'done', 'done', 'done'])
    const { items } = await listAccounts(db, { ...page, role: 'admin', disabled: false })
    expect(items.filter(({ bindings }) => bindings.some(({ role, groupIds }) => role === 'admin' && groupIds === null))).toHaveLength(1)
  })

  it('may go once there is another, and a disabled one is none', async () => {
    const [one, two] = [await make([ADMIN]), await make([ADMIN])]
    await update(two, { disabled: true })
    expect(await codeOf(remove(one))).toBe('LAST_ADMIN')
    expect(await codeOf(remove(two))).toBe('done')
    const three = await make([ADMIN])
    expect(await codeOf(remove(one))).toBe('done')
    expect(await codeOf(remove(three))).toBe('LAST_ADMIN')
  })
})

describe('a role', () => {
  it('is not deleted while somebody gets it', async () => {
    for (let round = 0; round < 5; round++) {
      const roleId = await makeRole(`role ${round}`)
      const [given, deleted] = await Promise.all([
        codeOf(make([{ role: `role ${round}`, groupIds: null }])),
        codeOf(deleteRole(db, { roleId }, changeAt(T0))),
      ])
      expect([given, deleted].sort(), `${given} and ${deleted}`).toEqual(
        given === 'done' ? ['ROLE_IN_USE', 'done'] : ['UNPROCESSABLE', 'done'],
      )
    }
  })

  it('changes what everybody has who has it', async () => {
    const roleId = await makeRole('r')
    const userId = await make([{ role: 'R', groupIds: [2, 1] }])
    const input = { name: 'renamed', permissions: ['task:view', 'task:run'] as ('task:view' | 'task:run')[], version: 1 }
    await updateRole(db, { roleId, input, grants: [ROOT] }, changeAt(T0))
    expect((await db.read((tx) => readUserFacts(tx, userId)))?.bindings).toEqual([
      { role: 'renamed', permissions: ['task:view', 'task:run'], groupIds: [2, 1] },
    ])
    expect(await getRole(db, roleId)).toMatchObject({ userCount: 1, tokenCount: 0, version: 2 })
  })

  it('can be made so often and no more', async () => {
    const row = { description: '', permissions: '[]', version: 1, created_at: T0, updated_at: T0 }
    const rows = Array.from({ length: ACCESS_LIMITS.roles }, (_, n) => ({ id: 1000 + n, name: `r${n}`, name_key: `r${n}`, ...row }))
    await db.write('rest', (tx) => tx.insert('access_role', rows))
    expect(await codeOf(makeRole('one more'))).toBe('LIMIT_REACHED')
  })
})

describe('API tokens', () => {
  it('can be made so often by one account and no more', async () => {
    const ownerId = await make([ADMIN])
    const one = async (): Promise<unknown> =>
      createApiToken(db, { input: { kind: 'api', name: 'x', bindings: [ADMIN] }, ownerId, giver }, changeAt(T0))
    for (let n = 0; n < ACCESS_LIMITS.tokensOfUser; n++) await one()
    expect(await codeOf(one())).toBe('LIMIT_REACHED')
  })

  it('are revoked with the account that they belong to', async () => {
    const [ownerId] = [await make([ADMIN]), await make([ADMIN])]
    const { id } = await createApiToken(db, { input: { kind: 'api', name: 'x', bindings: [ADMIN] }, ownerId, giver }, changeAt(T0))
    await remove(ownerId)
    const row = await db.read((tx) => tx.first(query.selectFrom('token').select('revoked_at').where('id', '=', id)))
    expect(row?.revoked_at).toBe(T0)
  })
})

describe('a group that is deleted', () => {
  it('is in no binding any more, and a binding of it alone is gone', async () => {
    const userId = await make([
      { role: 'viewer', groupIds: [1, 2] },
      { role: 'operator', groupIds: [1] },
      { role: 'developer', groupIds: null },
    ])
    await deleteGroup(db, { groupId: 1 }, changeAt(T0))
    expect((await getAccount(db, userId)).bindings).toEqual([
      { role: 'viewer', groupIds: [2] },
      { role: 'developer', groupIds: null },
    ])
  })
})

describe('beside a node of an older release, which knows administrators only', () => {
  const older = async (): Promise<void> => {
    const now = await db.now()
    await db.write('rest', (tx) =>
      tx.run(
        "INSERT INTO node (run_id, name, url, roles, version, level, connection_ids, beat_at) VALUES (7, 'old', '', 'api', '1.0', 7, '', ?)",
        [now],
      ),
    )
  }

  it('nobody is given another role, and administrators stay what the old column says', async () => {
    await older()
    expect(await codeOf(make([{ role: 'viewer', groupIds: null }]))).toBe('NODE_TOO_OLD')
    const userId = await make([ADMIN])
    const columns = async () => db.read((tx) => tx.first(query.selectFrom('user').select('is_admin').where('id', '=', userId)))
    expect(await columns()).toEqual({ is_admin: 1 })
    await make([ADMIN])
    await update(userId, { bindings: [] })
    expect(await columns()).toEqual({ is_admin: 0 })
  })
})
