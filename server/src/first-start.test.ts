import { beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './config/load.ts'
import { firstStart } from './first-start.ts'
import type { Database } from './store/database.ts'
import { listGroups } from './store/groups.ts'
import { RunIds } from './store/ids.ts'
import { memoryStore, T0 } from './store/store.fixture.ts'
import { ALL_TOKENS, findToken, listTokens } from './store/tokens.ts'
import { findUserByName } from './store/users.ts'

const TOKEN = `twe_1_${'k'.repeat(43)}`
const now = (): number => T0

let db: Database

beforeEach(async () => {
  db = await memoryStore()
})

function start(firstExecutorToken: string): Promise<void> {
  return firstStart({ db, ids: new RunIds(db, now), now, config: { ...loadConfig({ cwd: '/nowhere' }), firstExecutorToken } })
}

describe('the first start', () => {
  it('makes the executor token of the settings, good for the group default', async () => {
    await start(TOKEN)
    const { items } = await listGroups(db, 'all', { page: 1, pageSize: 10 })
    expect(items).toMatchObject([{ appName: 'default' }])
    expect(await findToken(db, TOKEN, T0)).toMatchObject({ tokenId: 1, groupIds: [items[0]?.id] })
    expect(await findToken(db, `twe_1_${'x'.repeat(43)}`, T0)).toBeNull()
  })

  it('may be made by two nodes at once', async () => {
    await Promise.all([start(TOKEN), start(TOKEN)])
    expect((await listGroups(db, 'all', { page: 1, pageSize: 10 })).total).toBe(1)
    expect((await listTokens(db, ALL_TOKENS, { page: 1, pageSize: 10 }, T0)).total).toBe(1)
    expect(await db.read((tx) => findUserByName(tx, 'admin'))).not.toBeNull()
  })

  it('is the only one that reads the token', async () => {
    await start('')
    await start(TOKEN)
    expect((await listTokens(db, ALL_TOKENS, { page: 1, pageSize: 10 }, T0)).total).toBe(0)
  })
})
