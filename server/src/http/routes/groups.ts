import type { GroupCreate } from '@tickwheel/contract'
import type { CachedReads } from '../../cached-reads.ts'
import type { Database } from '../../store/database.ts'
import { createGroup, deleteGroup, getGroup, listGroups, updateGroup } from '../../store/groups.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { pageOf } from '../paging.ts'

export function groupHandlers({
  db,
  change,
  reads,
  sealToken,
}: {
  db: Database
  change: MakeChange
  reads: CachedReads
  /** as an access token is stored, which the server must be able to send */
  sealToken: (token: string) => string
}): HandlersOf<'listGroups' | 'getGroup' | 'createGroup' | 'updateGroup' | 'deleteGroup'> {
  const sealed = <Input extends GroupCreate>(input: Input): Input =>
    input.xxlToken === undefined || input.xxlToken === null || input.xxlToken === ''
      ? input
      : { ...input, xxlToken: sealToken(input.xxlToken) }
  return {
    listGroups: async ({ query, scope }) =>
      listGroups(db, scope, { ...pageOf(query), keyword: query.keyword }, (groupIds) => reads.groupSums(groupIds)),
    getGroup: async ({ params, scope }) => getGroup(db, scope, params.id),
    createGroup: async (asked) => {
      const { groupId } = await createGroup(db, { input: sealed(asked.body) }, await change(asked))
      return getGroup(db, asked.scope, groupId)
    },
    updateGroup: async (asked) => {
      await updateGroup(db, { groupId: asked.params.id, input: sealed(asked.body) }, await change(asked))
      return getGroup(db, asked.scope, asked.params.id)
    },
    deleteGroup: async (asked) => {
      await deleteGroup(db, { groupId: asked.params.id }, await change(asked))
      return null
    },
  }
}
