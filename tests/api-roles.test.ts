import { once } from 'node:events'
import { LIVE_PATH, LIVE_PROTOCOL, routes, type Problem } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openApi, type ApiServer } from './api.fixture.ts'

/*
 * What a node of each role answers. Every call of the contract is asked without a credential, which tells a call that is served (401, or its public answer) from one
 * that is not (421), and changes nothing.
 */
const ROLES = ['all', 'api', 'scheduler'] as const
const OF_SCHEDULERS = [
  'POST /api/v1/executor/register',
  'POST /api/v1/executor/heartbeat',
  'POST /api/v1/executor/report',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
]

const urlOf = (path: string): string => (path.startsWith('~') ? path.slice(1) : `/api/v1${path}`).replace(/:\w+/g, '1')

describe.each(ROLES)('a node with the role %s', (role) => {
  let api: ApiServer
  beforeAll(async () => {
    api = await openApi({}, { role })
  })
  afterAll(async () => {
    await api.close()
  })
  const fetched = async (path: string, init: RequestInit = {}): Promise<{ status: number; problem: Problem }> => {
    const response = await fetch(api.url + path, init)
    const text = await response.text()
    return {
      status: response.status,
      problem: response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : undefined,
    }
  }
  const servesPeople = role !== 'scheduler'

  it.each(routes.map((route) => [route.method, urlOf(route.path)]))('%s %s is served, or says whom to ask', async (method, path) => {
    const { status, problem } = await fetched(path, { method })
    if (servesPeople || OF_SCHEDULERS.includes(`${method} ${path}`)) expect(status).not.toBe(421)
    else expect([status, problem.code]).toEqual([421, 'ASK_API_NODE'])
  })

  it.each([
    ['the console', '/'],
    ['a page of the console', '/task/5'],
    ['the reference', '/docs'],
  ])('%s is served, or says whom to ask', async (_what, path) => {
    const { status, problem } = await fetched(path, { headers: { accept: 'text/html' } })
    if (servesPeople) expect(status).toBe(200)
    else expect([status, problem.code]).toEqual([421, 'ASK_API_NODE'])
  })

  it('consoles may watch there, or are refused before the connection opens', async () => {
    const socket = new WebSocket(api.url.replace('http', 'ws') + LIVE_PATH, [LIVE_PROTOCOL])
    const event = await once(socket, 'open').then(() => 'open', String)
    expect(event).toMatch(servesPeople ? /^open$/ : /421/)
    socket.terminate()
  })

  it('executors join there', async () => {
    expect((await api.join()).open).toBe(0)
  })

  it('is ready, and says what it does not keep', async () => {
    const response = await fetch(`${api.url}/readyz`)
    expect([response.status, await response.json()]).toEqual([
      200,
      { ready: true, checks: { store: 'ok', ...(role === 'api' ? {} : { slots: 'ok' }), calls: 'ok' } },
    ])
  })
})
