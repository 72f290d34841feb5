import { FINDING, REASON, type ChainState } from '@tickwheel/core'
import { raiseAlarms } from './alarm-signals.ts'
import type { Database, ReadTx, Tx, Value } from './database.ts'
import type { LedgerPosition } from './fold.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { addRecoveries, type RecoveryNote } from './recovery.ts'
import type {
  FindingRow,
  FiringHourRow,
  FiringRow,
  ReckonedRow,
  ReckonerRow,
  ScheduleSpanRow,
  SeriesRow,
  SkipRow,
  TaskRow,
  VerdictRow,
} from './schema.ts'
import { kindOfRow } from './scheduled-kind.ts'
import { seriesSchedule, spansOf, type SeriesSchedule, type Span } from './spans.ts'
import { TASK_SERIES } from './span-moves.ts'

/**
 * What the reckoner reads and writes. It reads the truth alone, never what the engine has in memory, and writes all that a step has found in one
 * transaction that moves its position too: a step happened as a whole, or not at all, whoever else does the same meanwhile.
 */
const NAME = 'ledger'
/** Skips of one read; what is behind them is read by a later one. */
const MAX_SKIPS = 3000
/** Findings that are kept; the oldest go. */
const MAX_FINDINGS = 10_000

export interface ReckonerState {
  readonly revision: number
  /** nothing before was reckoned: the store is older than its reckoner; 0: it is not */
  readonly sinceAt: number
  readonly position: LedgerPosition
  readonly reckonedAt: number
  readonly totals: Totals
}

/** Instants since the store is reckoned. What was due is fired, skipped or missing. */
export interface Totals {
  readonly fired: number
  readonly skipped: number
  readonly missing: number
  readonly doubled: number
}

/** Where the reckoner of this store stands; a store that is older than its reckoner begins `now`. */
export async function readReckoner(db: Database, now: number): Promise<ReckonerState> {
  const row = await db.read(reckonerRow)
  if (row !== null) return stateOf(row)
  await db.write('rest', (tx) => tx.insertNew('reckoner', [firstRow(now)]))
  return stateOf((await db.read(reckonerRow)) ?? firstRow(now))
}

/** The totals, or null: nothing was reckoned yet. */
export async function reckonerRow(tx: ReadTx): Promise<ReckonerRow | null> {
  const [row] = await tx.all<ReckonerRow>('SELECT * FROM reckoner WHERE name = ?', [NAME])
  return row ?? null
}

function firstRow(now: number): ReckonerRow {
  const none = { fired: 0, skipped: 0, missing: 0, doubled: 0 }
  return { name: NAME, revision: 1, since_at: now, due_at: now, series_id: 0, reckoned_at: now, ...none }
}

function stateOf(row: ReckonerRow): ReckonerState {
  const { fired, skipped, missing, doubled } = row
  return {
    revision: row.revision,
    sinceAt: row.since_at,
    position: { dueAt: row.due_at, seriesId: row.series_id },
    reckonedAt: row.reckoned_at,
    totals: { fired, skipped, missing, doubled },
  }
}

/** A series as far as its chain is to be walked. */
export interface SeriesToReckon {
  readonly seriesId: number
  readonly taskId: number
  readonly groupId: number
  readonly lastDueAt: number
  /** null: it was not walked yet */
  readonly state: ChainState | null
  readonly spans: readonly Span[]
  readonly schedule: SeriesSchedule
  /** those that are not walked to their end, in order of time */
  readonly skips: readonly SkipRow[]
  /** skips that begin after it were not read */
  readonly skipsUntil: number
}

