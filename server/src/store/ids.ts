import type { Database, Tx } from './database.ts'
import { holdFiring, isTooFarBehind, type Behind } from './held.ts'

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

/** Ids from `from` up to but not including `to`. */
interface Range {
  readonly from: number
  readonly to: number
}

const NONE: Range = { from: 0, to: 0 }

/** What this process knows of the run ids of a store, whichever of its parts takes them. */
interface Known {
  /** the highest that is known to be given out; 0: none */
  highest: number
  /** what the first take of this process passed over: the store had not given these out, and never will; null: nothing was taken yet */
  passedOver: Range | null
  /** the store was found behind `highest`, and nobody has told yet */
  behind: Behind | null
}

const knownOfStores = new WeakMap<Database, Known>()

function knownOf(db: Database): Known {
  const known = knownOfStores.get(db) ?? { highest: 0, passedOver: null, behind: null }
  knownOfStores.set(db, known)
  return known
}

/**
 * Takes `size` run ids in a transaction of their own; the first of them. They are unique whatever clocks and processes do (storage.md).
 *
 * A store that is behind an id that was seen of it was restored, or is a replica that lagged when it took over: the new ids then lie beyond what was
 * seen, and if it is behind by more than 60 s, firing is held by the same transaction, because taking ids wipes out the evidence.
 */
export async function takeRunIds(db: Database, now: number, size: number): Promise<number> {
  const known = knownOf(db)
  const taken = await db.write('rest', (tx) => takeBlock(tx, { now, size, highest: known.highest }))
  known.highest = Math.max(known.highest, taken.first + size - 1)
  known.passedOver ??= taken.passedOver
  known.behind = taken.behind ?? known.behind
  return taken.first
}

interface Block {
  readonly first: number
  readonly passedOver: Range
  readonly behind: Behind | null
}

async function takeBlock(tx: Tx, { now, size, highest }: { now: number; size: number; highest: number }): Promise<Block> {
  const [row] = await tx.all<{ next_id: number }>(`SELECT next_id FROM id_block WHERE name = 'run'${tx.locks.update}`)
  if (row === undefined) throw new Error('the store has no id block "run"')
  const { next_id: next } = row
  const first = Math.max(next, floorOfInstant(now), highest + 1)
  await tx.run("UPDATE id_block SET next_id = ? WHERE name = 'run'", [first + size])
  // a store that never gave out an id is new: there is nothing in it that could fire twice
  if (next === 1) return { first, passedOver: NONE, behind: null }
  const behind = next > highest ? null : { storeAt: instantOfId(next), seenAt: instantOfId(highest) }
  if (behind !== null && isTooFarBehind(behind)) await holdFiring(tx, { since: now, ...behind })
  return { first, passedOver: { from: next, to: first }, behind }
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
    while (this.#lacks(count)) await this.compare()
    const first = this.#next
    this.#next += count
    return first
  }

  /** How often `next` can be called now. */
  get atHand(): number {
    return this.#end - this.#next
  }

  /** Sees to it that `next` can be called so many times without waiting. Look at `atHand` afterwards: another may have been quicker. */
  async ensure(count: number): Promise<void> {
    while (this.#lacks(count)) await this.compare()
  }

  /** One id at once, after `ensure`. Throws when there is none at hand. */
  next(): number {
    if (this.#next >= this.#end) throw new Error('no run id is at hand: call ensure first')
    const id = this.#next
    this.#next += 1
    return id
  }

  /** Such an id is known to be given out, by whoever told. Raises what the store is compared with whenever ids are taken. */
  saw(id: number): void {
    const known = knownOf(this.#db)
    known.highest = Math.max(known.highest, id)
  }

  /** The highest run id that this process knows to be given out; 0: none. */
  get highest(): number {
    return knownOf(this.#db).highest
  }

  /** Compares the store with what was seen of it, now. What is at hand is replaced by a new block. */
  async compare(): Promise<void> {
    this.#pending ??= this.#refill().finally(() => {
      this.#pending = null
    })
    await this.#pending
  }

  /** How far the store was found behind since this was last asked; null: it was not. */
  tellBehind(): Behind | null {
    const known = knownOf(this.#db)
    const { behind } = known
    known.behind = null
    return behind
  }

  /**
   * How far the store that gave out these ids was ahead of this one; null: as far as they tell it is the same store. Ids that this process passed over
   * when it took its first were given out by a store that is no longer there.
   */
  behindOf(ids: readonly number[]): Behind | null {
    const { from, to } = knownOf(this.#db).passedOver ?? NONE
    const lost = ids.filter((id) => id >= from && id < to)
    return lost.length === 0 ? null : { storeAt: instantOfId(from), seenAt: instantOfId(lost.reduce((a, b) => Math.max(a, b))) }
  }

  /** A person has decided about what was passed over: it proves nothing new. */
  settle(): void {
    knownOf(this.#db).passedOver = NONE
  }

  #lacks(count: number): boolean {
    return this.#next + count > this.#end || this.#now() - this.#takenAt > KEEP_MS
  }

  async #refill(): Promise<void> {
    const now = this.#now()
    const first = await takeRunIds(this.#db, now, BLOCK)
    this.#next = first
    this.#end = first + BLOCK
    this.#takenAt = now
  }
}
