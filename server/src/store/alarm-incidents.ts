import { AppError, type Incident, type IncidentListQuery, type IncidentRun } from '@tickwheel/contract'
import {
  ALARM_TARGET,
  alarmEventOf,
  alarmTargetOf,
  INCIDENT_STATE,
  INCIDENT_STATES,
  incidentStateOf,
  outcomeOfCode,
  RECOVERIES,
  type MessageRun,
  type Recovery,
  type Scope,
} from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import { query, type Database, type ReadTx, type Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { instantText, offsetOf, type Page, type PageRequest } from './page.ts'
import type { IncidentRow } from './schema.ts'
import { isVisible } from './scope.ts'

/** Of filters without an index, a page looks at so many incidents, so many at once. */
const LOOKED_AT = 20_000
const STEP = 500

export interface IncidentPage {
  readonly items: Incident[]
  readonly total: number
  readonly totalCapped?: boolean
  readonly page: number
  readonly pageSize: number
  readonly nextCursor: string | null
}

interface Filter {
  readonly scope: Scope
  readonly states: readonly number[] | null
  readonly ruleId: number | undefined
  readonly groupId: number | undefined
  readonly taskId: number | undefined
}

/** Incidents, newest first. `cursor` wins over `page`; `total` counts what the page and those before it looked at, and is marked when there may be more. */
export async function listIncidents(db: Database, scope: Scope, asked: IncidentListQuery): Promise<IncidentPage> {
  const { page = 1, pageSize = 20, cursor } = asked
  const filter: Filter = { scope, states: statesIn(asked.state), ruleId: asked.ruleId, groupId: asked.groupId, taskId: asked.taskId }
  const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor)
  const skipped = cursor === undefined ? offsetOf({ page, pageSize }) : 0
  return db.read(async (tx) => {
    const { rows, next, isMore } = await findIncidents(tx, filter, below, skipped + pageSize)
    return {
      items: rows.slice(skipped).map(incidentOf),
      total: rows.length,
      ...(isMore ? { totalCapped: true } : {}),
      page,
      pageSize,
      nextCursor: next === null ? null : `1.${next.toString(36)}`,
    }
  })
}

async function findIncidents(
  tx: ReadTx,
  filter: Filter,
  below: number,
  wanted: number,
): Promise<{ rows: IncidentRow[]; next: number | null; isMore: boolean }> {
  const rows: IncidentRow[] = []
  let from = below
  for (let looked = 0; looked < LOOKED_AT; looked += STEP) {
    const part = await readBelow(tx, filter, from)
    rows.push(...part.filter((row) => matches(row, filter)))
    const last = part.at(-1)
    if (rows.length > wanted) return { rows: rows.slice(0, wanted), next: rows[wanted - 1]?.id ?? null, isMore: true }
    if (last === undefined || part.length < STEP) return { rows, next: null, isMore: false }
    from = last.id
  }
  return { rows, next: from, isMore: true }
}

async function readBelow(tx: ReadTx, { states, ruleId }: Filter, below: number): Promise<IncidentRow[]> {
  let found = query.selectFrom('incident').selectAll().where('id', '<', below).orderBy('id', 'desc').limit(STEP)
  if (ruleId !== undefined) found = found.where('rule_id', '=', ruleId)
  if (states !== null) found = found.where('state', 'in', states)
  return tx.rows(found)
}

function matches(row: IncidentRow, { scope, groupId, taskId }: Filter): boolean {
  if (!isIncidentVisible(scope, row) || (groupId !== undefined && row.group_id !== groupId)) return false
  return taskId === undefined || (row.target_id === taskId && isOfTask(row))
}

export function isIncidentVisible(scope: Scope, { group_id: groupId }: { readonly group_id: number | null }): boolean {
  return groupId === null ? scope === 'all' : isVisible(scope, groupId)
}

function isOfTask({ target_kind: kind }: IncidentRow): boolean {
  return kind === ALARM_TARGET.task || kind === ALARM_TARGET.workflow
}

function statesIn(text: string | undefined): number[] | null {
  if (text === undefined || text === '') return null
  return text.split(',').map((word) => {
    const state = INCIDENT_STATES.find((one) => one === word.trim())
    if (state !== undefined) return INCIDENT_STATE[state]
    const message = `"${word}" is no state of an incident: give some of ${INCIDENT_STATES.join(', ')}`
    throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'state', code: 'NOT_ALLOWED_VALUE', message }] })
  })
}

