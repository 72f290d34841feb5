import { AppError, WORKFLOW_RUN_STATES, type WorkflowRunListQuery } from '@tickwheel/contract'
import { CAUSE, OUTCOME, PHASE, type Scope } from '@tickwheel/core'
import type { ReadTx, Value } from './database.ts'
import { floorOfInstant } from './ids.ts'
import type { FoundPage } from './instance-find.ts'
import { listOfNumbers } from './list.ts'
import { groupsOf } from './scope.ts'

/**
 * Finds the ids of runs of workflows, newest first: those that are open in `open_instance`, which is small, and those that have ended by the keys of
 * `workflow_run`, in stretches of 200 and 20,000 keys at most, so a page may be short and still have a next one. Open runs are asked first: a run that ends
 * meanwhile is found twice, never not at all, and counts once.
 */
export type WorkflowRunState = (typeof WORKFLOW_RUN_STATES)[number]

export interface WorkflowRunFilter {
  readonly scope: Scope
  readonly workflowId: number | undefined
  readonly groupId: number | undefined
  readonly states: readonly WorkflowRunState[]
  readonly cause: keyof typeof CAUSE | undefined
  /** the business date, of one workflow */
  readonly date: string | undefined
  /** `[fromAt, toAt)` by creation */
  readonly fromAt: number | null
  readonly toAt: number | null
}

/** The filter of a list, read from its query. 400 for a state that there is not, and for a date without a workflow. */
export function workflowRunFilter(scope: Scope, query: WorkflowRunListQuery): WorkflowRunFilter {
  if (query.date !== undefined && query.workflowId === undefined)
    throw badField('workflowId', 'REQUIRED', 'is required where there is a date: each workflow has dates of its own zone')
  return {
    scope,
    workflowId: query.workflowId,
    groupId: query.groupId,
    states: statesOf(query.state),
    cause: query.cause,
    date: query.date,
    fromAt: query.from === undefined ? null : Date.parse(query.from),
    toAt: query.to === undefined ? null : Date.parse(query.to),
  }
}

function statesOf(text: string | undefined): readonly WorkflowRunState[] {
  if (text === undefined || text === '') return WORKFLOW_RUN_STATES
  return [...new Set(text.split(',').map((word) => stateOf(word.trim())))]
}

function stateOf(word: string): WorkflowRunState {
  const state = WORKFLOW_RUN_STATES.find((known) => known === word)
  if (state !== undefined) return state
  throw badField('state', 'NOT_ALLOWED_VALUE', `has no "${word}"; states are ${WORKFLOW_RUN_STATES.join(', ')}`)
}

function badField(path: string, code: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', `${path} ${message}`, { errors: [{ path, code, message }] })
}

const STEP = 200
const SCAN_LIMIT = 20_000
const TOTAL_LIMIT = 10_000
/** Ids are given out up to 10 s before they are used: the range is wider than asked for, and `created_at` decides. */
const ID_SLACK_MS = 11_000

/** At most `limit` ids below `below`. */
export async function findWorkflowRuns(tx: ReadTx, filter: WorkflowRunFilter, below: number, limit: number): Promise<FoundPage> {
  const groups = groupsOf(filter.scope, filter.groupId)
  if (groups?.length === 0) return { ids: [], next: null }
  const open = (await openRuns(tx, filter, groups, below)).map((run) => run.id)
  const ended = await endedRuns(tx, filter, groups, { below, limit: limit + 1 })
  const ids = [...new Set([...open, ...ended.ids])].filter((id) => id >= ended.readTo).sort((a, b) => b - a)
  const page = ids.slice(0, limit)
  const last = page.at(-1)
  if (ids.length > limit && last !== undefined) return { ids: page, next: last }
  return { ids: page, next: ended.readTo > 0 ? ended.readTo : null }
}

/** How many runs match: exact up to 10,000; `isCapped`: there are, or may be, more. */
export async function countWorkflowRuns(tx: ReadTx, filter: WorkflowRunFilter): Promise<{ total: number; isCapped: boolean }> {
  const groups = groupsOf(filter.scope, filter.groupId)
  if (groups?.length === 0) return { total: 0, isCapped: false }
  const open = await openRuns(tx, filter, groups, Number.MAX_SAFE_INTEGER)
  const outcomes = outcomesOf(filter.states)
  if (outcomes.length === 0) return { total: open.length, isCapped: false }
  const keys = keyClauses(filter)
  const rows = endedClauses(filter, groups, outcomes)
  const [row] = await tx.all<{ scanned: number; matched: number | null }>(
    `SELECT COUNT(*) AS scanned, SUM(CASE WHEN ${sqlOf(rows)} THEN 1 ELSE 0 END) AS matched FROM (SELECT run_id, run_date FROM workflow_run WHERE ${sqlOf(keys)} ORDER BY run_id DESC LIMIT ${TOTAL_LIMIT}) AS s LEFT JOIN instance AS i ON i.id = s.run_id`,
    [...paramsOf(rows), ...paramsOf(keys)],
  )
  return { total: open.length + (row?.matched ?? 0), isCapped: (row?.scanned ?? 0) >= TOTAL_LIMIT }
}

interface OpenRun {
  readonly id: number
  readonly phase: number
  readonly paused_at: number | null
}

