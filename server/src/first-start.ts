import { join } from 'node:path'
import { chmodSync, writeFileSync } from 'node:fs'
import { hashPassword } from './auth/passwords.ts'
import { readKept } from './auth/secret.ts'
import type { Config } from './config/schema.ts'
import { settingKeys } from './config/keys.ts'
import { SYSTEM, type Change } from './store/caller.ts'
import type { Database } from './store/database.ts'
import { createGroup, findGroupByAppName } from './store/groups.ts'
import { takeEntityId, type RunIds } from './store/ids.ts'
import { createToken, findToken } from './store/tokens.ts'
import { hasUsers, insertUser } from './store/users.ts'

const DEFAULT_APP = 'default'

interface Parts {
  readonly db: Database
  readonly ids: RunIds
  readonly now: () => number
  readonly config: Config
}

/** What a new store begins with: the group `default` and the account `admin`. Nothing happens when there is a user already. */
export async function firstStart(parts: Parts): Promise<void> {
  const { db, now, config } = parts
  if (await db.read(hasUsers)) return
  if ((await findGroupByAppName(db, DEFAULT_APP)) === null) {
    await createGroup(db, { input: { name: DEFAULT_APP, appName: DEFAULT_APP, description: '' } }, await systemChange(parts))
  }
  const passwordHash = await hashPassword(config.adminPassword)
  const isFirst = config.adminPassword === settingKeys.find((key) => key.path === 'adminPassword')?.default
  await db.write('rest', async (tx) => {
    if (await hasUsers(tx)) return
    await insertUser(tx, {
      id: await takeEntityId(tx),
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
  })
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
