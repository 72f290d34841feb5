import type { Scope } from '@tickwheel/core'

/** Who asks for a write, and from where: what the audit log records. */
export interface Caller {
  readonly actor: { readonly kind: 'user' | 'token' | 'executor' | 'system'; readonly id: number | null; readonly name: string }
  /** of an API token: the account that it belongs to */
  readonly ownerId?: number
  readonly ip: string
  readonly requestId: string
}

/** The account that answers for a change: a person's, or that of the owner of an API token. Null: no person. */
export function accountOf({ actor, ownerId }: Caller): number | null {
  if (actor.kind === 'user') return actor.id
  return actor.kind === 'token' ? (ownerId ?? null) : null
}

export const SYSTEM: Caller = { actor: { kind: 'system', id: null, name: 'tickwheel' }, ip: '', requestId: '' }

/** The short form that a run keeps of who made it: JSON `{ kind, id, name }`. */
export function actorText(caller: Caller): string {
  return JSON.stringify(caller.actor)
}

/** What every change needs beside its own data. `now` is cluster time; `auditId` is a run id taken before (ids must not be taken inside a transaction). */
export interface Change {
  readonly now: number
  readonly auditId: number
  readonly scope: Scope
  readonly caller: Caller
}
