import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError, type ExecutorTokenCreate, type FieldProblem, type Token, type TokenKind } from '@tickwheel/contract'
import { parseInstant, type Scope } from '@tickwheel/core'
import { countAccessChange } from './access.ts'
import { writeAudit } from './audit.ts'
import { bindingOf, readBindings } from './bindings.ts'
import { accountOf, type Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { TokenRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { rateLimitOf } from './token-limit.ts'
import { namesOfUsers } from './users.ts'

/** Who holds a token that is good now. */
export interface KnownToken {
  readonly tokenId: number
  readonly name: string
  readonly groupIds: readonly number[]
}

export const SECRET_BYTES = 32
const VALUE = /^tw([ek])_(\d{1,16})_[\w-]{43}$/
const USE_NOTED_EVERY_MS = 60_000

/** Whose tokens somebody sees, or may revoke. */
export interface TokenView {
  /** whose API tokens; null: everybody's, and all executor tokens */
  readonly userId: number | null
  /** executor tokens all of whose groups are here */
  readonly groups: Scope
}

export const ALL_TOKENS: TokenView = { userId: null, groups: 'all' }

export interface TokenQuery extends PageRequest {
  readonly kind?: TokenKind | undefined
  readonly userId?: number | undefined
  /** true: neither revoked nor expired as of `now` */
  readonly live?: boolean | undefined
}

/** Tokens that are visible, newest first. */
export async function listTokens(
  db: Database,
  view: TokenView,
  { kind, userId, live, ...page }: TokenQuery,
  now: number,
): Promise<Page<Token>> {
  const offset = offsetOf(page)
  return db.read(async (tx) => {
    let found = query.selectFrom('token').select(['id', 'kind', 'group_ids', 'created_by'])
    if (kind !== undefined) found = found.where('kind', '=', kind)
    if (userId !== undefined) found = found.where('created_by', '=', userId).where('kind', '=', 'api')
    if (live === true)
      found = found.where('revoked_at', 'is', null).where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
    if (live === false) found = found.where((is) => is.or([is('revoked_at', 'is not', null), is('expires_at', '<=', now)]))
    const visible = (await tx.rows(found.orderBy('id', 'desc'))).filter((row) => isSeen(view, row)).map(({ id }) => id)
    const ids = visible.slice(offset, offset + page.pageSize)
    const rows = ids.length === 0 ? [] : await tx.rows(query.selectFrom('token').selectAll().where('id', 'in', ids).orderBy('id', 'desc'))
    return { items: await tokensOf(tx, rows), total: visible.length, ...page }
  })
}

/**
 * Makes an executor token. Its value `twe_<id>_<43 characters>` is returned this once; the store keeps its SHA-256.
 */
export async function createToken(
  db: Database,
  { input }: { input: ExecutorTokenCreate },
  change: Change,
): Promise<Token & { token: string }> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return db.write('rest', async (tx) => {
    const expiresAt = input.expiresAt === undefined || input.expiresAt === null ? null : parseInstant(input.expiresAt)
    await refuseBad(tx, input, expiresAt, change)
    const id = await takeEntityId(tx)
    const value = `twe_${id}_${secret}`
    const row = await insertToken(tx, { id, value, name: input.name?.trim() ?? '', groupIds: input.groupIds, expiresAt }, change)
    const [token] = await tokensOf(tx, [row])
    if (token === undefined) throw new Error('a token that was written is described')
    return { ...token, token: value }
  })
}

export interface NewToken {
  readonly id: number
  /** `twe_<id>_<43 characters>` */
  readonly value: string
  readonly name: string
  readonly groupIds: readonly number[]
  /** epoch ms; null: never */
  readonly expiresAt: number | null
}

/** Writes an executor token whose value is known, and the audit of it. Throws `DuplicateKey` when there is one of this id. */
export async function insertToken(tx: Tx, { id, value, name, groupIds, expiresAt }: NewToken, change: Change): Promise<TokenRow> {
  const row: TokenRow = {
    id,
    kind: 'executor',
    name,
    hash: hashOf(value),
    group_ids: JSON.stringify(groupIds),
    created_at: change.now,
    created_by: accountOf(change.caller),
    expires_at: expiresAt,
    last_used_at: null,
    revoked_at: null,
    rate_limit: null,
    addresses: null,
  }
  await tx.insert('token', [row])
  await writeAudit(tx, change.now, change.auditId, change.caller, {
    action: 'token:create',
    resource: { kind: 'token', id, key: name },
    groupId: onlyGroup(row),
    after: { name, groupIds, expiresAt: instantText(expiresAt) },
  })
  return row
}

/**
 * Ends a token at once; nothing happens when it has ended. 404 `TOKEN_NOT_FOUND` when `view` does not show it, 403 when `edit` does not either.
 */
export async function revokeToken(
  db: Database,
  { tokenId, view, edit }: { tokenId: number; view: TokenView; edit: TokenView },
  change: Change,
): Promise<void> {
  await db.write('rest', async (tx) => {
    const [row] = await tx.lock(query.selectFrom('token').selectAll().where('id', '=', tokenId))
    if (row === undefined || !(isSeen(view, row) || isSeen(edit, row)))
      throw new AppError('TOKEN_NOT_FOUND', `there is no token ${tokenId}`)
    if (!isSeen(edit, row))
      throw new AppError('FORBIDDEN', 'This needs the permission token:edit.', { params: { permission: 'token:edit' } })
    if (row.revoked_at !== null) return
    await tx.execute(query.updateTable('token').set({ revoked_at: change.now }).where('id', '=', tokenId))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'token:revoke',
      resource: { kind: 'token', id: tokenId, key: row.name },
      groupId: onlyGroup(row),
      before: { kind: row.kind, revoked: false },
      after: { kind: row.kind, revoked: true },
    })
    await countAccessChange(tx)
  })
}

