/** Compares the ledger with what the schedules say, and the runs with the lines that executors wrote at each start. Pure. */
import { instantsBetween, type Instants, type Schedule, type Span } from './due.ts'
import type { Attempt, Firing, Ledger, Run, Series, Skip } from './ledger.ts'

/** A line that an executor wrote when a handler began. */
export interface Start {
  readonly instanceId: number
  readonly attempt: number
  /** which process it was */
  readonly boot: string
}

/** What a person was told: from `at` on the task is so, until `until` (the next time anybody asks for a change of it). */
export interface Told {
  readonly taskId: number
  readonly at: number
  readonly until: number
  /** null: not told */
  readonly isEnabled: boolean | null
  /** null: not told */
  readonly schedule: Schedule | null
}

export interface Outside {
  readonly starts: readonly Start[]
  readonly told: readonly Told[]
  /** the run that each trigger was answered with, by task */
  readonly triggered: ReadonlyMap<number, readonly number[]>
}

/** One thing that must not be: what, and the rows concerned. */
export interface Fault {
  readonly what: string
  readonly rows: unknown
}

export interface Verdict {
  /** due and not settled, promised and not done */
  readonly missing: readonly Fault[]
  /** settled, done or told twice, or without being due */
  readonly doubled: readonly Fault[]
  /** what never came to an end */
  readonly stuck: readonly Fault[]
  readonly figures: Readonly<Record<string, number>>
}

const SUCCEEDED = 1
const FAILED = 2

/** Judges a world at rest: every task was stopped and nothing should be open. */
export function check(ledger: Ledger, outside: Outside): Verdict {
  const found = new Found()
  const byId = new Map(ledger.runs.map((run) => [run.id, run]))
  const spans = Map.groupBy(ledger.spans, (span) => span.seriesId)
  const firings = Map.groupBy(ledger.firings, (firing) => firing.seriesId)
  const skips = Map.groupBy(ledger.skips, (skip) => skip.seriesId)
  const instants = instantsOf(ledger.spans)
  let due = 0
  for (const series of ledger.series) {
    const scene: SeriesScene = {
      series,
      spans: spans.get(series.id) ?? [],
      firings: (firings.get(series.id) ?? []).toSorted((a, b) => a.dueAt - b.dueAt),
      skips: (skips.get(series.id) ?? []).toSorted((a, b) => a.fromAt - b.fromAt),
      runs: byId,
    }
    checkSpans(scene, found)
    due += checkInstants(scene, instants, found)
    checkChain(scene, found)
  }
  checkFirings(ledger, byId, found)
  checkStarts(outside.starts, ledger, byId, found)
  checkTriggers(outside.triggered, ledger.runs, found)
  checkTold(outside.told, ledger, spans, found)
  checkRest(ledger, found)
  return { ...found.verdict, figures: { due, ...figuresOf(ledger, outside) } }
}

class Found {
  readonly #missing: Fault[] = []
  readonly #doubled: Fault[] = []
  readonly #stuck: Fault[] = []

  missing(what: string, rows: unknown): void {
    this.#missing.push({ what, rows })
  }

  doubled(what: string, rows: unknown): void {
    this.#doubled.push({ what, rows })
  }

  stuck(what: string, rows: unknown): void {
    this.#stuck.push({ what, rows })
  }

