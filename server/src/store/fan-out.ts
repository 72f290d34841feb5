import { appendTrace, fanOutOutput, OUTCOME, WORKFLOW_LIMITS, type Json, type TraceEntry } from '@tickwheel/core'
import type { Database, ReadTx, Tx } from './database.ts'
import { fanOutOf } from './fan-out-part.ts'
import { isSharded, itemIsSharded } from './is-sharded.ts'
import { listOfNumbers } from './list.ts'
import { lockRows } from './lock.ts'
import { lockOpen } from './open-runs.ts'
import { endRuns, ON_END_PARENT, PARAMS_PAYLOAD, type RunEnd, type RunError } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow, PayloadRow, TaskRow } from './schema.ts'
import type { RunRights } from './run-rights.ts'
import { isVisible } from './scope.ts'
import { inPlaceOf, ITEMS_PAYLOAD, stepWork, targetOf, type StepTarget } from './step-work.ts'
import { definitionOf } from './tasks.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'
import { jsonOf } from './workflow-state.ts'

/** How many children one transaction makes, and how much text they are given in it. */
export const ITEMS_AT_ONCE = 1000
export const ITEM_BYTES_AT_ONCE = 2 * 1024 * 1024

/** What a child is to do, and what a person looks for it by. `refId` is the task or workflow that it runs, null what the step defines in place. Or why it cannot. */
export type ItemOrder = { readonly itemKey: string } & (
  | { readonly kind: 'order'; readonly refId: number | null; readonly isFlow: boolean; readonly params: string | null }
  | { readonly kind: 'refused'; readonly error: RunError }
)

export interface MakeItems {
  readonly parentId: number
  readonly at: number
  /** the step, and the open row of the run of the workflow as it was read */
  readonly key: string
  readonly flow: OpenInstanceRow
  /** of the children from here on */
  readonly from: number
  readonly orders: readonly ItemOrder[]
  readonly rights: RunRights
  /** as many run ids in a row as there are orders */
  readonly firstSignalId: number
}

export interface MadeItems {
  readonly parent: OpenInstanceRow
  readonly children: readonly OpenInstanceRow[]
  readonly ended: readonly RunEnd[]
}

/** Makes children of a fan-out, at most 1,000. Null: the parent has moved on, and must be read again. Lock order: task, open_instance. */
export async function makeItems(db: Database, request: MakeItems): Promise<MadeItems | null> {
  const { parentId, at, from, orders, firstSignalId } = request
  return db.write('rest', async (tx) => {
    const targets = await targetsOf(tx, request)
    const [parent] = await lockOpen(tx, [parentId], 'update')
    const part = parent === undefined ? null : fanOutOf(parent)
    if (parent === undefined || part === null || parent.cancel_at !== null || parent.children_made !== from) return null
    const room = part.concurrency === 0 ? orders.length : Math.max(0, part.concurrency - (parent.children_open ?? 0))
    const children: OpenInstanceRow[] = []
    const payloads: PayloadRow[] = []
    const ended: RunEnd[] = []
    for (const [offset, order] of orders.slice(0, room).entries()) {
      const target = order.kind === 'order' ? targets(order) : { refused: order.error }
      const row = childRow(request, parent, {
        index: from + offset,
        itemKey: order.itemKey,
        target: 'refused' in target ? inPlaceOf(request.flow) : target,
      })
      if ('refused' in target) ended.push(refusedChild(row, target.refused, at))
      else children.push(row)
      if (order.kind === 'order' && order.params !== null && !('refused' in target))
        payloads.push({ instance_id: row.id, kind: PARAMS_PAYLOAD, body: order.params })
    }
    const made = children.length + ended.length
    const after = { ...parent, children_made: from + made, children_open: (parent.children_open ?? 0) + made }
    await tx.insert('open_instance', children)
    await tx.insert('payload', payloads)
    await endRuns(tx, at, firstSignalId, ended)
    await tx.run('UPDATE open_instance SET children_made = ?, children_open = ? WHERE id = ?', [
      after.children_made,
      after.children_open,
      parentId,
    ])
    return { parent: after, children, ended }
  })
}

type Target = StepTarget | { readonly refused: RunError }

