/*
 * The outbox. A delivery is inserted in the transaction that decided to tell something (`state` waiting, due at `next_try_at`); whoever claims it sends it
 * outside of any transaction and writes down what became of it. A claim is a lease: `next_try_at` moves to its end, so that a delivery whose sender died is
 * due again by itself, and what a sender writes counts only while the claim is still its own. So a message goes out at least once, and twice when a process
 * ends between sending and writing, or is slower than its lease.
 */
import { AppError } from '@tickwheel/contract'
import { DELIVERY_STATE, type DeliveryState, type Scope } from '@tickwheel/core'
import { sql } from 'kysely'
import { raiseAlarms } from './alarm-signals.ts'
import { writeAudit } from './audit.ts'
import type { Change } from './caller.ts'
import { query, type Database, type Tx } from './database.ts'
import { parseJson } from './definition.ts'
import { listOfNumbers } from './list.ts'
import type { DeliveryRow } from './schema.ts'
import { groupsOf } from './scope.ts'

export const CLAIM_MOST = 50
const SCAN_LIMIT = 20_000
const BUSY_MOST = 64

export interface ClaimRequest {
  /** cluster time */
  readonly now: number
  /** this process */
  readonly by: number
  readonly until: number
  /** channels that this process is sending to just now; at most 64 */
  readonly busy: readonly number[]
}

/** Deliveries that are due, oldest try first, claimed for this process; at most 50. Rows that another node is claiming are left out. */
export async function claimDeliveries(db: Database, { now, by, until, busy }: ClaimRequest): Promise<DeliveryRow[]> {
  if (!(await isAnyDue(db, now))) return []
  return db.write('rest', async (tx) => {
    const skipped = busy.slice(0, BUSY_MOST)
    const others = skipped.length === 0 ? null : listOfNumbers(skipped)
    const rows = await tx.all<DeliveryRow>(
      `SELECT * FROM delivery WHERE state = ? AND next_try_at <= ?${others === null ? '' : ` AND channel_id NOT IN ${others.sql}`}` +
        ` ORDER BY next_try_at, id LIMIT ${CLAIM_MOST}${tx.locks.updateFree}`,
      [DELIVERY_STATE.waiting, now, ...(others?.params ?? [])],
    )
    if (rows.length === 0) return []
    const list = listOfNumbers(rows.map((row) => row.id).sort((a, b) => a - b))
    await tx.run(`UPDATE delivery SET claimed_by = ?, claimed_until = ?, next_try_at = ? WHERE id IN ${list.sql}`, [
      by,
      until,
      until,
      ...list.params,
    ])
    return rows.map((row) => ({ ...row, claimed_by: by, claimed_until: until, next_try_at: until }))
  })
}

/** Read first: a node that has nothing to send writes nothing. */
async function isAnyDue(db: Database, now: number): Promise<boolean> {
  const [row] = await db.read((tx) =>
    tx.all<{ id: number }>('SELECT id FROM delivery WHERE state = ? AND next_try_at <= ? ORDER BY next_try_at, id LIMIT 1', [
      DELIVERY_STATE.waiting,
      now,
    ]),
  )
  return row !== undefined
}

/** What became of a claimed delivery. `error`: JSON of what went wrong; null: nothing. */
export type Settled =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly at: number; readonly error: string }
  /** the channel must rest, through no fault of the delivery: it costs no try */
  | { readonly kind: 'postponed'; readonly at: number }
  /** given up; `raise`: that is told as an alarm of its own */
  | { readonly kind: 'failed'; readonly error: string; readonly raise: boolean }
  | { readonly kind: 'dropped'; readonly error: string }

export interface SettledChannel {
  readonly id: number
  readonly name: string
  readonly groupId: number | null
}

export interface Settlement {
  readonly channel: SettledChannel
  /** as they were claimed */
  readonly rows: readonly DeliveryRow[]
  readonly settled: Settled
  readonly now: number
}

/** Writes down what became of deliveries of one channel; those whose claim is no longer this process's are left alone. How many were written. */
export async function settleDeliveries(db: Database, { channel, rows, settled, now }: Settlement): Promise<number> {
  return db.write('rest', async (tx) => {
    const sorted = [...rows].sort((a, b) => a.id - b.id)
    let written = 0
    for (const row of sorted) {
      const change = { ...columnsOf(settled, row, now), claimed_by: null, claimed_until: null }
      written += await tx.execute(
        query
          .updateTable('delivery')
          .set(change)
          .where('id', '=', row.id)
          .where('state', '=', DELIVERY_STATE.waiting)
          .where('claimed_by', '=', row.claimed_by)
          .where('claimed_until', '=', row.claimed_until),
      )
    }
    if (written > 0) {
      const { failedBefore } = await noteChannel(tx, channel.id, settled, now)
      await tellUndelivered(tx, channel, { settled, now, failedBefore })
    }
    return written
  })
}

function columnsOf(settled: Settled, { tries }: DeliveryRow, now: number) {
  switch (settled.kind) {
    case 'sent':
      return { state: DELIVERY_STATE.sent, tries: tries + 1, ended_at: now, error: null }
    case 'retry':
      return { tries: tries + 1, next_try_at: settled.at, error: settled.error }
    case 'postponed':
      return { next_try_at: settled.at }
    case 'failed':
      return { state: DELIVERY_STATE.failed, tries: tries + 1, ended_at: now, error: settled.error }
    case 'dropped':
      return { state: DELIVERY_STATE.dropped, ended_at: now, error: settled.error }
  }
}

