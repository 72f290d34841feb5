import { AppError, type InstanceListQuery } from '@tickwheel/contract'
import { CAUSE, INSTANCE_STATES, isOpen, OUTCOME, PHASE, type InstanceState, type Scope } from '@tickwheel/core'
import type { ReadTx, Value } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { groupsOf } from './scope.ts'
import { mayHaveShards } from './shard-mark.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'
import { mayHaveWorkflows } from './workflow-mark.ts'

/**
 * Finds the ids of runs, newest first, in `open_instance` and `instance`. A filter that no index serves runs inside a bound of 20,000 index entries,
 * so a page may be short and still have a next one; several groups or outcomes, which are one short query each and merged here, share 10,000. Open runs are asked first: a run
 * that ends meanwhile is found twice, never not at all, and counts once.
 */
export interface RunFilter {
  readonly scope: Scope
  readonly taskId?: number | undefined
  readonly groupId?: number | undefined
  readonly states: readonly InstanceState[]
  readonly cause?: keyof typeof CAUSE | undefined
  readonly executorId?: number | undefined
  /** also shards; else runs that a schedule, a person or a program started */
  readonly hasShards: boolean
  readonly shardKey?: string | undefined
  /** only these; null: any */
  readonly ids: readonly number[] | null
  /** `[fromAt, toAt)` by creation */
  readonly fromAt: number | null
  readonly toAt: number | null
}

export interface FoundPage {
  readonly ids: readonly number[]
  /** id below which to go on; null: nothing follows */
  readonly next: number | null
}

/** The filter of a list, read from its query. 400 for a state that there is not. */
export function filterOf(scope: Scope, query: InstanceListQuery): Omit<RunFilter, 'ids'> {
  return {
    scope,
    taskId: query.taskId,
    groupId: query.groupId,
    states: statesOf(query.state),
    cause: query.cause,
    executorId: query.executorId,
    hasShards: query.shards === true || query.cause === 'shard' || query.shardKey !== undefined,
    shardKey: query.shardKey,
    fromAt: query.from === undefined ? null : Date.parse(query.from),
    toAt: query.to === undefined ? null : Date.parse(query.to),
  }
}

/** States of a query, joined by commas; all without one. 400 for one that there is not. */
export function statesOf(text: string | undefined): readonly InstanceState[] {
  if (text === undefined || text === '') return INSTANCE_STATES
  return [...new Set(text.split(',').map((word) => stateOf(word.trim())))]
}

function stateOf(word: string): InstanceState {
  const state = INSTANCE_STATES.find((known) => known === word)
  if (state !== undefined) return state
  const message = `there is no state "${word}"; states are ${INSTANCE_STATES.join(', ')}`
  throw new AppError('VALIDATION_FAILED', message, {
    errors: [{ path: 'state', code: 'NOT_ALLOWED_VALUE', message, params: { value: word } }],
  })
}

const SCAN_LIMIT = 20_000
/** What each of many sources may read at least: fewer would find nothing. */
const LEAST_SCAN = 500
const TOTAL_LIMIT = 10_000
const MAX_SOURCES = 64

/** At most `limit` ids below `below`. */
export async function findRuns(tx: ReadTx, filter: RunFilter, below: number, limit: number): Promise<FoundPage> {
  const found = new Set<number>()
  const frontier = await inRounds(await sourcesOf(tx, filter), below, async (stretches) => {
    const parts = await askAll(tx, stretches, limit + 1)
    for (const part of parts) for (const id of part.ids) found.add(id)
    return parts
  })
  const ids = [...found].filter((id) => id >= frontier).sort((a, b) => b - a)
  const page = ids.slice(0, limit)
  const last = page.at(-1)
  if (ids.length > limit && last !== undefined) return { ids: page, next: last }
  return { ids: page, next: frontier > 0 ? frontier : null }
}

