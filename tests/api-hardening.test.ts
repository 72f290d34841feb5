/* What a stranger sends, by hand and byte by byte, and what every answer is guarded by. */
import { connect } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Problem } from '@tickwheel/contract'
import { createLog, createServer, loadConfig } from '@tickwheel/server'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

let api: ApiServer
let authorization: string
beforeAll(async () => {
  api = await openApi({
    TICKWHEEL_HTTP_TRUSTED_PROXIES: '127.0.0.1',
    TICKWHEEL_HTTP_REQUEST_MS: '1000',
    TICKWHEEL_LIVE_PER_USER: '3',
    TICKWHEEL_LIVE_PER_ADDRESS: '4',
  })
  authorization = `Bearer ${String(api.admin.token)}`
})
afterAll(async () => {
  await api.close()
})

const json = (): Record<string, string> => ({ authorization, 'content-type': 'application/json' })

async function post(path: string, body: string, headers = json()): Promise<Problem> {
  return (await (await fetch(`${api.url}/api/v1${path}`, { method: 'POST', headers, body })).json()) as Problem
}

/** Sends bytes and reads until the server closes. */
async function exchange(text: string, url = api.url): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    socket
      .on('data', (data) => {
        answer += String(data)
      })
      .on('close', () => resolve(answer))
      .on('error', reject)
  })
}

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`

describe('every answer', () => {
  it.each(['/api/v1/group', '/api/v1/nothing', '/healthz', '/', '/nothing.js', '/docs/json'])('of %s is guarded', async (path) => {
    const { headers } = await fetch(api.url + path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toMatch(/default-src '(self|none)'.*frame-ancestors 'none'/)
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/)
    expect(headers.get('x-frame-options')).toMatch(/DENY|SAMEORIGIN/)
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('server')).toBeNull()
  })

  it('of the API may do nothing when it is shown as a page', async () => {
    const { headers } = await fetch(`${api.url}/api/v1/auth/hint`)
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  })

  it('keeps browsers to HTTPS when a trusted proxy says that they came by it, and otherwise not', async () => {
    const hstsOf = async (headers: Record<string, string>, url = api.url): Promise<string | null> =>
      (await fetch(`${url}/healthz`, { headers })).headers.get('strict-transport-security')
    expect(await hstsOf({ 'x-forwarded-proto': 'https' })).toBe('max-age=15552000')
    expect(await hstsOf({ 'x-forwarded-proto': 'http' })).toBeNull()
    expect(await hstsOf({})).toBeNull()
    await using untrusting = await openApi()
    expect(await hstsOf({ 'x-forwarded-proto': 'https' }, untrusting.url)).toBeNull()
  })

  it('is for pages of this address alone: no other may read it', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await fetch(`${api.url}/api/v1/auth/hint`, { method, headers })
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })
})

it('a cookie is neither set nor read, so that a browser has nothing that another page could use', async () => {
  const login = await fetch(`${api.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: 'admin123' }),
  })
  const { token, refreshToken } = (await login.json()) as { token: string; refreshToken: string }
  expect(login.headers.get('set-cookie')).toBeNull()
  const cookie = ['token', 'access_token', 'authorization', 'session', 'jwt'].map((name) => `${name}=${token}`).join('; ')
  expect((await fetch(`${api.url}/api/v1/group`, { headers: { cookie } })).status).toBe(401)
  expect((await post('/auth/refresh', '{}', { 'content-type': 'application/json', cookie: `refreshToken=${refreshToken}` })).code).toBe(
    'VALIDATION_FAILED',
  )
})

