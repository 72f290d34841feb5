import { createSigner, createVerifier } from 'fast-jwt'

export const ACCESS_TOKEN_MS = 900_000

export interface AccessClaims {
  readonly userId: number
  readonly sessionId: string
  /** epoch ms */
  readonly expiresAt: number
}

/** JSON Web Tokens (HS256) `{ sub, sid, exp }`, good for 15 minutes. Rights are looked up, not carried. */
export class AccessTokens {
  readonly #sign: (payload: Record<string, unknown>) => string
  readonly #verify: (token: string) => unknown

  constructor(key: Buffer) {
    this.#sign = createSigner({ key, algorithm: 'HS256', noTimestamp: true })
    this.#verify = createVerifier({ key, algorithms: ['HS256'], ignoreExpiration: true, cache: 1000 })
  }

  issue(userId: number, sessionId: string, now: number): { token: string; expiresAt: number } {
    const exp = Math.ceil((now + ACCESS_TOKEN_MS) / 1000)
    return { token: this.#sign({ sub: String(userId), sid: sessionId, exp }), expiresAt: exp * 1000 }
  }

  /** The claims of a token that this installation signed and that has not expired, else null. */
  verify(token: string, now: number): AccessClaims | null {
    const claims = this.#claimsOf(token)
    return claims !== null && claims.expiresAt > now ? claims : null
  }

  #claimsOf(token: string): AccessClaims | null {
    try {
      return readClaims(this.#verify(token))
    } catch {
      return null
    }
  }
}

function readClaims(payload: unknown): AccessClaims | null {
  if (typeof payload !== 'object' || payload === null) return null
  const { sub, sid, exp } = payload as { sub?: unknown; sid?: unknown; exp?: unknown }
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return null
  return { userId: Number(sub), sessionId: sid, expiresAt: exp * 1000 }
}
