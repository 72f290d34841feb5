import { Type, type Static } from 'typebox'
import { ACCESS_LIMITS, TOKEN_KINDS } from './constants.ts'
import { Binding } from './roles.ts'
import { defineRoute } from './route.ts'
import { Id, IdParams, Instant, listOf, NoContent, nullable, oneOf, PageQuery, strict } from './shape.ts'

const Bucket = strict({
  capacity: Type.Integer({ minimum: 1, maximum: 100_000 }),
  refillPerSecond: Type.Number({ minimum: 0.01, maximum: 100_000 }),
})
/** Budgets of a token's own; those not named are the configured ones. */
export const TokenRateLimit = strict({
  read: Type.Optional(Bucket),
  write: Type.Optional(Bucket),
  trigger: Type.Optional(Bucket),
  heavy: Type.Optional(Bucket),
})
export type TokenRateLimit = Static<typeof TokenRateLimit>

/** A token as it is listed: never with its value. */
export const Token = strict({
  id: Id,
  kind: oneOf(TOKEN_KINDS),
  name: Type.String(),
  groupIds: Type.Array(Id, { description: 'of an executor token: whose executors it lets in; of an API token: empty' }),
  bindings: Type.Array(Binding, { description: 'of an API token: what it may do, as far as its owner may' }),
  owner: nullable(strict({ id: Id, username: Type.String() })),
  rateLimit: nullable(TokenRateLimit),
  createdAt: Instant,
  expiresAt: nullable(Instant),
  lastUsedAt: nullable(Instant),
  revokedAt: nullable(Instant),
})
export type Token = Static<typeof Token>

const TokenName = Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f]*[^\\s\\u0000-\\u001f][^\\u0000-\\u001f]*$' })
export const ExecutorTokenCreate = strict({
  kind: Type.Literal('executor'),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  groupIds: Type.Array(Id, { minItems: 1, maxItems: 100, uniqueItems: true }),
  expiresAt: Type.Optional(nullable(Instant)),
})
export type ExecutorTokenCreate = Static<typeof ExecutorTokenCreate>

/** `expiresAt` absent: in 90 days; a year at most. `rateLimit` needs `token:edit`. */
export const ApiTokenCreate = strict({
  kind: Type.Literal('api'),
  name: TokenName,
  bindings: Type.Array(Binding, { minItems: 1, maxItems: ACCESS_LIMITS.bindings }),
  expiresAt: Type.Optional(Instant),
  rateLimit: Type.Optional(nullable(TokenRateLimit)),
})
export type ApiTokenCreate = Static<typeof ApiTokenCreate>

export const TokenCreate = Type.Union([ExecutorTokenCreate, ApiTokenCreate])
export type TokenCreate = Static<typeof TokenCreate>

const tag = 'token'
export const tokenRoutes = [
  defineRoute({
    id: 'listTokens',
    method: 'GET',
    path: '/token',
    access: 'self',
    budget: 'read',
    tag,
    summary: "List tokens: the caller's own, executor tokens of groups with `executor:enroll`, and with `token:view` everybody's",
    query: strict({
      ...PageQuery,
      kind: Type.Optional(oneOf(TOKEN_KINDS)),
      userId: Type.Optional(Id),
      live: Type.Optional(Type.Boolean()),
    }),
    status: 200,
    answer: listOf(Token),
  }),
  defineRoute({
    id: 'createToken',
    method: 'POST',
    path: '/token',
    access: 'self',
    budget: 'write',
    tag,
    summary: 'Make an executor token (needs `executor:enroll` in its groups), or an API token of the own; its value is shown once',
    body: TokenCreate,
    status: 201,
    answer: strict({ ...Token.properties, token: Type.String() }),
  }),
  defineRoute({
    id: 'revokeToken',
    method: 'DELETE',
    path: '/token/:id',
    access: 'self',
    budget: 'write',
    tag,
    summary: "Revoke a token at once: one's own, an executor token with `executor:enroll`, or with `token:edit` anybody's",
    params: IdParams,
    status: 204,
    answer: NoContent,
  }),
] as const
