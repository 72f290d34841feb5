import { AppError, type BackfillBody, type BackfillPreview, type BackfillPreviewBody, type Static } from '@tickwheel/contract'
import { findZone, formatWall, parseInstant, slotOf, type Scope } from '@tickwheel/core'
import { writeAudit } from './audit.ts'
import { planBackfill, type BackfillWish, type PlannedInstant } from './backfill-plan.ts'
import { BACKFILL_STAGE, ONLY_CODES, ORDER_CODES, PLAN_PART, stateOfStage } from './backfill-rows.ts'
import { actorText, type Change } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { takeEntityId } from './ids.ts'
import { BACKFILL_LEVEL, requireLevel } from './levels.ts'
import { partsOf } from './list.ts'
import { againWhenTaken, lockRows } from './lock.ts'
import { instantText } from './page.ts'
import { kindOfRow, livingRow, type ScheduledKind } from './scheduled-kind.ts'
import type { BackfillRow, TaskRow } from './schema.ts'
import { isVisible } from './scope.ts'
import { answered, remember } from './trigger.ts'

/** What a dry run shows of a backfill, at most. */
const SHOWN = 1000

/** The task that is run, or the workflow. */
export interface BackfillTarget {
  readonly kind: ScheduledKind
  readonly taskId: number
}

export interface BackfillRequest extends Change, BackfillTarget {
  readonly body: BackfillBody
  readonly keyHash: string | null
}

/**
 * Begins a backfill of a task or a workflow: its instants are decided here and do not change; its runs are made by who owns the slot. A repeated `keyHash`
 * answers what the first answered. 422 `UNPROCESSABLE` where nothing is to be run, or too much.
 */
export async function startBackfill(db: Database, request: BackfillRequest): Promise<number> {
  const { kind, taskId, body, keyHash, now, scope, caller } = request
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const repeated = await answered(tx, keyHash)
      if (repeated !== null) return repeated
      // two of one task at once: the second knows what the first is about to run
      await lockRows(tx, 'task', [taskId], 'update')
      const task = await livingRow(tx, kind, taskId, scope)
      await requireLevel(tx, BACKFILL_LEVEL, await tx.now(), { what: 'make runs of a backfill', remedy: 'start it afterwards' })
      const wish = wishOf(body)
      const instants = await planBackfill(tx, task, wish, now)
      if (instants.length === 0) throw nothingDue()
      const row = newBackfill({ id: await takeEntityId(tx), task, wish, total: instants.length, request })
      await tx.insert('backfill', [row])
      await insertPlan(tx, row.id, instants)
      await remember(tx, { keyHash, runId: row.id, at: now })
      await writeAudit(tx, now, request.auditId, caller, {
        action: `${kind.noun}:backfill`,
        resource: { kind: kind.noun, id: task.id, key: task.name },
        groupId: task.group_id,
        after: { backfillId: row.id, ...body, total: row.total },
      })
      return row.id
    }),
  )
}

/** What a backfill would run, and how its first 1,000 instants stand now; nothing is changed. */
export async function previewBackfill(
  db: Database,
  scope: Scope,
  {
    kind,
    taskId,
    body,
    now,
    serverZone,
  }: Pick<BackfillRequest, 'kind' | 'taskId' | 'now'> & {
    readonly body: Static<typeof BackfillPreviewBody>
    readonly serverZone: string
  },
): Promise<BackfillPreview> {
  return db.read(async (tx) => {
    const task = await livingRow(tx, kind, taskId, scope)
    const instants = await planBackfill(tx, task, wishOf(body), now)
    return { total: instants.length, items: instants.slice(0, SHOWN).map((instant) => itemOf(instant, serverZone)) }
  })
}

export interface CancelBackfillRequest extends Change {
  readonly backfillId: number
  readonly cancelRunning: boolean
}

/**
 * Makes no more runs; with `cancelRunning` those that are open are canceled behind it. One that was canceled before, without its runs, may be canceled once
 * more with them. 404 `BACKFILL_NOT_FOUND`, 409 `BACKFILL_ENDED`.
 */
