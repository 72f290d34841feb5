import { ATTENTION_LEVELS, DASHBOARD_LIMITS, type Attention, type AttentionKind } from '@tickwheel/contract'
import { PHASE, type Scope } from '@tickwheel/core'
import { listIncidents } from './alarm-incidents.ts'
import { listChannels } from './alarm-channels.ts'
import { listFindings } from './completeness.ts'
import type { Database, ReadTx } from './database.ts'
import { EXECUTOR_STATE } from './executors.ts'
import { waitingByGroup } from './executor-load.ts'
import { failingTasks } from './failing.ts'
import { namesOfGroups } from './groups.ts'
import { waitingFor } from './instances.ts'
import { instantText } from './page.ts'
import { overdueCursors } from './reckon.ts'
import type { OpenInstanceRow } from './schema.ts'
import { groupSql, groupsOf, type GroupFilter } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/** What the caller may see, by permission. */
export interface AttentionScopes {
  readonly tasks: Scope
  readonly workflows: Scope
  readonly runs: Scope
  readonly executors: Scope
  readonly alarms: Scope
}

export interface AttentionQuery {
  readonly groupId: number | undefined
  readonly now: number
  /** of all groups: what `stoppedTasks` gives */
  readonly stopped: readonly Attention[]
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Series that stand on an instant for so long are not only busy. */
const OVERDUE_MS = 5_000
/** Queues whose head has waited for so long are told. */
const WAITS_MS = 5_000
/** and are late, and not only full, after this */
const LATE_MS = 60_000
const OF_A_KIND = 50

/** What may need a person, the worst first; every part is bounded, and reads no history but the failures of the last day. */
export async function readAttention(
  db: Database,
  scopes: AttentionScopes,
  asked: AttentionQuery,
): Promise<{ items: Attention[]; isCut: boolean }> {
  const items = [
    ...(await findings(db, scopes, asked)),
    ...(await openIncidents(db, scopes.alarms, asked)),
    ...asked.stopped.filter((item) => isSeen(scopes, asked, item)).slice(0, OF_A_KIND),
    ...(await fromStore(db, scopes, asked)),
    ...(await channels(db, scopes.alarms, asked)),
    ...(await overdue(db, scopes, asked)),
  ]
  const sorted = items.filter((item) => !isToldBy(items, item)).sort((a, b) => levelOf(a) - levelOf(b) || placeOf(a) - placeOf(b))
  return { items: sorted.slice(0, DASHBOARD_LIMITS.attention), isCut: sorted.length > DASHBOARD_LIMITS.attention }
}

function isSeen({ tasks, workflows }: AttentionScopes, asked: AttentionQuery, { isWorkflow, groupId }: Attention): boolean {
  return groupsOf(isWorkflow ? workflows : tasks, asked.groupId)?.includes(groupId ?? 0) ?? true
}

/** An incident says more of a task that fails than the failure does, and so does that it has stopped. */
function isToldBy(others: readonly Attention[], { kind, id }: Attention): boolean {
  return (
    kind === 'failing' &&
    others.some((other) => (other.kind === 'incident' ? other.facts['taskId'] === id : other.kind === 'paused' && other.id === id))
  )
}

/** Within its level: what is rare and whole comes first, then what fails, the longest in a row before the rest. */
const PLACES: readonly AttentionKind[] = [
  'finding',
  'held',
  'executorsGone',
  'incident',
  'paused',
  'channel',
  'failing',
  'overdue',
  'waiting',
]

function placeOf({ kind, n }: Attention): number {
  return PLACES.indexOf(kind) - (kind === 'failing' ? n / 1000 : 0)
}

function levelOf({ level }: Attention): number {
  return ATTENTION_LEVELS.indexOf(level)
}

async function fromStore(db: Database, { runs, executors }: AttentionScopes, asked: AttentionQuery): Promise<Attention[]> {
  const filter = (scope: Scope): GroupFilter => groupsOf(scope, asked.groupId)
  return db.read(async (tx) => [
    ...(await failingTasks(tx, { groups: filter(runs), now: asked.now })),
    ...(await waitingQueues(tx, filter(runs), asked.now)),
    ...(await executorsGone(tx, filter(executors), asked.now)),
  ])
}

/** Queues of which the head waits, with the reason that it has. */
async function waitingQueues(tx: ReadTx, groups: GroupFilter, now: number): Promise<Attention[]> {
  const waiting = [...(await waitingByGroup(tx, groups))].sort(([, a], [, b]) => b - a).slice(0, OF_A_KIND)
  const names = await namesOfGroups(
    tx,
    waiting.map(([groupId]) => groupId),
  )
  const items: Attention[] = []
  for (const [groupId, n] of waiting) {
    const [head] = await tx.all<OpenInstanceRow & { task_name: string | null }>(
      'SELECT o.*, t.name AS task_name FROM open_instance o LEFT JOIN task t ON t.id = o.task_id WHERE o.phase = ? AND o.lane = ? ORDER BY o.rank_at LIMIT 1',
      [PHASE.queued, groupId],
    )
    const since = head?.queued_at ?? head?.created_at ?? now
    if (head === undefined || now - since < WAITS_MS) continue
    items.push({
      kind: 'waiting',
      level: now - since >= LATE_MS ? 'late' : 'full',
      id: null,
      name: '',
      groupId,
      groupName: names.get(groupId) ?? '',
      isWorkflow: false,
      n,
      at: instantText(since),
      facts: { runId: head.id, taskName: head.task_name ?? '', ...(waitingFor(head) ?? {}) },
    })
  }
  return items
}

/** Executors that were there within the hour and are gone; within the day, where none is left. */
async function executorsGone(tx: ReadTx, groups: GroupFilter, now: number): Promise<Attention[]> {
  const narrowed = groupSql('e.group_id', groups)
  const rows = await tx.all<{ group_id: number; name: string; state: number; seen_at: number | null }>(
    `SELECT e.group_id, e.name, e.state, b.seen_at FROM executor e LEFT JOIN executor_beat b ON b.executor_id = e.id WHERE (e.state = ? OR b.seen_at >= ?)${narrowed.sql}`,
    [EXECUTOR_STATE.online, now - DAY_MS, ...narrowed.params],
  )
  const byGroup = Map.groupBy(rows, (row) => row.group_id)
  const names = await namesOfGroups(tx, byGroup.keys())
  return [...byGroup].flatMap(([groupId, ofGroup]): Attention[] => {
    const isNoneLeft = ofGroup.every((row) => row.state !== EXECUTOR_STATE.online)
    const gone = ofGroup.filter((row) => row.state !== EXECUTOR_STATE.online && (isNoneLeft || (row.seen_at ?? 0) >= now - HOUR_MS))
    const last = gone.toSorted((a, b) => (b.seen_at ?? 0) - (a.seen_at ?? 0))[0]
    if (last === undefined) return []
    return [
      {
        kind: 'executorsGone',
        level: isNoneLeft ? 'broken' : 'full',
        id: null,
        name: last.name,
        groupId,
        groupName: names.get(groupId) ?? '',
        isWorkflow: false,
        n: gone.length,
        at: instantText(last.seen_at),
        facts: { isNoneLeft },
      },
    ]
  })
}

async function openIncidents(db: Database, scope: Scope, { groupId, now }: AttentionQuery): Promise<Attention[]> {
  if (scope !== 'all' && scope.length === 0) return []
  const { items } = await listIncidents(db, scope, { state: 'open', pageSize: OF_A_KIND, ...(groupId === undefined ? {} : { groupId }) })
  const told = items.filter((incident) => incident.silencedUntil === null || Date.parse(incident.silencedUntil) <= now)
  const names = await db.read((tx) =>
    namesOfGroups(
      tx,
      told.flatMap((incident) => incident.groupId ?? []),
    ),
  )
  return told.map((incident): Attention => {
    const isTask = incident.target.kind === 'task' || incident.target.kind === 'workflow'
    return {
      kind: 'incident',
      level: incident.event === 'late' ? 'late' : incident.event === 'queueFull' ? 'full' : 'broken',
      id: incident.id,
      name: incident.target.name,
      groupId: incident.groupId,
      groupName: names.get(incident.groupId ?? 0) ?? '',
      isWorkflow: incident.target.kind === 'workflow',
      n: incident.count,
      at: incident.openedAt,
      facts: { event: incident.event, ruleName: incident.ruleName, taskId: isTask ? incident.target.id : null },
    }
  })
}

async function channels(db: Database, scope: Scope, { groupId }: AttentionQuery): Promise<Attention[]> {
  if (scope !== 'all' && scope.length === 0) return []
  const { items } = await listChannels(db, scope, { page: 1, pageSize: 1000, groupId })
  const names = await db.read((tx) =>
    namesOfGroups(
      tx,
      items.flatMap((row) => row.group_id ?? []),
    ),
  )
  return items
    .filter((row) => row.enabled === 1 && row.failed_in_a_row > 0)
    .slice(0, OF_A_KIND)
    .map((row): Attention => ({
      kind: 'channel',
      level: 'broken',
      id: row.id,
      name: row.name,
      groupId: row.group_id,
      groupName: names.get(row.group_id ?? 0) ?? '',
      isWorkflow: false,
      n: row.failed_in_a_row,
      at: null,
      facts: {},
    }))
}

/** One for each task that the reckoner has found something of which is not over. */
async function findings(db: Database, { tasks }: AttentionScopes, { groupId, now }: AttentionQuery): Promise<Attention[]> {
  const { items } = await listFindings(db, tasks, { now, groupId })
  const names = await db.read((tx) =>
    namesOfGroups(
      tx,
      items.map((item) => item.groupId),
    ),
  )
  // what is overdue is told as such
  const open = items.filter((item) => item.goneAt === null && item.kind !== 'overdue')
  return [...Map.groupBy(open, (item) => item.taskId).values()].slice(0, OF_A_KIND).flatMap(([newest, ...older]): Attention[] => {
    if (newest === undefined) return []
    return [
      {
        kind: 'finding',
        level: 'broken',
        id: newest.taskId,
        name: newest.taskName,
        groupId: newest.groupId,
        groupName: names.get(newest.groupId) ?? '',
        isWorkflow: newest.isWorkflow,
        n: Math.max(
          1,
          [newest, ...older].reduce((sum, one) => sum + one.n, 0),
        ),
        at: newest.foundAt,
        facts: { finding: newest.kind, dueAt: newest.fromAt },
      },
    ]
  })
}

/** Series that stand on an instant which has passed: no node fires them. */
async function overdue(db: Database, { tasks, workflows }: AttentionScopes, { groupId, now }: AttentionQuery): Promise<Attention[]> {
  const cursors = await overdueCursors(db, now - OVERDUE_MS, 1000)
  if (cursors.length === 0) return []
  const ids = new Map(cursors.map((cursor) => [cursor.taskId, cursor.dueAt]))
  const found = await db.read((tx) =>
    tx.all<{ id: number; name: string; group_id: number; group_name: string | null; handler_kind: string }>(
      `SELECT t.id, t.name, t.group_id, g.name AS group_name, t.handler_kind FROM task t LEFT JOIN task_group g ON g.id = t.group_id WHERE t.id IN (${[...ids.keys()].map(Number).join(', ')})`,
    ),
  )
  const seen = (row: { group_id: number; handler_kind: string }): boolean =>
    groupsOf(row.handler_kind === WORKFLOW_KIND ? workflows : tasks, groupId)?.includes(row.group_id) ?? true
  return found
    .filter(seen)
    .sort((a, b) => (ids.get(a.id) ?? 0) - (ids.get(b.id) ?? 0))
    .slice(0, OF_A_KIND)
    .map((row): Attention => ({
      kind: 'overdue',
      level: 'late',
      id: row.id,
      name: row.name,
      groupId: row.group_id,
      groupName: row.group_name ?? '',
      isWorkflow: row.handler_kind === WORKFLOW_KIND,
      n: 1,
      at: instantText(ids.get(row.id) ?? null),
      facts: {},
    }))
}
