import { randomBytes } from 'node:crypto'
import { ACCESS_LIMITS, API_TOKEN_DAYS, AppError, type ApiTokenCreate, type FieldProblem, type Token } from '@tickwheel/contract'
import { parseInstant } from '@tickwheel/core'
import { lockAccess } from './access.ts'
import { writeAudit } from './audit.ts'
import { bindingOf, knownBindings, readBindings, requireToGive, writeBindings, type BindingFacts, type Giver } from './bindings.ts'
import type { Caller, Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { takeEntityId } from './ids.ts'
import { instantText } from './page.ts'
import type { TokenRow } from './schema.ts'
import { hashOf, readToken, SECRET_BYTES, tokensOf } from './tokens.ts'
import { readUserFacts, type UserFacts } from './users.ts'

const DAY_MS = 86_400_000
/** From so many addresses a token is known to be used; the one that was new longest ago is forgotten. */
const ADDRESSES_KEPT = 20

/** An API token and whose it is; plain data. Whether it is good is judged with its text. */
export interface ApiTokenFacts {
  readonly row: TokenRow
  readonly bindings: readonly BindingFacts[]
  readonly owner: UserFacts
}

/** Null: there is no such token, or no account that it belongs to. */
export async function readApiToken(tx: ReadTx, tokenId: number): Promise<ApiTokenFacts | null> {
  const row = await readToken(tx, tokenId)
  if (row === null || row.kind !== 'api' || row.created_by === null) return null
  const owner = await readUserFacts(tx, row.created_by)
  if (owner === null) return null
  return { row, bindings: (await readBindings(tx, 'token', [tokenId])).get(tokenId) ?? [], owner }
}

export interface NewApiToken {
  readonly input: ApiTokenCreate
  readonly ownerId: number
  readonly giver: Giver
}

/**
 * Makes an API token for its maker. Its value `twk_<id>_<43 characters>` is returned this once; the store keeps its SHA-256. It lives 90 days unless it says
 * otherwise, a year at most.
 */
export async function createApiToken(
  db: Database,
  { input, ownerId, giver }: NewApiToken,
  change: Change,
): Promise<Token & { token: string }> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return db.write('rest', async (tx) => {
    await lockAccess(tx)
    const expiresAt = expiryOf(input, change.now)
    const bindings = await knownBindings(tx, input.bindings, { groups: giver.groups })
    requireToGive(giver.grants, bindings)
    await requireRoom(tx, ownerId, change.now)
    const id = await takeEntityId(tx)
    const value = `twk_${id}_${secret}`
    const rateLimit = input.rateLimit ?? null
    const row: TokenRow = {
      id,
      kind: 'api',
      name: input.name.trim(),
      hash: hashOf(value),
      group_ids: '[]',
      created_at: change.now,
      created_by: ownerId,
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: null,
      rate_limit: rateLimit === null ? null : JSON.stringify(rateLimit),
      addresses: null,
    }
    await tx.insert('token', [row])
    await writeBindings(tx, { kind: 'token', id }, bindings)
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'token:create',
      resource: { kind: 'token', id, key: row.name },
      groupId: null,
      after: { kind: 'api', name: row.name, bindings: bindings.map(bindingOf), expiresAt: instantText(expiresAt), rateLimit },
    })
    const [token] = await tokensOf(tx, [row])
    if (token === undefined) throw new Error('a token that was written is described')
    return { ...token, token: value }
  })
}

/** Revokes every API token of an account that is being deleted. The caller counts the change of access. */
export async function revokeTokensOf(tx: Tx, userId: number, at: number): Promise<void> {
  await tx.execute(
    query
      .updateTable('token')
      .set({ revoked_at: at })
      .where('created_by', '=', userId)
      .where('kind', '=', 'api')
      .where('revoked_at', 'is', null),
  )
}

/** The addresses that a token was used from last. */
export function addressesOf({ addresses }: TokenRow): readonly string[] {
  const value = addresses === null ? [] : parseJson(addresses)
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** Notes that a token is used, and, of an address that it was not used from before, that it is. `auditId` null: the address is known. */
export async function noteApiTokenUse(
  db: Database,
  tokenId: number,
  use: { now: number; auditId: number | null; caller: Caller },
): Promise<void> {
  const { now, auditId, caller } = use
  await db.write('rest', async (tx) => {
    const [row] = await tx.lock(query.selectFrom('token').selectAll().where('id', '=', tokenId))
    if (row === undefined) return
    const known = addressesOf(row)
    // another node may have noted it since the row was read
    const isNew = auditId !== null && !known.includes(caller.ip)
    const addresses = isNew ? JSON.stringify([...known, caller.ip].slice(-ADDRESSES_KEPT)) : row.addresses
    await tx.execute(query.updateTable('token').set({ last_used_at: now, addresses }).where('id', '=', tokenId))
    if (!isNew) return
    await writeAudit(tx, now, auditId, caller, {
      action: 'token:use',
      resource: { kind: 'token', id: tokenId, key: row.name },
      groupId: null,
      after: { ip: caller.ip },
    })
  })
}

function expiryOf({ expiresAt: wanted }: ApiTokenCreate, now: number): number {
  if (wanted === undefined) return now + API_TOKEN_DAYS.default * DAY_MS
  const at = parseInstant(wanted)
  const latest = now + API_TOKEN_DAYS.max * DAY_MS
  if (at !== null && at > now && at <= latest) return at
  const problem: FieldProblem =
    at === null || at <= now
      ? { path: 'expiresAt', code: 'TOO_SMALL', message: 'the token would have expired already', params: { value: wanted } }
      : {
          path: 'expiresAt',
          code: 'TOO_LARGE',
          message: `an API token lives at most ${API_TOKEN_DAYS.max} days, until ${instantText(latest)}`,
          params: { value: wanted, max: instantText(latest) },
        }
  throw new AppError('UNPROCESSABLE', `${problem.path}: ${problem.message}`, { errors: [problem] })
}

async function requireRoom(tx: ReadTx, ownerId: number, now: number): Promise<void> {
  const { tokensOfUser: max } = ACCESS_LIMITS
  const live = query.selectFrom('token').select((of) => of.fn.countAll<number>().as('n'))
  const count = await tx.first(
    live.where('created_by', '=', ownerId).where('kind', '=', 'api').where('revoked_at', 'is', null).where('expires_at', '>', now),
  )
  if ((count?.n ?? 0) < max) return
  throw new AppError('LIMIT_REACHED', `This account has ${max} API tokens, and may have no more: revoke some first.`, { params: { max } })
}
