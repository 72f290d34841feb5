import type { BusMessage } from '../cluster/messages.ts'
import type { Clock } from './clock.ts'
import type { Member } from './roster.ts'

/** How long a lot may be used by whoever borrowed it, and a little more for the message to arrive. */
const LOT_MS = 3000
const LOT_KEPT_MS = 3500
/** Whoever needs more asks again, at most so often. */
const ASK_EVERY_MS = 200
/** A loan that has not come after so long may not come: whoever is next in order is asked. */
const PATIENCE_MS = 500
/** What is not needed is given back at once, but for a few that the next firing may use. */
const KEPT_SHARE = 8

interface Lot {
  count: number
  readonly until: number
}

interface Wish {
  readonly want: number
  readonly until: number
}

export interface LendingOptions {
  readonly runId: number
  readonly clock: Clock
  readonly publish: (to: number, message: BusMessage) => void
  /** how many more attempts an executor of this node takes, with nothing lent */
  readonly room: (member: Member) => number
  /** whether runs of a group wait here for an executor */
  readonly hasQueue: (groupId: number) => boolean
}

/**
 * Places at executors, shared between nodes. They belong to the node that holds the executor's link; it lends them in small lots for three seconds to
 * the slot owners that ask. It counts what is in flight there for slots of others (`foreign`), because they pass through its link. A message that is lost
 * costs a place for three seconds; the executor's own refusal is the backstop.
 */
export class Lending {
  readonly #options: LendingOptions
  /** by executor, then by node */
  readonly #lent = new Map<number, Map<number, Lot[]>>()
  readonly #wishes = new Map<number, Map<number, Wish>>()
  readonly #foreign = new Map<number, Map<number, number>>()
  /** by executor: what others lent to this node */
  readonly #borrowed = new Map<number, { readonly bootId: number; readonly lots: Lot[] }>()
  readonly #askedAt = new Map<number, number>()
  /** by executor: since when places there are asked for, and none came */
  readonly #askingSince = new Map<number, number>()
  #turn = 0

  constructor(options: LendingOptions) {
    this.#options = options
  }

  // ── at the node that holds the link ──

  /** Attempts in flight at an executor of this node for slots of others. */
  foreign(executorId: number): number {
    return this.#foreign.get(executorId)?.size ?? 0
  }

