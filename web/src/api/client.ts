/**
 * The one Axios instance. Before a call it puts the token in; a token near its end is renewed first, a 401 renews it once and repeats the call.
 * A read that meets a node on its way out, or nobody behind a proxy, is tried again (`again.ts`).
 * Renewing happens under one lock that all tabs share, because a refresh token works once and a second use ends the whole session.
 */
import type { Session } from '@tickwheel/contract'
import axios, { isAxiosError, type AxiosRequestConfig, type AxiosResponse } from 'axios'
import { pauseBeforeAgain, waitForAgain } from './again.ts'
import { toProblem } from './problem.ts'
import { dropSession, keepSession, readSession } from './session-vault.ts'
import { underTabLock } from './tab-lock.ts'

export const http = axios.create({ baseURL: '/api/v1', timeout: 30_000 })

/** One call. */
export interface Call extends AxiosRequestConfig {
  readonly headers?: Readonly<Record<string, string>>
}

/** How far the server's clock is ahead of this browser's, in ms; countdowns use it. Differences under two seconds are the header's precision. */
let skewMs = 0

/** Now by the server's clock, epoch ms. */
export function serverNow(): number {
  return Date.now() + skewMs
}

/** Sends a call that needs to be signed in and gives its body; throws `ApiProblem`. */
export async function call<Answer>(config: Call): Promise<Answer> {
  const used = await freshToken()
  try {
    return await send<Answer>(config, used)
  } catch (failure) {
    const problem = toProblem(failure)
    if (problem.code !== 'UNAUTHENTICATED' || used === null) throw problem
    const renewed = await renew(used)
    if (renewed === null) throw problem
    return send<Answer>(config, renewed)
  }
}

/** Sends a call without a token (sign in, hint). */
export function callPublic<Answer>(config: Call): Promise<Answer> {
  return send<Answer>(config, null)
}

/** Signs in or out of this browser with an answer that carries a session. */
export function adoptSession(session: Session): void {
  keepSession(session, serverNow())
}

/** The token to use now, renewed when it is near its end; null when nobody is signed in. Throws when renewing could not be tried. */
export async function freshToken(): Promise<string | null> {
  const held = readSession()
  if (held === null) return null
  return Date.now() < held.renewAtMs ? held.token : renew(held.token)
}

/** A value for `Idempotency-Key`. `crypto.randomUUID` is missing on plain HTTP. */
export function idempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function send<Answer>({ headers, ...config }: Call, token: string | null): Promise<Answer> {
  const request = { ...config, headers: { ...headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) } }
  const isRead = config.method === undefined || config.method.toUpperCase() === 'GET'
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await http.request<Answer>(request)
      noteServerClock(response)
      return response.data
    } catch (failure) {
      const pauseMs = isRead ? pauseBeforeAgain(failure, tries) : null
      if (pauseMs === null) throw toProblem(await readable(failure))
      await waitForAgain(pauseMs)
    }
  }
}

/** A call for a file is refused with a problem document, which came as a file too. */
async function readable(failure: unknown): Promise<unknown> {
  if (isAxiosError(failure) && failure.response?.data instanceof Blob) {
    const text = await failure.response.data.text()
    try {
      failure.response.data = JSON.parse(text)
    } catch {
      failure.response.data = text
    }
  }
  return failure
}

/** Replaces `used` by a new token, or takes the one that another tab got meanwhile. Null: the session is over. */
function renew(used: string): Promise<string | null> {
  return underTabLock('tickwheel.renew', async () => {
    const held = readSession()
    if (held === null) return null
    if (held.token !== used) return held.token
    try {
      const session = await send<Session>({ method: 'POST', url: '/auth/refresh', data: { refreshToken: held.refreshToken } }, null)
      keepSession(session, serverNow())
      return session.token
    } catch (failure) {
      const problem = toProblem(failure)
      if (problem.status !== 401) throw problem
      dropSession()
      return null
    }
  })
}

function noteServerClock(response: AxiosResponse): void {
  const date: unknown = response.headers['date']
  if (typeof date !== 'string') return
  const difference = Date.parse(date) - Date.now()
  if (Number.isFinite(difference)) skewMs = Math.abs(difference) < 2_000 ? 0 : difference
}
