import { AppError } from '@tickwheel/contract'
import { id } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { query, type Database } from './database.ts'
import { createGroup, deleteGroup, findGroupByAppName, getGroup, listGroups, updateGroup, xxlTokensOfGroups } from './groups.ts'
import { changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask, deleteTask } from './tasks.ts'
import { createToken, findToken, ALL_TOKENS, listTokens, revokeToken } from './tokens.ts'

let db: Database
beforeEach(async () => {
  db = await memoryStore()
})
afterEach(() => db.close())

const make = async (name: string, appName: string) => (await createGroup(db, { input: { name, appName } }, changeAt(T0))).groupId
async function refusal(work: Promise<unknown>): Promise<{ code: string; fields: string[]; params: object }> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return { code: error.code, fields: error.errors.map((problem) => `${problem.path} ${problem.code}`), params: error.params }
}
const page = { page: 1, pageSize: 20 }

describe('the XXL-JOB token of a group', () => {
  const own = { name: 'orders', appName: 'orders', xxlToken: 'sealed 1' }

  it('is kept until another is given, and only which kind it is is told', async () => {
    const { groupId } = await createGroup(db, { input: own }, changeAt(T0))
    const access = async () => (await getGroup(db, 'all', groupId)).xxlAccess
    const update = async (version: number, more: { xxlToken?: string | null }) =>
      updateGroup(db, { groupId, input: { name: 'orders', appName: 'orders', version, ...more } }, changeAt(T0))
    expect(await access()).toBe('own')
    expect(JSON.stringify(await getGroup(db, 'all', groupId))).not.toContain('sealed')
    await update(1, {})
    expect(await xxlTokensOfGroups(db)).toEqual([{ groupId, token: 'sealed 1' }])
    await update(2, { xxlToken: '' })
    expect(await access()).toBe('none')
    await update(3, { xxlToken: null })
    expect(await access()).toBe('shared')
    expect(await xxlTokensOfGroups(db)).toEqual([])
  })

  it('is in no audit row, which says that there is another', async () => {
    const { groupId } = await createGroup(db, { input: own }, changeAt(T0))
    await updateGroup(db, { groupId, input: { ...own, version: 1, xxlToken: 'sealed 2' } }, changeAt(T0))
    const rows = await db.read((tx) => tx.rows(query.selectFrom('audit').selectAll()))
    expect(JSON.stringify(rows)).not.toContain('sealed')
    expect(JSON.stringify(rows.map((row) => row.after))).toContain('***')
  })
})

describe('groups', () => {
  it('are listed by name with what they have, as far as they are visible', async () => {
    const [b, a] = [await make('beta', 'beta'), await make('Alpha 100%', 'alpha')]
    await createTask(db, { input: taskInput({ groupId: b }), serverZone: 'UTC' }, changeAt(T0))
    await db.write('rest', (tx) =>
      tx.insert(
        'executor',
        [0, 1].map((state) => ({
          id: 50 + state,
          group_id: b,
          name: `e${state}`,
          boot_id: 1,
          recovered_boot: 0,
          registered_at: 0,
          state,
          draining: 0,
          transport: 'stream',
          version: '',
          host: '',
          pid: 1,
          capacity: 1,
          labels: '{}',
          handlers: '[]',
          link_run: null,
          process_key: null,
          process_boot: null,
          map_boot: null,
          address: null,
        })),
      ),
    )
    const all = await listGroups(db, 'all', page)
    expect(all.items.map((group) => [group.name, group.taskCount, group.executorCount])).toEqual([
      ['Alpha 100%', 0, 0],
      ['beta', 1, 1],
    ])
    expect((await listGroups(db, [id(b)], page)).items.map((group) => group.id)).toEqual([b])
    expect(await listGroups(db, [], page)).toEqual({ items: [], total: 0, page: 1, pageSize: 20 })
    expect((await listGroups(db, 'all', { ...page, keyword: '0%' })).items.map((group) => group.id)).toEqual([a])
    expect((await listGroups(db, 'all', { ...page, keyword: 'ALPHA' })).total).toBe(1)
    expect((await listGroups(db, 'all', { ...page, keyword: '_' })).total).toBe(0)
    expect((await listGroups(db, 'all', { page: 2, pageSize: 1 })).items.map((group) => group.name)).toEqual(['beta'])
    expect((await refusal(listGroups(db, 'all', { page: 502, pageSize: 20 }))).code).toBe('PAGE_TOO_DEEP')
  })

  it('have a name and an appName of their own', async () => {
    const first = await make('one', 'one')
    expect(await refusal(make(' ONE ', 'one'))).toMatchObject({ code: 'UNPROCESSABLE', fields: ['name NAME_TAKEN', 'appName NAME_TAKEN'] })
    const second = await make('two', 'two')
    expect(
      await refusal(updateGroup(db, { groupId: second, input: { name: 'two', appName: 'one', version: 1 } }, changeAt(T0))),
    ).toMatchObject({ fields: ['appName NAME_TAKEN'] })
    await updateGroup(
      db,
      { groupId: first, input: { name: 'One', appName: 'one', description: `O'Brien 🎉`, version: 1 } },
      changeAt(T0 + 5),
    )
    expect(await getGroup(db, 'all', first)).toMatchObject({
      name: 'One',
      description: `O'Brien 🎉`,
      version: 2,
      updatedAt: '2026-11-22T08:00:00.005Z',
    })
    expect(
      await refusal(updateGroup(db, { groupId: first, input: { name: 'One', appName: 'one', version: 1 } }, changeAt(T0))),
    ).toMatchObject({ code: 'STALE_VERSION', params: { version: 2 } })
    expect(await findGroupByAppName(db, 'one')).toEqual({ id: first, name: 'One' })
  })

  it('go only when they are empty, and do not exist for who may not see them', async () => {
    const groupId = await make('one', 'one')
    const { taskId } = await createTask(db, { input: taskInput({ groupId }), serverZone: 'UTC' }, changeAt(T0))
    expect(await refusal(deleteGroup(db, { groupId }, changeAt(T0)))).toMatchObject({ code: 'GROUP_NOT_EMPTY', params: { tasks: 1 } })
    expect((await refusal(deleteGroup(db, { groupId }, changeAt(T0, { scope: [] })))).code).toBe('GROUP_NOT_FOUND')
    expect((await refusal(getGroup(db, [], groupId))).code).toBe('GROUP_NOT_FOUND')
    expect((await refusal(createGroup(db, { input: { name: 'x', appName: 'xx' } }, changeAt(T0, { scope: [id(groupId)] })))).code).toBe(
      'FORBIDDEN',
    )
    await deleteTask(db, { taskId, cancelRunning: false }, changeAt(T0))
    await deleteGroup(db, { groupId }, changeAt(T0))
    expect((await listGroups(db, 'all', page)).total).toBe(0)
    const actions = await db.read((tx) => tx.rows(query.selectFrom('audit').select('action').orderBy('id')))
    expect(actions.map((row) => row.action)).toEqual(['group:create', 'task:create', 'task:delete', 'group:delete'])
  })
})

