import {
  FINDING,
  REASON,
  VERDICT,
  walkChain,
  type ChainFault,
  type ChainLink,
  type ChainState,
  type ChainWalk,
  type DueInstants,
  type Finding,
} from '@tickwheel/core'
import { instantOfId } from '../store/ids.ts'
import { PLAIN_SKIPS, type FiredRun, type LedgerKey, type SeriesToReckon } from '../store/reckon.ts'
import type { RecoveryNote } from '../store/recovery.ts'
import { dueInstants } from '../store/spans.ts'
import type { FindingRow, FiringHourRow, FiringRow, ReckonedRow, SkipRow, VerdictRow } from '../store/schema.ts'

/** Hours of a range that one step counts for one series. */
const HOURS_WALKED = 200
/** Settled so long after it was due: nothing fired meanwhile, and the recovery report tells of it. */
const LATE_MS = 60_000
/** A run is kept a day at least: an older one may be gone by right. */
const RUN_KEPT_MS = 20 * 3_600_000

export interface WalkBounds {
  readonly sinceAt: number
  readonly firings: readonly FiringRow[]
  /** links that begin at or after it are not walked, but for the given firings */
  readonly beforeAt: number
  readonly endAt: number | null
}

/** What the walk of one series has found, to be written. */
export interface WalkOutcome {
  readonly states: readonly ReckonedRow[]
  readonly verdicts: readonly VerdictRow[]
  readonly findings: readonly FindingRow[]
  readonly recoveries: readonly RecoveryNote[]
  readonly counts: readonly { seriesId: number; fromAt: number; toAt: number; count: number }[]
}

const NOTHING: WalkOutcome = { states: [], verdicts: [], findings: [], recoveries: [], counts: [] }

/** The chain of one series in one step. */
export class SeriesWalk {
  readonly #series: SeriesToReckon
  readonly #bounds: WalkBounds
  readonly #due: DueInstants
  readonly #state: ChainState
  /** it is older than its reckoner: it begins here */
  readonly #isBaseline: boolean
  readonly #asked = new Set<number>()
  readonly #hours: FiringHourRow[] = []
  readonly #badRuns = new Map<number, 'noRun' | 'wrongRun'>()
  readonly #offDelay = new Set<number>()
  #firings: FiringRow[]
  #runs: ReadonlyMap<number, FiredRun> = new Map()
  #cutAt = Infinity
  /** everything that was due up to here was looked up, where the rest was cut off */
  #sureUntil: number | null = null
  #walked: ChainWalk | null = null

