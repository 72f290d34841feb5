import { BULK_PERMISSIONS, type BulkBody } from '@tickwheel/contract'
import { visibleScope, type Permission, type Scope } from '@tickwheel/core'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { Commands } from '../../engine/commands.ts'
import { previewBulk } from '../../store/bulks.ts'
import { getBulk, listBulkItems, listBulks, type BulkReader } from '../../store/bulk-views.ts'
import type { Database } from '../../store/database.ts'
import type { HandlersOf } from '../handlers.ts'
import { forbidden } from '../may-also.ts'

type BulkCalls = 'startBulk' | 'previewBulk' | 'listBulks' | 'getBulk' | 'listBulkItems' | 'cancelBulk'

export function bulkHandlers({ db, commands }: { readonly db: Database; readonly commands: Commands }): HandlersOf<BulkCalls> {
  return {
    startBulk: async ({ body, who, caller, idempotencyKey }) => {
      requireSomewhere(body, who)
      return commands.startBulk(body, idempotencyKey, visibleScope(who.grants, `${body.kind}:view`), caller)
    },
    previewBulk: async ({ body, who }) =>
      previewBulk(db, { body, scope: visibleScope(who.grants, `${body.kind}:view`), mayDo: requireSomewhere(body, who) }),
    listBulks: async ({ query, who }) => listBulks(db, bulkReader(who), query),
    getBulk: async ({ params, who }) => getBulk(db, bulkReader(who), params.id),
    listBulkItems: async ({ params, query, who }) => {
      const scopes = {
        task: visibleScope(who.grants, 'task:view'),
        workflow: visibleScope(who.grants, 'workflow:view'),
        instance: visibleScope(who.grants, 'instance:view'),
      }
      return listBulkItems(db, { reader: bulkReader(who), scopes, bulkId: params.id, query })
    },
    cancelBulk: async ({ params, who, caller }) => {
      const reader = bulkReader(who)
      const bulk = await getBulk(db, reader, params.id)
      // somebody else's is stopped by who may change the system
      if (!bulk.isOwn && visibleScope(who.grants, 'system:edit') !== 'all') throw forbidden('system:edit')
      await commands.cancelBulk(params.id, caller)
      return getBulk(db, reader, params.id)
    },
  }
}

/** Whoever may read the whole audit log sees what everybody has begun; others what their account has. */
export function bulkReader({ user, grants }: Pick<SignedUser, 'user' | 'grants'>): BulkReader {
  return { accountId: user.userId, seesAll: visibleScope(grants, 'audit:view') === 'all' }
}

/** 403 for who may do it nowhere; what may not be done to single things is said of each. */
function requireSomewhere(body: BulkBody, { grants }: SignedUser): Scope {
  const permission = permissionOf(body)
  const scope = visibleScope(grants, permission)
  if (scope !== 'all' && scope.length === 0) throw forbidden(permission)
  return scope
}

function permissionOf(body: BulkBody): Permission {
  return body.kind === 'instance' ? BULK_PERMISSIONS.instance[body.action] : BULK_PERMISSIONS[body.kind][body.action]
}
