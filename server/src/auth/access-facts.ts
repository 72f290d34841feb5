import type { Events } from '../engine/events.ts'
import type { Database } from '../store/database.ts'
import type { TokenRow } from '../store/schema.ts'
import { addressesOf, noteApiTokenUse, readApiToken, type ApiTokenFacts } from '../store/api-tokens.ts'
import { readSession, type SessionFacts } from '../store/sessions.ts'
import { isGood, isUseUnnoted, judgeToken, noteTokenUse, readToken, tokenIdIn, type KnownToken } from '../store/tokens.ts'
import { AccessGeneration } from './access-generation.ts'
import type { Origin } from './sessions.ts'
import type { SignedCache } from './signed-cache.ts'

/** In memory, and in the shared cache before that: what is changed by hand in the database, and so is not counted, is seen within 20 s. */
const KEPT_MS = 10_000
const KEPT = 10_000
/** of what is in the shared cache */
const SHAPE = 2

export interface AccessFactsParts {
  readonly db: Database
  readonly cache: SignedCache
  readonly events: Events
  readonly monotonic: () => number
}

/**
 * What the store says of sessions and tokens, and of the accounts and roles behind them, kept in memory and in the cache that nodes share, so that not every call reads their rows.
 *
 * Nothing that was taken away outlives its taking. Each taking counts the generation of access in its own transaction (`store/access.ts`). What is kept
 * belongs to the generation that was read *before* its row: a row that was read before a taking and put away after it lies under the old generation,
 * where nobody looks who knows the new one. A node reads the generation once a second, and at once when `accessChanged` is told, here or by another
 * node. So the bus makes it fast, the database makes it sure, and the cache may be emptied, old or away at any time.
 */
export class AccessFacts {
  readonly #parts: AccessFactsParts
  readonly #generation: AccessGeneration
  readonly #sessions: KeptFacts<SessionFacts>
  readonly #tokens: KeptFacts<TokenRow>
  readonly #apiTokens: KeptFacts<ApiTokenFacts>
  /** uses of API tokens that are being noted, by token and address */
  readonly #noting = new Set<string>()

  constructor(parts: AccessFactsParts) {
    this.#parts = parts
    this.#generation = new AccessGeneration(parts)
    this.#sessions = new KeptFacts<SessionFacts>({ ...parts, kind: 'session' })
    this.#tokens = new KeptFacts<TokenRow>({ ...parts, kind: 'token' })
    this.#apiTokens = new KeptFacts<ApiTokenFacts>({ ...parts, kind: 'api token' })
  }

  stop(): void {
    this.#generation.stop()
  }

  /** Access was given to somebody or taken, and the transaction has committed: this node knows it at once, the others are told. */
  changed(): void {
    this.#parts.events.emit([{ kind: 'accessChanged' }])
  }

  /** null: there is no such session. */
  async session(sessionId: string): Promise<SessionFacts | null> {
    const generation = await this.#generation.current()
    return this.#sessions.get(sessionId, generation, () => this.#parts.db.read((tx) => readSession(tx, sessionId)))
  }

  /** Whose executor token this is; null: unknown, expired or revoked. Its last use is noted about once a minute. */
  async executorToken(text: string, now: number): Promise<KnownToken | null> {
    const { db } = this.#parts
    const id = tokenIdIn(text)
    if (id === null) return null
    const generation = await this.#generation.current()
    const row = await this.#tokens.get(String(id), generation, () => db.read((tx) => readToken(tx, id)))
    const known = row === null ? null : judgeToken(row, text, now)
    if (row === null || known === null || !isUseUnnoted(row, now)) return known
    await noteTokenUse(db, id, now)
    await this.#tokens.drop(String(id), generation)
    return known
  }

  /** An API token and its owner; null: unknown, expired or revoked, or the owner is disabled. */
  async apiToken(text: string, use: TokenUse): Promise<ApiTokenFacts | null> {
    const id = tokenIdIn(text)
    if (id === null) return null
    const generation = await this.#generation.current()
    const found = await this.#apiTokens.get(String(id), generation, () => this.#parts.db.read((tx) => readApiToken(tx, id)))
    if (found === null || found.owner.disabled || !isGood(found.row, text, use.now)) return null
    const isNew = !addressesOf(found.row).includes(use.origin.ip)
    if (isNew || isUseUnnoted(found.row, use.now)) await this.#noteOnce(found, { isNew, generation }, use)
    return found
  }

  /** Many calls at once are one use. */
  async #noteOnce(found: ApiTokenFacts, { isNew, generation }: { isNew: boolean; generation: number }, use: TokenUse): Promise<void> {
    const key = `${found.row.id} ${use.origin.ip}`
    if (this.#noting.has(key)) return
    this.#noting.add(key)
    try {
      await this.#noteUse(found, isNew, use)
      await this.#apiTokens.drop(String(found.row.id), generation)
    } finally {
      this.#noting.delete(key)
    }
  }

  async #noteUse({ row, owner }: ApiTokenFacts, isNew: boolean, { now, origin, takeId }: TokenUse): Promise<void> {
    const { ip, requestId } = origin
    const caller = { actor: { kind: 'token', id: row.id, name: row.name }, ownerId: owner.userId, ip, requestId } as const
    await noteApiTokenUse(this.#parts.db, row.id, { now, auditId: isNew ? await takeId() : null, caller })
  }
}

/** How an API token is used: its last use is noted about once a minute, and in the audit log when the address is new. */
export interface TokenUse {
  readonly now: number
  readonly origin: Origin
  /** an id for the audit log */
  readonly takeId: () => Promise<number>
}

interface Kept<Fact> {
  readonly fact: Fact
  readonly generation: number
  readonly readAt: number
}

interface Shelf {
  readonly kind: string
  readonly cache: SignedCache
  readonly monotonic: () => number
}

/**
 * Facts of one kind: 10,000 in memory, for 10 s each, and behind it 10 s in the cache that nodes share. What the
 * store does not have is not kept: an id that nobody has costs a read each time.
 */
class KeptFacts<Fact extends object> {
  readonly #shelf: Shelf
  readonly #kept = new Map<string, Kept<Fact>>()

  constructor(shelf: Shelf) {
    this.#shelf = shelf
  }

  /** `generation`: read before this call. */
  async get(id: string, generation: number, load: () => Promise<Fact | null>): Promise<Fact | null> {
    const readAt = this.#shelf.monotonic()
    const kept = this.#kept.get(id)
    if (kept?.generation === generation && readAt - kept.readAt < KEPT_MS) return kept.fact
    const fact = (await this.#shelf.cache.get<Fact>(this.#keyOf(id, generation))) ?? (await this.#load(id, generation, load))
    if (fact !== null) this.#keep(id, { fact, generation, readAt })
    return fact
  }

  async drop(id: string, generation: number): Promise<void> {
    this.#kept.delete(id)
    await this.#shelf.cache.drop(this.#keyOf(id, generation))
  }

  async #load(id: string, generation: number, load: () => Promise<Fact | null>): Promise<Fact | null> {
    const fact = await load()
    if (fact !== null) await this.#shelf.cache.put(this.#keyOf(id, generation), fact, KEPT_MS)
    return fact
  }

  #keyOf(id: string, generation: number): string {
    return `access:${SHAPE}:${this.#shelf.kind}:${id}:${generation}`
  }

  #keep(id: string, kept: Kept<Fact>): void {
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
  }
}
