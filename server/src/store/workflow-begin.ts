import { appendTrace, OUTCOME, PHASE } from '@tickwheel/core'
import { startCounts } from './counters.ts'
import type { Database, Tx } from './database.ts'
import { listOfNumbers } from './list.ts'
import { lockOpen } from './open-runs.ts'
import type { RunChange } from './report.ts'
import { runDate } from './run-date.ts'
import { endRuns, FLOW_LANE, PARAMS_PAYLOAD, saveOpen, type RunEnd } from './run-writes.ts'
import type { OpenInstanceRow, PayloadRow, WorkflowRunRow } from './schema.ts'
import { heldSlots, type Fences } from './slots.ts'
import { startParams, wordsOf, type StartParams } from './workflow-params.ts'
import type { FlowDefinition } from './workflow-state.ts'

/** A queued run of a workflow whose turn has come. */
export interface Beginning {
  readonly instanceId: number
  readonly slot: number
  readonly definition: FlowDefinition
}

/**
 * Begins runs of workflows: from here on each runs until its steps have ended, and has no executor. What was canceled or begun meanwhile is left alone, and
 * so is what another node owns. One whose params do not fit fails. `firstId`: as many run ids in a row as there are beginnings.
 */
export async function beginWorkflowRuns(
  db: Database,
  at: number,
  fences: Fences,
  { beginnings, firstId, serverZone }: { beginnings: readonly Beginning[]; firstId: number; serverZone: string },
): Promise<RunChange[]> {
  return db.write('fire', async (tx) => {
    const held = await heldSlots(tx, fences)
    const found = await lockOpen(
      tx,
      beginnings.map((one) => one.instanceId),
      'updateFree',
    )
    const rows = found.filter((row) => held.has(row.slot) && row.phase === PHASE.queued && row.cancel_at === null)
    if (rows.length === 0) return []
    const definitions = new Map(beginnings.map((one) => [one.instanceId, one.definition]))
    const given = await paramsOf(tx, rows)
    const parents = await parentsOf(tx, rows)
    const begun: OpenInstanceRow[] = []
    const beside: WorkflowRunRow[] = []
    const payloads: { old: string | undefined; row: PayloadRow }[] = []
    const ends: RunEnd[] = []
    for (const row of rows) {
      const definition = definitions.get(row.id)
      if (definition === undefined) continue
      const old = given.get(row.id)
      const read = startParams(definition.flow.graph.paramsSchema, old ?? definition.params)
      if (read.kind === 'problems') {
        ends.push(refused(row, read, at))
        continue
      }
      begun.push(begin(row, definition, at))
      beside.push(besideOf(row, { definition, serverZone, parent: parents.get(row.workflow_run_id ?? 0) ?? null }))
      if (read.text !== (old ?? '{}')) payloads.push({ old, row: { instance_id: row.id, kind: PARAMS_PAYLOAD, body: read.text } })
    }
    await saveOpen(tx, begun)
    // one that a retry or a pause has prepared is there already
    await tx.insertNew('workflow_run', beside)
    await savePayloads(tx, payloads)
    const starts = begun.flatMap((row) => startCounts(row, at))
    await endRuns(tx, at, firstId, ends, starts)
    return [
      ...begun.map((row): RunChange => ({ kind: 'open', row })),
      ...ends.map((end): RunChange => ({ kind: 'ended', row: end.row, outcome: end.outcome, endedAt: end.endedAt })),
    ]
  })
}

/** Looked at at once: `rank_at` is now, so that whoever owns the slot finds it, whatever becomes of this process. */
function begin(row: OpenInstanceRow, { flow }: FlowDefinition, at: number): OpenInstanceRow {
  return {
    ...row,
    phase: PHASE.running,
    lane: FLOW_LANE,
    rank_at: at,
    started_at: at,
    wait_code: null,
    wait_facts: null,
    trace: appendTrace(row.trace, row.created_at, [{ reason: 'begun', at, facts: { steps: flow.graph.steps.length } }]),
  }
}

/** A run within another has its business date, and is one deeper. */
export function besideOf(
  row: OpenInstanceRow,
  { definition, serverZone, parent }: { definition: FlowDefinition; serverZone: string; parent: WorkflowRunRow | null },
): WorkflowRunRow {
  return {
    run_id: row.id,
    workflow_id: row.task_id,
    version: row.task_version,
    run_date: parent?.run_date ?? runDate(row, definition.schedule, serverZone),
    depth: parent === null ? 0 : parent.depth + 1,
    paused_at: null,
    paused_by: null,
  }
}

function refused(row: OpenInstanceRow, { problems }: Extract<StartParams, { kind: 'problems' }>, at: number): RunEnd {
  const message = wordsOf(problems)
  return {
    row,
    outcome: OUTCOME.failed,
    endedAt: at,
    result: null,
    error: { code: 'PARAMS_INVALID', message },
    trace: [{ reason: 'paramsRefused', at, facts: { problem: message.slice(0, 500) } }],
  }
}

async function paramsOf(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<Map<number, string>> {
  const list = listOfNumbers(rows.map((row) => row.id))
  const payloads = await tx.all<PayloadRow>(`SELECT * FROM payload WHERE instance_id IN ${list.sql} AND kind = ?`, [
    ...list.params,
    PARAMS_PAYLOAD,
  ])
  return new Map(payloads.map((payload) => [payload.instance_id, payload.body]))
}

async function parentsOf(tx: Tx, rows: readonly OpenInstanceRow[]): Promise<Map<number, WorkflowRunRow>> {
  const ids = rows.flatMap((row) => row.workflow_run_id ?? [])
  if (ids.length === 0) return new Map()
  const list = listOfNumbers(ids)
  const parents = await tx.all<WorkflowRunRow>(`SELECT * FROM workflow_run WHERE run_id IN ${list.sql}`, list.params)
  return new Map(parents.map((parent) => [parent.run_id, parent]))
}

async function savePayloads(tx: Tx, payloads: readonly { old: string | undefined; row: PayloadRow }[]): Promise<void> {
  const known = payloads.filter(({ old }) => old !== undefined)
  await tx.runMany(
    'UPDATE payload SET body = ? WHERE instance_id = ? AND kind = ?',
    known.map(({ row }) => [row.body, row.instance_id, row.kind]),
  )
  await tx.insert(
    'payload',
    payloads.filter(({ old }) => old === undefined).map(({ row }) => row),
  )
}