/** Whose executor token it is; null: unknown, expired or revoked. Its last use is noted at most once a minute. */
export async function findToken(db: Database, value: string, now: number): Promise<KnownToken | null> {
  const id = tokenIdIn(value)
  const row = id === null ? null : await db.read((tx) => readToken(tx, id))
  const known = row === null ? null : judgeToken(row, value, now)
  if (row !== null && known !== null && isUseUnnoted(row, now)) await noteTokenUse(db, row.id, now)
  return known
}

/** The id that the text of a token names; null when it is none. */
export function tokenIdIn(value: string): number | null {
  const id = Number(VALUE.exec(value)?.[2])
  return Number.isSafeInteger(id) ? id : null
}

/** Whether a text is the value of a token, and it has neither expired nor been revoked. */
export function isGood(row: TokenRow, value: string, now: number): boolean {
  const kind = VALUE.exec(value)?.[1] === 'k' ? 'api' : 'executor'
  if (row.kind !== kind || !isSame(row.hash, hashOf(value))) return false
  return row.revoked_at === null && (row.expires_at === null || row.expires_at > now)
}

export async function readToken(tx: ReadTx, tokenId: number): Promise<TokenRow | null> {
  return tx.first(query.selectFrom('token').selectAll().where('id', '=', tokenId))
}

/** Who holds the token with this text, by its row; null when the text is another's, or the token has expired or was revoked. */
export function judgeToken(row: TokenRow, value: string, now: number): KnownToken | null {
  return row.kind !== 'executor' || !isGood(row, value, now) ? null : { tokenId: row.id, name: row.name, groupIds: groupIdsOf(row) }
}

/** Its last use was noted a minute ago or longer. */
export function isUseUnnoted({ last_used_at: usedAt }: TokenRow, now: number): boolean {
  return usedAt === null || now - usedAt >= USE_NOTED_EVERY_MS
}

export async function noteTokenUse(db: Database, tokenId: number, now: number): Promise<void> {
  await db.write('rest', (tx) => tx.execute(query.updateTable('token').set({ last_used_at: now }).where('id', '=', tokenId)))
}

async function refuseBad(tx: Tx, input: ExecutorTokenCreate, expiresAt: number | null, change: Change): Promise<void> {
  const known = new Set((await tx.rows(query.selectFrom('task_group').select('id').where('id', 'in', input.groupIds))).map((row) => row.id))
  const problems: FieldProblem[] = input.groupIds.flatMap((groupId, index) =>
    known.has(groupId) && isVisible(change.scope, groupId)
      ? []
      : [{ path: `groupIds.${index}`, code: 'UNKNOWN_REFERENCE', message: `there is no group ${groupId}`, params: { value: groupId } }],
  )
  const isWanted = input.expiresAt !== undefined && input.expiresAt !== null
  if (isWanted && (expiresAt === null || expiresAt <= change.now))
    problems.push({
      path: 'expiresAt',
      code: 'TOO_SMALL',
      message: 'the token would have expired already',
      params: { value: input.expiresAt ?? '' },
    })
  if (problems.length > 0)
    throw new AppError('UNPROCESSABLE', problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '), { errors: problems })
}

/** Rows of tokens as the API shows them. */
export async function tokensOf(tx: ReadTx, rows: readonly TokenRow[]): Promise<Token[]> {
  const owned = rows.filter(({ kind }) => kind === 'api')
  const bindings = await readBindings(
    tx,
    'token',
    owned.map(({ id }) => id),
  )
  const names = await namesOfUsers(
    tx,
    owned.flatMap(({ created_by: userId }) => userId ?? []),
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind === 'api' ? 'api' : 'executor',
    name: row.name,
    groupIds: groupIdsOf(row),
    bindings: (bindings.get(row.id) ?? []).map(bindingOf),
    owner: row.kind === 'api' && row.created_by !== null ? { id: row.created_by, username: names.get(row.created_by) ?? '' } : null,
    rateLimit: rateLimitOf(row),
    createdAt: instantText(row.created_at),
    expiresAt: instantText(row.expires_at),
    lastUsedAt: instantText(row.last_used_at),
    revokedAt: instantText(row.revoked_at),
  }))
}

function isSeen({ userId, groups }: TokenView, row: Pick<TokenRow, 'kind' | 'group_ids' | 'created_by'>): boolean {
  if (userId === null) return true
  if (row.kind === 'api') return row.created_by === userId
  const groupIds = groupIdsOf(row)
  return groupIds.length > 0 && groupIds.every((groupId) => isVisible(groups, groupId))
}

function groupIdsOf(row: Pick<TokenRow, 'group_ids'>): number[] {
  const value = parseJson(row.group_ids)
  return Array.isArray(value) ? value.filter((id) => typeof id === 'number') : []
}

function onlyGroup(row: TokenRow): number | null {
  const [first, ...more] = groupIdsOf(row)
  return first !== undefined && more.length === 0 ? first : null
}

export function hashOf(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

function isSame(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right))
}
