import type { Session } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { AGAIN, readsWaiting } from './again.ts'
import { adoptSession, call, http } from './client.ts'
import { toProblem } from './problem.ts'
import { readSession } from './session-vault.ts'

const user = { id: 1, username: 'admin', displayName: '', mustChangePassword: false }
const session = (serial: number): Session => ({ token: `t${serial}`, refreshToken: `r${serial}`, expiresAt: new Date(Date.now() + 900_000).toISOString(), user })

let serial = 1
let seen: string[] = []
/** the token that the server takes now */
let good = 't1'

function serve(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const answer = (status: number, data: unknown): AxiosResponse => ({ status, statusText: '', data, headers: {}, config })
  const refuse = (status: number, code: string) => Promise.reject(new AxiosError(code, 'ERR_BAD_REQUEST', config, {}, answer(status, { type: '', title: '', status, detail: code, code })))
  const token = String(config.headers.get('Authorization') ?? '').replace('Bearer ', '')
  seen.push(`${config.url} ${token}`)
  if (config.url === '/auth/refresh') {
    if (JSON.parse(String(config.data)).refreshToken !== `r${serial}`) return refuse(401, 'REFRESH_TOKEN_INVALID')
    serial += 1
    good = `t${serial}`
    return Promise.resolve(answer(200, session(serial)))
  }
  return token === good ? Promise.resolve(answer(200, token)) : refuse(401, 'UNAUTHENTICATED')
}

describe('the API client', () => {
  beforeEach(() => {
    localStorage.clear()
    http.defaults.adapter = serve
    serial = 1
    seen = []
    good = 't1'
    adoptSession(session(1))
  })

  it('renews a token that is refused once, and repeats the call', async () => {
    good = 'none'
    expect(await call({ url: '/task' })).toBe('t2')
    expect(seen).toEqual(['/task t1', '/auth/refresh ', '/task t2'])
  })

  it('renews once for calls that are refused together', async () => {
    good = 'none'
    expect(await Promise.all([call({ url: '/task' }), call({ url: '/group' }), call({ url: '/run' })])).toEqual(['t2', 't2', 't2'])
    expect(seen.filter((one) => one.startsWith('/auth/refresh'))).toHaveLength(1)
  })

  it('renews before the end of a token’s life without a refused call', async () => {
    adoptSession({ ...session(1), expiresAt: new Date(Date.now() - 1).toISOString() })
    localStorage.setItem('tickwheel.session', JSON.stringify({ ...readSession(), renewAtMs: Date.now() - 1 }))
    expect(await call({ url: '/task' })).toBe('t2')
    expect(seen[0]).toBe('/auth/refresh ')
  })

  it('signs out when the session is over', async () => {
    good = 'none'
    serial = 9
    await expect(call({ url: '/task' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(readSession()).toBeNull()
  })

  it('keeps the session when the server is away while renewing', async () => {
    good = 'none'
    http.defaults.adapter = (config) => (config.url === '/auth/refresh' ? Promise.reject(new AxiosError('away', 'ERR_NETWORK', config)) : serve(config))
    await expect(call({ url: '/task' })).rejects.toMatchObject({ code: 'NETWORK' })
    expect(readSession()?.token).toBe('t1')
  })

  it('tells an answer without a problem document from one with', () => {
    expect(toProblem(new AxiosError('x', 'ECONNABORTED')).code).toBe('TIMEOUT')
    expect(toProblem(new Error('x')).code).toBe('UNKNOWN')
  })
})

describe('a read while nodes restart', () => {
  const answers: { status: number; data?: unknown; headers?: Record<string, string> }[] = []
  let asked = 0

  beforeEach(() => {
    vi.useFakeTimers()
    localStorage.clear()
    adoptSession(session(1))
    asked = 0
    answers.length = 0
    http.defaults.adapter = (config) => {
      asked += 1
      const { status, data = '', headers = {} } = answers.shift() ?? { status: 200, data: 'well' }
      const response: AxiosResponse = { status, statusText: '', data, headers, config }
      return status < 400 ? Promise.resolve(response) : Promise.reject(new AxiosError(String(status), 'ERR', config, {}, response))
    }
  })
  afterEach(() => vi.useRealTimers())

  const problem = (status: number, code: string) => ({ status, data: { type: '', title: '', status, detail: '', code } })

  it.each([
    ['a proxy that has nobody', { status: 502, data: '<html>' }],
    ['a proxy that asks for patience', { status: 503, data: '<html>', headers: { 'retry-after': '1' } }],
    ['a node that leaves', problem(503, 'STOPPING')],
    ['a node that starts', problem(503, 'NOT_READY')],
  ])('is tried again after %s, and waits meanwhile', async (_what, refusal) => {
    answers.push(refusal, refusal)
    const answer = call({ url: '/task' })
    await vi.advanceTimersByTimeAsync(0)
    expect(readsWaiting.value).toBe(1)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await answer).toBe('well')
    expect(asked).toBe(3)
    expect(readsWaiting.value).toBe(0)
  })

  it('waits as long as it is asked to, but not for ever', async () => {
    answers.push({ status: 503, headers: { 'retry-after': '2' } }, { status: 503, headers: { 'retry-after': '3600' } })
    const answer = call({ url: '/task' })
    await vi.advanceTimersByTimeAsync(1_999)
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(asked).toBe(2)
    await vi.advanceTimersByTimeAsync(AGAIN.longestMs)
    expect(await answer).toBe('well')
  })

  it('gives up after some tries, with the last refusal', async () => {
    answers.push(...Array.from({ length: AGAIN.tries + 1 }, () => ({ status: 502 })))
    const answer = expect(call({ url: '/task' })).rejects.toMatchObject({ code: 'NETWORK', status: 502 })
    await vi.advanceTimersByTimeAsync(60_000)
    await answer
    expect(asked).toBe(AGAIN.tries + 1)
    expect(readsWaiting.value).toBe(0)
  })

  it.each([
    ['a write', { method: 'POST', url: '/task' }, { status: 503, headers: { 'retry-after': '1' } }],
    ['a database that is away', { url: '/task' }, problem(503, 'STORE_AWAY')],
    ['an error', { url: '/task' }, problem(500, 'INTERNAL')],
    ['a gateway that has waited already', { url: '/task' }, { status: 504 }],
  ])('is not: %s', async (_what, request, refusal) => {
    answers.push(refusal)
    await expect(call(request)).rejects.toMatchObject({ status: refusal.status })
    expect(asked).toBe(1)
  })
})