  constructor(series: SeriesToReckon, bounds: WalkBounds) {
    this.#series = series
    this.#bounds = bounds
    this.#due = dueInstants(series.spans)
    this.#firings = [...bounds.firings]
    const firstAt = series.spans[0]?.fromAt ?? 0
    this.#isBaseline = series.state === null && firstAt < bounds.sinceAt
    this.#state = series.state ?? {
      settledAt: this.#isBaseline ? (bounds.firings[0]?.prev_due_at ?? series.lastDueAt) : firstAt - 1,
      skipFrom: 0,
      counted: 0,
    }
    if (series.skipsUntil < Infinity) this.#cutAt = series.skipsUntil + 1
  }

  get seriesId(): number {
    return this.#series.seriesId
  }

  get firings(): readonly FiringRow[] {
    return this.#firings
  }

  /** Instants of which the walk finds no entry, and that were not looked up yet. */
  unknownKeys(limit: number): LedgerKey[] {
    const keys: LedgerKey[] = []
    for (const fault of this.#walk().faults) {
      if (fault.kind !== 'missing') continue
      for (let at: number | null | 'unknown' = fault.fromAt; typeof at === 'number' && at <= fault.toAt; at = this.#due.next(at)) {
        if (keys.length >= limit) return keys
        if (!this.#asked.has(at)) keys.push({ dueAt: at, seriesId: this.seriesId })
      }
    }
    return keys
  }

  /** What was found of the keys that were asked. */
  add(asked: readonly LedgerKey[], rows: readonly FiringRow[], hours: readonly FiringHourRow[]): void {
    for (const { dueAt } of asked) this.#asked.add(dueAt)
    const known = new Set(this.#firings.map((row) => row.due_at))
    this.#firings = [...this.#firings, ...rows.filter((row) => !known.has(row.due_at))]
    const knownHours = new Set(this.#hours.map((hour) => hour.hour_at))
    this.#hours.push(...hours.filter((hour) => !knownHours.has(hour.hour_at)))
    this.#walked = null
  }

  /** There is more to look up than one step does: what was not looked up, and all behind it, is left for a later one. */
  cutAtUnknown(): void {
    const [first] = this.unknownKeys(1)
    if (first === undefined) return
    this.#cutAt = Math.min(this.#cutAt, first.dueAt)
    const before = this.#due.previous(this.#cutAt)
    this.#sureUntil = before !== null && this.#asked.has(before) ? before : null
    this.#walked = null
  }

  /** Of firings whose instant follows from the end of the run before: that run's firing. */
  delayKeys(): LedgerKey[] {
    return this.#firings
      .filter((row) => this.#delaySpan(row.due_at) !== null)
      .map((row) => ({ dueAt: row.prev_due_at, seriesId: this.seriesId }))
  }

  check(runs: ReadonlyMap<number, FiredRun>, previous: ReadonlyMap<string, FiringRow>, now: number): void {
    this.#runs = runs
    for (const row of this.#firings) {
      const run = runs.get(row.instance_id)
      if (run === undefined) {
        if (instantOfId(row.instance_id) > now - RUN_KEPT_MS) this.#badRuns.set(row.due_at, 'noRun')
      } else if (run.seriesId !== row.series_id || run.dueAt !== row.due_at) this.#badRuns.set(row.due_at, 'wrongRun')
      const before = previous.get(keyText(row.prev_due_at, row.series_id))
      if (before !== undefined && this.#isOffDelay(row, runs.get(before.instance_id))) this.#offDelay.add(row.due_at)
    }
    this.#walked = null
  }

  outcome(now: number): WalkOutcome {
    if (this.#series.skipsUntil < 0) return NOTHING
    // it begins with the first entry that is met in the order of time
    if (this.#isBaseline && this.#firings.length === 0 && this.#series.lastDueAt >= this.#bounds.beforeAt) return NOTHING
    const walk = this.#walk()
    const { settledAt, skipFrom, counted } = walk.state
    const { seriesId, taskId, groupId } = this.#series
    const isMoved = settledAt !== this.#state.settledAt || skipFrom !== this.#state.skipFrom || counted !== this.#state.counted
    const doubled = [
      ...walk.faults.filter((fault) => fault.kind === 'doubled' || fault.kind === 'notDue').map((fault) => fault.fromAt),
      ...this.#offDelay,
    ]
    const verdicts = [...walk.tallies, ...doubled.map((at) => ({ hourAt: hourOf(at), code: VERDICT.doubled, n: 1 }))]
    return {
      states: isMoved || this.#series.state === null ? [{ series_id: seriesId, settled_at: settledAt, skip_from: skipFrom, counted }] : [],
      verdicts: verdicts.map(({ hourAt, code, n }) => ({ hour_at: hourAt, group_id: groupId, code, n })),
      findings: [
        ...walk.faults.map((fault) =>
          findingRow(fault.kind, { seriesId, taskId, groupId }, { ...rangeOf(fault), foundAt: now, facts: factsOf(fault) }),
        ),
        ...[...this.#badRuns].flatMap(([at, kind]) => this.#atInstant(kind, at, now)),
        ...[...this.#offDelay].flatMap((at) => this.#atInstant('notDue', at, now)),
      ],
      recoveries: [...this.#lateFirings(), ...this.#lateSkips(walk)],
      counts: walk.filled.map((one) => ({ seriesId, ...one })),
    }
  }

  #atInstant(kind: Finding, at: number, now: number): FindingRow[] {
    if (at <= this.#state.settledAt || at > this.#walk().state.settledAt) return []
    const row = this.#firings.find((firing) => firing.due_at === at)
    return [
      findingRow(kind, this.#series, {
        fromAt: at,
        toAt: at,
        n: 1,
        foundAt: now,
        facts: row === undefined ? {} : { instanceId: row.instance_id },
      }),
    ]
  }

  #walk(): ChainWalk {
    const isCut = this.#cutAt < Infinity
    this.#walked ??= walkChain({
      state: this.#state,
      links: this.#links(),
      due: this.#due,
      endAt: isCut ? this.#sureUntil : this.#isBaseline ? null : this.#bounds.endAt,
      maxHours: HOURS_WALKED,
    })
    return this.#walked
  }

  #links(): ChainLink[] {
    const { beforeAt } = this.#bounds
    const skips = this.#series.skips.filter((row) => row.from_at < beforeAt)
    return [...this.#firings.map((row) => this.#firedLink(row)), ...skips.map(skippedLink), ...this.#hours.map(foldedLink)]
      .filter((link) => link.fromAt < this.#cutAt && !(this.#isBaseline && link.fromAt <= this.#state.settledAt))
      .sort((a, b) => a.fromAt - b.fromAt || a.toAt - b.toAt)
  }

  #firedLink(row: FiringRow): ChainLink {
    const code = this.#badRuns.has(row.due_at) ? VERDICT.missing : VERDICT.fired
    return { kind: 'fired', fromAt: row.due_at, toAt: row.due_at, prevDueAt: row.prev_due_at, count: 1, code }
  }

  #delaySpan(at: number): SeriesToReckon['spans'][number] | null {
    const span = this.#series.schedule.spanAt(at)
    return span?.schedule.kind === 'fixedDelay' ? span : null
  }

  /** The run before ended within the span in force, and not one of the delays of the series lies between, with the wait that its calendar adds. */
  #isOffDelay(row: FiringRow, before: FiredRun | undefined): boolean {
    const span = this.#delaySpan(row.due_at)
    const endedAt = before?.endedAt ?? null
    if (span?.schedule.kind !== 'fixedDelay' || endedAt === null || endedAt < span.fromAt || row.prev_due_at < span.fromAt) return false
    const { validFrom } = span.schedule
    const isMoved = row.due_at === row.prev_due_at + 1 || (typeof validFrom === 'string' && Date.parse(validFrom) === row.due_at)
    const delays = this.#series.spans.flatMap(({ schedule }) => (schedule.kind === 'fixedDelay' ? [schedule.delayMs] : []))
    const effect = this.#series.schedule.calendarOf(span)
    const hasWaited = delays.some((delayMs) => effect?.leftOut(endedAt + delayMs)?.movedTo === row.due_at)
    return !isMoved && !hasWaited && !delays.includes(row.due_at - endedAt)
  }

  #lateFirings(): RecoveryNote[] {
    const { taskId, groupId, skips } = this.#series
    const settledAt = this.#walk().state.settledAt
    return this.#firings.flatMap((row) => {
      const run = this.#runs.get(row.instance_id)
      if (run === undefined || row.due_at <= this.#state.settledAt || row.due_at > settledAt) return []
      // one that stands for those before it need not be late itself
      const stood = skips.some((skip) => skip.to_at === row.prev_due_at && skip.decided_at === run.createdAt && isLate(skip))
      if (run.createdAt - row.due_at <= LATE_MS && !(stood && run.policy === 'fireOnce')) return []
      const note = { decidedAt: run.createdAt, firstAt: row.due_at, lastAt: row.due_at, madeUp: 1, skipped: 0 }
      return [{ taskId, groupId, policy: run.policy, ...note }]
    })
  }

  #lateSkips({ passed }: ChainWalk): RecoveryNote[] {
    const { taskId, groupId, skips } = this.#series
    return passed.flatMap(({ fromAt, n }) => {
      const skip = skips.find((row) => row.from_at === fromAt)
      if (skip === undefined || n === 0 || !isLate(skip)) return []
      const note = { decidedAt: skip.decided_at, firstAt: skip.from_at, lastAt: skip.to_at, madeUp: 0, skipped: n }
      return [{ taskId, groupId, policy: policyOf(skip), ...note }]
    })
  }
}

