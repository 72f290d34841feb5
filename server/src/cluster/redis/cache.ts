import type { Cache } from '../cache.ts'
import type { Connection } from './connection.ts'

/** So many keys are remembered to be dropped when Redis is back; what was to be dropped beyond that ends with its time. */
const OWED = 10_000

/**
 * The cache in Redis: `<prefix>:cache:<key>`, each with its end. No command takes two of them, so that Redis Cluster spreads them.
 *
 * A drop that Redis did not answer is owed: until it is done this node takes the value for not there, and it is done when Redis is back.
 */
export class RedisCache implements Cache {
  readonly #connection: Connection
  readonly #prefix: string
  readonly #owed = new Set<string>()

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection
    this.#prefix = `${prefix}:cache:`
    connection.onUp(() => void this.drop([...this.#owed]))
  }

  async get(key: string): Promise<string | null> {
    if (this.#owed.has(key)) return null
    return this.#connection.ask(async (client) => client.get(this.#prefix + key)).catch(() => null)
  }

  async put(key: string, value: string, ttlMs: number): Promise<void> {
    if (this.#owed.has(key)) return
    await this.#connection.ask(async (client) => client.set(this.#prefix + key, value, 'PX', ttlMs)).catch(() => undefined)
  }

  async drop(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    for (const key of keys) this.#owe(key)
    try {
      await this.#connection.ask(async (client) => Promise.all(keys.map(async (key) => client.unlink(this.#prefix + key))))
      for (const key of keys) this.#owed.delete(key)
    } catch {
      // owed still
    }
  }

  #owe(key: string): void {
    this.#owed.add(key)
    const [oldest] = this.#owed
    if (this.#owed.size > OWED && oldest !== undefined) this.#owed.delete(oldest)
  }
}