/** How many runs match: exact up to 10,000; `isCapped`: there are, or may be, more. */
export async function countRuns(tx: ReadTx, filter: RunFilter): Promise<{ total: number; isCapped: boolean }> {
  let total = 0
  const frontier = await inRounds(await sourcesOf(tx, filter), Number.MAX_SAFE_INTEGER, async (stretches) => {
    const extents = [...(await extentsOf(tx, stretches, true)).values()]
    for (const { matched } of extents) total += matched
    return extents.map((extent) => ({ ...extent, isFull: total > TOTAL_LIMIT }))
  })
  return { total: Math.min(total, TOTAL_LIMIT), isCapped: total > TOTAL_LIMIT || frontier > 0 }
}

/** Where a source is to be looked at: `scans` of its entries below `below`. */
interface Stretch {
  readonly source: Source
  readonly below: number
  readonly scans: number
}

/** `readTo`: 0 when the source has nothing more, else the id down to which it has been read. `scanned`: entries that were looked at by row, about. */
interface Looked {
  readonly readTo: number
  readonly scanned: number
  /** no more of this source is wanted, though it may have more */
  readonly isFull: boolean
}

/**
 * Looks at sources, all of them in each round, until each has come to its end or is full, or the bound is reached: what some leave over, the others
 * have in the next round. The id down to which all of them have been read; 0: to their ends.
 */
async function inRounds(
  sources: readonly Source[],
  below: number,
  look: (stretches: readonly Stretch[]) => Promise<readonly Looked[]>,
): Promise<number> {
  let open = sources.map((source) => ({ source, below }))
  let left = sources.some((source) => source.isScattered) ? SCAN_LIMIT / 2 : SCAN_LIMIT
  let frontier = 0
  do {
    // few different numbers, so that there are few different statements
    const scans = LEAST_SCAN * Math.max(1, Math.ceil(left / open.length / LEAST_SCAN))
    const parts = await look(open.map((one) => ({ ...one, scans })))
    open = parts.flatMap(({ readTo, scanned, isFull }, index) => {
      const source = open[index]?.source
      left -= scanned
      if (isFull) frontier = Math.max(frontier, readTo)
      return isFull || readTo === 0 || source === undefined ? [] : [{ source, below: readTo }]
    })
  } while (open.length > 0 && left >= open.length * LEAST_SCAN)
  return Math.max(frontier, ...open.map((one) => one.below))
}

/** One stretch of one index: `where` is served by it, `residual` is looked at row by row. */
interface Source {
  readonly table: 'open_instance' | 'instance'
  readonly where: string
  readonly params: readonly Value[]
  readonly residual: string
  readonly residualParams: readonly Value[]
  /** shards are passed over, a parent's all at once */
  readonly hidesShards: boolean
  /** one of many, whose rows lie apart: to look at one costs about twice as much */
  readonly isScattered: boolean
}

/** What a residual may look at. A key of shards is only read where it is asked for: it makes rows long. */
const COLUMNS = {
  open_instance: 'id, task_id, group_id, phase, cause, executor_id, created_at, runs_workflow',
  instance: 'id, task_id, group_id, outcome, cause, executor_id, created_at, runs_workflow',
} as const

function columnsOf(table: Source['table'], residual: string): string {
  return residual.includes('shard_key') ? `${COLUMNS[table]}, shard_key` : COLUMNS[table]
}

interface Found extends Looked {
  readonly ids: readonly number[]
}

/** The newest ids of each stretch, `limit` of each at most. */
async function askAll(tx: ReadTx, stretches: readonly Stretch[], limit: number): Promise<Found[]> {
  const rows = await askEach<{ id: number }>(
    tx,
    stretches.filter(({ source }) => !source.hidesShards),
    (stretch) => newestOf(stretch, limit),
  )
  const isShort = (stretch: Stretch): boolean => stretch.source.residual !== '' && (rows.get(stretch)?.length ?? limit) < limit
  const extents = await extentsOf(tx, stretches.filter(isShort), false)
  const found: Found[] = []
  for (const stretch of stretches) {
    const ids = rows
      .get(stretch)
      ?.map((row) => row.id)
      .sort((a, b) => b - a)
    if (ids === undefined) found.push(await askPastShards(tx, stretch, limit))
    else if (ids.length >= limit)
      found.push({ ids, isFull: true, readTo: ids.at(-1) ?? 0, scanned: stretch.source.residual === '' ? 0 : limit })
    else found.push({ ids, isFull: false, readTo: 0, scanned: 0, ...extents.get(stretch) })
  }
  return found
}

