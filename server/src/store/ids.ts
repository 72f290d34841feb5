import type { Database, Tx } from './database.ts'

/** Where run ids begin to count: 2026-01-01T00:00:00Z. */
export const ID_EPOCH_MS = Date.UTC(2026, 0, 1)
const PER_SECOND = 2 ** 21

/** The smallest run id that an instant can have. `id ≥ floorOf(from)` and `id < floorOf(to)` select by age, exact to about 10 s. */
export function floorOfInstant(atMs: number): number {
  return Math.max(1, Math.floor((atMs - ID_EPOCH_MS) / 1000) * PER_SECOND)
}

/** When a run id was given out, epoch ms, exact to about 10 s. */
export function instantOfId(id: number): number {
  return ID_EPOCH_MS + Math.floor(id / PER_SECOND) * 1000
}

/** Takes `size` run ids in a transaction of their own; the first of them. They are unique whatever clocks and processes do (storage.md). */
export async function takeRunIds(db: Database, now: number, size: number): Promise<number> {
  return db.write('rest', async (tx) => {
    await tx.run("UPDATE id_block SET next_id = CASE WHEN next_id < ? THEN ? ELSE next_id END + ? WHERE name = 'run'", [
      floorOfInstant(now),
      floorOfInstant(now),
      size,
    ])
    const [row] = await tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'run'")
    if (row === undefined) throw new Error('the store has no id block "run"')
    return row.next_id - size
  })
}

/** Takes one id for a task, group, user, series … inside the caller's transaction. */
export async function takeEntityId(tx: Tx): Promise<number> {
  await tx.run("UPDATE id_block SET next_id = next_id + 1 WHERE name = 'entity'")
  const [row] = await tx.all<{ next_id: number }>("SELECT next_id FROM id_block WHERE name = 'entity'")
  if (row === undefined) throw new Error('the store has no id block "entity"')
  return row.next_id - 1
}

const BLOCK = 4096
const KEEP_MS = 10_000

/**
 * Gives out run ids from blocks. What is left of a block after 10 s is thrown away, so that ids sort by creation within 10 s.
 */
export class RunIds {
  readonly #db: Database
  readonly #now: () => number
  #next = 0
  #end = 0
  #takenAt = -Infinity
  #pending: Promise<void> | null = null

  constructor(db: Database, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /** `count` ids in a row (at most 4,096); the first of them. */
  async take(count: number): Promise<number> {
    if (count < 1 || count > BLOCK) throw new RangeError(`1 to ${BLOCK} ids at once, not ${count}`)
    while (this.#next + count > this.#end || this.#now() - this.#takenAt > KEEP_MS) {
      this.#pending ??= this.#refill().finally(() => {
        this.#pending = null
      })
      await this.#pending
    }
    const first = this.#next
    this.#next += count
    return first
  }

  /** How often `next` can be called now. */
  get atHand(): number {
    return this.#end - this.#next
  }

  /** Makes sure that `next` can be called so many times without waiting. */
  async ensure(count: number): Promise<void> {
    await this.take(count)
    this.#next -= count
  }

  /** One id at once, after `ensure`. Throws when there is none at hand. */
  next(): number {
    if (this.#next >= this.#end) throw new Error('no run id is at hand: call ensure first')
    const id = this.#next
    this.#next += 1
    return id
  }

  async #refill(): Promise<void> {
    const now = this.#now()
    const first = await takeRunIds(this.#db, now, BLOCK)
    this.#next = first
    this.#end = first + BLOCK
    this.#takenAt = now
  }
}
