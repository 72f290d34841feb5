import { type Secret, type SecretCreate, type SecretUpdate, type VariableListQuery } from '@tickwheel/contract'
import { MASK, type Scope } from '@tickwheel/core'
import { changedFields, writeAudit } from './audit.ts'
import { SYSTEM, type Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { namesOfGroups } from './groups.ts'
import { takeEntityId } from './ids.ts'
import { instantText, type Page } from './page.ts'
import type { SealedColumns, SecretRow } from './schema.ts'
import { describedNamed, keyOfNamed, listNamed, lockNamed, nameGuard, OF_ALL, requirePlace, visibleNamed } from './variable-place.ts'
import { countVariableChange } from './variable-revision.ts'

/** Values that were replaced or deleted are known for so long, so that a run that was given one does not show it. */
const PAST_KEPT_MS = 7 * 86_400_000
/** ... of one name; older ones are forgotten first. */
const PAST_KEPT = 20
/** Secrets, and values that they had, of one step of a rotation: each. */
const ROTATED_AT_ONCE = 100

/** Seals a value for one secret. Values that come into this file are sealed: it knows no key. */
export type SealFor = (secretId: number) => SealedColumns

export async function listSecrets(
  db: Database,
  scope: Scope,
  asked: VariableListQuery,
  isKnownKey: (keyId: string) => boolean,
): Promise<Page<Secret>> {
  const { rows, groups, ...page } = await listNamed(db, 'secret', scope, asked)
  return { items: rows.map((row) => described(row, groups, isKnownKey)), ...page }
}

/** 404 `SECRET_NOT_FOUND` when it does not exist or is not visible. */
export async function getSecret(db: Database, scope: Scope, secretId: number, isKnownKey: (keyId: string) => boolean): Promise<Secret> {
  return db.read(async (tx) => {
    const row = await visibleNamed(tx, 'secret', secretId, scope)
    return described(row, await namesOfGroups(tx, [row.group_id]), isKnownKey)
  })
}

/** Makes a secret; its id. One of all groups (`groupId` null) is made by who may edit in all of them (403). */
export async function createSecret(db: Database, input: Omit<SecretCreate, 'value'>, seal: SealFor, change: Change): Promise<number> {
  const { name, description = '' } = input
  const groupId = input.groupId ?? OF_ALL
  return db.write('rest', async (tx) => {
    const group = await requirePlace(tx, 'secret', { groupId, name }, change)
    const id = await takeEntityId(tx)
    const row = { id, group_id: groupId, name, description, version: 1, last_used_at: null, created_at: change.now, updated_at: change.now }
    await nameGuard('secret', name, () => tx.insert('secret', [{ ...row, ...seal(id) }]))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'secret:create',
      resource: { kind: 'secret', id, key: keyOfNamed(group, name) },
      groupId: input.groupId,
      ...changedFields(null, { name, value: MASK, description }),
    })
    await countVariableChange(tx)
    return id
  })
}

/** Replaces its value, where `seal` is given, and describes it. 409 `STALE_VERSION` with the present version. */
export async function updateSecret(
  db: Database,
  { secretId, input, seal }: { secretId: number; input: Omit<SecretUpdate, 'value'>; seal: SealFor | null },
  change: Change,
): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockNamed(tx, 'secret', { id: secretId, version: input.version }, change.scope)
    const description = input.description ?? row.description
    if (seal !== null) await keepPast(tx, row, change.now)
    await tx.execute(
      query
        .updateTable('secret')
        .set({ description, version: row.version + 1, updated_at: change.now, ...(seal === null ? {} : seal(secretId)) })
        .where('id', '=', secretId),
    )
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'secret:edit',
      resource: await resourceOf(tx, row),
      groupId: row.group_id === OF_ALL ? null : row.group_id,
      before: { ...(row.description === description ? {} : { description: row.description }), ...(seal === null ? {} : { value: MASK }) },
      after: { ...(row.description === description ? {} : { description }), ...(seal === null ? {} : { value: MASK }) },
    })
    await countVariableChange(tx)
  })
}

/** Deletes a secret. What refers to it fails from then on; runs that were given it do not show it. */
export async function deleteSecret(db: Database, secretId: number, change: Change): Promise<void> {
  await db.write('rest', async (tx) => {
    const row = await lockNamed(tx, 'secret', { id: secretId, version: null }, change.scope)
    await keepPast(tx, row, change.now)
    await tx.run('DELETE FROM secret WHERE id = ?', [secretId])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'secret:delete',
      resource: await resourceOf(tx, row),
      groupId: row.group_id === OF_ALL ? null : row.group_id,
      before: { name: row.name, value: MASK, description: row.description },
    })
    await countVariableChange(tx)
  })
}

/** A value as it is sealed, and the id of the secret that it was sealed for. */
export interface SealedValue extends SealedColumns {
  readonly secret_id: number
  readonly name: string
  readonly group_id: number
  /** a value that it had, and not the present one */
  readonly isPast: boolean
}

