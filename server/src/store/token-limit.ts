import { TokenRateLimit } from '@tickwheel/contract'
import { Compile } from 'typebox/compile'
import { parseJson } from './definition.ts'
import type { TokenRow } from './schema.ts'

const check = Compile(TokenRateLimit)

/** The budgets that a token has of its own; null: the configured ones. */
export function rateLimitOf({ rate_limit: text }: Pick<TokenRow, 'rate_limit'>): TokenRateLimit | null {
  const value = text === null ? null : parseJson(text)
  return check.Check(value) ? value : null
}
