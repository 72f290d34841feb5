import { Type, type Static, type TEnum, type TObject, type TProperties, type TSchema } from 'typebox'

/** An object that refuses fields it does not know: a typing mistake is an error, not a setting without effect. */
export function strict<P extends TProperties>(properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false })
}

/** A value or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}

/** One of a closed list of words. */
export function oneOf<Words extends string[]>(words: readonly [...Words]): TEnum<Words> {
  return Type.Enum<Words>(words)
}

/** A positive integer below 2^53. */
export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

/** ISO-8601 UTC with milliseconds, `2026-11-22T08:00:00.000Z`; input may use any RFC 3339 offset. */
export const Instant = Type.String({ format: 'date-time', maxLength: 40, examples: ['2026-11-22T08:00:00.000Z'] })

/** Milliseconds, 0 to about 24 days unless a field says otherwise. */
export const DurationMs = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })

export const IdParams = strict({ id: Id })

/** Paging by page number, for lists that stay small (groups, tasks, executors). OFFSET beyond 10,000 is 422. */
export const PageQuery = {
  page: Type.Optional(Type.Integer({ minimum: 1, default: 1 })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 20 })),
}

/** Paging by keyset, for lists that grow without bound. `cursor` is opaque. */
export const CursorQuery = { ...PageQuery, cursor: Type.Optional(Type.String({ maxLength: 200 })) }

/** The answer of every list. `nextCursor` and `totalCapped` only on lists that grow without bound. */
export function listOf<T extends TSchema>(item: T) {
  return strict({
    items: Type.Array(item),
    total: Type.Integer({ minimum: 0 }),
    totalCapped: Type.Optional(Type.Boolean({ description: 'true: there are more than `total`' })),
    page: Type.Integer({ minimum: 1 }),
    pageSize: Type.Integer({ minimum: 1 }),
    nextCursor: Type.Optional(nullable(Type.String())),
  })
}

export const NoContent = Type.Null()

export type { Static }
