import type { RightsWhy } from '@tickwheel/contract'
import { allowing, id as brand, PERMISSIONS, visibleScope, type Grant, type Permission } from '@tickwheel/core'
import type { AccessFacts } from '../../auth/access-facts.ts'
import { grantsOf } from '../../auth/grants.ts'
import { hashPassword, requireStrongPassword } from '../../auth/passwords.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import { createAccount, deleteAccount, getAccount, listAccounts, resetPassword, updateAccount } from '../../store/accounts.ts'
import { bindingOf, type Giver } from '../../store/bindings.ts'
import type { Database } from '../../store/database.ts'
import { rolesWith } from '../../store/roles.ts'
import { readUserFacts } from '../../store/users.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { pageOf } from '../paging.ts'

export interface UserParts {
  readonly db: Database
  readonly change: MakeChange
  readonly access: AccessFacts
}

type UserCalls = 'listUsers' | 'getUser' | 'createUser' | 'updateUser' | 'resetPassword' | 'deleteUser' | 'whyUser'

export function userHandlers({ db, change, access }: UserParts): HandlersOf<UserCalls> {
  return {
    listUsers: async ({ query }) => listAccounts(db, { ...query, ...pageOf(query) }),
    getUser: async ({ params }) => getAccount(db, params.id),
    createUser: async (asked) => {
      const { body, who } = asked
      requireStrongPassword(body.password, { username: body.username, current: null, path: 'password' })
      const passwordHash = await hashPassword(body.password)
      const userId = await createAccount(db, { input: body, passwordHash, giver: giverOf(who) }, await change(asked))
      return getAccount(db, userId)
    },
    updateUser: async (asked) => {
      const { params, body, who } = asked
      await updateAccount(db, { userId: params.id, input: body, giver: giverOf(who) }, await change(asked))
      access.changed()
      return getAccount(db, params.id)
    },
    resetPassword: async (asked) => {
      const { params, body, who } = asked
      const { username } = await getAccount(db, params.id)
      requireStrongPassword(body.password, { username, current: null, path: 'password' })
      const passwordHash = await hashPassword(body.password)
      await resetPassword(db, { userId: params.id, passwordHash, giver: giverOf(who) }, await change(asked))
      access.changed()
      return null
    },
    deleteUser: async (asked) => {
      await deleteAccount(db, { userId: asked.params.id, giver: giverOf(asked.who) }, await change(asked))
      access.changed()
      return null
    },
    whyUser: async ({ params, query }) => {
      await getAccount(db, params.id)
      const user = await db.read((tx) => readUserFacts(tx, params.id))
      return whyOf(db, { grants: user === null ? [] : grantsOf(user), disabled: user?.disabled ?? true }, query)
    },
  }
}

/** Who gives roles: what they have, and the groups that they may name. */
export function giverOf({ grants }: Pick<SignedUser, 'grants'>): Giver {
  return { grants, groups: visibleScope(grants, 'group:view') }
}

/** Why somebody with these grants may do something, or may not. */
export async function whyOf(
  db: Database,
  { grants, disabled }: { readonly grants: readonly Grant[]; readonly disabled: boolean },
  { permission, groupId }: { readonly permission: Permission; readonly groupId?: number | undefined },
): Promise<RightsWhy> {
  const group = groupId === undefined || PERMISSIONS[permission] === 'all' ? null : brand<'group'>(groupId)
  const by = allowing(grants, permission, group)
  return {
    permission,
    groupId: groupId ?? null,
    allowed: !disabled && by.length > 0,
    by: by.map(({ role, groups }) => bindingOf({ role, permissions: null, groupIds: groups === 'all' ? null : groups })),
    disabled,
    roles: await rolesWith(db, permission),
  }
}
