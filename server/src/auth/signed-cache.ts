import type { Cache } from '../cluster/cache.ts'
import { deriveKey, sameText, sign } from './secret.ts'

/** of an HMAC-SHA256 in base64url */
const MAC_LENGTH = 43

/**
 * Values in the cache that nodes share, as JSON under a MAC over key and value: who can write there, and does not know the secret of the installation, gains
 * no rights and breaks nothing. Whoever changes the shape of a value gives its key another name, so that versions do not read each other's.
 */
export class SignedCache {
  readonly #cache: Cache
  readonly #key: Buffer

  constructor(cache: Cache, secret: string) {
    this.#cache = cache
    this.#key = deriveKey(secret, 'shared cache')
  }

  /** null: not there, not ours, or the cache is away. */
  async get<Value>(key: string): Promise<Value | null> {
    const kept = await this.#cache.get(key)
    if (kept === null) return null
    const text = kept.slice(MAC_LENGTH)
    // Safe: a node of this installation made this text of a value of this key, as the MAC shows.
    return sameText(kept.slice(0, MAC_LENGTH), this.#macOf(key, text)) ? (JSON.parse(text) as Value) : null
  }

  async put(key: string, value: object, ttlMs: number): Promise<void> {
    const text = JSON.stringify(value)
    await this.#cache.put(key, this.#macOf(key, text) + text, ttlMs)
  }

  async drop(key: string): Promise<void> {
    await this.#cache.drop([key])
  }

  #macOf(key: string, text: string): string {
    return sign(this.#key, `${key} ${text}`)
  }
}