function newestOf({ source, below, scans }: Stretch, limit: number): Question {
  const { residual, params, residualParams } = source
  const from =
    residual === ''
      ? entriesOf(source, 'id', limit)
      : `SELECT id FROM (${entriesOf(source, columnsOf(source.table, residual), scans)}) AS e WHERE ${residual} ORDER BY id DESC LIMIT ${limit}`
  return { select: 'id', from, params: [...params, below, ...residualParams] }
}

interface Extent {
  /** of the entries that were read, all unless they are counted by row */
  readonly matched: number
  readonly readTo: number
  readonly scanned: number
}

/** How far each stretch goes. */
async function extentsOf(tx: ReadTx, stretches: readonly Stretch[], isCounted: boolean): Promise<Map<Stretch, Extent>> {
  const limitOf = ({ source, scans }: Stretch): number => (isCounted && source.residual === '' ? Math.min(scans, TOTAL_LIMIT + 1) : scans)
  const rows = await askEach<{ entries: number; lowest: number | null; matched: number | null }>(tx, stretches, (stretch) => {
    const { table, params, residual, residualParams } = stretch.source
    const isByRow = isCounted && residual !== ''
    return {
      select: `COUNT(*) AS entries, MIN(id) AS lowest, ${isByRow ? `SUM(CASE WHEN ${residual} THEN 1 ELSE 0 END)` : 'COUNT(*)'} AS matched`,
      from: entriesOf(stretch.source, isByRow ? columnsOf(table, residual) : 'id', limitOf(stretch)),
      params: [...(isByRow ? residualParams : []), ...params, stretch.below],
    }
  })
  return new Map(
    stretches.map((stretch) => {
      const { entries = 0, lowest = null, matched = null } = rows.get(stretch)?.[0] ?? {}
      const scanned = stretch.source.residual === '' ? 0 : entries
      return [stretch, { matched: matched ?? 0, readTo: entries >= limitOf(stretch) ? (lowest ?? 0) : 0, scanned }]
    }),
  )
}

function entriesOf({ table, where }: Source, columns: string, limit: number): string {
  return `SELECT ${columns} FROM ${table} WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ${limit}`
}

/** `SELECT select FROM (from)` */
interface Question {
  readonly select: string
  readonly from: string
  readonly params: readonly Value[]
}

/** So many by one statement: one of its own costs the database more than most stretches do. */
const AT_ONCE = 24

/** Asks something of each stretch; the rows of each, in no order. */
async function askEach<Row>(
  tx: ReadTx,
  stretches: readonly Stretch[],
  questionOf: (stretch: Stretch) => Question,
): Promise<Map<Stretch, Row[]>> {
  const answers = new Map<Stretch, Row[]>(stretches.map((stretch) => [stretch, []]))
  for (const part of partsOf(stretches, AT_ONCE)) {
    const questions = part.map(questionOf)
    const sql = questions.map(({ select, from }, index) => `SELECT ${index} AS source, ${select} FROM (${from}) AS s`).join(' UNION ALL ')
    const rows = await tx.all<Row & { source: number }>(
      sql,
      questions.flatMap(({ params }) => params),
    )
    for (const row of rows) {
      const stretch = part[row.source]
      if (stretch !== undefined) answers.get(stretch)?.push(row)
    }
  }
  return answers
}

const STEP = 200

/**
 * The newest ids of a stretch in which shards may lie between the runs: those of one parent have ids in a row that nothing else has, so one of them
 * is enough to go on behind the first.
 */