/** Series of tasks and workflows, with what is not walked yet of them; others are left out. At most 1,000. */
export async function seriesToReckon(db: Database, ids: readonly number[]): Promise<SeriesToReckon[]> {
  if (ids.length === 0) return []
  const list = listOfNumbers(ids)
  return db.read(async (tx) => {
    // the cursors first: what they have passed is there when it is read
    const series = await tx.all<SeriesRow>(
      `SELECT * FROM series WHERE id IN ${list.sql} AND kind = ${TASK_SERIES} ORDER BY id`,
      list.params,
    )
    const states = await tx.all<ReckonedRow>(`SELECT * FROM reckoned WHERE series_id IN ${list.sql}`, list.params)
    const spans = await tx.all<ScheduleSpanRow>(
      `SELECT p.* FROM schedule_span p LEFT JOIN reckoned r ON r.series_id = p.series_id WHERE p.series_id IN ${list.sql} AND (p.to_at IS NULL OR p.to_at > COALESCE(r.settled_at, -1)) ORDER BY p.series_id, p.from_at`,
      list.params,
    )
    const skips = await tx.all<SkipRow>(
      `SELECT k.* FROM skip k LEFT JOIN reckoned r ON r.series_id = k.series_id WHERE k.series_id IN ${list.sql} AND k.from_at >= COALESCE(r.skip_from, 0) AND k.to_at > COALESCE(r.settled_at, 0) ORDER BY k.series_id, k.from_at LIMIT ${MAX_SKIPS}`,
      list.params,
    )
    const last = skips.length === MAX_SKIPS ? skips.at(-1) : undefined
    const statesById = new Map(states.map((row) => [row.series_id, row]))
    const spansById = Map.groupBy(await spansOf(tx, spans), (span) => span.seriesId)
    const skipsById = Map.groupBy(skips, (row) => row.series_id)
    return series.map((row) => {
      const ofSeries = spansById.get(row.id) ?? []
      const state = statesById.get(row.id)
      return {
        seriesId: row.id,
        taskId: row.owner_id,
        groupId: row.group_id,
        lastDueAt: row.last_due_at,
        state: state === undefined ? null : { settledAt: state.settled_at, skipFrom: state.skip_from, counted: state.counted },
        spans: ofSeries,
        schedule: seriesSchedule(ofSeries),
        skips: skipsById.get(row.id) ?? [],
        skipsUntil: last === undefined || row.id < last.series_id ? Infinity : row.id === last.series_id ? last.from_at : -1,
      }
    })
  })
}

export interface LedgerKey {
  readonly dueAt: number
  readonly seriesId: number
}

/** Firings by their keys; at most 1,000. */
export async function firingsAt(db: Database, keys: readonly LedgerKey[]): Promise<FiringRow[]> {
  const found: FiringRow[] = []
  for (const part of partsOf(keys, 100)) {
    const padded = [...part, ...new Array<LedgerKey>(100 - part.length).fill(part.at(-1) ?? { dueAt: 0, seriesId: 0 })]
    const sql = `SELECT * FROM firing WHERE ${padded.map(() => '(due_at = ? AND series_id = ?)').join(' OR ')}`
    found.push(
      ...(await db.read((tx) =>
        tx.all<FiringRow>(
          sql,
          padded.flatMap(({ dueAt, seriesId }) => [dueAt, seriesId]),
        ),
      )),
    )
  }
  return found
}

/** Hours of a series into which firings were folded, that touch `[from, to]`; at most 100. */
export async function foldedHours(db: Database, seriesId: number, from: number, to: number): Promise<FiringHourRow[]> {
  const hours: number[] = []
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour <= to && hours.length < 100; hour += HOUR_MS) hours.push(hour)
  const list = listOfNumbers(hours)
  return db.read((tx) =>
    tx.all<FiringHourRow>(
      `SELECT * FROM firing_hour WHERE hour_at IN ${list.sql} AND series_id = ? AND last_due_at >= ? ORDER BY hour_at`,
      [...list.params, seriesId, from],
    ),
  )
}

/** What a firing is checked with of the run that it names. */
export interface FiredRun {
  readonly seriesId: number | null
  readonly dueAt: number | null
  readonly createdAt: number
  /** null: it is open */
  readonly endedAt: number | null
  /** the misfire policy by which it fired; empty: it fired as it was due */
  readonly policy: string
}

interface RunRow {
  id: number
  series_id: number | null
  due_at: number | null
  created_at: number
  ended_at: number | null
  trace_head: string
}

/** Runs by id, open ones first: one that ends meanwhile is found among the ended. */
export async function firedRuns(db: Database, ids: readonly number[]): Promise<Map<number, FiredRun>> {
  return db.read(async (tx) => {
    const found = new Map<number, FiredRun>()
    for (const table of ['open_instance', 'instance'] as const) {
      for (const part of partsOf(ids, 1000)) {
        const list = listOfNumbers(part)
        const endedAt = table === 'instance' ? 'ended_at' : 'NULL AS ended_at'
        const rows = await tx.all<RunRow>(
          `SELECT id, series_id, due_at, created_at, ${endedAt}, SUBSTR(trace, 1, ${TRACE_BEGIN}) AS trace_head FROM ${table} WHERE id IN ${list.sql}`,
          list.params,
        )
        for (const row of rows)
          found.set(row.id, {
            seriesId: row.series_id,
            dueAt: row.due_at,
            createdAt: row.created_at,
            endedAt: row.ended_at,
            policy: policyIn(row.trace_head),
          })
      }
    }
    return found
  })
}

/** The first entry of a trace says why the run exists. It is short, and the rest of the trace is not read. */
const TRACE_BEGIN = 80

function policyIn(trace: string): string {
  if (!trace.startsWith(`[[${REASON.firedAfterMisfire},`)) return ''
  return /"policy":"(\w+)"/.exec(trace)?.[1] ?? ''
}

