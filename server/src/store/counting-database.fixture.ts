import type { Database, Dialect, Lane, ReadTx, Tx } from './database.ts'

/** A store that counts how often it is read, and that can be held up in a read. */
export class CountingDatabase implements Database {
  readonly #real: Database
  /** transactions that only read */
  reads = 0
  /** what is waited for after a read has its rows, and before its caller does */
  afterRead: () => Promise<void> = async () => undefined

  constructor(real: Database) {
    this.#real = real
  }

  get dialect(): Dialect {
    return this.#real.dialect
  }

  async read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T> {
    this.reads += 1
    const answer = await this.#real.read(work)
    await this.afterRead()
    return answer
  }

  async write<T>(lane: Lane, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#real.write(lane, work)
  }

  async now(): Promise<number> {
    return this.#real.now()
  }

  async close(): Promise<void> {
    await this.#real.close()
  }
}
