import type { Bulk, Executor, Incident, Instance, InstanceListItem } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Identities, SignedUser } from '../auth/signed-user.ts'
import type { Events } from '../engine/events.ts'
import type { Log } from '../log.ts'
import type { LogStore } from '../store/logs.ts'
import type { LiveWorkflowRun } from '../store/workflow-run-views.ts'

/** What the live server reads from the store. Ids outside the scope, or unknown, are left out. */
export interface LiveReads {
  instances(ids: readonly number[], scope: Scope): Promise<readonly InstanceListItem[]>
  /** A run of a workflow without its definition; null: it is not there, or outside the scope. `mayViewParams`: in which groups what went in is shown. */
  workflowRun(workflowRunId: number, scope: Scope, mayViewParams: (groupId: number) => boolean): Promise<LiveWorkflowRun | null>
  progress(instanceId: number): Promise<Instance['progress']>
  executors(ids: readonly number[], scope: Scope): Promise<readonly Executor[]>
  incidents(ids: readonly number[], scope: Scope): Promise<readonly Incident[]>
  /** A bulk operation; null: it is not there, or not theirs to see. */
  bulk(bulkId: number, user: Pick<SignedUser, 'user' | 'grants'>): Promise<Bulk | null>
  hasGroup(groupId: number): Promise<boolean>
  /** The group of a run and whether it has ended; null when there is no such run. */
  run(instanceId: number): Promise<{ readonly groupId: number; readonly hasEnded: boolean } | null>
}

export interface LiveParts {
  readonly identities: Pick<Identities, 'find'>
  readonly events: Events
  readonly logs: LogStore
  readonly reads: LiveReads
  /** Takes a call from the budget `read` of a user or token; throws `RATE_LIMITED`. */
  readonly takeRead: (user: SignedUser) => Promise<void>
  /** Takes a call without a good credential from the budget `anonymous` of an address; throws `RATE_LIMITED`. */
  readonly takeAnonymous: (ip: string) => Promise<void>
  /** how many connections one user and one address may have */
  readonly limits: { readonly perUser: number; readonly perAddress: number }
  /** The first console has come (true), or the last one is gone. */
  readonly watching: (isWatched: boolean) => void
  readonly log: Log
}
