import { AppError, type Completeness, type CompletenessFigures, type LedgerFinding } from '@tickwheel/contract'
import { FINDING, FINDINGS, parseInstant, reasonOf, VERDICT, type Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx, type Value } from './database.ts'
import { parseJson } from './definition.ts'
import { instantText } from './page.ts'
import { reckonerRow } from './reckon.ts'
import type { FindingRow } from './schema.ts'
import { groupsOf } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** The verdicts of the reckoner, read. */
export interface CompletenessQuery {
  /** ISO instants; absent: the last 24 hours, up to now */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly groupId?: number | undefined
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONGEST_MS = 31 * DAY_MS
/** Groups of a user that a query names; who may see all is not narrowed. */
const MAX_GROUPS = 1000
const FINDINGS_TOLD = 200
/** Findings that are read for a page. */
const FINDINGS_READ = 2000

interface Range {
  readonly from: number
  readonly to: number
}

interface SumRow {
  key: number
  code: number
  n: number
}

/** What became of what was due in whole hours of a range of at most 31 days, as far as the scope reaches. */
export async function completeness(db: Database, scope: Scope, asked: CompletenessQuery & { readonly now: number }): Promise<Completeness> {
  const range = rangeOf(asked, asked.now)
  const groups = groupsOf(scope, asked.groupId)
  return db.read(async (tx) => {
    const state = await reckonerRow(tx)
    const where = whereOf(range, groups)
    const hours = groups?.length === 0 ? [] : await sums(tx, 'hour_at', where)
    const byGroup = groups?.length === 0 ? [] : await sums(tx, 'group_id', where)
    const names = await groupNames(tx)
    return {
      from: instantText(range.from),
      to: instantText(range.to),
      since: state === null || state.since_at === 0 ? null : instantText(state.since_at),
      reckonedUntil: state === null || state.due_at === 0 ? null : instantText(state.due_at),
      lagMs: state === null || state.due_at === 0 ? null : Math.max(0, Math.round(asked.now - state.due_at)),
      total: figuresOf(hours),
      hours: keyed(hours).map(([hourAt, rows]) => ({ hourAt: instantText(hourAt), ...figuresOf(rows) })),
      groups: keyed(byGroup).map(([groupId, rows]) => ({ groupId, groupName: names.get(groupId) ?? '', ...figuresOf(rows) })),
    }
  })
}

interface Where {
  readonly sql: string
  readonly params: readonly Value[]
}

function whereOf({ from, to }: Range, groups: readonly number[] | null): Where {
  const hours = { sql: 'hour_at >= ? AND hour_at < ?', params: [from, to] }
  if (groups === null || groups.length === 0) return hours
  const some = groups.slice(0, MAX_GROUPS)
  return { sql: `${hours.sql} AND group_id IN (${some.map(() => '?').join(', ')})`, params: [...hours.params, ...some] }
}

async function sums(tx: ReadTx, by: 'hour_at' | 'group_id', { sql, params }: Where): Promise<SumRow[]> {
  const rows = await tx.all<{ key: number; code: number; n: number | string }>(
    `SELECT ${by} AS \`key\`, code, SUM(n) AS n FROM verdict WHERE ${sql} GROUP BY ${by}, code ORDER BY ${by}, code`,
    params,
  )
  // MySQL sums into a decimal, which comes as text
  return rows.map((row) => ({ ...row, n: Number(row.n) }))
}

async function groupNames(tx: ReadTx): Promise<Map<number, string>> {
  const rows = await tx.rows(query.selectFrom('task_group').select(['id', 'name']))
  return new Map(rows.map((row) => [row.id, row.name]))
}

function keyed(rows: readonly SumRow[]): [number, SumRow[]][] {
  return [...Map.groupBy(rows, (row) => row.key)]
}

function figuresOf(rows: readonly SumRow[]): CompletenessFigures {
  const figures = { fired: 0, skipped: 0, missing: 0, doubled: 0 }
  const reasons: Record<string, number> = {}
  for (const { code, n } of rows) {
    if (code === VERDICT.fired) figures.fired += n
    else if (code === VERDICT.missing) figures.missing += n
    else if (code === VERDICT.doubled) figures.doubled += n
    else {
      const reason = reasonOf(code) ?? 'unknown'
      figures.skipped += n
      reasons[reason] = (reasons[reason] ?? 0) + n
    }
  }
  return { expected: figures.fired + figures.skipped + figures.missing, ...figures, reasons }
}

/** Findings of a range, newest first: at most 200. `isCut`: there are more. */
export async function listFindings(
  db: Database,
  scope: Scope,
  asked: CompletenessQuery & { readonly now: number },
): Promise<{ readonly items: LedgerFinding[]; readonly isCut: boolean }> {
  const { from, to } = rangeOf(asked, asked.now, 'findings')
  const groups = groupsOf(scope, asked.groupId)
  const rows = await db.read((tx) =>
    tx.all<FindingRow & { name: string | null; handler_kind: string | null }>(
      'SELECT f.*, t.name, t.handler_kind FROM finding f LEFT JOIN task t ON t.id = f.task_id WHERE f.found_at >= ? AND f.found_at <= ? ORDER BY f.found_at DESC, f.from_at DESC LIMIT ?',
      [from, to, FINDINGS_READ],
    ),
  )
  const seen = rows.filter((row) => groups === null || groups.includes(row.group_id))
  return { items: seen.slice(0, FINDINGS_TOLD).map(findingOf), isCut: seen.length > FINDINGS_TOLD || rows.length === FINDINGS_READ }
}

function findingOf(row: FindingRow & { name: string | null; handler_kind: string | null }): LedgerFinding {
  const facts = parseJson(row.facts)
  return {
    kind: FINDINGS.find((kind) => FINDING[kind] === row.kind) ?? 'broken',
    taskId: row.task_id,
    taskName: row.name ?? '',
    isWorkflow: row.handler_kind === WORKFLOW_KIND,
    groupId: row.group_id,
    fromAt: instantText(row.from_at),
    toAt: instantText(row.to_at),
    n: row.n,
    foundAt: instantText(row.found_at),
    goneAt: instantText(row.gone_at),
    facts: typeof facts === 'object' && facts !== null ? { ...facts } : {},
  }
}

/** Whole hours; findings are asked for by when they were found, to the millisecond. */
function rangeOf(asked: CompletenessQuery, now: number, of: 'hours' | 'findings' = 'hours'): Range {
  const to = readBound(asked.to, 'to') ?? now
  const from = readBound(asked.from, 'from') ?? to - (of === 'hours' ? DAY_MS : LONGEST_MS)
  if (from > to) throw badField('from', `from (${instantText(from)}) lies after to (${instantText(to)}): swap them`)
  if (to - from > LONGEST_MS) throw badField('from', 'at most 31 days are told at once: ask for a later "from" or an earlier "to"')
  return of === 'findings' ? { from, to } : { from: Math.floor(from / HOUR_MS) * HOUR_MS, to: Math.floor(to / HOUR_MS) * HOUR_MS + HOUR_MS }
}

function readBound(text: string | undefined, path: string): number | null {
  if (text === undefined) return null
  const at = parseInstant(text)
  if (at !== null) return at
  throw badField(path, `"${text}" is no instant with a zone, such as 2026-12-01T00:00:00.000Z`)
}

function badField(path: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', message, { errors: [{ path, code: 'BAD_FORMAT', message }] })
}