async function targetsOf(tx: Tx, { orders, flow, rights }: MakeItems): Promise<(order: Extract<ItemOrder, { kind: 'order' }>) => Target> {
  const ids = [...new Set(orders.flatMap((order) => (order.kind === 'order' ? (order.refId ?? []) : [])))]
  await lockRows(tx, 'task', ids, 'share')
  const rows = new Map<number, TaskRow>()
  if (ids.length > 0) {
    const list = listOfNumbers(ids)
    for (const row of await tx.all<TaskRow>(`SELECT * FROM task WHERE id IN ${list.sql}`, list.params)) rows.set(row.id, row)
  }
  const sharded = new Set<number>()
  for (const row of rows.values()) {
    if (row.handler_kind === WORKFLOW_KIND) continue
    const definition = await definitionOf(tx, row.id, row.version)
    if (definition !== null && isSharded(definition)) sharded.add(row.id)
  }
  return ({ refId, isFlow }) => {
    if (refId === null) return inPlaceOf(flow)
    const row = rows.get(refId)
    if (row === undefined || row.deleted_at !== null)
      return { refused: { code: 'WORKFLOW_UNKNOWN_TASK', message: 'what it was to run has been deleted' } }
    if (!isVisible(isFlow ? rights.workflows : rights.tasks, row.group_id))
      return { refused: { code: 'NOT_ALLOWED', message: 'who saved the workflow last may not run it any more' } }
    // it was not when the workflow was saved
    if (sharded.has(refId)) return { refused: { code: 'NOT_ALLOWED_VALUE', message: itemIsSharded(row.name) } }
    return targetOf(row, isFlow)
  }
}

function childRow(
  { flow, at, key }: MakeItems,
  parent: OpenInstanceRow,
  { index, itemKey, target }: { index: number; itemKey: string; target: StepTarget },
): OpenInstanceRow {
  const total = parent.shard_total ?? 0
  const stepNo = parent.step_no ?? 0
  const trace: TraceEntry = { reason: 'itemOf', at, facts: { run: flow.id, step: key, index, total } }
  return {
    ...stepWork(flow, { id: (parent.first_child_id ?? 0) + index, at, stepNo, key, target }),
    trace: appendTrace('[]', at, [trace]),
    on_end: ON_END_PARENT,
    parent_id: parent.id,
    shard_index: index,
    shard_total: total,
    shard_key: itemKey,
  }
}

function refusedChild(row: OpenInstanceRow, error: RunError, at: number): RunEnd {
  return { row, outcome: OUTCOME.failed, endedAt: at, result: null, error, trace: [{ reason: 'failed', at, facts: { code: error.code } }] }
}

/** The items of a fan-out, in order. */
export async function readItems(tx: ReadTx, parentId: number): Promise<readonly Json[]> {
  const [kept] = await tx.all<{ body: string }>('SELECT body FROM payload WHERE instance_id = ? AND kind = ?', [parentId, ITEMS_PAYLOAD])
  const items = jsonOf(kept?.body ?? null)
  return Array.isArray(items) ? (items as readonly Json[]) : []
}

/**
 * What a fan-out that has ended gives: how many children there were and how they ended, and the output of each by its index, null where it did not succeed.
 * `items` is left out where it would be above 256 KiB.
 */
export async function outputOfFanOut(tx: ReadTx, parent: InstanceRow): Promise<Json> {
  const total = parent.shard_total ?? 0
  const first = parent.first_child_id ?? 0
  const [sums] = await tx.all<{ succeeded: number | string | null; bytes: number | string | null }>(
    `SELECT SUM(CASE WHEN outcome = ${OUTCOME.succeeded} THEN 1 ELSE 0 END) AS succeeded, SUM(COALESCE(LENGTH(result), 0)) AS bytes FROM instance WHERE id >= ? AND id < ? AND parent_id = ?`,
    [first, first + total, parent.id],
  )
  const [larger] = await tx.all<{ bytes: number | string | null }>(
    'SELECT SUM(LENGTH(body)) AS bytes FROM payload WHERE instance_id >= ? AND instance_id < ? AND kind = 2',
    [first, first + total],
  )
  const succeeded = Number(sums?.succeeded ?? 0)
  if (Number(sums?.bytes ?? 0) + Number(larger?.bytes ?? 0) > WORKFLOW_LIMITS.itemsBytes) return fanOutOutput({ total, succeeded })
  const items = await outputsOfChildren(tx, { first, total, parentId: parent.id })
  return fanOutOutput({ total, succeeded, items })
}

async function outputsOfChildren(
  tx: ReadTx,
  { first, total, parentId }: { first: number; total: number; parentId: number },
): Promise<Json[]> {
  const rows = await tx.all<{ shard_index: number; result: string | null; body: string | null }>(
    `SELECT i.shard_index, i.result, p.body FROM instance i LEFT JOIN payload p ON p.instance_id = i.id AND p.kind = 2 WHERE i.id >= ? AND i.id < ? AND i.parent_id = ? AND i.outcome = ${OUTCOME.succeeded}`,
    [first, first + total, parentId],
  )
  const items = new Array<Json>(total).fill(null)
  for (const row of rows) items[row.shard_index] = jsonOf(row.body ?? row.result)
  return items
}
