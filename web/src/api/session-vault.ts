/**
 * The signed-in session, shared by all tabs of the browser through localStorage. Everything that reads a token reads it here, so that a
 * tab uses what another one has renewed.
 */
import type { Session, User } from '@tickwheel/contract'

const KEY = 'tickwheel.session'

export interface HeldSession {
  readonly token: string
  readonly refreshToken: string
  readonly user: User
  /** by this browser's clock, so that a wrong clock does not matter */
  readonly renewAtMs: number
}

type Listener = (held: HeldSession | null) => void
const listeners = new Set<Listener>()

/** What is stored, or null when nobody is signed in or the entry is not readable. */
export function readSession(): HeldSession | null {
  const text = localStorage.getItem(KEY)
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return isHeld(value) ? value : null
  } catch {
    return null
  }
}

/** Keeps an answer that signed in. `serverNowMs` is the answer's `Date`; the token is renewed when four fifths of its life are over. */
export function keepSession(session: Session, serverNowMs: number): void {
  const lifeMs = Math.max(60_000, Date.parse(session.expiresAt) - serverNowMs)
  const held: HeldSession = { token: session.token, refreshToken: session.refreshToken, user: session.user, renewAtMs: Date.now() + lifeMs * 0.8 }
  localStorage.setItem(KEY, JSON.stringify(held))
  tell(held)
}

/** Forgets the session in every tab. */
export function dropSession(): void {
  localStorage.removeItem(KEY)
  tell(null)
}

/** Calls `listener` at every change, also those of other tabs; returns how to stop. */
export function watchSession(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

window.addEventListener('storage', (event) => {
  if (event.key === KEY || event.key === null) tell(readSession())
})

function tell(held: HeldSession | null): void {
  for (const listener of [...listeners]) listener(held)
}

function isHeld(value: unknown): value is HeldSession {
  if (typeof value !== 'object' || value === null) return false
  return 'token' in value && 'refreshToken' in value && 'user' in value && typeof value.token === 'string' && typeof value.refreshToken === 'string'
}
