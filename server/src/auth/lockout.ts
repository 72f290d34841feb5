import { callerKey } from '@tickwheel/core'

const FREE_FAILURES = 5
const LONGEST_WAIT_MS = 300_000
const FORGOTTEN_AFTER_MS = 3_600_000
const PAIRS_KEPT = 10_000

interface Failures {
  readonly count: number
  readonly waitsUntil: number
  readonly lastAt: number
}

/**
 * Slows down guessing: after 5 failures an (account, address) pair waits 1, 2, 4 … 300 s before the next try is looked at. The account from
 * other addresses does not wait, so that nobody can lock somebody else out. An address of IPv6 is its network of 64 bits. 10,000 pairs are kept, the oldest go
 * first; a pair is forgotten after an hour. Each node counts for itself: what an address may try in all is the budget `login`, which nodes share.
 */
export class Lockout {
  readonly #pairs = new Map<string, Failures>()
  readonly #turns = new Map<string, Promise<unknown>>()

  /** Tries of a pair one after the other: a hundred at once would all be looked at before the first has failed. What `work` answers or throws. */
  async inTurn<Result>(account: string, address: string, work: () => Promise<Result>): Promise<Result> {
    const key = keyOf(account, address)
    const mine = (this.#turns.get(key) ?? Promise.resolve()).then(work)
    const settled = mine.catch(() => undefined)
    this.#turns.set(key, settled)
    try {
      return await mine
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key)
    }
  }

  /** How long this pair must still wait, in ms; 0: it may try. `now` is monotonic. */
  waitMs(account: string, address: string, now: number): number {
    const failures = this.#pairs.get(keyOf(account, address))
    return failures === undefined ? 0 : Math.max(0, failures.waitsUntil - now)
  }

  failed(account: string, address: string, now: number): void {
    const key = keyOf(account, address)
    const before = this.#pairs.get(key)
    const count = before === undefined || now - before.lastAt > FORGOTTEN_AFTER_MS ? 1 : before.count + 1
    this.#pairs.delete(key)
    this.#pairs.set(key, { count, waitsUntil: now + waitAfter(count), lastAt: now })
    for (const oldest of this.#pairs.keys()) {
      if (this.#pairs.size <= PAIRS_KEPT) break
      this.#pairs.delete(oldest)
    }
  }

  succeeded(account: string, address: string): void {
    this.#pairs.delete(keyOf(account, address))
  }
}

function keyOf(account: string, address: string): string {
  return `${callerKey(address)} ${account}`
}

function waitAfter(failures: number): number {
  return failures < FREE_FAILURES ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (failures - FREE_FAILURES))
}
