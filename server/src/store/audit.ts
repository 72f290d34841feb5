import type { Caller } from './caller.ts'
import type { Tx } from './database.ts'

export interface AuditEntry {
  /** `task:edit`, `auth:login` … */
  readonly action: string
  readonly resource: { readonly kind: string; readonly id: number | null; readonly key: string }
  readonly groupId: number | null
  readonly outcome?: 'done' | 'refused'
  readonly code?: string
  /** changed fields only; a secret is `"***"`; a value above 8 KiB becomes its length and SHA-256 */
  readonly before?: unknown
  readonly after?: unknown
}

/**
 * Writes what a person changed, in the transaction of the change: a change without its entry cannot be committed.
 * `id` is a run id taken before the transaction.
 */
export async function writeAudit(tx: Tx, at: number, id: number, caller: Caller, entry: AuditEntry): Promise<void> {
  await tx.insert('audit', [
    {
      id, at, actor_kind: caller.actor.kind, actor_id: caller.actor.id, actor_name: caller.actor.name, ip: caller.ip, request_id: caller.requestId,
      action: entry.action, resource_kind: entry.resource.kind, resource_id: entry.resource.id, resource_key: entry.resource.key, group_id: entry.groupId,
      outcome: entry.outcome ?? 'done', code: entry.code ?? null, count: 1, before: text(entry.before), after: text(entry.after),
    },
  ])
}

function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}
