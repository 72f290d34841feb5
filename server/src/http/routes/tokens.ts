import { AppError, type ApiTokenCreate, type ExecutorTokenCreate, type Token } from '@tickwheel/contract'
import { visibleScope, type Permission } from '@tickwheel/core'
import type { AccessFacts } from '../../auth/access-facts.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import { createApiToken } from '../../store/api-tokens.ts'
import type { Change } from '../../store/caller.ts'
import type { Database } from '../../store/database.ts'
import { createToken, listTokens, revokeToken, type TokenView } from '../../store/tokens.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { forbidden, requireWhereSeen } from '../may-also.ts'
import { pageOf } from '../paging.ts'
import { giverOf } from './users.ts'

export interface TokenParts {
  readonly db: Database
  readonly change: MakeChange
  readonly access: AccessFacts
  /** cluster time, epoch ms */
  readonly now: () => number
}

export function tokenHandlers({ db, change, access, now }: TokenParts): HandlersOf<'listTokens' | 'createToken' | 'revokeToken'> {
  return {
    listTokens: async ({ query, who }) => listTokens(db, viewOf(who, 'token:view'), { ...query, ...pageOf(query) }, now()),
    createToken: async (asked) => {
      const { body, who, caller } = asked
      const scope = visibleScope(who.grants, 'executor:enroll')
      const made = await change({ scope, caller })
      return body.kind === 'api' ? createApi(db, { input: body, who }, made) : createExecutor(db, { input: body, who }, made)
    },
    revokeToken: async (asked) => {
      const { params, who, caller } = asked
      const target = { tokenId: params.id, view: viewOf(who, 'token:view'), edit: viewOf(who, 'token:edit') }
      await revokeToken(db, target, await change({ scope: 'all', caller }))
      access.changed()
      return null
    },
  }
}

type Made = Promise<Token & { token: string }>

async function createExecutor(db: Database, { input, who }: { input: ExecutorTokenCreate; who: SignedUser }, change: Change): Made {
  if (change.scope !== 'all' && change.scope.length === 0) throw forbidden('executor:enroll')
  for (const groupId of input.groupIds) requireWhereSeen(who, 'executor:enroll', groupId)
  return createToken(db, { input }, change)
}

async function createApi(db: Database, { input, who }: { input: ApiTokenCreate; who: SignedUser }, change: Change): Made {
  if (who.session === null) throw new AppError('FORBIDDEN', 'This call needs a person who has signed in: an API token cannot make another.')
  const isLimitGiven = input.rateLimit !== undefined && input.rateLimit !== null
  if (isLimitGiven && visibleScope(who.grants, 'token:edit') !== 'all') throw forbidden('token:edit')
  return createApiToken(db, { input, ownerId: who.user.userId, giver: giverOf(who) }, change)
}

/** Everybody's tokens with a permission; else one's own, of persons, and those of executors that one may enroll. */
function viewOf({ user, token, grants }: SignedUser, permission: Permission): TokenView {
  const groups = visibleScope(grants, 'executor:enroll')
  if (visibleScope(grants, permission) === 'all') return { userId: null, groups }
  return { userId: token === null ? user.userId : NOBODY, groups }
}

/** no account has this id */
const NOBODY = 0