function readCursor(cursor: string): number {
  const below = Number.parseInt(/^1\.([0-9a-z]{1,11})$/.exec(cursor)?.[1] ?? '', 36)
  if (Number.isSafeInteger(below)) return below
  const message = 'the cursor is not one that this list has given: begin without one'
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path: 'cursor', code: 'BAD_FORMAT', message }] })
}

/** 404 `INCIDENT_NOT_FOUND` when it does not exist or is not visible. */
export async function getIncident(db: Database, scope: Scope, incidentId: number): Promise<Incident> {
  return db.read(async (tx) => incidentOf(await visibleIncident(tx, scope, incidentId)))
}

/** Some incidents by id, as far as they are visible: what the live topic shows. */
export async function incidentsById(db: Database, scope: Scope, ids: readonly number[]): Promise<Incident[]> {
  if (ids.length === 0) return []
  return db.read(async (tx) => {
    const rows = await tx.rows(query.selectFrom('incident').selectAll().where('id', 'in', ids).orderBy('id', 'desc'))
    return rows.filter((row) => isIncidentVisible(scope, row)).map(incidentOf)
  })
}

/** The runs behind an incident, newest first. */
export async function listIncidentRuns(db: Database, scope: Scope, incidentId: number, page: PageRequest): Promise<Page<IncidentRun>> {
  const offset = offsetOf(page)
  return db.read(async (tx) => {
    await visibleIncident(tx, scope, incidentId)
    const [count] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM incident_run WHERE incident_id = ?', [incidentId])
    const rows = await tx.all<{ instance_id: number; outcome: number; at: number; task_id: number | null; name: string | null }>(
      `SELECT r.instance_id, r.outcome, r.at, COALESCE(e.task_id, o.task_id) AS task_id, t.name
       FROM incident_run r LEFT JOIN instance e ON e.id = r.instance_id LEFT JOIN open_instance o ON o.id = r.instance_id
       LEFT JOIN task t ON t.id = COALESCE(e.task_id, o.task_id)
       WHERE r.incident_id = ? ORDER BY r.instance_id DESC LIMIT ? OFFSET ?`,
      [incidentId, page.pageSize, offset],
    )
    const items = rows.map((row) => ({
      instanceId: row.instance_id,
      taskId: row.task_id,
      taskName: row.name ?? '',
      outcome: outcomeWord(row.outcome),
      at: instantText(row.at),
    }))
    return { items, total: count?.n ?? 0, ...page }
  })
}

/** How a run behind an incident has ended; `open`: it had not when it was noted. */
export function outcomeWord(code: number): string {
  return code === 0 ? 'open' : outcomeOfCode(code)
}

/** Nothing happens when it is acknowledged already. 409 `INCIDENT_OVER`. */
export async function acknowledgeIncident(db: Database, { incidentId }: { incidentId: number }, change: Change): Promise<void> {
  await changeIncident(db, incidentId, change, {
    action: 'alarm:acknowledge',
    set: (row) =>
      row.state === INCIDENT_STATE.acknowledged
        ? null
        : { state: INCIDENT_STATE.acknowledged, acknowledged_at: change.now, acknowledged_by: change.caller.actor.name, pending: 0 },
  })
}

/** `until`: epoch ms; null: it is told of from now on again. 409 `INCIDENT_OVER`. */
export async function silenceIncident(
  db: Database,
  { incidentId, until }: { incidentId: number; until: number | null },
  change: Change,
): Promise<void> {
  await changeIncident(db, incidentId, change, { action: 'alarm:silence', set: () => ({ silenced_until: until, pending: 1 }) })
}

/** A person says that it is over. 409 `INCIDENT_OVER`. */
export async function closeIncident(db: Database, { incidentId }: { incidentId: number }, change: Change): Promise<void> {
  await changeIncident(db, incidentId, change, {
    action: 'alarm:close',
    set: () => ({ state: INCIDENT_STATE.recovered, recovered_at: change.now, recovered_by: 'person', pending: 1 }),
  })
}

