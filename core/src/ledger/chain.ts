/**
 * The firing ledger of one series, checked: entries form a chain, because each names the instant before it. A reader that walks the chain under the
 * schedules that were in force finds what is missing, what is there twice, and what was never due. One computation an entry; pure.
 */

/** Under which code an hour's instants are counted. What did not fire counts under the code of its reason (`REASON`). */
export const VERDICT = { fired: 1, missing: 2, doubled: 3 } as const

/** What is found wrong, by its code. Never reused. */
export const FINDING = { missing: 1, doubled: 2, notDue: 3, broken: 4, noRun: 5, wrongRun: 6, overdue: 7 } as const
export type Finding = keyof typeof FINDING
export const FINDINGS = ['missing', 'doubled', 'notDue', 'broken', 'noRun', 'wrongRun', 'overdue'] as const satisfies readonly Finding[]

/** One entry. Of a folded hour only its ends are left, and how many fired between them. */
export interface ChainLink {
  readonly kind: 'fired' | 'skipped' | 'folded'
  readonly fromAt: number
  readonly toAt: number
  /** null: not kept (a folded hour) */
  readonly prevDueAt: number | null
  /** instants, as far as the entry itself says */
  readonly count: number | null
  /** the code under which it is counted */
  readonly code: number
}

/** What was due, by the schedules in force at each instant. */
export interface DueInstants {
  /** no instant follows from the end of a run: `count` counts all */
  readonly knowsAll: boolean
  /** the first due instant after one; null: never again; `unknown`: only the runs tell (a fixedDelay) */
  next(after: number): number | null | 'unknown'
  /** the last due instant before one */
  previous(before: number): number | null
  /** how many are due in `[from, to]`, counted up to `limit` */
  count(from: number, to: number, limit: number): number
}

export type ChainFault =
  /** due, and no entry says what became of it */
  | { readonly kind: 'missing'; readonly fromAt: number; readonly toAt: number; readonly count: number | null }
  /** an entry for what was settled by another */
  | { readonly kind: 'doubled'; readonly fromAt: number; readonly toAt: number }
  /** fired, and was not due */
  | { readonly kind: 'notDue'; readonly fromAt: number; readonly toAt: number }
  /** it names another instant before it than the one that is there */
  | { readonly kind: 'broken'; readonly fromAt: number; readonly toAt: number; readonly named: number; readonly expected: number }

/** So many instants of one hour came to one end. */
export interface Tally {
  readonly hourAt: number
  readonly code: number
  readonly n: number
}

/** How far a series is checked. */
export interface ChainState {
  /** everything up to here is */
  readonly settledAt: number
  /** the begin of the last skip that was walked; 0: there was none yet. One that begins there may have grown. */
  readonly skipFrom: number
  /** how many instants of that skip are counted */
  readonly counted: number
}

export interface ChainWalk {
  readonly state: ChainState
  readonly tallies: readonly Tally[]
  readonly faults: readonly ChainFault[]
  /** skips that were walked to their end, with their count */
  readonly filled: readonly { readonly fromAt: number; readonly toAt: number; readonly count: number }[]
  /** how many instants of which skips were counted by this walk */
  readonly passed: readonly { readonly fromAt: number; readonly n: number }[]
  /** the work of one call is done and links are left */
  readonly isCut: boolean
}

export interface ChainQuestion {
  readonly state: ChainState
  /** what follows `state.settledAt`, complete up to the last, in order of `fromAt` */
  readonly links: readonly ChainLink[]
  readonly due: DueInstants
  /** up to here everything must be covered, by links or not at all; null: only what lies before a link */
  readonly endAt: number | null
  /** ranges are walked hour by hour, so many hours a call */
  readonly maxHours: number
}

const HOUR_MS = 3_600_000
/** More than any schedule has in an hour: intervals are at least 100 ms. */
const MOST_IN_HOUR = 40_000

/** Walks the links that follow what is settled. What was never due settles nothing; behind what is missing the walk goes on. */
export function walkChain(question: ChainQuestion): ChainWalk {
  const walker = new Walker(question)
  const isThrough = question.links.every((link) => walker.take(link))
  if (isThrough && question.endAt !== null) walker.endAt(question.endAt)
  return walker.result()
}

/** What is wrong with a link that follows `settledAt`: nothing, as a rule. */
export function checkLink(settledAt: number, { fromAt, toAt, prevDueAt }: ChainLink, due: DueInstants): ChainFault | null {
  if (fromAt <= settledAt) return { kind: 'doubled', fromAt, toAt: Math.min(toAt, settledAt) }
  const isNamed = prevDueAt === null || prevDueAt === settledAt
  const broken: ChainFault | null = isNamed ? null : { kind: 'broken', fromAt, toAt: fromAt, named: prevDueAt, expected: settledAt }
  const next = due.next(settledAt)
  if (next === 'unknown')
    return !isNamed && prevDueAt > settledAt && prevDueAt < fromAt
      ? { kind: 'missing', fromAt: prevDueAt, toAt: prevDueAt, count: 1 }
      : broken
  if (next === null || next > fromAt) return { kind: 'notDue', fromAt, toAt }
  if (next < fromAt) return { kind: 'missing', fromAt: next, toAt: Math.max(next, due.previous(fromAt) ?? next), count: null }
  return broken
}

