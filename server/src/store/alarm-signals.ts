import {
  ALARM_EVENT,
  ALARM_TARGET,
  CAUSE,
  reasonOf,
  SKIP_REASONS,
  slotOf,
  type AlarmEvent,
  type AlarmTargetKind,
  type Facts,
} from '@tickwheel/core'
import type { Database, ReadTx, Tx } from './database.ts'
import type { FireItem } from './fire.ts'
import { inSlots } from './in-slots.ts'
import type { RunEnd } from './run-writes.ts'
import type { AlarmSignalRow, OpenInstanceRow } from './schema.ts'

const ERROR_KEPT = 200

/**
 * Leaves what alarm rules see in the ends of runs, in the transaction that ends them; one consumer for each rule applies it. Nothing is read and nothing
 * written where no rule watches for such an end.
 */
export async function leaveEnds(tx: Tx, ends: readonly RunEnd[]): Promise<void> {
  const { rules } = tx.watch
  if (rules.isEmpty) return
  const rows = ends.filter(({ row }) => isWatched(row)).flatMap((end) => rules.seenAtEnd(endSeen(end)).map((seen) => endSignal(seen, end)))
  if (rows.length > 0) await tx.insertNew('alarm_signal', rows)
}

/** A shard is told by its parent, and a step that is defined in its workflow by the workflow's run. */
function isWatched(row: OpenInstanceRow): boolean {
  const isStepOfItself = row.workflow_run_id !== null && row.task_id === row.workflow_id
  return row.cause !== CAUSE.shard && row.parent_id === null && !isStepOfItself
}

function endSeen({ row, outcome, endedAt }: RunEnd): Parameters<Tx['watch']['rules']['seenAtEnd']>[0] {
  // a step, a backfill and a retry carry the instant of what they belong to, and are not late for it
  const dueAt = row.cause === CAUSE.schedule ? row.due_at : null
  return { groupId: row.group_id, taskId: row.task_id, outcome, dueAt, startedAt: row.started_at, endedAt }
}

function endSignal({ ruleId, event }: { readonly ruleId: number; readonly event: AlarmEvent }, end: RunEnd): AlarmSignalRow {
  const { row, outcome, endedAt, error } = end
  const facts: Facts = {
    ...(error === null ? {} : { error: error.message.slice(0, ERROR_KEPT) }),
    ...(row.started_at === null ? {} : { tookMs: endedAt - row.started_at }),
    ...(row.due_at === null ? {} : { dueAt: row.due_at }),
    ...(row.due_at === null || row.started_at === null ? {} : { lateMs: row.started_at - row.due_at }),
    ...(event === 'missed' ? { reason: 'overlap' } : {}),
  }
  return {
    ...head(ruleId, event, `r${row.id}`),
    at: endedAt,
    group_id: row.group_id,
    target_kind: row.runs_workflow === 1 ? ALARM_TARGET.workflow : ALARM_TARGET.task,
    target_id: row.task_id,
    instance_id: row.id,
    outcome,
    count: 1,
    facts: JSON.stringify(facts),
  }
}

/** Leaves due instants that did not fire, in the transaction that writes them into the ledger. */
export async function leaveSkips(tx: Tx, at: number, items: readonly FireItem[]): Promise<void> {
  if (!tx.watch.rules.watches('missed') && !tx.watch.rules.watches('queueFull')) return
  const rows = items.flatMap((item) => skipSignals(tx, at, item))
  if (rows.length > 0) await tx.insertNew('alarm_signal', rows)
}

function skipSignals({ watch }: Tx, at: number, { seriesId, groupId, taskId, skips, widen }: FireItem): AlarmSignalRow[] {
  const passed = [
    ...skips.map((skip) => ({ toAt: skip.to_at, count: skip.count ?? 1, reason: skip.reason })),
    ...(widen === null ? [] : [widen]),
  ]
  return passed.flatMap(({ toAt, count, reason: code }) => {
    const reason = SKIP_REASONS.find((one) => one === reasonOf(code))
    if (reason === undefined) return []
    return watch.rules.seenSkip(groupId, taskId, reason).map(({ ruleId, event }) => ({
      ...head(ruleId, event, `s${seriesId}@${toAt}`),
      at,
      group_id: groupId,
      target_kind: ALARM_TARGET.task,
      target_id: taskId,
      instance_id: 0,
      outcome: 0,
      count,
      facts: JSON.stringify({ reason, dueAt: toAt }),
    }))
  })
}

/** Something that happened beside runs and ledger, or that is over (`clear`). */
export interface Raised {
  readonly event: AlarmEvent
  /** `name`: shown where the thing has no row of its own */
  readonly target: { readonly kind: AlarmTargetKind; readonly id: number; readonly name: string }
  /** null: of no group */
  readonly groupId: number | null
  /** epoch ms */
  readonly at: number
  /** Names the occurrence among those of its event: while one with the same key waits to be applied, another is not left. */
  readonly key: string
  readonly facts?: Facts
  readonly instanceId?: number
  /** the incident of this event and target is over */
  readonly clear?: true
}

/**
 * Leaves an occurrence for every rule that watches for it, in the caller's transaction; how many rules that are. A rule that names tasks is told of
 * those tasks alone.
 */
export async function raiseAlarms(tx: Tx, raised: readonly Raised[]): Promise<number> {
  if (tx.watch.rules.isEmpty) return 0
  const rows = raised.flatMap((one) => {
    const isTask = one.target.kind === 'task' || one.target.kind === 'workflow'
    return tx.watch.rules.watchersOf(one.event, one.groupId, isTask ? one.target.id : null).map(({ ruleId }) => raisedSignal(ruleId, one))
  })
  return rows.length === 0 ? 0 : tx.insertNew('alarm_signal', rows)
}

/** The same for one rule alone, whatever it watches for. */
export async function raiseForRules(tx: Tx, raised: readonly { readonly ruleId: number; readonly raised: Raised }[]): Promise<void> {
  if (raised.length > 0)
    await tx.insertNew(
      'alarm_signal',
      raised.map((one) => raisedSignal(one.ruleId, one.raised)),
    )
}

function raisedSignal(ruleId: number, { event, target, groupId, at, key, facts, instanceId, clear }: Raised): AlarmSignalRow {
  return {
    ...head(ruleId, event, clear === true ? `-${key}` : `+${key}`),
    at,
    group_id: groupId,
    target_kind: ALARM_TARGET[target.kind],
    target_id: target.id,
    instance_id: instanceId ?? 0,
    outcome: 0,
    count: clear === true ? 0 : 1,
    facts: JSON.stringify({ ...facts, name: target.name }),
  }
}

function head(ruleId: number, event: AlarmEvent, key: string): Pick<AlarmSignalRow, 'rule_id' | 'event' | 'signal_key' | 'slot'> {
  return { rule_id: ruleId, event: ALARM_EVENT[event], signal_key: key, slot: slotOf('alarm', ruleId) }
}

/** Signals of rules in the given slots, oldest first. */
export async function pendingAlarms(db: Database, slots: ReadonlySet<number>, limit: number): Promise<AlarmSignalRow[]> {
  if (slots.size === 0) return []
  const here = inSlots(slots)
  return db.read((tx) => readAlarms(tx, here, limit))
}

async function readAlarms(tx: ReadTx, here: ReturnType<typeof inSlots>, limit: number): Promise<AlarmSignalRow[]> {
  return tx.all<AlarmSignalRow>(`SELECT * FROM alarm_signal WHERE 1 = 1${here.sql} ORDER BY at, rule_id, signal_key LIMIT ?`, [
    ...here.params,
    limit,
  ])
}
