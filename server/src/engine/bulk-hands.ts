import { AppError, BULK_PERMISSIONS, type Bulk, type ErrorCode } from '@tickwheel/contract'
import type { Permission, Scope } from '@tickwheel/core'
import { noteWait, Overtaken, settleAlone, settlingDatabase, type ItemResult } from '../store/bulk-items.ts'
import { actionOfBulk, callerOfBulk, kindOfBulk } from '../store/bulk-rows.ts'
import type { Caller, Change } from '../store/caller.ts'
import { cancelOne } from '../store/cancel.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import { groupOf } from '../store/locate.ts'
import type { RunChange } from '../store/report.ts'
import { TASK, WORKFLOW } from '../store/scheduled-kind.ts'
import type { TaskChanged } from '../store/scheduled.ts'
import type { BulkItemRow, BulkRow, OpenInstanceRow } from '../store/schema.ts'
import { isVisible } from '../store/scope.ts'
import type { Fences } from '../store/slots.ts'
import { deleteTask, setTaskEnabled } from '../store/tasks.ts'
import { retry, trigger, type OpenRunCounts, type Triggered } from '../store/trigger.ts'
import { triggerWorkflow } from '../store/workflow-trigger.ts'
import type { Clock } from './clock.ts'

/** In which groups somebody has a permission. */
export type Scopes = (permission: Permission) => Scope

export interface BulkHandsOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  /** what who has asked may do now; absent: everything */
  readonly scopesOf: ((caller: Caller) => Promise<Scopes>) | null
  readonly openRunsOf: (taskId: number) => OpenRunCounts
  readonly onMade: (row: OpenInstanceRow) => void
  readonly onRetried: (instanceId: number, row: OpenInstanceRow) => void
  readonly onChanges: (changes: readonly RunChange[]) => void
  readonly onScheduled: (changed: TaskChanged) => Promise<void>
  readonly cancelMany: (instanceIds: readonly number[], caller: Caller) => Promise<void>
}

/** `waits`: it cannot be done yet, and is tried again. `overtaken`: somebody else decides about it now. An error: it was refused, which the caller settles. */
export type Handled = 'settled' | 'waits' | 'overtaken' | AppError

interface Work {
  readonly bulk: BulkRow
  readonly item: BulkItemRow
  readonly caller: Caller
  /** where who has asked may do it */
  readonly scope: Scope
  /** a store whose one write also settles the item */
  readonly settling: (resultOf: (written: unknown) => ItemResult) => Database
  readonly settle: (result: ItemResult) => Promise<void>
}

/**
 * Carries out one item of a bulk operation as who has asked for it, with the rights that they have now. What it does and that it was done are one commit,
 * so an item whose process dies is done either wholly or not at all. What takes several commits may be begun again: each of them changes nothing twice.
 */
export class BulkHands {
  readonly #options: BulkHandsOptions

  constructor(options: BulkHandsOptions) {
    this.#options = options
  }

  /** Throws what nobody expected, and `StoreAway`. */
  async carryOut(bulk: BulkRow, item: BulkItemRow, fences: Fences): Promise<Handled> {
    const { db } = this.#options
    const settling = { bulk, place: item.place, fences }
    const settle = (result: ItemResult): Promise<void> => settleAlone(db, settling, result)
    try {
      const caller = callerOfBulk(bulk)
      const scope = await this.#scopeFor(bulk, item, caller)
      const of = (resultOf: (written: unknown) => ItemResult): Database => settlingDatabase(db, settling, resultOf)
      await this.#do({ bulk, item, caller, scope, settling: of, settle })
      return 'settled'
    } catch (error) {
      if (error instanceof Overtaken) return 'overtaken'
      if (!(error instanceof AppError)) throw error
      if (error.code !== 'QUEUE_FULL') return error
      if (item.problem === null) await noteWait(db, settling, error)
      return 'waits'
    }
  }

