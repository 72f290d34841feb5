import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Session as SignedInSession } from '@tickwheel/contract'
import { seededRandom } from '@tickwheel/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LiveClient } from '../../../tests/live-client.fixture.ts'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import { AccessFacts } from '../auth/access-facts.ts'
import { hashPassword } from '../auth/passwords.ts'
import { Refusals } from '../auth/refusals.ts'
import { Sessions, type Origin } from '../auth/sessions.ts'
import { SignedCache } from '../auth/signed-cache.ts'
import { Identities } from '../auth/signed-user.ts'
import type { Bus } from '../cluster/bus.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import { Engine } from '../engine/engine.ts'
import type { EngineEvent } from '../engine/events.ts'
import { ManualClock } from '../engine/manual-clock.fixture.ts'
import { ALICE, ALL, FakeLink } from '../engine/world.fixture.ts'
import type { Session } from '../link/link.ts'
import { createLog } from '../log.ts'
import { SYSTEM } from '../store/caller.ts'
import type { Database } from '../store/database.ts'
import { executorsById } from '../store/executor-views.ts'
import { RunIds, takeEntityId } from '../store/ids.ts'
import { getInstance, instancesById, runHead } from '../store/instances.ts'
import type { LogStore } from '../store/logs.ts'
import { addGroup, logsOf, memoryStore, T0, taskInput } from '../store/store.fixture.ts'
import { insertUser } from '../store/users.ts'
import { LiveServer } from './live-server.ts'

/** What the nodes of a test have in common. */
interface Shared {
  readonly clock: ManualClock
  readonly db: Database
  readonly logs: LogStore
  readonly cluster: Cluster
}

const SECRET = 's'.repeat(32)
const HERE: Origin = { ip: '127.0.0.1', requestId: 'r', isExposed: false }

/** An engine, its sessions, and its consoles on a port. */
class Node {
  readonly engine: Engine
  readonly link = new FakeLink()
  readonly access: AccessFacts
  readonly sessions: Sessions
  readonly live: LiveServer
  readonly http = createServer()

  constructor(engine: Engine, { db, clock, logs, cluster }: Shared) {
    this.engine = engine
    const monotonic = (): number => clock.monotonic()
    const now = (): number => clock.now()
    const ids = new RunIds(db, now)
    this.access = new AccessFacts({ db, cache: new SignedCache(cluster.cache, SECRET), events: engine.events, monotonic })
    const refusals = new Refusals({ db, ids, now })
    this.sessions = new Sessions({ db, ids, facts: this.access, refusals, secret: SECRET, now, monotonic })
    this.live = new LiveServer({
      identities: new Identities({ sessions: this.sessions, facts: this.access, ids, now }),
      events: engine.events,
      logs,
      takeRead: async () => undefined,
      takeAnonymous: async () => undefined,
      limits: { perUser: 50, perAddress: 500 },
      watching: (isWatched) => engine.relay.setWatching(isWatched),
      log: createLog({ logLevel: 'error' }),
      reads: {
        instances: (wanted, scope) => instancesById(db, scope, wanted),
        workflowRun: async () => null,
        progress: async (instanceId) => (await getInstance(db, 'all', instanceId, () => false)).progress,
        executors: (wanted, scope) => executorsById(db, scope, { ids: wanted, find: () => null }),
        incidents: async () => [],
        bulk: async () => null,
        hasGroup: async () => true,
        run: async (instanceId) => {
          const head = await runHead(db, 'all', instanceId)
          return head === null ? null : { groupId: head.groupId, hasEnded: head.isEnded }
        },
      },
    })
    this.http.on('upgrade', (request, socket, head) => this.live.upgrade(request, socket, { head, origin: HERE }))
  }

