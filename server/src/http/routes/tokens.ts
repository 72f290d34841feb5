import type { AccessFacts } from '../../auth/access-facts.ts'
import type { Database } from '../../store/database.ts'
import { createToken, listTokens, revokeToken } from '../../store/tokens.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { pageOf } from '../paging.ts'

export function tokenHandlers({
  db,
  change,
  access,
}: {
  db: Database
  change: MakeChange
  access: AccessFacts
}): HandlersOf<'listTokens' | 'createToken' | 'revokeToken'> {
  return {
    listTokens: async ({ query, scope }) => listTokens(db, scope, pageOf(query)),
    createToken: async (asked) => createToken(db, { input: asked.body }, await change(asked)),
    revokeToken: async (asked) => {
      await revokeToken(db, { tokenId: asked.params.id }, await change(asked))
      access.changed()
      return null
    },
  }
}
