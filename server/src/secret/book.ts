import { Masker, type Reference } from '@tickwheel/core'
import { keyOfReference, type GivenSecret, type ReferenceBook, type Resolved } from '../engine/reference-book.ts'
import type { Database } from '../store/database.ts'
import { sealedValues } from '../store/secrets.ts'
import { readVariableRevision } from '../store/variable-revision.ts'
import { variablesOf } from '../store/variables.ts'
import type { Vault } from './vault.ts'

/** A change on another node is seen after so long at the latest. */
const FRESH_MS = 1_000
/** Of all values in memory; above it everything is forgotten, and read again as it is asked for. */
const KEPT_CHARS = 16_777_216
const MASKERS_KEPT = 500

export interface BookParts {
  readonly db: Database
  readonly vault: Pick<Vault, 'open'>
  readonly monotonic: () => number
}

/** What tasks of a group know under a name. */
interface Known {
  /** undefined: there is nothing of this name; null: it cannot be opened */
  readonly value: string | null | undefined
  readonly secretId: number
  /** of a secret, what runs may have been given: present and earlier values, as far as they can be opened */
  readonly given: readonly string[]
}

/**
 * Variables and opened secrets of those groups whose runs are being sent, in memory only. What is kept belongs to the revision that was read *before* it: each
 * change counts the revision in its own transaction, and while the revision is the same, nothing has changed. It is read when something is asked for and
 * was last read a second ago, so a server whose tasks refer to nothing never reads it.
 */
export class SecretBook implements ReferenceBook {
  readonly #parts: BookParts
  #revision = -1
  #readAt = -Infinity
  #known = new Map<string, Known>()
  #maskers = new Map<string, Masker | null>()
  #chars = 0

  constructor(parts: BookParts) {
    this.#parts = parts
  }

  refresh(): void {
    this.#readAt = -Infinity
  }

  async resolve(groupId: number, references: readonly Reference[]): Promise<Resolved> {
    const known = await this.#of(groupId, references)
    const unknown = references.map(keyOfReference).filter((key) => known.get(key)?.value === undefined)
    if (unknown.length > 0) return { kind: 'unknown', names: unknown }
    const sealed = references.map(keyOfReference).filter((key) => known.get(key)?.value === null)
    if (sealed.length > 0) return { kind: 'sealed', names: sealed }
    const values = new Map<string, string>()
    const secrets: GivenSecret[] = []
    for (const reference of references) {
      const key = keyOfReference(reference)
      const { value, secretId = 0 } = known.get(key) ?? {}
      if (value === undefined || value === null) continue
      values.set(key, value)
      if (reference.kind === 'secrets') secrets.push({ id: secretId, value })
    }
    return { kind: 'values', values, secrets }
  }

  async maskerOf(groupId: number, names: readonly string[]): Promise<Masker | null> {
    await this.#current()
    const key = `${groupId} ${names.toSorted().join(' ')}`
    const kept = this.#maskers.get(key)
    if (kept !== undefined) return kept
    const maskers = this.#maskers
    const known = await this.#of(
      groupId,
      names.map((name) => ({ kind: 'secrets', name })),
    )
    const masker = maskerOf([...known.values()])
    maskers.set(key, masker)
    const [oldest] = maskers.keys()
    if (maskers.size > MASKERS_KEPT && oldest !== undefined) maskers.delete(oldest)
    return masker
  }

  async #of(groupId: number, references: readonly Reference[]): Promise<ReadonlyMap<string, Known>> {
    await this.#current()
    // what is read now goes where the revision before it belongs, whatever comes meanwhile
    const shelf = this.#known
    const found = new Map<string, Known>()
    const missing: Reference[] = []
    for (const reference of references) {
      const kept = shelf.get(`${groupId} ${keyOfReference(reference)}`)
      if (kept === undefined) missing.push(reference)
      else found.set(keyOfReference(reference), kept)
    }
    if (missing.length === 0) return found
    for (const [key, known] of await this.#read(groupId, missing)) {
      found.set(key, known)
      shelf.set(`${groupId} ${key}`, known)
      this.#chars += (known.value?.length ?? 0) + known.given.reduce((sum, value) => sum + value.length, 64)
    }
    if (this.#chars > KEPT_CHARS) this.#forget()
    return found
  }

  async #read(groupId: number, references: readonly Reference[]): Promise<Map<string, Known>> {
    const { db, vault } = this.#parts
    const namesOf = (kind: Reference['kind']): string[] => references.filter((one) => one.kind === kind).map(({ name }) => name)
    const { variables, secrets } = await db.read(async (tx) => ({
      variables: await variablesOf(tx, groupId, namesOf('vars')),
      secrets: await sealedValues(tx, groupId, namesOf('secrets')),
    }))
    const known = new Map<string, Known>()
    for (const name of namesOf('vars')) known.set(`vars.${name}`, { value: variables.get(name), secretId: 0, given: [] })
    for (const name of namesOf('secrets')) {
      const own = secrets.filter((row) => row.name === name)
      const opened = own.map((row) => ({ row, value: vault.open(row.secret_id, row) }))
      // the group's own comes before that of all groups
      const present = opened.find(({ row }) => !row.isPast)
      known.set(`secrets.${name}`, {
        value: present?.value,
        secretId: present?.row.secret_id ?? 0,
        given: opened.flatMap(({ value }) => value ?? []),
      })
    }
    return known
  }

  async #current(): Promise<void> {
    const readAt = this.#parts.monotonic()
    if (readAt - this.#readAt < FRESH_MS) return
    const revision = await readVariableRevision(this.#parts.db)
    if (revision !== this.#revision) this.#forget()
    this.#revision = revision
    this.#readAt = readAt
  }

  #forget(): void {
    this.#known = new Map()
    this.#maskers = new Map()
    this.#chars = 0
  }
}

/** A present value that cannot be opened may have been given by a node that can; one that was replaced, with a key that is lost, stops nothing for ever. */
function maskerOf(known: readonly Known[]): Masker | null {
  return known.some(({ value }) => value === null) ? null : new Masker(known.flatMap(({ given }) => given))
}