async function noteChannel(tx: Tx, channelId: number, settled: Settled, now: number): Promise<{ failedBefore: number }> {
  const [row] = await tx.lock(query.selectFrom('alarm_channel').select('failed_in_a_row').where('id', '=', channelId))
  if (settled.kind === 'sent')
    await tx.run('UPDATE alarm_channel SET failed_in_a_row = 0, last_sent_at = ?, last_error = NULL WHERE id = ?', [now, channelId])
  if (settled.kind === 'retry' || settled.kind === 'failed')
    await tx.run('UPDATE alarm_channel SET failed_in_a_row = failed_in_a_row + 1, last_error = ? WHERE id = ?', [settled.error, channelId])
  return { failedBefore: row?.failed_in_a_row ?? 0 }
}

/** The alarm about alarms, and its end: in the transaction that gives a message up, and in the one that says that the channel works again. */
async function tellUndelivered(
  tx: Tx,
  { id, name, groupId }: SettledChannel,
  { settled, now, failedBefore }: { settled: Settled; now: number; failedBefore: number },
): Promise<void> {
  const raised = { event: 'undeliverable', target: { kind: 'channel', id, name }, groupId, at: now, key: `channel ${id}` } as const
  if (settled.kind === 'failed' && settled.raise) await raiseAlarms(tx, [{ ...raised, facts: { error: answerIn(settled.error) } }])
  if (settled.kind === 'sent' && failedBefore > 0) await raiseAlarms(tx, [{ ...raised, clear: true }])
}

function answerIn(error: string): string {
  const value = parseJson(error)
  return typeof value === 'object' && value !== null && 'answer' in value && typeof value.answer === 'string' ? value.answer : error
}

/** A test of a channel is no delivery, but says as much about the channel. It raises no alarm: whoever tests it sees what became of it. */
export async function noteChannelTest(db: Database, channelId: number, error: string | null, now: number): Promise<void> {
  await db.write('rest', (tx) => noteChannel(tx, channelId, error === null ? { kind: 'sent' } : { kind: 'retry', at: now, error }, now))
}

export interface DeliveryFilter {
  readonly states: readonly DeliveryState[] | null
  readonly channelId?: number | undefined
  readonly incidentId?: number | undefined
  /** ids below it */
  readonly below: number
  readonly limit: number
}

export interface DeliveryPage {
  readonly rows: DeliveryRow[]
  /** null: there are no more */
  readonly next: number | null
}

/** Deliveries, newest first. One of no group is seen by who sees all. Without an index for a filter, 20,000 rows are looked at: a page may be short and go on. */
export async function listDeliveries(db: Database, scope: Scope, filter: DeliveryFilter): Promise<DeliveryPage> {
  const groupIds = groupsOf(scope, undefined)
  if (groupIds?.length === 0) return { rows: [], next: null }
  return db.read(async (tx) => {
    const [edge] = await tx.all<{ id: number }>(`SELECT id FROM delivery WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ${SCAN_LIMIT}`, [
      filter.below,
    ])
    let found = query
      .selectFrom('delivery')
      .selectAll()
      .where('id', '<', filter.below)
      .where('id', '>', edge?.id ?? 0)
    if (groupIds !== null) found = found.where('group_id', 'in', groupIds)
    if (filter.states !== null)
      found = found.where(
        sql<number>`state`,
        'in',
        filter.states.map((state) => DELIVERY_STATE[state]),
      )
    if (filter.channelId !== undefined) found = found.where('channel_id', '=', filter.channelId)
    if (filter.incidentId !== undefined) found = found.where('incident_id', '=', filter.incidentId)
    const rows = await tx.rows(found.orderBy('id', 'desc').limit(filter.limit + 1))
    const page = rows.slice(0, filter.limit)
    const next = rows.length > filter.limit ? (page.at(-1)?.id ?? null) : edge === undefined ? null : edge.id + 1
    return { rows: page, next }
  })
}

/** Makes a delivery that waits or was given up due now, as if it were new. 409 `ALARM_DELIVERY_SENT` for one that arrived. */
export async function retryDelivery(db: Database, { deliveryId }: { deliveryId: number }, change: Change): Promise<DeliveryRow> {
  return db.write('rest', async (tx) => {
    const [row] = await tx.lock(query.selectFrom('delivery').selectAll().where('id', '=', deliveryId))
    if (row === undefined || !isSeen(change.scope, row))
      throw new AppError('ALARM_DELIVERY_NOT_FOUND', `there is no delivery ${deliveryId} that you may see`)
    if (row.state === DELIVERY_STATE.sent) throw new AppError('ALARM_DELIVERY_SENT', `delivery ${deliveryId} has arrived`)
    const again = {
      state: DELIVERY_STATE.waiting,
      tries: 0,
      next_try_at: change.now,
      ended_at: null,
      claimed_by: null,
      claimed_until: null,
    }
    await tx.execute(query.updateTable('delivery').set(again).where('id', '=', deliveryId))
    await writeAudit(tx, change.now, change.auditId, change.caller, {
      action: 'alarm:retry',
      resource: { kind: 'alarmDelivery', id: deliveryId, key: '' },
      groupId: row.group_id,
    })
    return { ...row, ...again }
  })
}

function isSeen(scope: Scope, row: DeliveryRow): boolean {
  return scope === 'all' || (row.group_id !== null && scope.some((groupId) => groupId === row.group_id))
}
