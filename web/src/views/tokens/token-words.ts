import type { Token } from '@tickwheel/contract'

export type TokenState = 'live' | 'soon' | 'expired' | 'revoked'

const SOON_MS = 7 * 86_400_000

/** Whether a token still works; `soon`: for less than a week. `now`: epoch ms. */
export function tokenState({ revokedAt, expiresAt }: Pick<Token, 'revokedAt' | 'expiresAt'>, now: number): TokenState {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt === null) return 'live'
  const left = Date.parse(expiresAt) - now
  if (left <= 0) return 'expired'
  return left < SOON_MS ? 'soon' : 'live'
}