export interface SeriesPage {
  /** those of which the cursor is past what was walked */
  readonly behind: readonly number[]
  /** null: there are no more */
  readonly next: number | null
}

/** Series with ids above `after`, a page of at most `limit`. */
export async function seriesBehind(db: Database, after: number, limit: number): Promise<SeriesPage> {
  const rows = await db.read((tx) =>
    tx.all<{ id: number; last_due_at: number; settled_at: number | null }>(
      `SELECT s.id, s.last_due_at, r.settled_at FROM series s LEFT JOIN reckoned r ON r.series_id = s.id WHERE s.id > ? AND s.kind = ${TASK_SERIES} ORDER BY s.id LIMIT ?`,
      [after, limit],
    ),
  )
  const behind = rows.filter((row) => row.settled_at === null || row.settled_at < row.last_due_at)
  return { behind: behind.map((row) => row.id), next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) }
}

/** A cursor that stands on an instant which has passed. */
export interface OverdueCursor {
  readonly seriesId: number
  readonly taskId: number
  readonly groupId: number
  readonly revision: number
  readonly dueAt: number
}

/** Cursors that stand before an instant and are not held, at most `limit`; none while firing as a whole is held. */
export async function overdueCursors(db: Database, before: number, limit: number): Promise<OverdueCursor[]> {
  const all = listOfNumbers(Array.from({ length: 256 }, (_none, slot) => slot))
  return db.read(async (tx) => {
    const [held] = await tx.all("SELECT 1 FROM meta WHERE `key` = 'held'")
    if (held !== undefined) return []
    const rows = await tx.all<SeriesRow>(
      `SELECT * FROM series WHERE slot IN ${all.sql} AND next_due_at < ? AND held IS NULL AND kind = ${TASK_SERIES} LIMIT ?`,
      [...all.params, before, limit],
    )
    return rows.map((row) => ({
      seriesId: row.id,
      taskId: row.owner_id,
      groupId: row.group_id,
      revision: row.revision,
      dueAt: row.next_due_at ?? 0,
    }))
  })
}

/** What one step has found, to be written at once. */
export interface Reckoning {
  /** the position that it began at, by its revision */
  readonly revision: number
  readonly position: LedgerPosition
  readonly at: number
  readonly states: readonly ReckonedRow[]
  readonly verdicts: readonly VerdictRow[]
  readonly findings: readonly FindingRow[]
  readonly recoveries: readonly RecoveryNote[]
  /** a new run id, for a recovery that begins */
  readonly recoveryId: number
  readonly totals: Totals
}

/** False: another did the same meanwhile, and nothing was written. */
export async function writeReckoning(db: Database, reckoning: Reckoning): Promise<boolean> {
  const { revision, position, at, totals } = reckoning
  return db.write('rest', async (tx) => {
    const matched = await tx.run(
      'UPDATE reckoner SET revision = revision + 1, due_at = ?, series_id = ?, reckoned_at = ?, fired = fired + ?, skipped = skipped + ?, missing = missing + ?, doubled = doubled + ? WHERE name = ? AND revision = ?',
      [position.dueAt, position.seriesId, at, totals.fired, totals.skipped, totals.missing, totals.doubled, NAME, revision],
    )
    if (matched === 0) return false
    await putStates(tx, reckoning.states)
    await addVerdicts(tx, reckoning.verdicts)
    await tx.insertNew('finding', reckoning.findings)
    await tell(tx, reckoning.findings)
    await addRecoveries(tx, reckoning.recoveryId, reckoning.recoveries)
    return true
  })
}

async function putStates(tx: Tx, states: readonly ReckonedRow[]): Promise<void> {
  const fresh: ReckonedRow[] = []
  const known = new Set<number>()
  for (const part of partsOf(states, 1000)) {
    const list = listOfNumbers(part.map((row) => row.series_id))
    const rows = await tx.all<{ series_id: number }>(`SELECT series_id FROM reckoned WHERE series_id IN ${list.sql}`, list.params)
    for (const row of rows) known.add(row.series_id)
  }
  for (const row of states) if (!known.has(row.series_id)) fresh.push(row)
  await tx.insert('reckoned', fresh)
  await tx.runMany(
    'UPDATE reckoned SET settled_at = ?, skip_from = ?, counted = ? WHERE series_id = ?',
    states.filter((row) => known.has(row.series_id)).map((row) => [row.settled_at, row.skip_from, row.counted, row.series_id]),
  )
}

async function addVerdicts(tx: Tx, verdicts: readonly VerdictRow[]): Promise<void> {
  for (const row of verdicts) {
    const matched = await tx.run('UPDATE verdict SET n = n + ? WHERE hour_at = ? AND group_id = ? AND code = ?', [
      row.n,
      row.hour_at,
      row.group_id,
      row.code,
    ])
    if (matched === 0) await tx.insert('verdict', [row])
  }
}