  /** Judges it by the group that it is in now. 404 where it is not to be seen, 403 where this may not be done to it. */
  async #scopeFor(bulk: BulkRow, { target_id: id }: BulkItemRow, caller: Caller): Promise<Scope> {
    const { db, scopesOf } = this.#options
    const [kind, permission] = [kindOfBulk(bulk), permissionOf(bulk)]
    const scopes = scopesOf === null ? (): Scope => 'all' : await scopesOf(caller)
    const groupId = await groupOf(db, kind, id)
    if (groupId === null || !isVisible(scopes(`${kind}:view`), groupId)) throw new AppError(NOT_FOUND[kind], `There is no ${kind} ${id}.`)
    const scope = scopes(permission)
    if (!isVisible(scope, groupId)) throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`, { params: { permission } })
    return scope
  }

  async #do(work: Work): Promise<void> {
    const { bulk } = work
    const kind = kindOfBulk(bulk)
    switch (actionOfBulk(bulk)) {
      case 'start':
        return this.#start(work)
      case 'stop':
        return this.#stop(work)
      case 'delete':
        return this.#delete(work)
      case 'trigger':
        return kind === 'workflow' ? this.#triggerWorkflow(work) : this.#trigger(work)
      case 'cancel':
        return this.#cancel(work)
      case 'retry':
        return this.#retry(work)
    }
  }

  async #start({ bulk, item, settling, ...asked }: Work): Promise<void> {
    const what = { taskId: item.target_id, isEnabled: true, kind: scheduledKind(bulk) }
    const changed = await setTaskEnabled(
      settling(() => DONE),
      what,
      await this.#change(asked),
    )
    await this.#options.onScheduled(changed)
  }

  async #stop({ bulk, item, settling, settle, ...asked }: Work): Promise<void> {
    const { db, onScheduled } = this.#options
    const what = { taskId: item.target_id, isEnabled: false, kind: scheduledKind(bulk) }
    if (bulk.cancel_running === 0) {
      await onScheduled(
        await setTaskEnabled(
          settling(() => DONE),
          what,
          await this.#change(asked),
        ),
      )
      return
    }
    await this.#stopRuns(db, what, asked)
    await settle(DONE)
  }

  /** Runs are canceled first, so that none is left over of what is gone. */
  async #delete({ bulk, item, settling, ...asked }: Work): Promise<void> {
    const { db, onScheduled, cancelMany } = this.#options
    const cancelRunning = bulk.cancel_running === 1
    const what = { taskId: item.target_id, kind: scheduledKind(bulk) }
    if (cancelRunning) await this.#stopRuns(db, { ...what, isEnabled: false }, asked)
    const changed = await deleteTask(
      settling(() => DONE),
      { ...what, cancelRunning },
      await this.#change(asked),
    )
    await onScheduled(changed)
    await cancelMany(changed.openRunIds, asked.caller)
  }

  async #stopRuns(
    db: Database,
    what: Omit<Parameters<typeof setTaskEnabled>[1], 'cancelRunning'>,
    asked: Pick<Work, 'scope' | 'caller'>,
  ): Promise<void> {
    const changed = await setTaskEnabled(db, { ...what, cancelRunning: true }, await this.#change(asked))
    await this.#options.onScheduled(changed)
    await this.#options.cancelMany(changed.openRunIds, asked.caller)
  }

  async #trigger(work: Work): Promise<void> {
    const { openRunsOf, ids } = this.#options
    const { item, settling } = work
    const runId = await ids.take(2)
    const request = { ...this.#runRequest(work, runId), taskId: item.target_id, params: null, executorId: null, scheduledAt: null }
    const [made] = await trigger(
      settling((written) => resultOfTriggers(written)),
      [{ ...request, openRuns: openRunsOf(item.target_id) }],
    )
    this.#made(made)
  }

  async #triggerWorkflow(work: Work): Promise<void> {
    const { openRunsOf, ids } = this.#options
    const { item, settling } = work
    const runId = await ids.take(2)
    const request = { ...this.#runRequest(work, runId), workflowId: item.target_id, params: null, scheduledAt: null }
    this.#made(await triggerWorkflow(settling(resultOfRun), { ...request, openRuns: openRunsOf(item.target_id) }))
  }

  async #retry(work: Work): Promise<void> {
    const { openRunsOf, ids, onRetried } = this.#options
    const { item, settling } = work
    const runId = await ids.take(2)
    const made = await retry(settling(resultOfRun), { ...this.#runRequest(work, runId), instanceId: item.target_id, openRunsOf })
    this.#made(made)
    if (made.row !== null) onRetried(item.target_id, made.row)
  }

  async #cancel({ bulk, item, scope, caller, settling }: Work): Promise<void> {
    const { clock, ids, onChanges } = this.#options
    const changes = await cancelOne(
      settling(() => DONE),
      {
        instanceId: item.target_id,
        instanceIds: [item.target_id],
        scope,
        at: clock.now(),
        firstId: await ids.take(2),
        caller,
        by: caller.actor.name,
        bulk,
      },
    )
    onChanges(changes)
  }

  #made(made: Triggered | AppError | undefined): void {
    if (made !== undefined && !(made instanceof AppError) && made.row !== null) this.#options.onMade(made.row)
  }

  #runRequest({ bulk, scope, caller }: Work, runId: number) {
    return { scope, at: this.#options.clock.now(), runId, auditId: runId + 1, keyHash: null, caller, bulk }
  }

  async #change({ scope, caller }: Pick<Work, 'scope' | 'caller'>): Promise<Change> {
    return { now: this.#options.clock.now(), auditId: await this.#options.ids.take(1), scope, caller }
  }
}

const DONE: ItemResult = { runId: null }
const NOT_FOUND = {
  task: 'TASK_NOT_FOUND',
  workflow: 'WORKFLOW_NOT_FOUND',
  instance: 'INSTANCE_NOT_FOUND',
} as const satisfies Record<Bulk['kind'], ErrorCode>

function permissionOf(bulk: BulkRow): Permission {
  const permissions: Readonly<Record<string, Permission>> = BULK_PERMISSIONS[kindOfBulk(bulk)]
  const permission = permissions[actionOfBulk(bulk)]
  if (permission === undefined) throw new Error(`bulk operation ${bulk.id}: ${kindOfBulk(bulk)} has no ${actionOfBulk(bulk)}`)
  return permission
}

function scheduledKind(bulk: BulkRow): typeof TASK {
  return kindOfBulk(bulk) === 'workflow' ? WORKFLOW : TASK
}

/** A queue that is full stands in nobody's way for long: nothing of it is kept, and it is tried again. */
function resultOfTriggers(written: unknown): ItemResult {
  const made: unknown = Array.isArray(written) ? written[0] : undefined
  if (!(made instanceof AppError)) return resultOfRun(made)
  if (made.code === 'QUEUE_FULL') throw made
  return { problem: made }
}

function resultOfRun(made: unknown): ItemResult {
  return {
    runId:
      typeof made === 'object' && made !== null && 'instanceId' in made && typeof made.instanceId === 'number' ? made.instanceId : null,
  }
}
