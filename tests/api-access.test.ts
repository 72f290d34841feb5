import { connect } from 'node:net'
import { routes, type Problem } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'

let api: ApiServer
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api.close()
})

async function raw(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; problem: Problem; text: string }> {
  const response = await fetch(api.url + path, init)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    problem: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined,
  }
}

const urlOf = (path: string): string => (path.startsWith('~') ? path.slice(1) : `/api/v1${path}`).replace(/:\w+/g, '1')

describe('without a credential', () => {
  it.each(routes.filter((route) => route.access !== 'public').map((route) => [route.method, urlOf(route.path)]))(
    '%s %s answers 401',
    async (method, path) => {
      const answer = await raw(path, { method })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(answer.problem).toMatchObject({
        type: 'urn:tickwheel:problem:unauthenticated',
        title: 'Unauthenticated',
        status: 401,
        code: 'UNAUTHENTICATED',
      })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    },
  )

  it('only these calls are public', () => {
    expect(routes.filter((route) => route.access === 'public').map(({ id }) => id)).toEqual([
      'login',
      'refresh',
      'loginHint',
      'healthz',
      'readyz',
      'openapi',
    ])
  })

  it('unknown paths of the API are 401 too, and other methods of known ones', async () => {
    expect((await raw('/api/v1/nothing')).status).toBe(401)
    expect((await raw('/api/v1/task', { method: 'DELETE' })).status).toBe(401)
  })

  it.each(['Bearer x', 'Bearer a.b.c', 'Basic YWRtaW46YWRtaW4=', 'Bearer twe_1_x', 'Bearer tws_1.2.x', 'nonsense', 'Bearer '])(
    'the header "%s" is 401',
    async (authorization) => {
      expect((await raw('/api/v1/group', { headers: { authorization } })).status).toBe(401)
    },
  )
})

describe('with a credential of another kind', () => {
  it('an executor token registers and does nothing else', async () => {
    const executor = new ApiClient(api.url, api.embeddedToken)
    expect(await executor.call('GET', '/group')).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    const body = { appName: 'default', name: 'a', protocol: { min: 1, max: 1 }, version: '1', capacity: 1, handlers: [], host: 'h', pid: 1 }
    const { sessionToken, ...registered } = await executor.post<{ sessionToken: string; executorId: number }>('/executor/register', body)
    expect(registered).toMatchObject({ heartbeatMs: 5000, deadMs: 15000, streamUrl: '/api/v1/executor/stream', protocol: 1 })
    const session = new ApiClient(api.url, sessionToken)
    expect((await session.call('POST', '/executor/register', body)).status).toBe(403)
    expect((await session.call('GET', '/executor')).status).toBe(403)
    const beat = { executorId: registered.executorId + 1, running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } }
    expect((await session.call('POST', '/executor/heartbeat', beat)).status).toBe(403)
    expect((await api.admin.call('POST', '/executor/register', body)).status).toBe(403)
    expect(await executor.call('POST', '/executor/register', { ...body, appName: 'other' })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'appName', code: 'UNKNOWN_REFERENCE' }] },
    })
    expect(await executor.call('POST', '/executor/register', { ...body, protocol: { min: 3, max: 4 } })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'protocol' }] },
    })
  })
})

describe('a request that is not well-formed', () => {
  it('is told so', async () => {
    const headers = { authorization: `Bearer ${String(api.admin.token)}`, 'content-type': 'application/json' }
    expect((await raw('/api/v1/group', { method: 'POST', headers, body: '{"name":' })).problem).toMatchObject({
      status: 400,
      code: 'MALFORMED',
    })
    expect((await raw('/api/v1/group', { method: 'POST', headers, body: '{"__proto__":{}}' })).problem).toMatchObject({
      status: 400,
      code: 'MALFORMED',
    })
    expect(
      (await raw('/api/v1/group', { method: 'POST', headers, body: JSON.stringify({ name: 'x'.repeat(1_100_000) }) })).problem,
    ).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
    expect(
      (await raw('/api/v1/group', { method: 'POST', headers: { ...headers, 'content-type': 'text/xml' }, body: '<a/>' })).problem,
    ).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' })
    expect((await raw('/api/v1/group/abc', { headers: { authorization: headers.authorization } })).problem).toMatchObject({
      status: 400,
      errors: [{ path: 'id', code: 'WRONG_TYPE' }],
    })
    expect((await raw('/api/v1/group?colour=red', { headers: { authorization: headers.authorization } })).problem).toMatchObject({
      status: 400,
      errors: [{ path: 'colour', code: 'UNKNOWN_FIELD' }],
    })
  })

  it('names the methods that a path has, and says when there is no such path', async () => {
    const headers = { authorization: `Bearer ${String(api.admin.token)}` }
    const wrong = await raw('/api/v1/task/5', { method: 'PATCH', headers })
    expect(wrong.problem).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    expect(wrong.headers.get('allow')?.split(', ').toSorted()).toEqual(['DELETE', 'GET', 'PUT'])
    expect((await raw('/api/v1/tasks', { headers })).problem).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  it('never breaks the server', async () => {
    for (const line of [
      'GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /api/v1/task/%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n',
      'nonsense\r\n\r\n',
    ])
      await exchange(line)
    expect((await raw('/healthz')).status).toBe(200)
  })
})

async function exchange(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.end(text))
    socket
      .on('data', (data) => {
        answer += String(data)
      })
      .on('close', () => resolve(answer))
      .on('error', reject)
  })
}