/** Writes counts that were left open, unless the skip has grown meanwhile. */
export async function fillCounts(
  db: Database,
  counts: readonly { readonly seriesId: number; readonly fromAt: number; readonly toAt: number; readonly count: number }[],
): Promise<void> {
  if (counts.length === 0) return
  await db.write('rest', (tx) =>
    tx.runMany(
      'UPDATE skip SET `count` = ? WHERE series_id = ? AND from_at = ? AND to_at = ? AND `count` IS NULL',
      counts.map(({ seriesId, fromAt, toAt, count }): Value[] => [count, seriesId, fromAt, toAt]),
    ),
  )
}

/** Findings that are there until something moves: which are over by now is written; at most `limit` are looked at. */
export async function closeOverdue(db: Database, kind: number, at: number, limit: number): Promise<void> {
  const rows = await db.read((tx) =>
    tx.all<{ series_id: number; from_at: number }>(
      'SELECT f.series_id, f.from_at FROM finding f LEFT JOIN series s ON s.id = f.series_id WHERE f.kind = ? AND f.gone_at IS NULL AND (s.next_due_at IS NULL OR s.next_due_at <> f.from_at) LIMIT ?',
      [kind, limit],
    ),
  )
  if (rows.length === 0) return
  await db.write('rest', (tx) =>
    tx.runMany(
      'UPDATE finding SET gone_at = ? WHERE series_id = ? AND kind = ? AND from_at = ?',
      rows.map((row) => [at, row.series_id, kind, row.from_at]),
    ),
  )
}

/** Adds findings that are not there yet; how many were new, by their keys. */
export async function addFindings(db: Database, findings: readonly FindingRow[]): Promise<FindingRow[]> {
  if (findings.length === 0) return []
  return db.write('rest', async (tx) => {
    const fresh: FindingRow[] = []
    for (const row of findings) if ((await tx.insertNew('finding', [row])) > 0) fresh.push(row)
    await tell(tx, fresh)
    return fresh
  })
}

/** An alarm for each, in the transaction that writes them down. */
async function tell(tx: Tx, findings: readonly FindingRow[]): Promise<void> {
  if (findings.length === 0) return
  const list = listOfNumbers([...new Set(findings.map((row) => row.task_id))])
  const tasks = await tx.all<Pick<TaskRow, 'id' | 'name' | 'handler_kind'>>(
    `SELECT id, name, handler_kind FROM task WHERE id IN ${list.sql}`,
    list.params,
  )
  const byId = new Map(tasks.map((task) => [task.id, task]))
  await raiseAlarms(
    tx,
    findings.map((row) => {
      const task = byId.get(row.task_id)
      return {
        event: 'incomplete',
        target: { kind: task === undefined ? 'task' : kindOfRow(task).noun, id: row.task_id, name: task?.name ?? '' },
        groupId: row.group_id,
        at: row.found_at,
        key: `${row.series_id}:${row.kind}:${row.from_at}`,
        facts: { [row.kind === FINDING.doubled ? 'doubled' : 'missing']: row.n, dueAt: row.from_at },
      }
    }),
  )
}

/** Forgets verdicts and findings before an instant, and findings above their bound. A batch; true: there may be more. */
export async function pruneReckoned(db: Database, before: number): Promise<boolean> {
  return db.write('rest', async (tx) => {
    const verdicts = await tx.all<VerdictRow>('SELECT * FROM verdict WHERE hour_at < ? ORDER BY hour_at LIMIT 500', [before])
    await tx.runMany(
      'DELETE FROM verdict WHERE hour_at = ? AND group_id = ? AND code = ?',
      verdicts.map((row) => [row.hour_at, row.group_id, row.code]),
    )
    const [bound] = await tx.all<{ found_at: number }>('SELECT found_at FROM finding ORDER BY found_at DESC LIMIT 1 OFFSET ?', [
      MAX_FINDINGS,
    ])
    const oldest = Math.max(before, (bound?.found_at ?? -1) + 1)
    const findings = await tx.all<FindingRow>('SELECT * FROM finding WHERE found_at < ? ORDER BY found_at LIMIT 500', [oldest])
    await tx.runMany(
      'DELETE FROM finding WHERE series_id = ? AND kind = ? AND from_at = ?',
      findings.map((row) => [row.series_id, row.kind, row.from_at]),
    )
    return verdicts.length === 500 || findings.length === 500
  })
}

/** Skips that are decided when the instant has just come, or that a person brought about: they tell of no outage. */
export const PLAIN_SKIPS: ReadonlySet<number> = new Set([REASON.stoppedFirst])
const HOUR_MS = 3_600_000