async function openRuns(tx: ReadTx, filter: WorkflowRunFilter, groups: readonly number[] | null, below: number): Promise<OpenRun[]> {
  const { workflowId, cause, date, fromAt, toAt } = filter
  const clauses: Clause[] = [
    { sql: 'o.runs_workflow = 1', params: [] },
    { sql: 'o.id < ?', params: [below] },
    ...(workflowId === undefined ? [] : [{ sql: 'o.task_id = ?', params: [workflowId] }]),
    ...groupClause('o', groups),
    ...(cause === undefined ? [] : [{ sql: 'o.cause = ?', params: [CAUSE[cause]] }]),
    ...(date === undefined ? [] : [{ sql: 'w.run_date = ?', params: [date] }]),
    ...(fromAt === null ? [] : [{ sql: 'o.created_at >= ?', params: [fromAt] }]),
    ...(toAt === null ? [] : [{ sql: 'o.created_at < ?', params: [toAt] }]),
  ]
  const rows = await tx.all<OpenRun>(
    `SELECT o.id AS id, o.phase AS phase, w.paused_at AS paused_at FROM open_instance AS o LEFT JOIN workflow_run AS w ON w.run_id = o.id WHERE ${sqlOf(clauses)} ORDER BY o.id DESC LIMIT ${SCAN_LIMIT}`,
    paramsOf(clauses),
  )
  const states = new Set(filter.states)
  return rows.filter((row) => states.has(stateOfOpen(row)))
}

/** What an open run is. A paused run stays so until somebody lets it go on, whether it has begun or not. */
export function stateOfOpen({ phase, paused_at: pausedAt }: Pick<OpenRun, 'phase' | 'paused_at'>): WorkflowRunState {
  if (pausedAt !== null) return 'paused'
  if (phase === PHASE.waiting) return 'waiting'
  return phase === PHASE.queued ? 'queued' : 'running'
}

/** `readTo`: 0 when there is nothing more, else the id down to which it has been read. */
async function endedRuns(
  tx: ReadTx,
  filter: WorkflowRunFilter,
  groups: readonly number[] | null,
  { below, limit }: { below: number; limit: number },
): Promise<{ ids: number[]; readTo: number }> {
  const outcomes = outcomesOf(filter.states)
  if (outcomes.length === 0) return { ids: [], readTo: 0 }
  const keys = keyClauses(filter)
  const rows = endedClauses(filter, groups, outcomes)
  const sql = `SELECT s.run_id AS id, CASE WHEN ${sqlOf(rows)} THEN 1 ELSE 0 END AS matched FROM (SELECT run_id, run_date FROM workflow_run WHERE ${sqlOf(keys)} AND run_id < ? ORDER BY run_id DESC LIMIT ${STEP}) AS s LEFT JOIN instance AS i ON i.id = s.run_id ORDER BY s.run_id DESC`
  const ids: number[] = []
  let readTo = below
  for (let scanned = 0; scanned < SCAN_LIMIT; scanned += STEP) {
    const found = await tx.all<{ id: number; matched: number }>(sql, [...paramsOf(rows), ...paramsOf(keys), readTo])
    for (const row of found) {
      if (row.matched === 1) ids.push(row.id)
      if (ids.length >= limit) return { ids, readTo: row.id }
    }
    const last = found.at(-1)
    if (last === undefined || found.length < STEP) return { ids, readTo: 0 }
    readTo = last.id
  }
  return { ids, readTo }
}

interface Clause {
  readonly sql: string
  readonly params: readonly Value[]
}

/** What the keys of `workflow_run` serve. */
function keyClauses({ workflowId, fromAt, toAt }: WorkflowRunFilter): Clause[] {
  return [
    { sql: '1 = 1', params: [] },
    ...(workflowId === undefined ? [] : [{ sql: 'workflow_id = ?', params: [workflowId] }]),
    ...(fromAt === null ? [] : [{ sql: 'run_id >= ?', params: [floorOfInstant(fromAt - ID_SLACK_MS)] }]),
    ...(toAt === null ? [] : [{ sql: 'run_id < ?', params: [floorOfInstant(toAt + 1000)] }]),
  ]
}

function endedClauses(
  { cause, date, fromAt, toAt }: WorkflowRunFilter,
  groups: readonly number[] | null,
  outcomes: readonly number[],
): Clause[] {
  const list = listOfNumbers(outcomes)
  return [
    { sql: `i.outcome IN ${list.sql}`, params: list.params },
    ...groupClause('i', groups),
    ...(cause === undefined ? [] : [{ sql: 'i.cause = ?', params: [CAUSE[cause]] }]),
    ...(date === undefined ? [] : [{ sql: 's.run_date = ?', params: [date] }]),
    ...(fromAt === null ? [] : [{ sql: 'i.created_at >= ?', params: [fromAt] }]),
    ...(toAt === null ? [] : [{ sql: 'i.created_at < ?', params: [toAt] }]),
  ]
}

function groupClause(alias: 'i' | 'o', groups: readonly number[] | null): Clause[] {
  if (groups === null) return []
  if (groups.length > 1000) return [{ sql: `${alias}.group_id IN (${groups.map(Number).join(', ')})`, params: [] }]
  const list = listOfNumbers(groups)
  return [{ sql: `${alias}.group_id IN ${list.sql}`, params: list.params }]
}

function outcomesOf(states: readonly WorkflowRunState[]): number[] {
  return states.flatMap((state): number[] => {
    switch (state) {
      case 'waiting':
      case 'queued':
      case 'running':
      case 'paused':
        return []
      case 'failed':
        return [OUTCOME.failed, OUTCOME.lost]
      case 'succeeded':
      case 'timedOut':
      case 'canceled':
      case 'skipped':
        return [OUTCOME[state]]
    }
  })
}

function sqlOf(clauses: readonly Clause[]): string {
  return clauses.map((clause) => clause.sql).join(' AND ')
}

function paramsOf(clauses: readonly Clause[]): Value[] {
  return clauses.flatMap((clause) => clause.params)
}