  get verdict(): Pick<Verdict, 'missing' | 'doubled' | 'stuck'> {
    return { missing: this.#missing, doubled: this.#doubled, stuck: this.#stuck }
  }
}

interface SeriesScene {
  readonly series: Series
  readonly spans: readonly Span[]
  readonly firings: readonly Firing[]
  readonly skips: readonly Skip[]
  readonly runs: ReadonlyMap<number, Run>
}

function instantsOf(spans: readonly Span[]): Instants {
  const bounds = spans.filter((span) => span.isEnabled).flatMap((span) => [span.fromAt, span.toAt ?? span.fromAt])
  return bounds.length === 0 ? () => [] : instantsBetween(least(bounds), most(bounds) + 1)
}

/** Spans of a series follow each other without a gap, and the last is not in force any more, or stopped. */
function checkSpans({ series, spans }: SeriesScene, found: Found): void {
  spans.forEach((span, index) => {
    const next = spans[index + 1]
    // one that was due once has ended by itself, and may be started again later
    if (next !== undefined && span.toAt !== next.fromAt && span.schedule.kind !== 'once')
      found.missing(`${nameOf(series)}: a span ends at ${iso(span.toAt)} and the next begins at ${iso(next.fromAt)}`, [span, next])
    if (next === undefined && span.isEnabled && span.toAt === null) found.stuck(`${nameOf(series)}: not stopped`, span)
  })
}

/** Each due instant is covered once, and nothing else is; the count of due instants. */
function checkInstants(scene: SeriesScene, instants: Instants, found: Found): number {
  const { series, spans, firings, skips } = scene
  if (spans.some(({ schedule }) => schedule.kind === 'fixedDelay')) return checkDelays(scene, found)
  const due = spans.flatMap((span) => (span.isEnabled && span.toAt !== null ? instants(span.schedule, { ...span, toAt: span.toAt }) : []))
  const covers = new Map(due.map((at) => [at, new Array<Firing | Skip>()]))
  for (const firing of firings) {
    const entries = covers.get(firing.dueAt)
    if (entries === undefined) found.doubled(`${nameOf(series)}: fired at ${iso(firing.dueAt)}, which is not due`, [firing, spans])
    else entries.push(firing)
  }
  for (const skip of skips) {
    const within = due.filter((at) => skip.fromAt <= at && at <= skip.toAt)
    for (const at of within) covers.get(at)?.push(skip)
    if (within[0] !== skip.fromAt || within.at(-1) !== skip.toAt)
      found.doubled(`${nameOf(series)}: the skip from ${iso(skip.fromAt)} to ${iso(skip.toAt)} has an end that is not due`, [skip, spans])
    if (skip.count !== null && skip.count !== within.length)
      found.missing(`${nameOf(series)}: a skip counts ${String(skip.count)} and ${String(within.length)} are due`, skip)
  }
  for (const [at, entries] of covers) {
    if (entries.length === 0) found.missing(`${nameOf(series)}: ${iso(at)} is due and nothing says what became of it`, around(scene, at))
    if (entries.length > 1) found.doubled(`${nameOf(series)}: ${iso(at)} is settled ${String(entries.length)} times`, entries)
  }
  return due.length
}

/** Of a fixedDelay only the run before tells when it is due: its end and the delay. */
function checkDelays({ series, spans, firings, skips, runs }: SeriesScene, found: Found): number {
  firings.forEach((firing, index) => {
    const span = spans.find(({ fromAt, toAt }) => fromAt <= firing.dueAt && (toAt === null || firing.dueAt < toAt))
    const before = firings[index - 1]
    if (span?.isEnabled !== true) return found.doubled(`${nameOf(series)}: fired at ${iso(firing.dueAt)}, while stopped`, [firing, spans])
    if (before === undefined || before.dueAt < span.fromAt || before.dueAt !== firing.previousDueAt) return
    const endedAt = runs.get(before.instanceId)?.endedAt
    // of an edit between the end of the run and the instant either delay may hold; a start after it begins anew
    const delays = spans.map(({ schedule }) => schedule.delayMs ?? 0)
    if (endedAt === undefined || endedAt < span.fromAt || delays.includes(firing.dueAt - endedAt)) return
    found.doubled(`${nameOf(series)}: due at ${iso(firing.dueAt)}, the run before ended at ${iso(endedAt)}`, [before, firing, span])
  })
  return firings.length + skips.length
}

/** Each entry of the ledger names the instant before it. */
function checkChain({ series, firings, skips }: SeriesScene, found: Found): void {
  const entries = [
    ...firings.map((row) => ({ from: row.dueAt, to: row.dueAt, previous: row.previousDueAt })),
    ...skips.map((row) => ({ from: row.fromAt, to: row.toAt, previous: row.previousDueAt })),
  ].sort((a, b) => a.from - b.from)
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    if (before === undefined) return
    if (before.to >= entry.from) found.doubled(`${nameOf(series)}: entries overlap at ${iso(entry.from)}`, [before, entry])
    else if (before.to !== entry.previous) found.missing(`${nameOf(series)}: the chain breaks at ${iso(entry.from)}`, [before, entry])
  })
}