async function askPastShards(tx: ReadTx, { source, below, scans }: Stretch, limit: number): Promise<Found> {
  const { table, where, params, residual, residualParams } = source
  const sql = `SELECT id, cause, shard_index, CASE WHEN ${residual} THEN 1 ELSE 0 END AS matched FROM ${table} WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ${STEP}`
  const ids: number[] = []
  let readTo = below
  for (let scanned = 0; scanned < scans; scanned += STEP) {
    const rows = await tx.all<{ id: number; cause: number; shard_index: number | null; matched: number }>(sql, [
      ...residualParams,
      ...params,
      readTo,
    ])
    for (const row of rows) {
      if (row.matched === 1) ids.push(row.id)
      if (ids.length >= limit) return { ids, isFull: true, readTo: row.id, scanned }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < STEP) return { ids, isFull: false, readTo: 0, scanned: scanned + rows.length }
    readTo = last.cause === CAUSE.shard ? last.id - (last.shard_index ?? 0) : last.id
  }
  return { ids, isFull: false, readTo, scanned: scans }
}

async function sourcesOf(tx: ReadTx, asked: RunFilter): Promise<Source[]> {
  const filter = {
    ...asked,
    hasShards: asked.hasShards || !(await mayHaveShards(tx)),
    hidesWorkflows: await mustHideWorkflows(tx, asked.taskId),
  }
  const groups = groupsOf(filter.scope, filter.groupId)
  if (groups?.length === 0 || filter.ids?.length === 0) return []
  const phases = filter.states.filter(isOpen).map((state) => PHASE[state])
  const outcomes = filter.states.flatMap((state) => (isOpen(state) ? [] : [OUTCOME[state]]))
  const keys = idLists(filter)
  const byRow = (column: 'phase' | 'outcome', codes: readonly number[], all: number): Clause[] => [
    ...taskClause(filter),
    ...groupClause(groups),
    listClause(column, codes, all),
  ]
  const open =
    phases.length === 0 ? [] : keys.map((ids) => sourceOf('open_instance', filter, ids, byRow('phase', phases, Object.keys(PHASE).length)))
  if (outcomes.length === 0) return open
  if (filter.ids === null) return [...open, ...(await endedSources(tx, filter, groups, outcomes))]
  const ended = byRow('outcome', outcomes, Object.keys(OUTCOME).length)
  return [...open, ...keys.map((ids) => sourceOf('instance', filter, ids, ended))]
}

/** Runs of workflows are not shown among those of tasks. The runs of a task have none. */
async function mustHideWorkflows(tx: ReadTx, taskId: number | undefined): Promise<boolean> {
  if (!(await mayHaveWorkflows(tx))) return false
  if (taskId === undefined) return true
  const [row] = await tx.all<{ handler_kind: string }>('SELECT handler_kind FROM task WHERE id = ?', [taskId])
  return row?.handler_kind === WORKFLOW_KIND
}

/** By task where there is one; else by group and outcome; else by id alone. */
async function endedSources(
  tx: ReadTx,
  filter: KnownFilter,
  groups: readonly number[] | null,
  outcomes: readonly number[],
): Promise<Source[]> {
  const allOutcomes = Object.keys(OUTCOME).length
  const byRow = [...groupClause(groups), listClause('outcome', outcomes, allOutcomes)]
  if (filter.taskId !== undefined) return [sourceOf('instance', filter, taskClause(filter), byRow)]
  const isWhole = groups === null && outcomes.length === allOutcomes
  const known = isWhole ? null : (groups ?? (await groupsWithRuns(tx)))
  if (known === null || known.length * outcomes.length > MAX_SOURCES) return [sourceOf('instance', filter, [], byRow)]
  const indexed = known.flatMap((groupId) => outcomes.map((outcome) => [equals('group_id', groupId), equals('outcome', outcome)]))
  return indexed.map((clauses) => ({ ...sourceOf('instance', filter, clauses, []), isScattered: indexed.length > 1 }))
}

