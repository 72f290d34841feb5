import type { TaskDefinition } from '@tickwheel/contract'
import { PHASE } from '@tickwheel/core'
import type { Database, ReadTx } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { listOfNumbers, partsOf } from './list.ts'
import { lockOpen } from './open-runs.ts'
import type { OpenInstanceRow, WireRow } from './schema.ts'
import { definitionOfRun } from './step-definition.ts'

/** An attempt that is about to be sent over a wire that names attempts by a number of its own. At most 500 at once. */
export interface WireClaim {
  /** a run id: the number, if this is the first claim of the attempt */
  readonly wireId: number
  readonly instanceId: number
  readonly attempt: number
  readonly executorId: number
  readonly bootId: number
}

/** What the attempt's task version says beside what a dispatch carries. */
export interface WireTask {
  readonly savedAt: number
  readonly overlap: TaskDefinition['overlap']['policy']
}

/**
 * fresh: nobody has sent the attempt, and whoever asked may send it, once. sent: it was claimed before, here or elsewhere, and must never be sent again.
 * canceled: it was never sent, and a person wants it stopped. gone: the attempt is no longer at this executor.
 */
export type WireClaimed =
  | { readonly kind: 'fresh'; readonly wire: WireRow; readonly task: WireTask }
  | { readonly kind: 'sent'; readonly wire: WireRow }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'gone' }

/** Gives attempts their numbers before they are sent; an answer for each claim, in order. */
export async function claimWires(db: Database, at: number, claims: readonly WireClaim[]): Promise<WireClaimed[]> {
  const ids = claims.map((claim) => claim.instanceId)
  return db.write('rest', async (tx) => {
    const rows = new Map((await lockOpen(tx, ids, 'update')).map((row) => [row.id, row]))
    const known = new Map((await wiresOf(tx, ids)).map((wire) => [keyOf(wire.instance_id, wire.attempt), wire]))
    const answers: WireClaimed[] = []
    const fresh: WireRow[] = []
    for (const claim of claims) {
      const answer = await judge(tx, claim, {
        at,
        row: rows.get(claim.instanceId),
        wire: known.get(keyOf(claim.instanceId, claim.attempt)),
      })
      answers.push(answer)
      if (answer.kind !== 'fresh') continue
      fresh.push(answer.wire)
      known.set(keyOf(claim.instanceId, claim.attempt), answer.wire)
    }
    if (fresh.length > 0) await tx.insert('wire', fresh)
    return answers
  })
}

interface Found {
  readonly at: number
  readonly row: OpenInstanceRow | undefined
  readonly wire: WireRow | undefined
}

async function judge(tx: ReadTx, claim: WireClaim, { at, row, wire }: Found): Promise<WireClaimed> {
  if (row === undefined || row.attempt !== claim.attempt || row.executor_id !== claim.executorId || row.boot_id !== claim.bootId)
    return { kind: 'gone' }
  if (row.phase !== PHASE.dispatched && row.phase !== PHASE.running) return { kind: 'gone' }
  if (wire !== undefined) return { kind: 'sent', wire }
  if (row.cancel_at !== null) return { kind: 'canceled' }
  const definition = await definitionOfRun(tx, row)
  const [version] = await tx.all<{ saved_at: number }>('SELECT saved_at FROM task_version WHERE task_id = ? AND version = ?', [
    row.task_id,
    row.task_version,
  ])
  if (definition === null || version === undefined) return { kind: 'gone' }
  const { wireId: id, instanceId, attempt, executorId, bootId } = claim
  return {
    kind: 'fresh',
    wire: { id, instance_id: instanceId, attempt, executor_id: executorId, boot_id: bootId, log_at: at, timeout_ms: definition.timeoutMs },
    task: { savedAt: version.saved_at, overlap: definition.overlap.policy },
  }
}

async function wiresOf(tx: ReadTx, instanceIds: readonly number[]): Promise<WireRow[]> {
  if (instanceIds.length === 0) return []
  const list = listOfNumbers(instanceIds)
  return tx.all<WireRow>(`SELECT * FROM wire WHERE instance_id IN ${list.sql}`, list.params)
}

/** An attempt by its number, and how it stands while it is open. */
export interface WireSeen extends WireRow {
  /** null: the attempt is not open any more */
  readonly task_id: number | null
  readonly accepted_at: number | null
  readonly started_at: number | null
  readonly cancel_at: number | null
}

const SEEN =
  'SELECT w.*, o.task_id, o.accepted_at, o.started_at, o.cancel_at FROM wire w LEFT JOIN open_instance o ON o.id = w.instance_id AND o.attempt = w.attempt AND o.phase IN (3, 4)'

/** Attempts by their numbers; those that nobody knows are left out. */
export async function wiresById(db: Database, ids: readonly number[]): Promise<WireSeen[]> {
  return db.read(async (tx) => {
    const rows: WireSeen[] = []
    for (const part of partsOf(ids, 1000)) {
      const list = listOfNumbers(part)
      rows.push(...(await tx.all<WireSeen>(`${SEEN} WHERE w.id IN ${list.sql}`, list.params)))
    }
    return rows
  })
}

/** The attempts that are open at an executor and were claimed. */
export async function openWiresOf(db: Database, executorId: number): Promise<WireSeen[]> {
  return db.read((tx) => tx.all<WireSeen>(`${SEEN} WHERE o.executor_id = ? AND w.boot_id = o.boot_id ORDER BY w.id`, [executorId]))
}

/** Numbers older than any run may be. How many went; fewer than 500: that was all. */
export async function pruneWires(db: Database, before: number): Promise<number> {
  return db.write('rest', async (tx) => {
    const rows = await tx.all<{ id: number }>('SELECT id FROM wire WHERE id < ? ORDER BY id LIMIT 500', [floorOfInstant(before)])
    await tx.runMany(
      'DELETE FROM wire WHERE id = ?',
      rows.map((row) => [row.id]),
    )
    return rows.length
  })
}

function keyOf(instanceId: number, attempt: number): string {
  return `${String(instanceId)}:${String(attempt)}`
}
