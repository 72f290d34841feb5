import { AppError, type RouteId } from '@tickwheel/contract'
import type { Config } from '../config/schema.ts'

export type Role = Config['role']

/** What a node that only fires answers: its executors, and whoever watches over the process. */
const OF_SCHEDULERS: ReadonlySet<RouteId> = new Set(['registerExecutor', 'heartbeat', 'reportRuns', 'healthz', 'readyz', 'metrics'])

/** Whether a node of a role serves people and programs: every call, the console with its live connection, the reference. */
export function servesPeople(role: Role): boolean {
  return role !== 'scheduler'
}

/** Whether a node of a role answers a call of the contract. */
export function serves(role: Role, call: RouteId): boolean {
  return servesPeople(role) || OF_SCHEDULERS.has(call)
}

/** Whether a node of a role owns slots and fires. */
export function fires(role: Role): boolean {
  return role !== 'api'
}

/** What anything else is told by a node that does not serve it. */
export function askApiNode(): AppError {
  return new AppError('ASK_API_NODE', 'This node only fires tasks (role scheduler): ask one whose role is api or all.')
}
