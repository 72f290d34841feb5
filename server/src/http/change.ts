import type { Scope } from '@tickwheel/core'
import type { Caller, Change } from '../store/caller.ts'
import type { RunIds } from '../store/ids.ts'

/** What every change of the store needs beside its own data, for one call. */
export type MakeChange = (asked: { readonly scope: Scope; readonly caller: Caller }) => Promise<Change>

/** Takes the audit row's id before the transaction of the change begins. */
export function makeChanges(ids: RunIds, now: () => number): MakeChange {
  return async ({ scope, caller }) => ({ now: now(), auditId: await ids.take(1), scope, caller })
}
