import type { Heartbeat, HeartbeatAnswer, Register, TaskCreate, TaskUpdate, TriggerBody } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Caller } from '../store/caller.ts'

/**
 * What people and programs may ask the engine to do. Each is one transaction in the store, with its audit row, then a hint to the wheel and an event.
 * `scope`: the groups that the caller may see for this permission; what lies outside does not exist for them. Throws `AppError`.
 */
export interface Commands {
  createTask(input: TaskCreate, scope: Scope, caller: Caller): Promise<{ taskId: number }>
  updateTask(taskId: number, input: TaskUpdate, scope: Scope, caller: Caller): Promise<void>
  restoreTaskVersion(taskId: number, version: number, scope: Scope, caller: Caller): Promise<void>
  startTask(taskId: number, scope: Scope, caller: Caller): Promise<void>
  stopTask(taskId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  deleteTask(taskId: number, options: { cancelRunning: boolean }, scope: Scope, caller: Caller): Promise<void>
  /** `key`: the caller's Idempotency-Key, already bound to the caller and the path; null without one. */
  trigger(taskId: number, body: TriggerBody, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }>
  cancelInstance(instanceId: number, scope: Scope, caller: Caller): Promise<void>
  retryInstance(instanceId: number, key: string | null, scope: Scope, caller: Caller): Promise<{ instanceId: number }>
  /** The group was found by `appName` and the token allows it. */
  registerExecutor(groupId: number, register: Register, caller: Caller): Promise<{ executorId: number; bootId: number }>
  heartbeat(session: { executorId: number; bootId: number }, beat: Heartbeat): Promise<HeartbeatAnswer>
  drainExecutor(executorId: number, draining: boolean, scope: Scope, caller: Caller): Promise<void>
  forgetExecutor(executorId: number, scope: Scope, caller: Caller): Promise<void>
}

/** What readiness and metrics ask the engine. */
export interface EngineStatus {
  readonly runId: number
  readonly isFiring: boolean
  readonly slotsOwned: number
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
