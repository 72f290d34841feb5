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
 * other addresses does not wait, so that nobody can lock somebody else out. 10,000 pairs are kept, the oldest go first; a pair is forgotten after an hour.
 */
export class Lockout {
  readonly #pairs = new Map<string, Failures>()

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
  return `${address} ${account}`
}

function waitAfter(failures: number): number {
  return failures < FREE_FAILURES ? 0 : Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (failures - FREE_FAILURES))
}
