import { describeBindings, describeGrants } from '../../auth/grants.ts'
import type { Sessions } from '../../auth/sessions.ts'
import type { Database } from '../../store/database.ts'
import type { HandlersOf } from '../handlers.ts'
import { whyOf } from './users.ts'

type AuthCalls = 'login' | 'logout' | 'refresh' | 'me' | 'whyMe' | 'changePassword' | 'loginHint'

export function authHandlers({ db, sessions }: { readonly db: Database; readonly sessions: Sessions }): HandlersOf<AuthCalls> {
  return {
    login: async ({ body, origin }) => sessions.signIn(body.username, body.password, origin),
    logout: async ({ who, caller }) => {
      await sessions.signOut(who, caller)
      return null
    },
    refresh: async ({ body, origin }) => sessions.refresh(body.refreshToken, origin),
    me: async ({ who: { user, token, isLimited, grants } }) => ({
      user: { id: user.userId, username: user.username, displayName: user.displayName, mustChangePassword: isLimited },
      token: token === null ? null : { id: token.tokenId, name: token.name },
      grants: describeGrants(grants),
      bindings: describeBindings(grants),
    }),
    whyMe: async ({ query, who: { grants } }) => whyOf(db, { grants, disabled: false }, query),
    changePassword: async ({ body, who, caller, origin }) => sessions.changePassword(who, body, { caller, origin }),
    loginHint: async ({ origin }) => ({ firstAccount: await sessions.showsFirstAccount(origin.isExposed) }),
  }
}
