import type { AccessFacts } from '../../auth/access-facts.ts'
import type { Database } from '../../store/database.ts'
import { createRole, deleteRole, getRole, listRoles, updateRole } from '../../store/roles.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { pageOf } from '../paging.ts'

export interface RoleParts {
  readonly db: Database
  readonly change: MakeChange
  readonly access: AccessFacts
}

export function roleHandlers({
  db,
  change,
  access,
}: RoleParts): HandlersOf<'listRoles' | 'getRole' | 'createRole' | 'updateRole' | 'deleteRole'> {
  return {
    listRoles: async ({ query }) => listRoles(db, { ...pageOf(query), keyword: query.keyword }),
    getRole: async ({ params }) => getRole(db, params.id),
    createRole: async (asked) => {
      const roleId = await createRole(db, { input: asked.body, grants: asked.who.grants }, await change(asked))
      return getRole(db, roleId)
    },
    updateRole: async (asked) => {
      await updateRole(db, { roleId: asked.params.id, input: asked.body, grants: asked.who.grants }, await change(asked))
      access.changed()
      return getRole(db, asked.params.id)
    },
    deleteRole: async (asked) => {
      await deleteRole(db, { roleId: asked.params.id }, await change(asked))
      return null
    },
  }
}