/** Skipped long after it was due, by no person who stopped it. */
function isLate(skip: SkipRow): boolean {
  return skip.decided_at - skip.from_at > LATE_MS && !PLAIN_SKIPS.has(skip.reason)
}

function skippedLink(row: SkipRow): ChainLink {
  return { kind: 'skipped', fromAt: row.from_at, toAt: row.to_at, prevDueAt: row.prev_due_at, count: row.count, code: row.reason }
}

function foldedLink(row: FiringHourRow): ChainLink {
  return { kind: 'folded', fromAt: row.first_due_at, toAt: row.last_due_at, prevDueAt: null, count: row.fired, code: VERDICT.fired }
}

/** The misfire policy that decided; `restored` when a person did; empty: none. */
function policyOf({ facts, reason }: SkipRow): string {
  const told: unknown = JSON.parse(facts)
  if (typeof told === 'object' && told !== null && 'policy' in told && typeof told.policy === 'string') return told.policy
  return reason === REASON.restored ? 'restored' : ''
}

interface Found {
  readonly fromAt: number
  readonly toAt: number
  readonly n: number
  readonly foundAt: number
  readonly facts: Readonly<Record<string, number>>
}

export function findingRow(
  kind: Finding,
  { seriesId, taskId, groupId }: { readonly seriesId: number; readonly taskId: number; readonly groupId: number },
  { fromAt, toAt, n, foundAt, facts }: Found,
): FindingRow {
  return {
    series_id: seriesId,
    kind: FINDING[kind],
    from_at: fromAt,
    to_at: toAt,
    n,
    task_id: taskId,
    group_id: groupId,
    facts: JSON.stringify(facts),
    found_at: foundAt,
    gone_at: null,
  }
}

function rangeOf(fault: ChainFault): { fromAt: number; toAt: number; n: number } {
  return { fromAt: fault.fromAt, toAt: fault.toAt, n: fault.kind === 'missing' ? (fault.count ?? 1) : 1 }
}

function factsOf(fault: ChainFault): Record<string, number> {
  return fault.kind === 'broken' ? { named: fault.named, expected: fault.expected } : {}
}

export function keyText(dueAt: number, seriesId: number): string {
  return `${dueAt}:${seriesId}`
}

function hourOf(at: number): number {
  return Math.floor(at / 3_600_000) * 3_600_000
}
