import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIVE_PATH, LIVE_PROTOCOL, type ClientMessage, type Instance } from '@tickwheel/contract'
import type { ViteDevServer } from 'vite'
import { WebSocketServer, type WebSocket } from 'ws'
import { answer } from './answer.ts'
import { addCalendar, chinaRules } from './calendars.ts'
import { executorNow, print } from './history.ts'
import { liveRunOf, workflowRuns } from './workflow-runs.ts'
import { busyWorld, emptyWorld, step, type World } from './world.ts'

const STEP_MS = 500
const CHUNK = 2_000
const PREFIX = '/api/v1'

/** Answers the API and the live connection on a Vite server. `TICKWHEEL_MOCK_WORLD=empty`: as after the first start. `TICKWHEEL_MOCK_CLUSTER`: see `cluster.ts`. `TICKWHEEL_MOCK_LEDGER`: `sound`, `broken` or `new`. */
export function serveMock(server: ViteDevServer): void {
  const world = process.env['TICKWHEEL_MOCK_WORLD'] === 'empty' ? emptyWorld(Date.now()) : busyWorld(Date.now())
  if (process.env['TICKWHEEL_MOCK_WORLD'] !== 'empty') addCalendars(world)
  const cluster = process.env['TICKWHEEL_MOCK_CLUSTER']
  if (cluster === 'alone' || cluster === 'three' || cluster === 'held' || cluster === 'many') world.cluster = cluster
  const ledger = process.env['TICKWHEEL_MOCK_LEDGER']
  if (ledger === 'new' || ledger === 'broken') world.ledger = ledger
  server.middlewares.use((request, response, next) => {
    if (request.url?.startsWith(PREFIX) === true) void serve(world, request, response)
    else next()
  })
  serveLive(server, world)
}

function addCalendars(world: World): void {
  const china = addCalendar(world, { groupId: null, name: '中国大陆节假日', description: '按国务院办公厅通知维护', rules: chinaRules() })
  addCalendar(world, { groupId: 1, name: 'A calendar with a very long name that somebody has written without thinking of lists', rules: { weekend: [5, 6], days: [], blackouts: [{ kind: 'daily', from: '23:00', to: '01:30', weekdays: [5], name: 'backup' }, { kind: 'once', from: '2026-11-11T00:00:00Z', to: '2026-11-12T00:00:00Z', name: '双十一封网' }] } })
  for (const task of [...world.tasks.values()].slice(0, 3)) if (task.schedule.kind === 'cron') task.schedule = { ...task.schedule, calendarId: china.id, onDayOff: 'next' }
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString('utf8')
  world.now = Date.now()
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? null
  const result = answer(world, { method: request.method ?? 'GET', path: url.pathname.slice(PREFIX.length), query: url.searchParams, body: text === '' ? null : JSON.parse(text), token })
  response.statusCode = result.status
  response.setHeader('content-type', result.status >= 400 ? 'application/problem+json' : 'application/json')
  response.end(result.status === 204 ? '' : JSON.stringify(result.body))
}

interface Listener {
  readonly socket: WebSocket
  readonly id: number
  readonly topic: string
}

function serveLive(server: ViteDevServer, world: World): void {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false) })
  const listeners = new Set<Listener>()
  server.httpServer?.on('upgrade', (request, socket, head) => {
    if (request.url !== LIVE_PATH) return
    sockets.handleUpgrade(request, socket, head, (opened) => attend(opened, listeners, world))
  })
  const timer = setInterval(() => {
    tell(listeners, step(world, Date.now()))
    tellLines(listeners, world)
    for (const listener of listeners) if (listener.topic === 'executor') push(listener, 1, { executors: [...world.executors.values()].map((one) => executorNow(world, one)), removed: [] })
  }, STEP_MS)
  server.httpServer?.on('close', () => clearInterval(timer))
}

function attend(socket: WebSocket, listeners: Set<Listener>, world: World): void {
  socket.send(JSON.stringify({ type: 'ready' }))
  socket.on('message', (data) => {
    const message = JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '{}') as ClientMessage
    if (message.type === 'auth') return
    for (const listener of listeners) if (listener.socket === socket && listener.id === message.id) listeners.delete(listener)
    if (message.type === 'unsubscribe') return
    const listener = { socket, id: message.id, topic: message.topic }
    listeners.add(listener)
    socket.send(JSON.stringify({ type: 'subscribed', id: message.id, next: 0 }))
    greet(listener, world, message.after ?? 0)
  })
  socket.on('close', () => {
    for (const listener of listeners) if (listener.socket === socket) listeners.delete(listener)
  })
}

function greet(listener: Listener, world: World, after: number): void {
  const flow = listener.topic.startsWith('workflowRun:') ? workflowRuns(world).get(Number(listener.topic.split(':')[1])) : undefined
  if (flow !== undefined) return push(listener, 1, liveRunOf(flow))
  const run = world.runs.get(Number(listener.topic.split(':')[1]))
  if (!listener.topic.startsWith('instance:') || run === undefined) return
  if (!listener.topic.endsWith(':logs')) return push(listener, 1, run)
  const lines = (world.logs.get(run.id) ?? []).filter((line) => line.seq > after)
  if (lines.length === 0 && run.endedAt !== null) push(listener, after, { lines, end: true })
  for (let from = 0; from < lines.length; from += CHUNK) push(listener, lines[Math.min(from + CHUNK, lines.length) - 1]?.seq ?? 0, { lines: lines.slice(from, from + CHUNK), ...(run.endedAt !== null && from + CHUNK >= lines.length ? { end: true } : {}) })
}

function tell(listeners: Set<Listener>, changed: readonly Instance[]): void {
  if (changed.length === 0) return
  for (const listener of listeners) {
    if (listener.topic === 'group:*') push(listener, 1, { instances: changed })
    for (const run of changed) if (listener.topic === `instance:${run.id}`) push(listener, 1, run)
  }
}

function tellLines(listeners: Set<Listener>, world: World): void {
  for (const [id, lines] of print(world, world.now)) {
    const last = lines.at(-1)
    if (last !== undefined) for (const listener of listeners) if (listener.topic === `instance:${id}:logs`) push(listener, last.seq, { lines })
  }
}

function push(listener: Listener, seq: number, data: unknown): void {
  listener.socket.send(JSON.stringify({ type: 'event', id: listener.id, topic: listener.topic, seq, data }))
}