  static async start(name: string, shared: Shared): Promise<Node> {
    const note = (): void => undefined
    const engine = await Engine.create({
      ...shared,
      random: seededRandom(1),
      log: { warn: note, error: note },
      node: { name, url: '', roles: ['api', 'scheduler'] },
      skewMs: () => 0,
      version: '0',
      serverZone: 'UTC',
      verifySession: (token) => ({ executorId: Number(token.split('.')[0]), bootId: Number(token.split('.')[1]) }),
      heartbeatMs: 5000,
      deadMs: 15_000,
      logLimitBytes: 1_000_000,
      maxOpenRuns: 200_000,
    })
    const node = new Node(engine, shared)
    node.http.listen(0, '127.0.0.1')
    await once(node.http, 'listening')
    await engine.start(node.link)
    return node
  }

  async console(token: string): Promise<LiveClient> {
    const { port } = this.http.address() as AddressInfo
    return new LiveClient(`http://127.0.0.1:${port}`, token).open()
  }

  async stop(): Promise<void> {
    this.live.stop()
    this.http.closeAllConnections()
    this.http.close()
    this.access.stop()
    await this.engine.stop()
  }
}

let shared: Shared
let isBusUp = true
let a: Node
let b: Node
let signedIn: SignedInSession
let session: Session
let run: { instanceId: number; attempt: number }
let frames = 0

/** Time goes on until it is so. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  await waitFor(
    async () => {
      await pass(50)
      return isSo()
    },
    { what, everyMs: 5 },
  )
}

async function pass(ms: number): Promise<void> {
  await shared.clock.advance(ms, async () => {
    for (const node of [a, b]) await node.engine.settled()
  })
}

async function print(firstSeq: number, ...texts: string[]): Promise<void> {
  const lines = texts.map((text): [number, number, 1, string] => [0, 0, 1, text])
  await a.engine.report(session, { type: 'log', n: ++frames, ...run, firstSeq, lines })
}

/** As the console on B has it: texts of the program's own lines. */
const textsOf = (client: LiveClient, id: number): string[] => client.lines(id).map(({ text }) => text)
beforeEach(async () => {
  isBusUp = true
  const clock = new ManualClock(T0)
  const db = await memoryStore(() => clock.now())
  const memory = memoryCluster(() => clock.monotonic())
  const bus: Bus = {
    publish: (channel, message) => (isBusUp ? memory.bus.publish(channel, message) : undefined),
    listen: (channel, hear) => memory.bus.listen(channel, hear),
    get isUp() {
      return isBusUp
    },
  }
  shared = { clock, db, logs: logsOf(db), cluster: { ...memory, bus, state: 'ok' } }
  await addGroup(db, 1)
  const hash = await hashPassword('carpentry')
  await db.write('rest', async (tx) => {
    const user = { id: await takeEntityId(tx), username: 'ann', display_name: 'Ann', password_hash: hash, must_change: 0 }
    await insertUser(tx, { ...user, first_password: 0, disabled: 0, is_admin: 1, created_at: T0, password_at: T0 })
  })
  a = await Node.start('a', shared)
  b = await Node.start('b', shared)
  await pass(3000)
  signedIn = await a.sessions.signIn('ann', 'carpentry', HERE)
  await startRun()
})
afterEach(async () => {
  for (const node of [a, b]) await node.stop()
  shared.logs.close()
  await shared.db.close()
})

/** A run on an executor that hangs on A. */
async function startRun(): Promise<void> {
  const handlers = [{ name: 'shell', kind: 'builtIn' as const }]
  const process = { appName: 'app-1', protocol: { min: 1, max: 1 }, version: '0', capacity: 1, host: 'here', pid: 1, handlers }
  session = await a.engine.registerExecutor(1, { ...process, name: 'worker' }, SYSTEM)
  await a.engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running: [] })
  a.engine.joined(session)
  await a.engine.report(session, { type: 'recovered', n: ++frames, bootId: session.bootId })
  const { taskId } = await a.engine.createTask(taskInput({ schedule: { kind: 'manual' }, enabled: false }), ALL, ALICE)
  await a.engine.trigger(taskId, {}, null, ALL, ALICE)
  await until('the dispatch', () => a.link.dispatches().length === 1)
  const [dispatch] = a.link.dispatches()
  run = { instanceId: dispatch?.instanceId ?? 0, attempt: dispatch?.attempt ?? 0 }
  await a.engine.report(session, { type: 'accepted', n: ++frames, ...run, at: shared.clock.now() })
  await a.engine.report(session, { type: 'started', n: ++frames, ...run, at: shared.clock.now() })
}

