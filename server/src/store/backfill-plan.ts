import { AppError } from '@tickwheel/contract'
import type { BACKFILL_ONLY, BACKFILL_ORDERS } from '@tickwheel/contract'
import { outcomeOfCode, stateOfPhase } from '@tickwheel/core'
import { dueInstants, type DueInstant } from './backfill-due.ts'
import { BACKFILL_STAGE, PLAN_PART, readPlanPart } from './backfill-rows.ts'
import type { ReadTx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'
import type { BackfillRow, FiringHourRow, TaskRow } from './schema.ts'

export interface BackfillWish {
  readonly from: number
  readonly to: number
  readonly only: (typeof BACKFILL_ONLY)[number]
  readonly order: (typeof BACKFILL_ORDERS)[number]
}

/**
 * An instant that a backfill would run, with the newest run for it. `state`: that run's; `gone`: it has fired, and its run is no longer kept; `planned`:
 * another backfill is about to make one; null: there is none.
 */
export interface PlannedInstant extends DueInstant {
  readonly instanceId: number | null
  readonly state: string | null
}

/** A retry may have been retried itself, so often at most is it followed. */
const RETRIES_FOLLOWED = 100
const HOUR_MS = 3_600_000
const SKIPS_READ = 10_001
const NOT_DONE: readonly string[] = ['failed', 'timedOut', 'canceled', 'lost']

/**
 * What a backfill runs, in its order. Runs that count for an instant: what it fired, what backfills have made for it, and what people have retried of
 * these; a run that a person triggered for that instant is a run of its own. 422 where `from` and `to` have no meaning, or beyond 10,000 instants.
 */
export async function planBackfill(tx: ReadTx, task: TaskRow, wish: BackfillWish, now: number): Promise<PlannedInstant[]> {
  checkRange(wish, now)
  const due = await dueInstants(tx, task, { ...wish, now })
  const known = await knownRuns(tx, task, due)
  const chosen = due.flatMap((instant): PlannedInstant[] => {
    const { isDone, ...run } = known(instant.dueAt)
    return isChosen(wish.only, run.state, isDone) ? [{ ...instant, ...run }] : []
  })
  return wish.order === 'newestFirst' ? chosen.reverse() : chosen
}

function checkRange({ from, to }: BackfillWish, now: number): void {
  if (to > now) throw badEnd('IN_FUTURE', 'to lies in the future: what is not due yet cannot be run again')
  if (from >= to) throw badEnd('RANGE_EMPTY', 'to must be after from')
}

function badEnd(code: 'IN_FUTURE' | 'RANGE_EMPTY', message: string): AppError {
  return new AppError('UNPROCESSABLE', message, { errors: [{ path: 'to', code, message }] })
}

function isChosen(only: BackfillWish['only'], state: string | null, isDone: boolean): boolean {
  switch (only) {
    case 'all':
      return true
    case 'missing':
      return !isDone
    case 'failed':
      return !isDone && state !== null && NOT_DONE.includes(state)
  }
}

interface KnownRun {
  readonly instanceId: number | null
  readonly state: string | null
  /** a run for it has succeeded, is open, or is no longer kept */
  readonly isDone: boolean
}

async function knownRuns(tx: ReadTx, task: TaskRow, due: readonly DueInstant[]): Promise<(dueAt: number) => KnownRun> {
  const [first, last] = [due[0]?.dueAt, due.at(-1)?.dueAt]
  if (first === undefined || last === undefined) return () => ({ instanceId: null, state: null, isDone: false })
  const runs = new Map<number, number[]>()
  const add = (dueAt: number, runId: number): void => void runs.set(dueAt, [...(runs.get(dueAt) ?? []), runId])
  await readFired(tx, task, due, add)
  const folded = await readFolded(tx, task, { due: due.map((one) => one.dueAt).filter((at) => !runs.has(at)), add })
  for (const row of await backfilled(tx, task.id, { first, last })) add(row.due_at, row.instance_id)
  await followRetries(tx, runs)
  const states = await statesOf(tx, [...runs.values()].flat())
  const planned = await plannedElsewhere(tx, task.id)
  return (dueAt) => {
    const ids = runs.get(dueAt) ?? []
    const all = ids.map((id) => states.get(id) ?? 'gone')
    const instanceId = ids.length === 0 ? null : Math.max(...ids)
    if (planned.has(dueAt)) return { instanceId, state: 'planned', isDone: true }
    if (instanceId === null) return { instanceId, state: folded.has(dueAt) ? 'gone' : null, isDone: folded.has(dueAt) }
    return {
      instanceId,
      state: states.get(instanceId) ?? 'gone',
      isDone: all.some((state) => !NOT_DONE.includes(state) && state !== 'skipped'),
    }
  }
}

type Add = (dueAt: number, runId: number) => void

async function readFired(tx: ReadTx, task: TaskRow, due: readonly DueInstant[], add: Add): Promise<void> {
  for (const part of partsOf(due, 1000)) {
    const list = listOfNumbers(part.map((one) => one.dueAt))
    const rows = await tx.all<{ due_at: number; instance_id: number }>(
      `SELECT due_at, instance_id FROM firing WHERE due_at IN ${list.sql} AND series_id = ?`,
      [...list.params, task.series_id],
    )
    for (const row of rows) add(row.due_at, row.instance_id)
  }
}

/** Firings of frequent tasks are folded by the hour: their runs still say for which instant they were. The instants that fired and whose runs are gone. */
async function readFolded(tx: ReadTx, task: TaskRow, { due, add }: { due: readonly number[]; add: Add }): Promise<Set<number>> {
  const hours = new Map<number, FiringHourRow>()
  for (const part of partsOf([...new Set(due.map(hourOf))], 1000)) {
    const list = listOfNumbers(part)
    const rows = await tx.all<FiringHourRow>(`SELECT * FROM firing_hour WHERE hour_at IN ${list.sql} AND series_id = ?`, [
      ...list.params,
      task.series_id,
    ])
    for (const row of rows) hours.set(row.hour_at, row)
  }
  const gone = new Set(due.filter((at) => isWithin(hours.get(hourOf(at)), at)))
  if (gone.size === 0) return gone
  for (const hour of hours.values()) {
    const rows = await tx.all<{ id: number; due_at: number | null }>(
      'SELECT id, due_at FROM instance WHERE task_id = ? AND id >= ? AND id <= ? AND series_id = ?',
      [task.id, hour.first_id, hour.last_id, task.series_id],
    )
    for (const row of rows) if (row.due_at !== null && gone.delete(row.due_at)) add(row.due_at, row.id)
  }
  await leaveOutSkipped(tx, task.series_id, gone)
  return gone
}

async function leaveOutSkipped(tx: ReadTx, seriesId: number, gone: Set<number>): Promise<void> {
  if (gone.size === 0) return
  const skips = await tx.all<{ from_at: number; to_at: number }>(
    `SELECT from_at, to_at FROM skip WHERE series_id = ? AND from_at <= ? AND to_at >= ? ORDER BY from_at LIMIT ${SKIPS_READ}`,
    [seriesId, Math.max(...gone), Math.min(...gone)],
  )
  for (const at of [...gone]) if (skips.some((skip) => skip.from_at <= at && at <= skip.to_at)) gone.delete(at)
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

function isWithin(hour: FiringHourRow | undefined, at: number): boolean {
  return hour !== undefined && hour.first_due_at <= at && at <= hour.last_due_at
}

/** The newest run of a backfill for each instant. */
async function backfilled(
  tx: ReadTx,
  taskId: number,
  { first, last }: { first: number; last: number },
): Promise<{ due_at: number; instance_id: number }[]> {
  return tx.all(
    'SELECT due_at, MAX(instance_id) AS instance_id FROM backfill_run WHERE task_id = ? AND due_at >= ? AND due_at <= ? GROUP BY due_at',
    [taskId, first, last],
  )
}

async function followRetries(tx: ReadTx, runs: Map<number, number[]>): Promise<void> {
  const dueOf = new Map([...runs].flatMap(([dueAt, ids]) => ids.map((id) => [id, dueAt] as const)))
  let asked = [...dueOf.keys()]
  for (let round = 0; asked.length > 0 && round < RETRIES_FOLLOWED; round += 1) {
    const found: number[] = []
    for (const part of partsOf(asked, 1000)) {
      const list = listOfNumbers(part)
      const rows = await tx.all<{ instance_id: number; retry_id: number }>(
        `SELECT instance_id, retry_id FROM retry_link WHERE instance_id IN ${list.sql}`,
        list.params,
      )
      for (const { instance_id: of, retry_id: retryId } of rows) {
        const dueAt = dueOf.get(of)
        if (dueAt === undefined) continue
        dueOf.set(retryId, dueAt)
        runs.set(dueAt, [...(runs.get(dueAt) ?? []), retryId])
        found.push(retryId)
      }
    }
    asked = found
  }
}

/** The states of runs, by id; those that are no longer kept are left out. */
export async function statesOf(tx: ReadTx, runIds: readonly number[]): Promise<Map<number, string>> {
  const states = new Map<number, string>()
  for (const part of partsOf(runIds, 1000)) {
    const list = listOfNumbers(part)
    for (const row of await tx.all<{ id: number; phase: number }>(
      `SELECT id, phase FROM open_instance WHERE id IN ${list.sql}`,
      list.params,
    ))
      states.set(row.id, stateOfPhase(row.phase))
    for (const row of await tx.all<{ id: number; outcome: number }>(
      `SELECT id, outcome FROM instance WHERE id IN ${list.sql}`,
      list.params,
    ))
      states.set(row.id, outcomeOfCode(row.outcome))
  }
  return states
}

/** Instants for which a running backfill of the task has still to make a run. */
async function plannedElsewhere(tx: ReadTx, taskId: number): Promise<Set<number>> {
  const rows = await tx.all<BackfillRow>('SELECT * FROM backfill WHERE task_id = ? AND stage = ?', [taskId, BACKFILL_STAGE.running])
  const planned = new Set<number>()
  for (const row of rows)
    for (let position = row.made; position < row.total; position += PLAN_PART - (position % PLAN_PART))
      for (const dueAt of (await readPlanPart(tx, row.id, position)).slice(position % PLAN_PART)) planned.add(dueAt)
  return planned
}
