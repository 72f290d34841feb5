import type { Lending } from './lending.ts'
import type { OpenRuns } from './open-runs.ts'
import type { Member } from './roster.ts'

/** How long what does not divide belongs to one node, and how long that one waits first for what the node before it began to be counted. */
const TURN_MS = 5000
const SETTLING_MS = 1500

/** How places are shared with other nodes. Absent: this process is alone. */
export interface Sharing {
  readonly lending: Lending
  /** whether the bus carries messages; without it each node keeps to an even share */
  readonly isBusUp: () => boolean
  /** live nodes that own slots, by run id, ascending */
  readonly schedulers: () => readonly number[]
  readonly runId: number
  /** cluster time */
  readonly now: () => number
}

/**
 * How many more attempts an executor may be given by this node: of an executor whose link is here its capacity, less what is in flight there, less what is
 * lent; of another what was borrowed; less what is decided and not yet written. Who decides holds an account, and settles it when its transaction is over.
 */
export class Credits {
  readonly #runs: OpenRuns
  readonly #sharing: Sharing | null
  readonly #accounts: Account[] = []

  constructor(runs: OpenRuns, sharing: Sharing | null) {
    this.#runs = runs
    this.#sharing = sharing
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
    const decided = this.#decided(member)
    const sharing = this.#sharing
    if (sharing === null) return member.capacity - this.#inFlight(member) - decided
    if (!sharing.isBusUp()) {
      const mine = this.#inFlight(member)
      return Math.min(shareOf(member, sharing) - mine, member.capacity - Math.max(mine, member.inFlightSeen)) - decided
    }
    return member.linkRun === sharing.runId ? this.room(member) : sharing.lending.borrowed(member) - decided
  }

  /** Whether a place at an executor of another node, which seems to have some, was asked for a moment ago. */
  isComing(member: Member): boolean {
    const sharing = this.#sharing
    if (sharing === null || !sharing.isBusUp() || member.linkRun === null || member.linkRun === sharing.runId) return false
    return this.used(member) < member.capacity && sharing.lending.isComing(member.executorId)
  }

  /** What an executor whose link is here still takes, from whomever. */
  room(member: Member): number {
    const lending = this.#sharing?.lending
    const elsewhere = lending === undefined ? 0 : lending.foreign(member.executorId) + lending.lent(member.executorId)
    return member.capacity - this.#inFlight(member) - elsewhere - this.#decided(member)
  }

  /** What is in flight there as far as this node knows. */
  used(member: Member): number {
    const mine = this.#inFlight(member) + this.#decided(member)
    return Math.max(
      mine + (this.#sharing?.lending.foreign(member.executorId) ?? 0),
      this.#sharing === null ? 0 : (member.load?.running ?? 0),
    )
  }

  #inFlight(member: Member): number {
    return this.#runs.inFlight(member.executorId, member.bootId)
  }

  #decided(member: Member): number {
    return this.#accounts.reduce((sum, account) => sum + account.of(member.executorId), 0)
  }
}

/**
 * Without a bus nobody can lend: each slot owner keeps to its part. What does not divide goes to them by turns, executor by executor and in time, so that
 * nobody has none for ever; clocks that differ give it to two for a moment, and the executor refuses what is too much.
 */
function shareOf({ capacity, executorId }: Member, { schedulers, runId, now }: Sharing): number {
  const nodes = schedulers()
  const place = nodes.indexOf(runId)
  if (place < 0) return 0
  const time = now()
  const rest = time % TURN_MS < SETTLING_MS ? 0 : capacity % nodes.length
  return Math.floor(capacity / nodes.length) + ((place + executorId + Math.floor(time / TURN_MS)) % nodes.length < rest ? 1 : 0)
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
