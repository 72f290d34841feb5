import { Type, type Static } from 'typebox'
import { SEARCH_KINDS, SEARCH_LIMITS } from './constants.ts'
import { defineRoute } from './route.ts'
import { Id, nullable, oneOf, strict } from './shape.ts'

const SearchQuery = strict({
  q: Type.String({
    minLength: 1,
    maxLength: SEARCH_LIMITS.queryLength,
    description: 'part of a name, whatever its case; `group/name`; or the number of a run (`#41`)',
  }),
})

/** Something that has a name like what was asked for. `note` tells it from others: the app name of a group, the display name of a user; else empty. */
export const SearchHit = strict({
  kind: oneOf(SEARCH_KINDS),
  id: Id,
  name: Type.String(),
  groupId: nullable(Id),
  groupName: nullable(Type.String()),
  note: Type.String(),
})
export type SearchHit = Static<typeof SearchHit>

/** By kind, at most 8 of each: first what is called so, then what begins so, then what contains it; the shorter name first. `isCut`: there are more. */
export const SearchAnswer = strict({ items: Type.Array(SearchHit), isCut: Type.Boolean() })
export type SearchAnswer = Static<typeof SearchAnswer>

export const searchRoutes = [
  defineRoute({
    id: 'search',
    method: 'GET',
    path: '/search',
    access: 'self',
    budget: 'read',
    tag: 'search',
    summary: 'Find tasks, workflows, groups, executors, calendars, users and runs by name or number, as far as the caller may see them',
    query: SearchQuery,
    status: 200,
    answer: SearchAnswer,
  }),
] as const
