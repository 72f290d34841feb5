import type {
  BackfillBody,
  BulkBody,
  Register,
  RouteAnswer,
  TaskCreate,
  TaskUpdate,
  TriggerBody,
  WorkflowCreate,
  WorkflowRetryBody,
  WorkflowTriggerBody,
  WorkflowUpdate,
} from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Applied, ApplyWish } from '../store/apply-document.ts'
import type { BackfillTarget } from '../store/backfills.ts'
import type { Caller } from '../store/caller.ts'
import type { Reach } from '../store/executors.ts'
import type { HeldFiring } from '../store/held.ts'
import type { Completion, Decision } from '../store/workflow-commands.ts'
import type { RunRights } from '../store/run-rights.ts'

export type { HeldFiring }

/**
 * What people and programs may ask the engine to do. Each is one transaction in the store, with its audit row, then a hint to the wheel and an event.
 * `scope`: the groups that the caller may see for this permission; what lies outside does not exist for them. Throws `AppError`.
 */
export interface Commands {
  /** `mayRefer`: the groups whose secrets the caller may see, and so refer to; absent: none. */
  createTask(input: TaskCreate, scope: Scope, caller: Caller, mayRefer?: Scope): Promise<{ taskId: number }>
  updateTask(taskId: number, input: TaskUpdate, scope: Scope, caller: Caller, mayRefer?: Scope): Promise<void>
  restoreTaskVersion(taskId: number, version: number, scope: Scope, caller: Caller, mayRefer?: Scope): Promise<void>
  startTask(taskId: number, scope: Scope, caller: Caller): Promise<void>
  stopTask(taskId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  deleteTask(taskId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  /** `mayRun`: where the caller may run what the workflow refers to. */
  createWorkflow(input: WorkflowCreate, mayRun: RunRights, scope: Scope, caller: Caller): Promise<{ workflowId: number }>
  updateWorkflow(workflowId: number, input: WorkflowUpdate, mayRun: RunRights, scope: Scope, caller: Caller): Promise<void>
  restoreWorkflowVersion(workflowId: number, version: number, mayRun: RunRights, scope: Scope, caller: Caller): Promise<void>
  startWorkflow(workflowId: number, scope: Scope, caller: Caller): Promise<void>
  stopWorkflow(workflowId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  deleteWorkflow(workflowId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  /** Makes groups, tasks and workflows what a document says, in one transaction; a dry run says what would be done. */
  applyDocument(wish: DocumentWish, caller: Caller): Promise<Applied>
  /** `key`: the caller's Idempotency-Key, already bound to the caller and the path; null without one. */
  trigger(taskId: number, body: TriggerWish, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }>
  /** Who would get a run of a task if it came now. */
  previewRoute(taskId: number, scope: Scope): Promise<RouteAnswer>
  cancelInstance(instanceId: number, scope: Scope, caller: Caller): Promise<void>
  retryInstance(instanceId: number, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }>
  /** `params`: fitting the schema of the workflow, 422 otherwise. `key`: as of `trigger`. */
  triggerWorkflow(
    workflowId: number,
    body: WorkflowTriggerBody,
    key: string | null,
    scope: Scope,
    caller: Caller,
  ): Promise<{ workflowRunId: number }>
  /** What runs is canceled, nothing starts any more, then the run ends. */
  cancelWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void>
  /** What runs ends, nothing starts. */
  pauseWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void>
  resumeWorkflowRun(runId: number, scope: Scope, caller: Caller): Promise<void>
  /** Runs an ended run again as a new run; what is not run again is kept. */
  retryWorkflowRun(
    runId: number,
    body: WorkflowRetryBody,
    key: string | null,
    scope: Scope,
    caller: Caller,
  ): Promise<{ workflowRunId: number }>
  decideStep(runId: number, stepKey: string, decision: Decision, scope: Scope, caller: Caller): Promise<void>
  /** Marks a step as done, with what it would have given; what it runs is canceled. */
  completeStep(runId: number, stepKey: string, completion: Completion, scope: Scope, caller: Caller): Promise<void>
  /** Runs what was due between two instants; its runs are made one after another. `key`: as of `trigger`. */
  backfill(of: BackfillTarget, body: BackfillBody, key: string | null, scope: Scope, caller: Caller): Promise<{ backfillId: number }>
  /** Makes no more runs of it; `cancelRunning`: and cancels those that are open. */
  cancelBackfill(backfillId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  /** Does one thing to many. `scope`: where the caller sees such things; what may be done to each is judged when its turn comes. `key`: as of `trigger`. */
  startBulk(body: BulkBody, key: string | null, scope: Scope, caller: Caller): Promise<{ bulkId: number; total: number }>
  /** Does nothing more of it. The caller was found to be who may. */
  cancelBulk(bulkId: number, caller: Caller): Promise<void>
  /** The rules of a calendar were changed: what uses it follows, soon or within a second. */
  calendarChanged(): void
  /** The group was found by `appName` and the token allows it. */
  registerExecutor(groupId: number, register: Register, caller: Caller, reach?: Reach): Promise<{ executorId: number; bootId: number }>
  drainExecutor(executorId: number, draining: boolean, scope: Scope, caller: Caller): Promise<void>
  forgetExecutor(executorId: number, scope: Scope, caller: Caller): Promise<void>
  /** Nodes, slots and leases as they are now. */
  cluster(): Promise<ClusterView>
  /**
   * Lets firing go on after a restore. `fromNow`: every instant that passed is skipped with the reason `restored`; `replay`: each task's misfire policy
   * decides. Throws `AppError`: `FIRING_NOT_HELD`; `NODE_TOO_OLD` for `fromNow` while a live node does not know that reason.
   */
  resumeFiring(how: 'fromNow' | 'replay', caller: Caller): Promise<void>
}

/** What is applied: the engine knows the rest. */
export type DocumentWish = Pick<ApplyWish, 'document' | 'dryRun' | 'plan' | 'scopeOf'>

/** `mayRefer`: the groups whose secrets the caller may see, and so refer to in params of their own; absent: none. */
export type TriggerWish = TriggerBody & { readonly mayRefer?: Scope }

/** What a node tells the others with each beat, in its row. */
export interface NodeFacts {
  /** how late the wheel handed over what was due, the worst of the last seconds, ms */
  readonly lagMs: number
  /** how far the clock of its machine is ahead of the database's, ms */
  readonly skewMs: number
  readonly openRuns: number
  readonly queuedRuns: number
  /** executors that hold their link there */
  readonly links: number
  readonly redis: 'none' | 'ok' | 'away'
  /** how often it tried for a slot that another node took at the same time, since it started */
  readonly contended: number
  /** for how long every beat was written in time, ms: a newcomer may not take the slots of the dead yet */
  readonly steadyMs: number
  /** tasks of its slots with many open runs: [task, open runs] */
  readonly fullTasks: readonly (readonly [number, number])[]
}

export interface ClusterNode {
  readonly runId: number
  readonly name: string
  readonly url: string
  readonly roles: readonly string[]
  readonly version: string
  readonly level: number
  readonly isThis: boolean
  /** its beats come in time */
  readonly isAlive: boolean
  /** by the database's clock */
  readonly beatAgeMs: number
  readonly startedAt: number
  readonly slots: number
  /** null: a version that does not tell */
  readonly facts: NodeFacts | null
}

export interface ClusterSlot {
  readonly slot: number
  /** null: nobody */
  readonly owner: number | null
  readonly fence: number
  readonly takenAt: number
  /** in Redis; null: none, or Redis is away */
  readonly lease: { readonly owner: number; readonly remainingMs: number } | null
}

export interface ClusterView {
  readonly now: number
  readonly store: 'sqlite' | 'mysql'
  readonly redis: 'none' | 'ok' | 'away'
  /** what every live node knows */
  readonly level: number
  readonly held: HeldFiring | null
  /** how often two nodes tried for one slot, over the live nodes since they started */
  readonly contended: number
  readonly nodes: readonly ClusterNode[]
  readonly slots: readonly ClusterSlot[]
}

/** What readiness and metrics ask the engine. */
export interface EngineStatus {
  readonly runId: number
  readonly isFiring: boolean
  /** its beats are written in time: it may own slots, and what it owns is its own */
  readonly isInTime: boolean
  /** how long ago the last beat that was written was sent, ms; null: none was yet */
  readonly beatAgeMs: number | null
  readonly slotsOwned: number
  /** how often it tried for a slot that another node took at the same time */
  readonly contended: number
  /** how late the wheel was, the worst of the last seconds, ms */
  readonly lagMs: number
  /** nothing fires until a person says how to go on; null: not held */
  readonly held: HeldFiring | null
  readonly armedTimers: number
  readonly openRuns: number
  readonly queuedRuns: number
  readonly liveExecutors: number
  readonly storeAway: boolean
  /** counters since start, by name */
  readonly counts: Readonly<Record<string, number>>
}

/** What is known of an executor beside its row: null when it has no session. */
export interface LiveExecutor {
  readonly executorId: number
  readonly bootId: number
  readonly inFlight: readonly {
    readonly instanceId: number
    readonly attempt: number
    readonly taskId: number
    readonly taskName: string
    readonly startedAt: number | null
  }[]
  readonly load: { readonly cpu: number; readonly memory: number; readonly running: number; readonly queued: number } | null
  readonly seenAt: number
  readonly isConnected: boolean
  /** it drains itself, because its process stops */
  readonly isStopping: boolean
}