async function finish(lines: number): Promise<void> {
  const at = shared.clock.now()
  await a.engine.report(session, { type: 'logEnd', n: ++frames, ...run, lines, bytes: 10, dropped: 0 })
  const ended = { type: 'finished', n: ++frames, ...run, at, startedAt: at, bootId: session.bootId, outcome: 'succeeded' } as const
  await a.engine.report(session, ended)
}

it('shows on one node the lines, the state and the end of a run whose executor hangs on another', async () => {
  const told: EngineEvent[] = []
  b.engine.events.listen((events, place) => void (place === 'elsewhere' && told.push(...events)))
  await using client = await b.console(signedIn.token)
  client.send({ type: 'subscribe', id: 1, topic: `instance:${run.instanceId}:logs` })
  client.send({ type: 'subscribe', id: 2, topic: `instance:${run.instanceId}` })
  client.send({ type: 'subscribe', id: 3, topic: 'group:1' })
  await client.hear('subscribed', 3)
  await client.hear('event', 2)
  await print(1, 'one', 'two')
  await until('the first lines', () => textsOf(client, 1).length === 2)
  await print(3, 'three')
  await until('the third line', () => textsOf(client, 1).at(-1) === 'three')
  await finish(3)
  await until('the end', () => client.isEnded(1) && client.data(3).length > 0 && client.data(2).length > 1)
  expect(textsOf(client, 1)).toEqual(['one', 'two', 'three'])
  expect(client.data(2).at(-1)).toMatchObject({ id: run.instanceId, state: 'succeeded' })
  expect(told).toContainEqual({ kind: 'logAppended', ...run, firstSeq: 3, count: 1 })
  expect(told).toContainEqual(expect.objectContaining({ kind: 'instanceChanged', instanceId: run.instanceId }))
})

it('shows them without the bus too, a second later, and tells lists that they are behind', async () => {
  await using client = await b.console(signedIn.token)
  client.send({ type: 'subscribe', id: 1, topic: `instance:${run.instanceId}:logs` })
  client.send({ type: 'subscribe', id: 2, topic: `instance:${run.instanceId}` })
  client.send({ type: 'subscribe', id: 3, topic: 'group:*' })
  await client.hear('event', 2)
  await client.hear('subscribed', 3)
  await pass(10_000)
  isBusUp = false
  await print(1, 'one')
  await until('the line', () => textsOf(client, 1).length === 1)
  await finish(1)
  await until('the end', () => client.isEnded(1) && client.data(2).length > 1)
  expect(client.data(2).at(-1)).toMatchObject({ state: 'succeeded' })
  await until('the list to be told', () => client.heard.some((message) => message.type === 'behind' && message.id === 3))
})

it('closes a console at the moment when its session ends on another node', async () => {
  await using client = await b.console(signedIn.token)
  await client.hear('ready')
  const user = await a.sessions.authenticate(signedIn.token, false)
  if (user === null) throw new Error('the token of a sign-in is good')
  await a.sessions.signOut(user, ALICE)
  expect(await waitFor(() => client.closed)).toMatchObject({ code: 4401 })
  expect(await b.sessions.authenticate(signedIn.token, false)).toBeNull()
})

it('sends events to a node only while a console is open there', async () => {
  expect(b.engine.relay.isWatching).toBe(false)
  {
    await using client = await b.console(signedIn.token)
    await client.hear('ready')
    expect(b.engine.relay.isWatching).toBe(true)
  }
  await until('the relay to leave', () => !b.engine.relay.isWatching)
})