export async function cancelBackfill(db: Database, { backfillId, cancelRunning, ...change }: CancelBackfillRequest): Promise<void> {
  await db.write('rest', async (tx) => {
    const [row] = await tx.all<BackfillRow>(`SELECT * FROM backfill WHERE id = ?${tx.locks.update}`, [backfillId])
    const [task] = row === undefined ? [] : await tx.all<TaskRow>('SELECT * FROM task WHERE id = ?', [row.task_id])
    if (row === undefined || task === undefined || !isVisible(change.scope, task.group_id)) throw backfillNotFound(backfillId)
    const isRunning = row.stage === BACKFILL_STAGE.running
    if (!isRunning && !(cancelRunning && row.stage === BACKFILL_STAGE.canceled && row.open_runs > 0)) throw backfillEnded(row)
    const stage = cancelRunning ? BACKFILL_STAGE.canceling : BACKFILL_STAGE.canceled
    await tx.run('UPDATE backfill SET stage = ?, ended_at = ? WHERE id = ?', [stage, row.ended_at ?? change.now, row.id])
    const { noun } = kindOfRow(task)
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: `${noun}:cancelBackfill`,
      resource: { kind: noun, id: task.id, key: task.name },
      groupId: task.group_id,
      after: { backfillId, cancelRunning, made: row.made, total: row.total },
    })
  })
}

export function backfillNotFound(id: number): AppError {
  return new AppError('BACKFILL_NOT_FOUND', `There is no backfill ${id}.`, { params: { id } })
}

function backfillEnded({ id, stage }: BackfillRow): AppError {
  const state = stateOfStage(stage)
  return new AppError('BACKFILL_ENDED', `Backfill ${id} has ended already: ${state}.`, { params: { state } })
}

function nothingDue(): AppError {
  const message = 'nothing was due between these instants that this would run: choose another time, or only: all'
  return new AppError('UNPROCESSABLE', message, { errors: [{ path: 'from', code: 'BACKFILL_NOTHING_DUE', message }] })
}

function wishOf({ from, to, only, order }: Static<typeof BackfillPreviewBody>): BackfillWish {
  return { from: readInstant(from, 'from'), to: readInstant(to, 'to'), only: only ?? 'missing', order: order ?? 'oldestFirst' }
}

function readInstant(text: string, path: string): number {
  const at = parseInstant(text)
  if (at !== null) return at
  const message = `"${text}" is no instant with a zone, such as 2026-12-01T00:00:00.000Z`
  throw new AppError('VALIDATION_FAILED', message, { errors: [{ path, code: 'BAD_FORMAT', message }] })
}

function newBackfill({
  id,
  task,
  wish,
  total,
  request,
}: {
  id: number
  task: TaskRow
  wish: BackfillWish
  total: number
  request: BackfillRequest
}): BackfillRow {
  return {
    id,
    task_id: task.id,
    slot: slotOf('task', task.id),
    stage: BACKFILL_STAGE.running,
    from_at: wish.from,
    to_at: wish.to,
    only_code: ONLY_CODES[wish.only],
    direction: ORDER_CODES[wish.order],
    concurrency: request.body.concurrency ?? 1,
    total,
    made: 0,
    open_runs: 0,
    ended: '{}',
    actor: actorText(request.caller),
    created_at: request.now,
    ended_at: null,
  }
}

async function insertPlan(tx: Tx, backfillId: number, instants: readonly PlannedInstant[]): Promise<void> {
  const parts = partsOf(
    instants.map((instant) => instant.dueAt),
    PLAN_PART,
  )
  await tx.insert(
    'backfill_plan',
    parts.map((due, part) => ({ backfill_id: backfillId, part, due: JSON.stringify(due) })),
  )
}

function itemOf({ dueAt, zone, state, instanceId }: PlannedInstant, serverZone: string): BackfillPreview['items'][number] {
  const offsetMs = findZone(zone ?? serverZone)?.offsetAt(dueAt) ?? 0
  return { dueAt: instantText(dueAt), local: formatWall(dueAt + offsetMs), state, instanceId }
}