describe('a request', () => {
  it('has at most 1 MiB, and 16 KiB where nobody is known yet or nothing is to be said', async () => {
    const name = (length: number): string => JSON.stringify({ name: 'x'.repeat(length) })
    expect(await post('/group', name(1_048_577))).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE', params: { maxBytes: 1_048_576 } })
    expect(await post('/auth/login', name(16_384))).toMatchObject({ status: 413, params: { maxBytes: 16_384 } })
    expect(await post('/auth/logout', name(16_384))).toMatchObject({ status: 413, params: { maxBytes: 16_384 } })
    expect((await post('/group', name(20_000))).code).toBe('VALIDATION_FAILED')
  })

  it('is nested no deeper than 64 levels, and reaches for no prototype', async () => {
    const nested = (depth: number): string => `{"name":${'['.repeat(depth)}1${']'.repeat(depth)}}`
    expect((await post('/group', nested(63))).code).toBe('VALIDATION_FAILED')
    expect(await post('/group', nested(64))).toMatchObject({ code: 'MALFORMED', detail: /nested deeper/ })
    expect((await post('/group', nested(250_000))).code).toBe('MALFORMED')
    for (const body of ['{"__proto__":{"isAdmin":true}}', '{"a":{"constructor":{"prototype":{"x":1}}}}'])
      expect((await post('/group', body)).code).toBe('MALFORMED')
  })

  it('in YAML expands nothing without end', async () => {
    const yaml = { ...json(), 'content-type': 'application/yaml' }
    const lists = Array.from(
      { length: 9 },
      (_, level) => `a${String(level + 1)}: &a${String(level + 1)} [${`*a${String(level)},`.repeat(9)}]`,
    )
    const bodies = [
      ['a0: &a0 [lol]', ...lists].join('\n'),
      `a: ${'['.repeat(50_000)}`,
      `a: ${'{a: '.repeat(200)}1${'}'.repeat(200)}`,
      '__proto__: {isAdmin: true}',
      'constructor: {prototype: {a: 1}}',
      '&a [*a]',
    ]
    for (const body of bodies) expect(await post('/workflow', body, yaml), body.slice(0, 40)).toMatchObject({ status: 400 })
  })

  it('that says one thing twice is told so', async () => {
    for (const query of ['page=1&page=2', 'keyword=a&keyword=b', 'page[]=1', 'page[x]=1', '__proto__=1', 'constructor=1'])
      expect((await api.admin.call('GET', `/group?${query}`)).status, query).toBe(400)
  })

  it('has at most 100 headers of 16 KiB', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `a${String(index)}: 1\r\n`).join('')
    expect(await exchange(get('/healthz', many))).toMatch(/^HTTP\/1\.1 431 .*"code":"HEADERS_TOO_LARGE"/s)
    expect(await exchange(get('/healthz', `a: ${'x'.repeat(17_000)}\r\n`))).toMatch(/^HTTP\/1\.1 431 .*"code":"HEADERS_TOO_LARGE"/s)
    expect(await exchange(get('/healthz'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it.each([
    ['is no HTTP', 'nonsense\r\n\r\n'],
    ['has a path that cannot be read', get('/api/v1/task/%E0%A4%A')],
    ['has a path that cannot be read, outside the API', get('/%ff')],
    ['says two lengths', 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['hides a second one', 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('that %s is answered with a problem, and the connection ends', async (_why, bytes) => {
    expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 4\d\d .*application\/problem\+json.*"code":"[A-Z_]+"/s)
  })

  it('that does not come to its end in time is given up', async () => {
    const [headers, body] = await Promise.all([
      exchange('GET /healthz HTTP/1.1\r\nHost: x\r\nA: '),
      exchange('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"user'),
    ])
    expect(headers).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s)
    expect(body).toMatch(/^HTTP\/1\.1 4\d\d /)
  })
})

it('files beside the console are not served, however their path is written', async () => {
  const folder = tempDir()
  const dataDir = tempDir()
  const consoleDir = join(folder, 'console')
  mkdirSync(join(consoleDir, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'TOP SECRET')
  writeFileSync(join(consoleDir, '.env'), 'TOP SECRET')
  writeFileSync(join(consoleDir, 'index.html'), '<!doctype html><title>console</title>')
  const config = loadConfig({ cwd: dataDir, env: { TICKWHEEL_PORT: '0', TICKWHEEL_DATA_DIR: dataDir, TICKWHEEL_LOG_LEVEL: 'error' } })
  const server = createServer(config, createLog(config), { consoleDir })
  const { url } = await server.start()
  const ways = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', '..\\', '%252e%252e%252f', '....//', './../', '%00/../', '..;/', '//../']
  const paths = [
    ...ways.flatMap((way) => [`/${way}secret.txt`, `/assets/${way}${way}secret.txt`]),
    '/.env',
    '/%2eenv',
    folder,
    `//${folder}`,
  ]
  for (const path of paths) {
    const answer = await exchange(get(path), url)
    expect(answer, path).toMatch(/^HTTP\/1\.1 (200|30\d|40\d) /)
    expect(answer, path).not.toContain('TOP SECRET')
  }
  await server.stop()
})

describe('a WebSocket', () => {
  const nobodyWatches = async (): Promise<void> => {
    const isSo = async (): Promise<boolean> =>
      (await (await fetch(`${api.url}/metrics`, { headers: { authorization } })).text()).includes('tickwheel_live_connections 0\n')
    await waitFor(isSo, { what: 'the end of all consoles' })
  }
  beforeEach(nobodyWatches)

  it('is opened from pages of this address only', async () => {
    const own = new LiveClient(api.url, api.admin.token, { origin: api.url })
    await own.hear('ready')
    await own[Symbol.asyncDispose]()
    const other = new LiveClient(api.url, api.admin.token, { origin: 'https://evil.example' })
    expect(await waitFor(() => other.closed)).toMatchObject({ code: 1006 })
  })

  it('is one of so many of a user, and of an address', async () => {
    const from = (ip: string, token: string | undefined): LiveClient => new LiveClient(api.url, token, { 'x-forwarded-for': ip })
    const good = await Promise.all(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(async (ip) => from(ip, api.admin.token).open()))
    for (const client of good) await client.hear('ready')
    const fourth = from('192.0.2.4', api.admin.token)
    expect(await waitFor(() => fourth.closed)).toEqual({ code: 1013, reason: 'too many consoles of this user' })
    const strangers = await Promise.all(Array.from({ length: 4 }, async () => from('192.0.2.9', undefined).open()))
    const fifth = from('192.0.2.9', undefined)
    expect(await waitFor(() => fifth.closed)).toEqual({ code: 1013, reason: 'too many consoles of this address' })
    for (const client of [...good, ...strangers]) await client[Symbol.asyncDispose]()
    await nobodyWatches()
    await using again = await from('192.0.2.9', api.admin.token).open()
    await again.hear('ready')
  })

  it('takes no frame above 16 KiB', async () => {
    await using client = await new LiveClient(api.url, api.admin.token).open()
    client.send({ type: 'auth', token: 'x'.repeat(20_000) })
    expect(await waitFor(() => client.closed)).toMatchObject({ code: 1009 })
  })
})

describe('behind a proxy that is trusted', () => {
  it('limits and lockout go by the address of the caller, whatever else the caller wrote', async () => {
    await using tight = await openApi({
      TICKWHEEL_HTTP_TRUSTED_PROXIES: '127.0.0.1',
      TICKWHEEL_RATE_LIMIT_LOGIN_CAPACITY: '2',
      TICKWHEEL_RATE_LIMIT_LOGIN_REFILL_PER_SECOND: '0.01',
    })
    const guess = async (forwarded: string): Promise<number> =>
      (await tight.anonymous.call('POST', '/auth/login', { username: 'admin', password: 'x' }, { 'x-forwarded-for': forwarded })).status
    expect([await guess('192.0.2.1'), await guess('1.1.1.1, 192.0.2.1'), await guess('2.2.2.2, 192.0.2.1')]).toEqual([401, 401, 429])
    expect(await guess('192.0.2.2')).toBe(401)
    // one caller of IPv6 has a whole network
    expect([await guess('2001:db8::1'), await guess('2001:db8::2'), await guess('2001:db8::3')]).toEqual([401, 401, 429])
  })

  it('and of nobody else is the header believed', async () => {
    await using untrusting = await openApi({
      TICKWHEEL_RATE_LIMIT_LOGIN_CAPACITY: '1',
      TICKWHEEL_RATE_LIMIT_LOGIN_REFILL_PER_SECOND: '0.01',
    })
    const guess = async (forwarded: string): Promise<number> =>
      (await untrusting.anonymous.call('POST', '/auth/login', { username: 'admin', password: 'x' }, { 'x-forwarded-for': forwarded }))
        .status
    expect([await guess('192.0.2.1'), await guess('192.0.2.2')]).toEqual([401, 429])
  })
})

it('after all of this it answers', async () => {
  expect((await api.admin.call('GET', '/group')).status).toBe(200)
})
