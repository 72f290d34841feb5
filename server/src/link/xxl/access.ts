import type { Database } from '../../store/database.ts'
import { xxlTokensOfGroups } from '../../store/groups.ts'

export interface AccessOptions {
  readonly db: Database
  /** what executors of groups without an access of their own send, and are sent */
  readonly sharedToken: string
  /** opens a token as groups keep it; null: it cannot be opened */
  readonly openToken: (sealed: string) => string | null
  readonly isSame: (a: string, b: string) => boolean
  readonly log: { warn(facts: Readonly<Record<string, unknown>>, text: string): void }
  /** how long what was read counts; default 1 s */
  readonly keptMs?: number
}

/** What a group that has an access of its own wants: a token, none at all, or one that cannot be read and nobody has. */
type Own = { readonly kind: 'token'; readonly token: string } | { readonly kind: 'none' } | { readonly kind: 'unreadable' }

/** So long after a change of a group's token the one before may still count. */
const KEPT_MS = 1_000

/** Which token the executors of a group must send, and are sent. Most send the one of the settings; a group may have its own, or ask for none. */
export class Access {
  readonly #options: AccessOptions
  #own: ReadonlyMap<number, Own> = new Map()
  #readAt = -Infinity
  #reading: Promise<void> | null = null
  #told = new Set<number>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** Whether a call with this token may come from an executor of any group: looked at before its body is read. */
  async admits(token: string): Promise<boolean> {
    if (this.isShared(token)) return true
    const own = await this.#read()
    return [...own.values()].some((access) => this.#isOpenTo(access, token))
  }

  /** The token of the settings. */
  isShared(token: string): boolean {
    return this.#options.isSame(token, this.#options.sharedToken)
  }

  /** `groupId` null: no group is known for it. */
  async allows(groupId: number | null, token: string): Promise<boolean> {
    const own = groupId === null ? undefined : (await this.#read()).get(groupId)
    return own === undefined ? this.isShared(token) : this.#isOpenTo(own, token)
  }

  /** What executors of a group are sent; empty where they ask for none. */
  async tokenFor(groupId: number): Promise<string> {
    const own = (await this.#read()).get(groupId)
    if (own === undefined) return this.#options.sharedToken
    return own.kind === 'token' ? own.token : ''
  }

  #isOpenTo(own: Own, token: string): boolean {
    return own.kind === 'none' || (own.kind === 'token' && this.#options.isSame(token, own.token))
  }

  /** As it was read last while the store is away. */
  async #read(): Promise<ReadonlyMap<number, Own>> {
    if (performance.now() - this.#readAt >= (this.#options.keptMs ?? KEPT_MS)) {
      this.#reading ??= this.#readNow().finally(() => (this.#reading = null))
      await this.#reading.catch((error: unknown) => {
        if (this.#readAt === -Infinity) throw error
      })
    }
    return this.#own
  }

  async #readNow(): Promise<void> {
    const at = performance.now()
    const rows = await xxlTokensOfGroups(this.#options.db)
    this.#own = new Map(rows.map(({ groupId, token }) => [groupId, this.#ownOf(groupId, token)]))
    this.#readAt = at
  }

  #ownOf(groupId: number, kept: string): Own {
    if (kept === '') return { kind: 'none' }
    const token = this.#options.openToken(kept)
    if (token !== null) return { kind: 'token', token }
    if (!this.#told.has(groupId))
      this.#options.log.warn(
        { groupId },
        'the XXL-JOB token of a group was sealed with another secret and cannot be read: its executors are refused until it is set anew',
      )
    this.#told.add(groupId)
    return { kind: 'unreadable' }
  }
}
