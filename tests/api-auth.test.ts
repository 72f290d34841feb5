import type { Me, Session } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { openApi } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'

const FIRST = { username: 'admin', password: 'admin123' }

describe('signing in', () => {
  it('names every missing field, and says the same to a wrong name and a wrong password', async () => {
    await using api = await openApi()
    expect(await api.anonymous.call('POST', '/auth/login')).toMatchObject({
      status: 400,
      body: {
        code: 'VALIDATION_FAILED',
        errors: [
          { path: 'username', code: 'REQUIRED' },
          { path: 'password', code: 'REQUIRED' },
        ],
      },
    })
    const wrong = await api.anonymous.call('POST', '/auth/login', { ...FIRST, password: 'x' })
    const unknown = await api.anonymous.call('POST', '/auth/login', { ...FIRST, username: 'x' })
    expect(wrong).toMatchObject({ status: 401, body: { code: 'INVALID_CREDENTIALS' } })
    expect(unknown.body).toEqual(wrong.body)
  })

  it('tells who one is and what one may do', async () => {
    await using api = await openApi()
    const me = await api.admin.get<Me>('/auth/me')
    expect(me.user).toMatchObject({ username: 'admin', displayName: 'Administrator', mustChangePassword: false })
    expect(me.grants.all).toContain('task:edit')
    expect(me.grants.groups).toEqual({})
  })

  it('is slowed down after five failures, with the seconds to wait', async () => {
    await using api = await openApi()
    for (let tries = 0; tries < 5; tries++) await api.anonymous.call('POST', '/auth/login', { ...FIRST, password: 'x' })
    const locked = await api.anonymous.call('POST', '/auth/login', FIRST)
    expect(locked).toMatchObject({ status: 429, body: { code: 'LOCKED_OUT' } })
    expect(locked.headers.get('retry-after')).toBe('1')
  })

  it('is renewed by a refresh token, once', async () => {
    await using api = await openApi()
    const session = await api.anonymous.post<Session>('/auth/login', FIRST)
    const next = await api.anonymous.post<Session>('/auth/refresh', { refreshToken: session.refreshToken })
    expect((await new ApiClient(api.url, next.token).call('GET', '/auth/me')).status).toBe(200)
    expect(await api.anonymous.call('POST', '/auth/refresh', { refreshToken: session.refreshToken })).toMatchObject({
      status: 401,
      body: { code: 'REFRESH_TOKEN_INVALID' },
    })
    expect((await new ApiClient(api.url, next.token).call('GET', '/auth/me')).status).toBe(401)
  })
})

describe('the first password', () => {
  it('may be shown on this machine only, and only while it stands', async () => {
    await using api = await openApi()
    expect(await api.anonymous.get('/auth/hint')).toEqual({ firstAccount: true })
    expect((await api.anonymous.call('GET', '/auth/hint', undefined, { 'x-forwarded-for': '1.2.3.4' })).body).toEqual({
      firstAccount: false,
    })
    const session = await api.admin.put<Session>('/auth/password', { current: 'admin123', next: 'a longer one' })
    expect(session.user.mustChangePassword).toBe(false)
    expect(await api.anonymous.get('/auth/hint')).toEqual({ firstAccount: false })
  })

  it('is not shown when the operator chose it', async () => {
    await using api = await openApi({ TICKWHEEL_ADMIN_PASSWORD: 'admin123' })
    expect(await api.anonymous.get('/auth/hint')).toEqual({ firstAccount: true })
  })

  it('allows nothing but changing it to a caller behind a proxy', async () => {
    await using api = await openApi()
    const proxied = { 'x-forwarded-for': '1.2.3.4' }
    const { body: session } = await api.anonymous.call<Session>('POST', '/auth/login', FIRST, proxied)
    expect(session.user.mustChangePassword).toBe(true)
    const limited = new ApiClient(api.url, session.token)
    for (const [method, path] of [
      ['GET', '/auth/me'],
      ['GET', '/task'],
      ['POST', '/group'],
    ] as const)
      expect(await limited.call(method, path)).toMatchObject({ status: 403, body: { code: 'PASSWORD_CHANGE_REQUIRED' } })
    expect(await limited.call('PUT', '/auth/password', { current: 'admin123', next: 'short' })).toMatchObject({
      status: 422,
      body: { code: 'PASSWORD_TOO_WEAK', params: { rule: 'length' } },
    })
    expect(await limited.call('PUT', '/auth/password', { current: 'wrong', next: 'long enough' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'current' }] },
    })
    const changed = await limited.put<Session>('/auth/password', { current: 'admin123', next: 'long enough' })
    expect((await limited.call('GET', '/task')).status).toBe(401)
    expect((await new ApiClient(api.url, changed.token).call('GET', '/task', undefined, proxied)).status).toBe(200)
  })

  it('limits a session from this machine as soon as it is used from elsewhere', async () => {
    await using api = await openApi()
    expect((await api.admin.call('GET', '/task')).status).toBe(200)
    expect((await api.admin.call('GET', '/task', undefined, { 'x-forwarded-for': '1.2.3.4' })).status).toBe(403)
  })
})