  /** Places at an executor of this node that others may use now. */
  lent(executorId: number): number {
    const now = this.#options.clock.monotonic()
    let sum = 0
    for (const lots of this.#lent.get(executorId)?.values() ?? []) sum += countOf(lots, now)
    return sum
  }

  /** An attempt for a slot of another node is in flight at an executor of this one. `by`: the node that borrowed the place, if it is known. */
  fly(executorId: number, instanceId: number, by: number | null): void {
    const flying = this.#foreign.get(executorId) ?? new Map<number, number>()
    const isNew = !flying.has(instanceId)
    this.#foreign.set(executorId, flying.set(instanceId, this.#options.clock.monotonic()))
    if (isNew && by !== null) takeOne(this.#lent.get(executorId)?.get(by))
  }

  /** It is in flight there no more, or its slot is this node's own now. */
  land(executorId: number, instanceId: number): void {
    const flying = this.#foreign.get(executorId)
    if (flying?.delete(instanceId) === true && flying.size === 0) this.#foreign.delete(executorId)
  }

  /** It is in flight nowhere any more: whose places are free now. */
  landAnywhere(instanceId: number): number[] {
    const freed = [...this.#foreign].flatMap(([executorId, flying]) => (flying.has(instanceId) ? [executorId] : []))
    for (const executorId of freed) this.land(executorId, instanceId)
    return freed
  }

  /** The executor has named what it runs: what it does not name and was sent a while ago has ended elsewhere. */
  compare(executorId: number, named: ReadonlySet<number>): void {
    const before = this.#options.clock.monotonic() - LOT_KEPT_MS
    for (const [instanceId, sentAt] of this.#foreign.get(executorId) ?? [])
      if (sentAt < before && !named.has(instanceId)) this.land(executorId, instanceId)
  }

  /** The link is elsewhere now, or the executor is gone. */
  forget(executorId: number): void {
    for (const map of [this.#lent, this.#wishes, this.#foreign, this.#borrowed, this.#askedAt, this.#askingSince]) map.delete(executorId)
  }

  asked(from: number, member: Member, want: number): void {
    const wishes = this.#wishes.get(member.executorId) ?? new Map<number, Wish>()
    if (want > 0) wishes.set(from, { want, until: this.#options.clock.monotonic() + LOT_MS })
    else wishes.delete(from)
    this.#wishes.set(member.executorId, wishes)
    this.grant(member)
  }

  givenBack(from: number, executorId: number, count: number): void {
    const lots = this.#lent.get(executorId)?.get(from)
    for (let left = count; left > 0 && takeOne(lots);) left -= 1
  }

  /** Divides what is free at an executor among the nodes that ask and this one, if runs wait here: each in turn. */
  grant(member: Member): void {
    const now = this.#options.clock.monotonic()
    const wishes = this.#wishes.get(member.executorId)
    if (wishes === undefined) return
    for (const [node, wish] of wishes) if (wish.until <= now) wishes.delete(node)
    const { room, hasQueue } = this.#options
    let free = room(member)
    let parties = wishes.size + (hasQueue(member.groupId) ? 1 : 0)
    this.#turn += 1
    const nodes = [...wishes.keys()].sort((a, b) => a - b)
    const first = nodes.length === 0 ? 0 : this.#turn % parties
    for (const node of [...nodes.slice(first), ...nodes.slice(0, first)]) {
      // when this node's own turn comes first, a single place stays here
      const share = free >= parties ? Math.ceil(free / parties) : first === nodes.length ? 0 : Math.min(1, free)
      const count = Math.min(share, wishes.get(node)?.want ?? 0)
      parties -= 1
      if (count <= 0) continue
      free -= count
      this.#lend(member, node, count)
      wishes.delete(node)
    }
    if (wishes.size === 0) this.#wishes.delete(member.executorId)
  }

  // ── at the node that borrows ──

  /** Places at an executor of another node that this one may use now. */
  borrowed({ executorId, bootId }: Member): number {
    const all = this.#borrowed.get(executorId)
    return all?.bootId === bootId ? countOf(all.lots, this.#options.clock.monotonic()) : 0
  }

  /** So many places more at an executor of another node are wanted. */
  want(member: Member, count: number): void {
    if (member.linkRun === null || member.linkRun === this.#options.runId || count <= 0) return
    const now = this.#options.clock.monotonic()
    const askedAt = this.#askedAt.get(member.executorId) ?? -Infinity
    if (now - askedAt < ASK_EVERY_MS) return
    if (now - askedAt > LOT_MS || !this.#askingSince.has(member.executorId)) this.#askingSince.set(member.executorId, now)
    this.#askedAt.set(member.executorId, now)
    const { executorId, bootId } = member
    this.#options.publish(member.linkRun, { kind: 'ask', from: this.#options.runId, executorId, bootId, want: count })
  }

  /** Whether a loan may yet come: it was not asked for yet, or only a moment ago. */
  isComing(executorId: number): boolean {
    const now = this.#options.clock.monotonic()
    const isAsking = now - (this.#askedAt.get(executorId) ?? -Infinity) <= LOT_MS
    return !isAsking || now - (this.#askingSince.get(executorId) ?? now) < PATIENCE_MS
  }

  received({ executorId, bootId, count }: { executorId: number; bootId: number; count: number }): void {
    const now = this.#options.clock.monotonic()
    const known = this.#borrowed.get(executorId)
    const lots = known?.bootId === bootId ? known.lots.filter((lot) => lot.until > now && lot.count > 0) : []
    this.#borrowed.set(executorId, { bootId, lots: [...lots, { count, until: now + LOT_MS }] })
    this.#askedAt.delete(executorId)
    this.#askingSince.delete(executorId)
  }

  /** A borrowed place is used. */
  spend(executorId: number): void {
    takeOne(this.#borrowed.get(executorId)?.lots)
  }

  /** Nothing of the group waits here any more: what was borrowed goes back, but for a few places. */
  settle(member: Member): void {
    const spare = this.borrowed(member) - Math.floor(member.capacity / KEPT_SHARE)
    if (spare <= 0 || member.linkRun === null) return
    for (let left = spare; left > 0; left -= 1) this.spend(member.executorId)
    const { executorId, bootId } = member
    this.#options.publish(member.linkRun, { kind: 'giveBack', from: this.#options.runId, executorId, bootId, count: spare })
  }

  #lend({ executorId, bootId }: Member, node: number, count: number): void {
    const now = this.#options.clock.monotonic()
    const nodes = this.#lent.get(executorId) ?? new Map<number, Lot[]>()
    const lots = (nodes.get(node) ?? []).filter((lot) => lot.until > now && lot.count > 0)
    this.#lent.set(executorId, nodes.set(node, [...lots, { count, until: now + LOT_KEPT_MS }]))
    this.#options.publish(node, { kind: 'lend', from: this.#options.runId, executorId, bootId, count })
  }
}

function countOf(lots: readonly Lot[], now: number): number {
  return lots.reduce((sum, lot) => (lot.until > now ? sum + lot.count : sum), 0)
}

/** Takes from the lot that ends first. */
function takeOne(lots: readonly Lot[] | undefined): boolean {
  const lot = lots?.find((one) => one.count > 0)
  if (lot === undefined) return false
  lot.count -= 1
  return true
}
