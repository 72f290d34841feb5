import { join } from 'node:path'
import { chmodSync, writeFileSync } from 'node:fs'
import { hashPassword } from './auth/passwords.ts'
import { readKept } from './auth/secret.ts'
import type { Config } from './config/schema.ts'
import { settingKeys } from './config/keys.ts'
import { SYSTEM, type Change } from './store/caller.ts'
import type { Database } from './store/database.ts'
import { FIRST_TOKEN_ID } from './store/first-token.ts'
import { createGroup, findGroupByAppName } from './store/groups.ts'
import { takeEntityId, type RunIds } from './store/ids.ts'
import { createToken, findToken, insertToken } from './store/tokens.ts'
import { hasUsers, insertUser } from './store/users.ts'

const DEFAULT_APP = 'default'

interface Parts {
  readonly db: Database
  readonly ids: RunIds
  readonly now: () => number
  readonly config: Config
}

/**
 * What a new store begins with: the group `default`, the account `admin`, and the executor token of the settings. Nothing happens when there is a user
 * already. Several nodes may do this at the same instant.
 */
export async function firstStart(parts: Parts): Promise<void> {
  const { db, now, config } = parts
  if (await db.read(hasUsers)) return
  const group = await defaultGroup(parts)
  const passwordHash = await hashPassword(config.adminPassword)
  const isFirst = config.adminPassword === settingKeys.find((key) => key.path === 'adminPassword')?.default
  const change = await systemChange(parts)
  await db.write('rest', async (tx) => {
    // the id first: its row is locked until the commit, so that the other node sees the user
    const id = await takeEntityId(tx)
    if (await hasUsers(tx)) return
    await insertUser(tx, {
      id,
      username: 'admin',
      display_name: 'Administrator',
      password_hash: passwordHash,
      must_change: 0,
      first_password: isFirst ? 1 : 0,
      disabled: 0,
      is_admin: 1,
      created_at: now(),
      password_at: now(),
    })
    if (config.firstExecutorToken === '' || group === null) return
    const token = { id: FIRST_TOKEN_ID, value: config.firstExecutorToken, name: 'first executors', groupIds: [group.id], expiresAt: null }
    await insertToken(tx, token, change)
  })
}

/** The group `default`; one that is there already, also when another node makes it at this instant. */
async function defaultGroup(parts: Parts): Promise<{ id: number } | null> {
  const found = await findGroupByAppName(parts.db, DEFAULT_APP)
  if (found !== null) return found
  const input = { name: DEFAULT_APP, appName: DEFAULT_APP, description: '' }
  const change = await systemChange(parts)
  await createGroup(parts.db, { input }, change).catch(async (error: unknown) => {
    if ((await findGroupByAppName(parts.db, DEFAULT_APP)) === null) throw error
  })
  return findGroupByAppName(parts.db, DEFAULT_APP)
}

/**
 * The token by which the embedded executor joins the group `default`: made once and kept in the data folder, readable by its owner only. Null when that
 * group has been deleted.
 */
export async function embeddedToken(parts: Parts): Promise<string | null> {
  const group = await findGroupByAppName(parts.db, DEFAULT_APP)
  if (group === null) return null
  const path = join(parts.config.dataDir, 'embedded-executor.token')
  const kept = readKept(path)
  const known = kept === null ? null : await findToken(parts.db, kept, parts.now())
  if (kept !== null && known?.groupIds.includes(group.id) === true) return kept
  const { token } = await createToken(
    parts.db,
    { input: { kind: 'executor', name: 'embedded executor', groupIds: [group.id] } },
    await systemChange(parts),
  )
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
  return token
}

async function systemChange({ ids, now }: Parts): Promise<Change> {
  return { now: now(), auditId: await ids.take(1), scope: 'all', caller: SYSTEM }
}