/** Each firing has its run, each run of a schedule its firing, one to one. */
function checkFirings(ledger: Ledger, runs: ReadonlyMap<number, Run>, found: Found): void {
  const fired = new Map<number, Firing>()
  const open = new Set(ledger.openRuns.map(({ id }) => id))
  for (const firing of ledger.firings) {
    const run = runs.get(firing.instanceId)
    const twin = fired.get(firing.instanceId)
    if (twin !== undefined) found.doubled(`two firings have run ${String(firing.instanceId)}`, [twin, firing])
    fired.set(firing.instanceId, firing)
    // one that is still open is found as stuck
    if (run === undefined && !open.has(firing.instanceId)) found.missing(`the run of a firing is not there`, firing)
    if (run !== undefined && (run.dueAt !== firing.dueAt || run.seriesId !== firing.seriesId))
      found.doubled(`run ${String(run.id)} says that it is of another instant than its firing`, [run, firing])
  }
  for (const run of ledger.runs) {
    if (run.seriesId !== null && !fired.has(run.id)) found.doubled(`run ${String(run.id)} stands in no firing`, run)
    if (open.has(run.id)) found.doubled(`run ${String(run.id)} is open and ended`, run)
  }
}

/** No attempt began twice, none after its run was over, and none that is said to have ended by itself did not begin. */
function checkStarts(starts: readonly Start[], ledger: Ledger, runs: ReadonlyMap<number, Run>, found: Found): void {
  const open = new Set(ledger.openRuns.map(({ id }) => id))
  const began = Map.groupBy(starts, keyOf)
  for (const same of began.values())
    if (same.length > 1) found.doubled(`attempt ${keyOf(same[0])} began ${String(same.length)} times`, same)
  for (const start of starts) {
    const run = runs.get(start.instanceId)
    if (run === undefined && !open.has(start.instanceId)) found.doubled(`attempt ${keyOf(start)} began and is of no run`, start)
    else if (run !== undefined && start.attempt > run.attempt)
      found.doubled(`attempt ${keyOf(start)} began, and its run ended with an earlier one`, [start, run])
  }
  const mustHaveBegun: { instanceId: number; attempt: number; row: Run | Attempt }[] = [
    ...ledger.runs.filter((run) => isByItself(run)).map((run) => ({ instanceId: run.id, attempt: run.attempt, row: run })),
    ...ledger.attempts.filter((row) => row.outcome === FAILED && !row.isLate).map((row) => ({ ...row, row })),
  ]
  for (const { row, ...attempt } of mustHaveBegun)
    if (!began.has(keyOf(attempt))) found.missing(`attempt ${keyOf(attempt)} ended by itself and never began`, row)
}

function checkTriggers(triggered: Outside['triggered'], runs: readonly Run[], found: Found): void {
  const manual = Map.groupBy(
    runs.filter((run) => run.seriesId === null),
    (run) => run.taskId,
  )
  for (const taskId of new Set([...manual.keys(), ...triggered.keys()])) {
    const answered = triggered.get(taskId) ?? []
    const made = (manual.get(taskId) ?? []).map(({ id }) => id)
    for (const id of answered)
      if (!made.includes(id)) found.missing(`a trigger was answered with run ${String(id)}, which did not end`, { taskId })
    for (const id of made)
      if (!answered.includes(id)) found.doubled(`run ${String(id)} was made by a trigger and no answer named it`, { taskId, answered })
    if (new Set(answered).size !== answered.length) found.missing(`two triggers were answered with one run`, { taskId, answered })
  }
}

