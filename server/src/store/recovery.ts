import type { RecoveryGroup, RecoveryReport, Static } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type Tx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { instantText } from './page.ts'
import type { RecoveryGroupRow, RecoveryRow, RecoveryTaskRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/**
 * Recoveries: what was made of instants that were settled long after they had come, because no node fired. Which are one outage is told by when they were
 * settled: nodes that are back settle everything at once.
 */
export interface RecoveryNote {
  readonly taskId: number
  readonly groupId: number
  /** when it was settled */
  readonly decidedAt: number
  readonly firstAt: number
  readonly lastAt: number
  readonly madeUp: number
  readonly skipped: number
  /** `skip`, `fireOnce`, `fireAll`, `restored`; empty: it fired late, within its time of grace */
  readonly policy: string
}

/** Settled within so long of each other: one recovery. */
const SAME_MS = 300_000
/** One goes on for so long at most; what is settled after that is another. */
const LONGEST_MS = 3_600_000
/** Tasks that one recovery names. */
const MAX_TASKS = 1000
const RECENT = 10
/** Reports that are kept. */
const MAX_RECOVERIES = 100
/** Tasks of one report that are told at once. */
const TASKS_TOLD = 200

/** Adds notes to the recoveries that they belong to; `newId`: of one that begins. */
export async function addRecoveries(tx: Tx, newId: number, notes: readonly RecoveryNote[]): Promise<void> {
  if (notes.length === 0) return
  const recent = await tx.all<RecoveryRow>(`SELECT * FROM recovery ORDER BY id DESC LIMIT ${RECENT}`)
  const byRecovery = new Map<RecoveryRow, RecoveryNote[]>()
  const sorted = [...notes].sort((a, b) => a.decidedAt - b.decidedAt)
  for (const note of sorted) {
    const found = recent.find((row) => belongs(note, row)) ?? begin(newId + recent.length, note)
    if (!recent.includes(found)) recent.unshift(found)
    byRecovery.set(found, [...(byRecovery.get(found) ?? []), note])
    found.from_at = Math.min(found.from_at, note.firstAt)
    found.began_at = Math.min(found.began_at, note.decidedAt)
    found.last_at = Math.max(found.last_at, note.decidedAt)
  }
  for (const [row, ofIt] of byRecovery) await put(tx, row, ofIt)
}

function belongs({ decidedAt }: RecoveryNote, row: RecoveryRow): boolean {
  return decidedAt >= row.began_at - SAME_MS && decidedAt <= Math.min(row.last_at + SAME_MS, row.began_at + LONGEST_MS)
}

function begin(id: number, { firstAt, decidedAt }: RecoveryNote): RecoveryRow {
  return { id, from_at: firstAt, began_at: decidedAt, last_at: decidedAt, tasks: 0 }
}

async function put(tx: Tx, row: RecoveryRow, notes: readonly RecoveryNote[]): Promise<void> {
  const isNew = (await tx.insertNew('recovery', [row])) > 0
  const added = await addTasks(tx, row, notes)
  await tx.run('UPDATE recovery SET from_at = ?, began_at = ?, last_at = ?, tasks = ? WHERE id = ?', [
    row.from_at,
    row.began_at,
    row.last_at,
    row.tasks + added,
    row.id,
  ])
  for (const [groupId, ofGroup] of Map.groupBy(notes, (note) => note.groupId)) await addGroup(tx, row.id, groupId, ofGroup)
  if (isNew) await prune(tx)
}

async function addGroup(tx: Tx, id: number, groupId: number, notes: readonly RecoveryNote[]): Promise<void> {
  const madeUp = notes.reduce((sum, note) => sum + note.madeUp, 0)
  const skipped = notes.reduce((sum, note) => sum + note.skipped, 0)
  const matched = await tx.run(
    'UPDATE recovery_group SET made_up = made_up + ?, skipped = skipped + ? WHERE recovery_id = ? AND group_id = ?',
    [madeUp, skipped, id, groupId],
  )
  if (matched === 0) await tx.insert('recovery_group', [{ recovery_id: id, group_id: groupId, made_up: madeUp, skipped }])
}

/** How many tasks were not named yet. */
async function addTasks(tx: Tx, recovery: RecoveryRow, notes: readonly RecoveryNote[]): Promise<number> {
  const known = new Map<number, RecoveryTaskRow>()
  const ids = [...new Set(notes.map((note) => note.taskId))]
  for (const part of partsOf(ids, 1000)) {
    const list = listOfNumbers(part)
    const rows = await tx.all<RecoveryTaskRow>(`SELECT * FROM recovery_task WHERE recovery_id = ? AND task_id IN ${list.sql}`, [
      recovery.id,
      ...list.params,
    ])
    for (const row of rows) known.set(row.task_id, row)
  }
  const fresh = new Map<number, RecoveryTaskRow>()
  for (const note of notes) {
    const row = known.get(note.taskId) ?? fresh.get(note.taskId)
    if (row !== undefined) widen(row, note)
    else if (recovery.tasks + fresh.size < MAX_TASKS) fresh.set(note.taskId, taskRow(recovery.id, note))
  }
  await tx.insert('recovery_task', [...fresh.values()])
  await tx.runMany(
    'UPDATE recovery_task SET policy = ?, made_up = ?, skipped = ?, first_at = ?, last_at = ? WHERE recovery_id = ? AND task_id = ?',
    [...known.values()].map((row) => [row.policy, row.made_up, row.skipped, row.first_at, row.last_at, recovery.id, row.task_id]),
  )
  return fresh.size
}

function taskRow(recoveryId: number, note: RecoveryNote): RecoveryTaskRow {
  return {
    recovery_id: recoveryId,
    task_id: note.taskId,
    group_id: note.groupId,
    policy: note.policy,
    made_up: note.madeUp,
    skipped: note.skipped,
    first_at: note.firstAt,
    last_at: note.lastAt,
  }
}

function widen(row: RecoveryTaskRow, note: RecoveryNote): void {
  if (row.policy === '') row.policy = note.policy
  row.made_up += note.madeUp
  row.skipped += note.skipped
  row.first_at = Math.min(row.first_at, note.firstAt)
  row.last_at = Math.max(row.last_at, note.lastAt)
}

async function prune(tx: Tx): Promise<void> {
  const old = await tx.all<{ id: number }>(`SELECT id FROM recovery ORDER BY id DESC LIMIT 20 OFFSET ${MAX_RECOVERIES}`)
  for (const { id } of old) {
    for (const table of ['recovery_task', 'recovery_group']) await tx.run(`DELETE FROM ${table} WHERE recovery_id = ?`, [id])
    await tx.run('DELETE FROM recovery WHERE id = ?', [id])
  }
}

/** The last recoveries, newest first, as far as they concern groups of the scope: at most `limit`, of each at most 200 tasks. */
export async function listRecoveries(db: Database, scope: Scope, limit: number): Promise<Static<typeof RecoveryReport>[]> {
  return db.read(async (tx) => {
    const rows = await tx.rows(query.selectFrom('recovery').selectAll().orderBy('id', 'desc').limit(MAX_RECOVERIES))
    const reports: Static<typeof RecoveryReport>[] = []
    for (const row of rows) {
      if (reports.length >= limit) break
      const groups = await tx.all<RecoveryGroupRow & { name: string | null }>(
        'SELECT r.*, g.name FROM recovery_group r LEFT JOIN task_group g ON g.id = r.group_id WHERE r.recovery_id = ? ORDER BY r.group_id',
        [row.id],
      )
      const seen = groups.filter((group) => isVisible(scope, group.group_id))
      if (seen.length === 0) continue
      const tasks = await tx.all<RecoveryTaskRow & { name: string | null; handler_kind: string | null }>(
        `SELECT r.*, t.name, t.handler_kind FROM recovery_task r LEFT JOIN task t ON t.id = r.task_id WHERE r.recovery_id = ? ORDER BY r.task_id LIMIT ${MAX_TASKS}`,
        [row.id],
      )
      reports.push(
        reportOf(
          row,
          seen,
          tasks.filter((task) => isVisible(scope, task.group_id)),
        ),
      )
    }
    return reports
  })
}

function reportOf(
  row: RecoveryRow,
  groups: readonly (RecoveryGroupRow & { name: string | null })[],
  tasks: readonly (RecoveryTaskRow & { name: string | null; handler_kind: string | null })[],
): Static<typeof RecoveryReport> {
  const told: RecoveryGroup[] = groups.map((group) => ({
    groupId: group.group_id,
    groupName: group.name ?? '',
    madeUp: group.made_up,
    skipped: group.skipped,
  }))
  return {
    id: row.id,
    fromAt: instantText(row.from_at),
    toAt: instantText(row.began_at),
    settledAt: instantText(row.last_at),
    madeUp: told.reduce((sum, group) => sum + group.madeUp, 0),
    skipped: told.reduce((sum, group) => sum + group.skipped, 0),
    groups: told,
    tasks: tasks.slice(0, TASKS_TOLD).map((task) => ({
      taskId: task.task_id,
      taskName: task.name ?? '',
      groupId: task.group_id,
      isWorkflow: task.handler_kind === WORKFLOW_KIND,
      policy: task.policy,
      madeUp: task.made_up,
      skipped: task.skipped,
      firstAt: instantText(task.first_at),
      lastAt: instantText(task.last_at),
    })),
    isCut: tasks.length > TASKS_TOLD || row.tasks >= MAX_TASKS,
  }
}
