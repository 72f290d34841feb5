import type { OpenRuns } from './open-runs.ts'
import type { Member } from './roster.ts'

/**
 * How many more attempts an executor may be given: its capacity, less what is in flight there, less what is decided and not yet written. Who decides
 * holds an account, and settles it when its transaction is over.
 */
export class Credits {
  readonly #runs: OpenRuns
  readonly #accounts: Account[] = []

  constructor(runs: OpenRuns) {
    this.#runs = runs
  }

  open(): Account {
    const account = new Account()
    this.#accounts.push(account)
    return account
  }

  close(account: Account): void {
    const at = this.#accounts.indexOf(account)
    if (at >= 0) this.#accounts.splice(at, 1)
  }

  free(member: Member): number {
    return member.capacity - this.used(member)
  }

  used(member: Member): number {
    return this.#accounts.reduce(
      (sum, account) => sum + account.of(member.executorId),
      this.#runs.inFlight(member.executorId, member.bootId),
    )
  }
}

/** What one stage has decided in the batch that it works on. */
export class Account {
  readonly #taken = new Map<number, number>()

  of(executorId: number): number {
    return this.#taken.get(executorId) ?? 0
  }

  take(executorId: number): void {
    this.#taken.set(executorId, this.of(executorId) + 1)
  }

  settle(): void {
    this.#taken.clear()
  }
}
