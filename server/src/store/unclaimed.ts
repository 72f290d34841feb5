import { appNameOf } from '@tickwheel/contract'
import { DuplicateKey, query, type Database, type Tx } from './database.ts'
import type { UnclaimedExecutorRow } from './schema.ts'

/** What registers under more app names than this is not kept: it is a mistake, or worse. */
const MOST = 1_000
/** Who was not heard of for so long is forgotten. */
const KEPT_MS = 3_600_000

/** Executors that registered under one app name, and no group has it. */
export interface UnclaimedApp {
  /** as the executors write it */
  readonly appName: string
  /** what the appName of their group must be; null: none can be made of it, and the executors need another */
  readonly groupAppName: string | null
  readonly addresses: readonly string[]
  readonly seenAt: number
}

interface Unclaimed {
  readonly appName: string
  readonly address: string
}

/** Such an executor was heard of. */
export async function noteUnclaimed(db: Database, at: number, { appName, address }: Unclaimed): Promise<void> {
  await db.write('rest', async (tx) => {
    const matched = await tx.run('UPDATE unclaimed_executor SET seen_at = ? WHERE app_name = ? AND address = ?', [at, appName, address])
    if (matched > 0) return
    await tx.run('DELETE FROM unclaimed_executor WHERE seen_at < ?', [at - KEPT_MS])
    const [known] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM unclaimed_executor')
    if ((known?.n ?? 0) < MOST) await insert(tx, { app_name: appName, address, seen_at: at })
  })
}

async function insert(tx: Tx, row: UnclaimedExecutorRow): Promise<void> {
  try {
    await tx.insert('unclaimed_executor', [row])
  } catch (error) {
    // it registered at another node at the same instant
    if (!(error instanceof DuplicateKey)) throw error
  }
}

/** It has said goodbye. */
export async function forgetUnclaimed(db: Database, { appName, address }: Unclaimed): Promise<void> {
  await db.write('rest', (tx) => tx.run('DELETE FROM unclaimed_executor WHERE app_name = ? AND address = ?', [appName, address]))
}

/** App names that were heard of since an instant and have no group, in their order; at most 1,000 addresses in all. */
export async function listUnclaimed(db: Database, since: number): Promise<UnclaimedApp[]> {
  const { rows, taken } = await db.read(async (tx) => {
    const found = await tx.rows(
      query.selectFrom('unclaimed_executor').selectAll().where('seen_at', '>=', since).orderBy('app_name').orderBy('address').limit(MOST),
    )
    const names = [...new Set(found.flatMap((row) => appNameOf(row.app_name) ?? []))]
    const groups = names.length === 0 ? [] : await tx.rows(query.selectFrom('task_group').select('app_name').where('app_name', 'in', names))
    return { rows: found, taken: new Set(groups.map((group) => group.app_name)) }
  })
  const apps = Map.groupBy(rows, (row) => row.app_name)
  return [...apps].flatMap(([appName, executors]): UnclaimedApp[] => {
    const groupAppName = appNameOf(appName)
    if (groupAppName !== null && taken.has(groupAppName)) return []
    const seenAt = Math.max(...executors.map((row) => row.seen_at))
    return [{ appName, groupAppName, addresses: executors.map((row) => row.address), seenAt }]
  })
}
