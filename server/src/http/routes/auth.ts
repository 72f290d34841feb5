import { describeGrants } from '../../auth/grants.ts'
import type { Sessions } from '../../auth/sessions.ts'
import type { HandlersOf } from '../handlers.ts'

export function authHandlers(sessions: Sessions): HandlersOf<'login' | 'logout' | 'refresh' | 'me' | 'changePassword' | 'loginHint'> {
  return {
    login: async ({ body, origin }) => sessions.signIn(body.username, body.password, origin),
    logout: async ({ who, caller }) => {
      await sessions.signOut(who.user, caller)
      return null
    },
    refresh: async ({ body, origin }) => sessions.refresh(body.refreshToken, origin),
    me: async ({ who: { user, grants } }) => ({
      user: { id: user.userId, username: user.username, displayName: user.displayName, mustChangePassword: user.isLimited },
      grants: describeGrants(grants),
    }),
    changePassword: async ({ body, who, caller, origin }) => sessions.changePassword(who.user, body, { caller, origin }),
    loginHint: async ({ origin }) => ({ firstAccount: await sessions.showsFirstAccount(origin.isExposed) }),
  }
}