describe('executor tokens', () => {
  it('show their value once, keep its hash, and are good until they expire or are revoked', async () => {
    const groupId = await make('one', 'one')
    const made = await createToken(
      db,
      { input: { kind: 'executor', name: 'ci', groupIds: [groupId], expiresAt: '2026-11-22T09:00:00Z' } },
      changeAt(T0),
    )
    expect(made.token).toMatch(new RegExp(`^twe_${made.id}_[\\w-]{43}$`))
    const stored = await db.read((tx) => tx.all('SELECT * FROM token'))
    expect(JSON.stringify(stored)).not.toContain(made.token.slice(-43))
    expect(await findToken(db, made.token, T0 + 1)).toEqual({ tokenId: made.id, name: 'ci', groupIds: [groupId] })
    for (const wrong of [
      '',
      'twe_1_x',
      `${made.token}x`,
      made.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      `twe_99${made.token.slice(5)}`,
    ])
      expect(await findToken(db, wrong, T0), wrong).toBeNull()
    expect(await findToken(db, made.token, T0 + 3_600_000)).toBeNull()
    await revokeToken(db, { tokenId: made.id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0 + 2))
    await revokeToken(db, { tokenId: made.id, view: ALL_TOKENS, edit: ALL_TOKENS }, changeAt(T0 + 3))
    expect(await findToken(db, made.token, T0 + 4)).toBeNull()
    expect((await listTokens(db, ALL_TOKENS, page, T0)).items).toMatchObject([
      { id: made.id, revokedAt: '2026-11-22T08:00:00.002Z', lastUsedAt: '2026-11-22T08:00:00.001Z' },
    ])
  })

  it('note their use at most once a minute', async () => {
    const groupId = await make('one', 'one')
    const { token } = await createToken(db, { input: { kind: 'executor', groupIds: [groupId] } }, changeAt(T0))
    const used: (string | null | undefined)[] = []
    for (const at of [0, 30_000, 59_999, 60_000, 100_000]) {
      await findToken(db, token, T0 + at)
      used.push((await listTokens(db, ALL_TOKENS, page, T0)).items[0]?.lastUsedAt)
    }
    expect(used.map((text) => Date.parse(text ?? '') - T0)).toEqual([0, 0, 0, 60_000, 60_000])
  })

  it('are bound to groups that their maker sees, and are seen by who sees all of these', async () => {
    const [one, two] = [await make('one', 'one'), await make('two', 'two')]
    const scope = [id<'group'>(one)]
    const some = { userId: 7, groups: scope }
    expect(
      await refusal(createToken(db, { input: { kind: 'executor', groupIds: [one, two, 99] } }, changeAt(T0, { scope }))),
    ).toMatchObject({ fields: ['groupIds.1 UNKNOWN_REFERENCE', 'groupIds.2 UNKNOWN_REFERENCE'] })
    expect(
      await refusal(createToken(db, { input: { kind: 'executor', groupIds: [one], expiresAt: '2020-01-01T00:00:00Z' } }, changeAt(T0))),
    ).toMatchObject({ fields: ['expiresAt TOO_SMALL'] })
    const both = await createToken(db, { input: { kind: 'executor', groupIds: [one, two] } }, changeAt(T0))
    expect((await listTokens(db, some, page, T0)).total).toBe(0)
    expect((await refusal(revokeToken(db, { tokenId: both.id, view: some, edit: some }, changeAt(T0)))).code).toBe('TOKEN_NOT_FOUND')
  })
})