/** What runs of a group are, or may have been, given under these names. The present one comes first: the group's own before that of all groups. */
export async function sealedValues(tx: ReadTx, groupId: number, names: readonly string[]): Promise<SealedValue[]> {
  if (names.length === 0) return []
  const columns = ['name', 'group_id', 'sealed', 'data_key', 'key_id'] as const
  const groups = [OF_ALL, groupId]
  const present = await tx.rows(
    query
      .selectFrom('secret')
      .select([...columns, 'id as secret_id'])
      .where('group_id', 'in', groups)
      .where('name', 'in', names)
      .orderBy('group_id', 'desc'),
  )
  const past = await tx.rows(
    query
      .selectFrom('secret_past')
      .select([...columns, 'secret_id'])
      .where('group_id', 'in', groups)
      .where('name', 'in', names),
  )
  return [...present.map((row) => ({ ...row, isPast: false })), ...past.map((row) => ({ ...row, isPast: true }))]
}

/** Notes that runs of a task were given secrets. `auditId` null: it is in the audit log already. */
export async function noteSecretUses(
  db: Database,
  uses: readonly { readonly secretId: number; readonly taskId: number; readonly groupId: number; readonly auditId: number | null }[],
  now: number,
): Promise<void> {
  const sorted = uses.toSorted((a, b) => a.secretId - b.secretId)
  await db.write('rest', async (tx) => {
    for (const { secretId, taskId, groupId, auditId } of sorted) {
      await tx.run('UPDATE secret SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)', [now, secretId, now])
      const row = auditId === null ? null : await tx.first(query.selectFrom('secret').selectAll().where('id', '=', secretId))
      if (row === null || auditId === null) continue
      await writeAudit(tx, now, auditId, SYSTEM, {
        action: 'secret:use',
        resource: await resourceOf(tx, row),
        groupId,
        after: { taskId },
      })
    }
  })
}

/** How many secrets, and values that they had, each key has sealed. */
export async function countByKey(db: Database): Promise<{ keyId: string; secrets: number }[]> {
  const rows = await db.read((tx) =>
    tx.all<{ key_id: string; n: number }>(
      'SELECT key_id, COUNT(*) AS n FROM (SELECT key_id FROM secret UNION ALL SELECT key_id FROM secret_past) AS every GROUP BY key_id ORDER BY key_id',
    ),
  )
  return rows.map((row) => ({ keyId: row.key_id, secrets: row.n }))
}

/** A data key that is to be sealed anew. */
export type ResealKey = (
  row: { readonly secretId: number } & Pick<SealedColumns, 'data_key' | 'key_id'>,
) => Pick<SealedColumns, 'data_key' | 'key_id'>

/** Seals data keys anew that keys of `fromKeys` have sealed; at most 100 secrets and 100 values that they had. How many. */
export async function resealSecrets(db: Database, fromKeys: readonly string[], reseal: ResealKey, change: Change): Promise<number> {
  if (fromKeys.length === 0) return 0
  return db.write('rest', async (tx) => {
    const present = await tx.lock(
      query
        .selectFrom('secret')
        .select(['id', 'id as secret_id', 'data_key', 'key_id'])
        .where('key_id', 'in', fromKeys)
        .orderBy('id')
        .limit(ROTATED_AT_ONCE),
    )
    const past = await tx.lock(
      query
        .selectFrom('secret_past')
        .select(['id', 'secret_id', 'data_key', 'key_id'])
        .where('key_id', 'in', fromKeys)
        .orderBy('id')
        .limit(ROTATED_AT_ONCE),
    )
    for (const [table, rows] of [
      ['secret', present],
      ['secret_past', past],
    ] as const)
      for (const { id, secret_id: secretId, ...row } of rows)
        await tx.execute(
          query
            .updateTable(table)
            .set(reseal({ secretId, ...row }))
            .where('id', '=', id),
        )
    const resealed = present.length + past.length
    if (resealed === 0) return 0
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'secret:rotate',
      resource: { kind: 'secret', id: null, key: '' },
      groupId: null,
      after: { resealed },
    })
    await countVariableChange(tx)
    return resealed
  })
}

/** Forgets values that secrets had; at most 500. How many. */
export async function prunePastSecrets(db: Database, now: number): Promise<number> {
  return db.write('rest', async (tx) => {
    const rows = await tx.rows(query.selectFrom('secret_past').select('id').where('until_at', '<', now).limit(500))
    if (rows.length > 0)
      await tx.execute(
        query.deleteFrom('secret_past').where(
          'id',
          'in',
          rows.map((row) => row.id),
        ),
      )
    return rows.length
  })
}

async function keepPast(tx: Tx, row: SecretRow, now: number): Promise<void> {
  const { group_id, name, sealed, data_key, key_id } = row
  const past = await tx.rows(
    query
      .selectFrom('secret_past')
      .select('id')
      .where('name', '=', name)
      .where('group_id', '=', group_id)
      .orderBy('until_at', 'desc')
      .limit(1000),
  )
  for (const { id } of past.slice(PAST_KEPT - 1)) await tx.run('DELETE FROM secret_past WHERE id = ?', [id])
  const id = await takeEntityId(tx)
  await tx.insert('secret_past', [{ id, secret_id: row.id, group_id, name, sealed, data_key, key_id, until_at: now + PAST_KEPT_MS }])
}

async function resourceOf(tx: ReadTx, row: SecretRow): Promise<{ kind: string; id: number; key: string }> {
  const groups = await namesOfGroups(tx, [row.group_id])
  return { kind: 'secret', id: row.id, key: keyOfNamed(groups.get(row.group_id) ?? null, row.name) }
}

function described(row: SecretRow, groups: ReadonlyMap<number, string>, isKnownKey: (keyId: string) => boolean): Secret {
  return { ...describedNamed(row, groups), lastUsedAt: instantText(row.last_used_at), isSealed: !isKnownKey(row.key_id) }
}