describe('operations', () => {
  it('tell that the process lives, that it is ready, and how it does', async () => {
    expect((await raw('/healthz')).text).toBe('{"status":"ok"}')
    expect(JSON.parse((await raw('/readyz')).text)).toEqual({ ready: true, checks: { store: 'ok', slots: 'ok', calls: 'ok' } })
    expect((await raw('/metrics')).status).toBe(401)
    const metrics = await raw('/metrics', { headers: { authorization: `Bearer ${String(api.admin.token)}` } })
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/)
    for (const name of [
      'tickwheel_slots_owned 256',
      'tickwheel_http_request_seconds_bucket',
      'process_resident_memory_bytes',
      'tickwheel_firing 1',
      'tickwheel_firing_held 0',
      'tickwheel_beat_age_seconds',
      'tickwheel_slots_contended 0',
      'tickwheel_wheel_lag_seconds',
      'tickwheel_clock_skew_seconds',
    ])
      expect(metrics.text).toContain(name)
    expect(metrics.text, 'there is none').not.toContain('tickwheel_redis_up')
  })

  it('give the API as an OpenAPI document with every call', async () => {
    const document = JSON.parse((await raw('/api/v1/openapi.json')).text) as {
      openapi: string
      paths: Record<string, Record<string, { operationId: string }>>
    }
    expect(document.openapi).toBe('3.1.0')
    const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
    expect(ids.toSorted()).toEqual(routes.map(({ id }) => id).toSorted())
    expect(document.paths['/api/v1/task/{id}']?.['put']).toMatchObject({
      parameters: [{ name: 'id', in: 'path', required: true }],
      security: [{ bearer: [] }],
    })
  })

  it('let a person browse it, with everything from this server', async () => {
    const page = await raw('/docs', { redirect: 'follow', headers: { accept: 'text/html' } })
    expect(page.status).toBe(200)
    expect(page.text).toContain('swagger-ui')
    expect(page.text).not.toMatch(/(src|href)="https?:/)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    for (const file of ['/docs/static/swagger-ui-bundle.js', '/docs/static/swagger-ui.css', '/docs/json'])
      expect((await raw(file)).status, file).toBe(200)
  })
})

describe('every answer', () => {
  it('names its request, and takes a name that the caller gives', async () => {
    expect((await raw('/healthz')).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    expect((await raw('/api/v1/group', { headers: { 'x-request-id': 'mine.1' } })).headers.get('x-request-id')).toBe('mine.1')
    expect((await raw('/healthz', { headers: { 'x-request-id': 'a b' } })).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
  })

  it('of the API is not kept by caches and not sniffed', async () => {
    const { headers } = await raw('/api/v1/group')
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff'])
  })

  it('of the console has a content security policy, whatever its path', async () => {
    for (const path of ['/', '/task/5']) {
      const page = await raw(path, { headers: { accept: 'text/html' } })
      expect(page.status).toBe(200)
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    }
    expect((await raw('/nothing.js')).status).toBe(404)
  })
})

describe('rate limits', () => {
  it('count down, then say when to come back', async () => {
    await using tight = await openApi({
      TICKWHEEL_RATE_LIMIT_READ_CAPACITY: '3',
      TICKWHEEL_RATE_LIMIT_READ_REFILL_PER_SECOND: '0.01',
      TICKWHEEL_RATE_LIMIT_ANONYMOUS_CAPACITY: '2',
      TICKWHEEL_RATE_LIMIT_ANONYMOUS_REFILL_PER_SECOND: '0.01',
    })
    const answers = []
    for (let calls = 0; calls < 4; calls++) answers.push(await tight.admin.call<Problem>('GET', '/group'))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual(['2', '1', '0', '0'])
    expect(answers[0]?.headers.get('ratelimit-limit')).toBe('3')
    expect(answers[3]?.body).toMatchObject({ code: 'RATE_LIMITED', params: { budget: 'read' } })
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await tight.admin.call('POST', '/group', { name: 'a', appName: 'aa' })).status).toBe(201)
    const refused = []
    for (let calls = 0; calls < 3; calls++) refused.push((await tight.anonymous.call('GET', '/group')).status)
    expect(refused).toEqual([401, 401, 429])
  })

  it('give a sign-in back that succeeds', async () => {
    await using tight = await openApi({ TICKWHEEL_RATE_LIMIT_LOGIN_CAPACITY: '2', TICKWHEEL_RATE_LIMIT_LOGIN_REFILL_PER_SECOND: '0.01' })
    const good = { username: 'admin', password: 'admin123' }
    for (let calls = 0; calls < 4; calls++) expect((await tight.anonymous.call('POST', '/auth/login', good)).status).toBe(200)
    const wrong = []
    for (let calls = 0; calls < 3; calls++)
      wrong.push((await tight.anonymous.call('POST', '/auth/login', { ...good, password: 'x' })).status)
    expect(wrong).toEqual([401, 401, 429])
  })
})
