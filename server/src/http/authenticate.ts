import { AppError, type Access } from '@tickwheel/contract'
import { visibleScope, type Permission, type Scope } from '@tickwheel/core'
import type { ExecutorSession, ExecutorSessionTokens } from '../auth/executor-tokens.ts'
import type { Origin, SignedIn } from '../auth/sessions.ts'
import type { Identities, SignedUser } from '../auth/signed-user.ts'
import type { Caller } from '../store/caller.ts'
import type { ExecutorToken } from './handlers.ts'

/** Who a credential belongs to. `nobody`: there was none. */
export type Who =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly user: SignedUser }
  | { readonly kind: 'executorToken'; readonly token: ExecutorToken }
  | { readonly kind: 'executorSession'; readonly session: ExecutorSession }

export interface Credentials {
  readonly identities: Identities
  readonly sessionTokens: ExecutorSessionTokens
  /** The executor token with this text, when it is known, not revoked and not expired. */
  readonly findExecutorToken: (text: string) => Promise<ExecutorToken | null>
}

/** Calls that a limited session may make: it can only change its password and sign out. */
const OPEN_TO_LIMITED = new Set(['changePassword', 'logout'])

/** Whose credential stands in the header `Authorization: Bearer …`; 401 when there is one that is not good. */
export async function authenticate(header: string | undefined, origin: Origin, credentials: Credentials): Promise<Who> {
  if (header === undefined) return { kind: 'nobody' }
  const text = /^Bearer +(\S+)$/i.exec(header)?.[1]
  const who = text === undefined ? null : await whoHas(text, origin, credentials)
  if (who === null) throw unauthenticated('This credential is wrong, expired or revoked: sign in again.')
  return who
}

async function whoHas(text: string, origin: Origin, { identities, sessionTokens, findExecutorToken }: Credentials): Promise<Who | null> {
  if (text.startsWith('tws_')) {
    const session = sessionTokens.verify(text)
    return session === null ? null : { kind: 'executorSession', session }
  }
  if (text.startsWith('twe_')) {
    const token = await findExecutorToken(text)
    return token === null ? null : { kind: 'executorToken', token }
  }
  const user = await identities.find(text, origin)
  return user === null ? null : { kind: 'user', user }
}

/** What a call of this access gets as `who` and `scope`; throws 401 and 403. */
export function admit(route: { readonly id: string; readonly access: Access }, who: Who): { readonly who: unknown; readonly scope: Scope } {
  const { access } = route
  if (access === 'public') return { who: null, scope: [] }
  if (who.kind === 'nobody') throw unauthenticated('This call needs a credential: send `Authorization: Bearer …`.')
  if (access === 'executorToken') return { who: who.kind === 'executorToken' ? who.token : refuse('an executor token (twe_…)'), scope: [] }
  if (access === 'executorSession')
    return { who: who.kind === 'executorSession' ? who.session : refuse('the session token that registering gave (tws_…)'), scope: [] }
  return access === 'person' ? { who: personOf(route.id, who), scope: [] } : admitUser(route.id, access, who)
}

/** What an API token may not do in the place of its owner: what is about signing in, and make itself a successor. */
function personOf(id: string, who: Exclude<Who, { kind: 'nobody' }>): SignedIn {
  const { session } = userOf(id, who)
  return session ?? refuse('a person who has signed in: an API token cannot do this')
}

function admitUser(
  id: string,
  access: 'self' | Permission,
  who: Exclude<Who, { kind: 'nobody' }>,
): { readonly who: SignedUser; readonly scope: Scope } {
  const user = userOf(id, who)
  return { who: user, scope: access === 'self' ? [] : visibleScope(user.grants, access) }
}

function userOf(id: string, who: Exclude<Who, { kind: 'nobody' }>): SignedUser {
  if (who.kind !== 'user') return refuse('a signed-in user')
  if (who.user.isLimited && !OPEN_TO_LIMITED.has(id)) {
    throw new AppError(
      'PASSWORD_CHANGE_REQUIRED',
      'Change the password first (PUT /api/v1/auth/password): until then this session can do nothing else but sign out.',
    )
  }
  return who.user
}

function refuse(needed: string): never {
  throw new AppError('FORBIDDEN', `This call needs ${needed}.`)
}

export function unauthenticated(detail: string): AppError {
  return new AppError('UNAUTHENTICATED', detail)
}

/** What the audit log records of whoever calls. */
export function callerOf(who: Who, origin: Origin): Caller {
  const ownerId = who.kind === 'user' && who.user.token !== null ? { ownerId: who.user.user.userId } : {}
  return { actor: actorOf(who), ...ownerId, ip: origin.ip, requestId: origin.requestId }
}

function actorOf(who: Who): Caller['actor'] {
  switch (who.kind) {
    case 'nobody':
      return { kind: 'user', id: null, name: '' }
    case 'user': {
      const { user, token } = who.user
      return token === null
        ? { kind: 'user', id: user.userId, name: user.username }
        : { kind: 'token', id: token.tokenId, name: token.name }
    }
    case 'executorToken':
      return { kind: 'token', id: who.token.tokenId, name: who.token.name }
    case 'executorSession':
      return { kind: 'executor', id: who.session.executorId, name: String(who.session.executorId) }
  }
}