type IncidentChange = Partial<
  Pick<IncidentRow, 'state' | 'acknowledged_at' | 'acknowledged_by' | 'silenced_until' | 'recovered_at' | 'recovered_by' | 'pending'>
>

/** Under the lock of the rule, as its consumer changes incidents too. */
async function changeIncident(
  db: Database,
  incidentId: number,
  change: Change,
  { action, set }: { readonly action: string; readonly set: (row: IncidentRow) => IncidentChange | null },
): Promise<void> {
  await db.write('rest', async (tx) => {
    const seen = await visibleIncident(tx, change.scope, incidentId)
    await tx.lock(query.selectFrom('alarm_rule').select('id').where('id', '=', seen.rule_id))
    const row = await visibleIncident(tx, change.scope, incidentId)
    if (row.state === INCIDENT_STATE.recovered)
      throw new AppError('INCIDENT_OVER', `incident ${incidentId} is over since ${instantText(row.recovered_at ?? row.last_at)}`)
    const changed = set(row)
    if (changed === null) return
    await tx.execute(query.updateTable('incident').set(changed).where('id', '=', incidentId))
    await tx.run('UPDATE alarm_state SET next_at = ? WHERE rule_id = ?', [change.now, row.rule_id])
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action,
      resource: { kind: 'incident', id: incidentId, key: `${row.rule_name}/${row.target_name}` },
      groupId: row.group_id,
      after: { state: incidentStateOf(changed.state ?? row.state), silencedUntil: instantText(changed.silenced_until ?? null) },
    })
  })
}

/** Ends open incidents of a rule that it does not watch for any more. Nobody is told. The rule is locked. */
export async function endIncidents(
  tx: Tx,
  ruleId: number,
  at: number,
  isWatched: (incident: { event: string | null; taskId: number | null; groupId: number | null }) => boolean,
): Promise<void> {
  const rows = await tx.all<IncidentRow>('SELECT * FROM incident WHERE rule_id = ? AND state IN (1, 2) ORDER BY id', [ruleId])
  const over = rows.filter(
    (row) => !isWatched({ event: alarmEventOf(row.event), taskId: isOfTask(row) ? row.target_id : null, groupId: row.group_id }),
  )
  await tx.runMany(
    'UPDATE incident SET state = ?, recovered_at = ?, recovered_by = ?, pending = 0 WHERE id = ?',
    over.map((row) => [INCIDENT_STATE.recovered, at, 'ruleChanged' satisfies Recovery, row.id]),
  )
}

async function visibleIncident(tx: ReadTx, scope: Scope, incidentId: number): Promise<IncidentRow> {
  const row = await tx.first(query.selectFrom('incident').selectAll().where('id', '=', incidentId))
  if (row !== null && isIncidentVisible(scope, row)) return row
  throw new AppError('INCIDENT_NOT_FOUND', `there is no incident ${incidentId}`)
}

/** An incident as people are shown it. */
export function incidentOf(row: IncidentRow): Incident {
  return {
    id: row.id,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    groupId: row.group_id,
    event: alarmEventOf(row.event) ?? 'failed',
    target: { kind: alarmTargetOf(row.target_kind), id: row.target_id === 0 ? null : row.target_id, name: row.target_name },
    state: incidentStateOf(row.state),
    count: row.count,
    openedAt: instantText(row.opened_at),
    lastAt: instantText(row.last_at),
    acknowledgedAt: instantText(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_by,
    silencedUntil: instantText(row.silenced_until),
    recoveredAt: instantText(row.recovered_at),
    recoveredBy: RECOVERIES.find((one) => one === row.recovered_by) ?? null,
    facts: { ...factsIn(row.facts) },
    runs: runsIn(row.runs).map((run) => ({ ...run, at: instantText(run.at) })),
  }
}

export function runsIn(text: string): MessageRun[] {
  const value = parseJson(text)
  return Array.isArray(value) ? value.filter(isRun) : []
}

function isRun(value: unknown): value is MessageRun {
  return typeof value === 'object' && value !== null && 'id' in value && 'at' in value && typeof value.at === 'number'
}

export function factsIn(text: string): Readonly<Record<string, string | number | boolean | null>> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string | number | boolean | null] => isFact(entry[1])))
}

function isFact(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