class Walker {
  readonly #question: ChainQuestion
  readonly #tallies = new Map<string, Tally>()
  readonly #faults: ChainFault[] = []
  readonly #filled: { fromAt: number; toAt: number; count: number }[] = []
  readonly #passed: { fromAt: number; n: number }[] = []
  #settledAt: number
  #skipFrom: number
  #counted: number
  #hoursLeft: number
  #isCut = false

  constructor(question: ChainQuestion) {
    this.#question = question
    this.#settledAt = question.state.settledAt
    this.#skipFrom = question.state.skipFrom
    this.#counted = question.state.counted
    this.#hoursLeft = question.maxHours
  }

  /** False: the work of this call is done. */
  take(link: ChainLink): boolean {
    if (this.#isSame(link)) return this.#passSkip(link)
    const fault = checkLink(this.#settledAt, link, this.#question.due)
    if (fault?.kind === 'missing' && !this.#passMissing(fault)) return false
    if (fault !== null && fault.kind !== 'missing') this.#faults.push(fault)
    if (fault?.kind === 'notDue' || (fault?.kind === 'doubled' && link.toAt <= this.#settledAt)) return true
    switch (link.kind) {
      case 'fired':
      case 'folded':
        this.#tally(link.fromAt, link.code, link.kind === 'fired' ? 1 : (link.count ?? 1))
        this.#settledAt = link.toAt
        return true
      case 'skipped':
        this.#skipFrom = link.fromAt
        this.#counted = 0
        return this.#passSkip(link)
    }
  }

  /** The cursor says that everything up to here is settled. */
  endAt(at: number): void {
    if (this.#settledAt >= at) return
    const next = this.#question.due.next(this.#settledAt)
    if (next === 'unknown' || next === null || next > at) this.#passMissing({ kind: 'missing', fromAt: at, toAt: at, count: 1 })
    else this.#passMissing({ kind: 'missing', fromAt: next, toAt: at, count: null })
  }

  result(): ChainWalk {
    return {
      state: { settledAt: this.#settledAt, skipFrom: this.#skipFrom, counted: this.#counted },
      tallies: [...this.#tallies.values()],
      faults: this.#faults,
      filled: this.#filled,
      passed: this.#passed,
      isCut: this.#isCut,
    }
  }

  /** The skip that was walked last: it may have grown, or was not walked to its end. */
  #isSame(link: ChainLink): boolean {
    return link.kind === 'skipped' && link.fromAt === this.#skipFrom && link.toAt >= this.#settledAt
  }

  #passSkip(link: ChainLink): boolean {
    const n = this.#instantsOf(link)
    this.#counted += n
    this.#passed.push({ fromAt: link.fromAt, n })
    if (this.#isCut) return false
    this.#settledAt = link.toAt
    if (link.count === null) this.#filled.push({ fromAt: link.fromAt, toAt: link.toAt, count: this.#counted })
    return true
  }

  #instantsOf(link: ChainLink): number {
    const { due } = this.#question
    const isCountable = due.knowsAll || (link.count === null && due.next(this.#settledAt) !== 'unknown')
    if (this.#settledAt >= link.toAt || isCountable) return this.#passRange(link.toAt, link.code)
    // where instants follow from runs, the entry alone knows
    const n = Math.max(0, (link.count ?? 1) - this.#counted)
    if (n > 0) this.#tally(link.fromAt, link.code, n)
    return n
  }

  #passMissing({ fromAt, toAt, count }: ChainFault & { kind: 'missing' }): boolean {
    if (count !== null) {
      this.#tally(fromAt, VERDICT.missing, count)
      this.#faults.push({ kind: 'missing', fromAt, toAt, count })
      this.#settledAt = toAt
      return true
    }
    const n = this.#passRange(toAt, VERDICT.missing)
    if (n > 0) this.#faults.push({ kind: 'missing', fromAt, toAt: this.#isCut ? this.#settledAt : toAt, count: n })
    if (!this.#isCut) this.#settledAt = toAt
    return !this.#isCut
  }

  /** Counts what is due after what is settled and up to `toAt`, hour by hour; how many. */
  #passRange(toAt: number, code: number): number {
    const { due } = this.#question
    let sum = 0
    for (let next = due.next(this.#settledAt); typeof next === 'number' && next <= toAt; next = due.next(this.#settledAt)) {
      if (this.#hoursLeft === 0) {
        this.#isCut = true
        return sum
      }
      this.#hoursLeft -= 1
      const end = Math.min(toAt, hourOf(next) + HOUR_MS - 1)
      const n = due.count(next, end, MOST_IN_HOUR)
      this.#tally(next, code, n)
      sum += n
      this.#settledAt = end
    }
    return sum
  }

  #tally(at: number, code: number, n: number): void {
    const hourAt = hourOf(at)
    const key = `${hourAt}:${code}`
    this.#tallies.set(key, { hourAt, code, n: n + (this.#tallies.get(key)?.n ?? 0) })
  }
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}
