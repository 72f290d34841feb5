import { Type, type Static } from 'typebox'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, PageQuery, strict } from './shape.ts'

/** An executor token as it is listed: never with its value. */
export const Token = strict({
  id: Id,
  kind: Type.Literal('executor'),
  name: Type.String(),
  groupIds: Type.Array(Id),
  createdAt: Instant,
  expiresAt: nullable(Instant),
  lastUsedAt: nullable(Instant),
  revokedAt: nullable(Instant),
})
export type Token = Static<typeof Token>

export const TokenCreate = strict({
  kind: Type.Literal('executor'),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  groupIds: Type.Array(Id, { minItems: 1, maxItems: 100, uniqueItems: true }),
  expiresAt: Type.Optional(nullable(Instant)),
})
export type TokenCreate = Static<typeof TokenCreate>

const tag = 'token'
export const tokenRoutes = [
  defineRoute({
    id: 'listTokens',
    method: 'GET',
    path: '/token',
    access: 'executor:enroll',
    budget: 'read',
    tag,
    summary: 'List executor tokens',
    query: strict(PageQuery),
    status: 200,
    answer: listOf(Token),
  }),
  defineRoute({
    id: 'createToken',
    method: 'POST',
    path: '/token',
    access: 'executor:enroll',
    budget: 'write',
    tag,
    summary: 'Make an executor token; its value is shown once',
    body: TokenCreate,
    status: 201,
    answer: strict({ ...Token.properties, token: Type.String() }),
  }),
  defineRoute({
    id: 'revokeToken',
    method: 'DELETE',
    path: '/token/:id',
    access: 'executor:enroll',
    budget: 'write',
    tag,
    summary: 'Revoke a token at once',
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
] as const