/** Every group that has ended runs, one step of the index each; more than the bound of sources are not needed. */
async function groupsWithRuns(tx: ReadTx): Promise<number[]> {
  const groups: number[] = []
  let after = 0
  while (groups.length <= MAX_SOURCES) {
    const [row] = await tx.all<{ group_id: number | null }>('SELECT MIN(group_id) AS group_id FROM instance WHERE group_id > ?', [after])
    if (row === undefined || row.group_id === null) return groups
    groups.push(row.group_id)
    after = row.group_id
  }
  return groups
}

interface KnownFilter extends RunFilter {
  readonly hidesWorkflows: boolean
}

interface Clause {
  readonly sql: string
  readonly params: readonly Value[]
}

function sourceOf(table: Source['table'], filter: KnownFilter, indexed: readonly Clause[], byRow: readonly Clause[]): Source {
  const where = [...indexed, ...idClauses(filter)]
  const residual = [...byRow, ...rowClauses(filter)].filter((clause) => clause.sql !== '')
  return {
    table,
    where: where.length === 0 ? '1 = 1' : where.map((clause) => clause.sql).join(' AND '),
    params: where.flatMap((clause) => clause.params),
    residual: residual.map((clause) => clause.sql).join(' AND '),
    residualParams: residual.flatMap((clause) => clause.params),
    hidesShards: !filter.hasShards,
    isScattered: false,
  }
}

/** Ids are given out up to 10 s before they are used: the range is wider than asked for, and `created_at` decides. */
const ID_SLACK_MS = 11_000

function idClauses({ fromAt, toAt }: RunFilter): Clause[] {
  return [
    ...(fromAt === null ? [] : [{ sql: 'id >= ?', params: [floorOfInstant(fromAt - ID_SLACK_MS)] }]),
    ...(toAt === null ? [] : [{ sql: 'id < ?', params: [floorOfInstant(toAt + 1000)] }]),
  ]
}

function rowClauses({ fromAt, toAt, cause, executorId, hasShards, shardKey, hidesWorkflows }: KnownFilter): Clause[] {
  return [
    ...(hidesWorkflows ? [{ sql: 'runs_workflow IS NULL', params: [] }] : []),
    ...(hasShards ? [] : [{ sql: 'cause <> ?', params: [CAUSE.shard] }]),
    ...(fromAt === null ? [] : [{ sql: 'created_at >= ?', params: [fromAt] }]),
    ...(toAt === null ? [] : [{ sql: 'created_at < ?', params: [toAt] }]),
    ...(cause === undefined ? [] : [{ sql: 'cause = ?', params: [CAUSE[cause]] }]),
    ...(executorId === undefined ? [] : [{ sql: 'executor_id = ?', params: [executorId] }]),
    ...(shardKey === undefined ? [] : [{ sql: 'shard_key = ?', params: [shardKey] }]),
  ]
}

/** Keys that are known go into an index, a thousand to a source. */
function idLists({ ids }: RunFilter): Clause[][] {
  if (ids === null) return [[]]
  return partsOf(ids, 1000).map((part) => {
    const list = listOfNumbers(part)
    return [{ sql: `id IN ${list.sql}`, params: list.params }]
  })
}

function taskClause({ taskId }: RunFilter): Clause[] {
  return taskId === undefined ? [] : [equals('task_id', taskId)]
}

function equals(column: string, value: number): Clause {
  return { sql: `${column} = ?`, params: [value] }
}

function groupClause(groups: readonly number[] | null): Clause[] {
  return groups === null ? [] : [listClause('group_id', groups, Infinity)]
}

/** Nothing to ask when every value is wanted. */
function listClause(column: string, values: readonly number[], all: number): Clause {
  if (values.length >= all) return { sql: '', params: [] }
  if (values.length > 1000) return { sql: `${column} IN (${values.map(Number).join(', ')})`, params: [] }
  const list = listOfNumbers(values)
  return { sql: `${column} IN ${list.sql}`, params: list.params }
}