/** What a person was told about a task is what its spans say of that time. */
function checkTold(told: readonly Told[], { series }: Ledger, spans: ReadonlyMap<number, readonly Span[]>, found: Found): void {
  const seriesOf = new Map(series.map((row) => [row.taskId, row.id]))
  for (const fact of told) {
    const ofTask = spans.get(seriesOf.get(fact.taskId) ?? 0) ?? []
    // a task that is due once stops by itself
    if (ofTask.some(({ schedule }) => schedule.kind === 'once')) continue
    const then = ofTask.filter((span) => span.fromAt < fact.until && (span.toAt === null || span.toAt > fact.at))
    const isOther = (span: Span): boolean => fact.isEnabled !== null && span.isEnabled !== fact.isEnabled
    const task = `task ${String(fact.taskId)} was said at ${iso(fact.at)} to be`
    const wrong = then.filter(isOther)
    if (wrong.length > 0 && fact.isEnabled === true) found.missing(`${task} started, and its spans say no`, [fact, wrong])
    if (wrong.length > 0 && fact.isEnabled === false) found.doubled(`${task} stopped, and its spans say no`, [fact, wrong])
    const { schedule } = fact
    const different = schedule === null ? [] : then.filter((span) => wordsOf(span.schedule) !== wordsOf(schedule))
    if (different.length > 0) found.missing(`${task} changed, and its spans have another schedule`, [fact, different])
  }
}

function wordsOf({ kind, expression, timezone, everyMs, delayMs }: Schedule): string {
  return JSON.stringify([kind, expression, timezone, everyMs, delayMs])
}

function checkRest({ openRuns, signals, series, slots, nodes, findings }: Ledger, found: Found): void {
  for (const finding of findings) found.missing('the reckoner of the nodes found something', finding)
  for (const run of openRuns) found.stuck(`run ${String(run.id)} of task ${String(run.taskId)} is open in phase ${String(run.phase)}`, run)
  for (const id of signals) found.stuck(`signal ${String(id)} was never applied`, { id })
  for (const row of series) {
    if (row.held !== null) found.stuck(`${nameOf(row)}: held`, row)
    if (row.nextDueAt !== null) found.stuck(`${nameOf(row)}: stopped, and due next at ${iso(row.nextDueAt)}`, row)
  }
  const alive = new Set(nodes.filter(({ beatAgeMs }) => beatAgeMs < LEASE_MS).map(({ runId }) => runId))
  for (const slot of slots)
    if (slot.ownerRun === null || !alive.has(slot.ownerRun)) found.stuck(`slot ${String(slot.id)} has no living owner`, slot)
}

const LEASE_MS = 3_000

function figuresOf({ firings, skips, runs, attempts }: Ledger, { starts, triggered }: Outside): Record<string, number> {
  const ended = (outcome: number): number => runs.filter((run) => run.outcome === outcome).length
  const attempted = (outcome: number): number => attempts.filter((row) => row.outcome === outcome).length
  return {
    fired: firings.length,
    skipRows: skips.length,
    starts: starts.length,
    triggers: [...triggered.values()].flat().length,
    ...Object.fromEntries(
      ['succeeded', 'failed', 'timedOut', 'canceled', 'lost', 'skipped'].map((name, index) => [name, ended(index + 1)]),
    ),
    earlierAttempts: attempts.length,
    rejected: attempted(7),
    neverReceived: attempted(8),
  }
}

function isByItself({ outcome }: Run): boolean {
  return outcome === SUCCEEDED || outcome === FAILED
}

function keyOf(attempt: { readonly instanceId: number; readonly attempt: number } | undefined): string {
  return `${String(attempt?.instanceId)}/${String(attempt?.attempt)}`
}

function around({ spans, firings, skips }: SeriesScene, at: number): unknown {
  const isNear = (instant: number): boolean => Math.abs(instant - at) < 10_000
  return {
    spans,
    firings: firings.filter(({ dueAt }) => isNear(dueAt)),
    skips: skips.filter(({ fromAt, toAt }) => isNear(fromAt) || isNear(toAt)),
  }
}

function nameOf(series: Series): string {
  return `series ${String(series.id)} of task ${String(series.taskId)}`
}

function iso(at: number | null): string {
  return at === null ? 'no instant' : new Date(at).toISOString()
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b))
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b))
}
