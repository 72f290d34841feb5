import { visibleScope } from '@tickwheel/core'
import type { Database } from '../../store/database.ts'
import { search } from '../../store/search.ts'
import type { HandlersOf } from '../handlers.ts'

export function searchHandlers({ db }: { readonly db: Database }): HandlersOf<'search'> {
  return {
    search: async ({ query, who }) => search(db, query.q, (permission) => visibleScope(who.grants, permission)),
  }
}
