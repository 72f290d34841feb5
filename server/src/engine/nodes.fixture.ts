import type { Register, TaskCreate } from '@tickwheel/contract'
import { seededRandom } from '@tickwheel/core'
import type { Bus, Channel } from '../cluster/bus.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { memoryCluster } from '../cluster/memory/cluster.ts'
import type { BusMessage } from '../cluster/messages.ts'
import type { Session } from '../link/link.ts'
import { SYSTEM } from '../store/caller.ts'
import type { Database, Lane, ReadTx, Tx } from '../store/database.ts'
import { StoreAway } from '../store/database.ts'
import type { FiringRow, InstanceRow, OpenInstanceRow, SlotRow } from '../store/schema.ts'
import { addGroup, logsOf, memoryStore, T0 } from '../store/store.fixture.ts'
import type { Clock, Wake } from './clock.ts'
import { Engine } from './engine.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { ALICE, ALL, FakeLink } from './world.fixture.ts'

/** One of several nodes on one store. It can die, be cut off from the store, and its messages can be lost. */
export class TestNode {
  readonly link = new FakeLink()
  readonly warnings: string[] = []
  isDead = false
  isCutOff = false
  isBusUp = true
  /** what happens after each of its commits, and before it hears of it */
  afterWrite: () => Promise<void> = async () => undefined
  #engine: Engine | null = null
  #n = 0

  get engine(): Engine {
    if (this.#engine === null) throw new Error('not started')
    return this.#engine
  }

  async start(world: Nodes, name: string, roles: readonly ('api' | 'scheduler')[]): Promise<void> {
    const note = (_facts: unknown, text: string): void => void this.warnings.push(text)
    const db = this.#view(world.db)
    this.#engine = await Engine.create({
      db,
      logs: logsOf(world.db),
      clock: this.#clock(world.clock),
      random: seededRandom(world.nodes.length),
      log: { warn: note, error: note },
      node: { name, url: `http://${name}`, roles },
      cluster: this.#cluster(world.shared),
      skewMs: () => 0,
      version: '0',
      serverZone: 'UTC',
      verifySession: (token) => ({ executorId: Number(token.split('.')[0]), bootId: Number(token.split('.')[1]) }),
      heartbeatMs: 5000,
      deadMs: 15_000,
      logLimitBytes: 1_000_000,
      maxOpenRuns: 200_000,
    })
    await this.#engine.start(this.link)
  }

  async executor(more: Partial<Register> = {}): Promise<Session> {
    const session = await this.engine.registerExecutor(
      1,
      {
        appName: 'app-1',
        name: 'worker',
        protocol: { min: 1, max: 1 },
        version: '0',
        capacity: 10,
        host: 'here',
        pid: 1,
        handlers: [{ name: 'shell', kind: 'builtIn' }],
        ...more,
      },
      SYSTEM,
    )
    await this.join(session)
    await this.engine.report(session, { type: 'recovered', n: ++this.#n, bootId: session.bootId })
    return session
  }

  async join(session: Session): Promise<void> {
    const answer = await this.engine.join({ token: `${session.executorId}.${session.bootId}`, ...session, running: [] })
    if (answer.kind !== 'welcome') throw new Error(`not welcome: ${answer.kind}`)
    this.engine.joined(session)
  }

  /** The executor takes what it was sent, and succeeds. */
  async work(session: Session, at: number): Promise<void> {
    for (const { instanceId, attempt, bootId } of this.link.dispatches()) {
      if (bootId !== session.bootId || this.#done.has(`${instanceId}:${attempt}`)) continue
      this.#done.add(`${instanceId}:${attempt}`)
      await this.finish(session, { instanceId, attempt }, at)
    }
    await this.engine.beat(session, { running: [], load: { cpu: 0, memory: 0, running: 0, queued: 0 } })
  }

  async finish(session: Session, { instanceId, attempt }: { instanceId: number; attempt: number }, at: number): Promise<void> {
    await this.engine.report(session, { type: 'accepted', n: ++this.#n, instanceId, attempt, at })
    await this.engine.report(session, {
      type: 'finished',
      n: ++this.#n,
      instanceId,
      attempt,
      at,
      startedAt: at,
      bootId: session.bootId,
      outcome: 'succeeded',
    })
  }

  readonly #done = new Set<string>()

  #view(real: Database): Database {
    const gate = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.isDead) return never()
      if (this.isCutOff) throw new StoreAway('cut off')
      const value = await work()
      return this.#wasKilled() ? never() : value
    }
    return {
      dialect: real.dialect,
      read: async <T>(work: (tx: ReadTx) => Promise<T>) => gate(() => real.read(work)),
      write: async <T>(lane: Lane, work: (tx: Tx) => Promise<T>) =>
        gate(async () => {
          const value = await real.write(lane, work)
          await this.afterWrite()
          return value
        }),
      now: async () => gate(() => real.now()),
      close: async () => undefined,
    }
  }

  #wasKilled(): boolean {
    return this.isDead
  }

  #clock(real: ManualClock): Clock {
    const unlessDead = (call: () => void) => () => (this.isDead ? undefined : call())
    return {
      now: () => real.now(),
      monotonic: () => real.monotonic(),
      wake: (at: number, call: () => void): Wake => real.wake(at, unlessDead(call)),
      after: (ms: number, call: () => void): Wake => real.after(ms, unlessDead(call)),
      breathe: () => real.breathe(),
    }
  }

  #cluster(shared: Cluster): Cluster {
    const isUp = (): boolean => this.isBusUp && !this.isDead
    const bus: Bus = {
      publish: (channel: Channel, message: BusMessage) => (isUp() ? shared.bus.publish(channel, message) : undefined),
      listen: (channel, hear) => shared.bus.listen(channel, (message) => (isUp() ? hear(message) : undefined)),
      get isUp() {
        return isUp()
      },
    }
    return { ...shared, bus, state: 'ok' }
  }
}

/** Several nodes on one store, with one clock that a test turns. */
export class Nodes {
  readonly clock = new ManualClock(T0)
  readonly shared = memoryCluster(() => this.clock.monotonic())
  readonly nodes: TestNode[] = []
  readonly db: Database
  #names = 0

  private constructor(db: Database) {
    this.db = db
  }

  static async create(count: number): Promise<Nodes> {
    let clock: ManualClock | null = null
    const db = await memoryStore(() => clock?.now() ?? T0)
    const world = new Nodes(db)
    clock = world.clock
    await addGroup(db, 1)
    for (let place = 0; place < count; place += 1) await world.add()
    await world.pass(3000)
    return world
  }

  async add(roles: readonly ('api' | 'scheduler')[] = ['api', 'scheduler']): Promise<TestNode> {
    const node = new TestNode()
    this.nodes.push(node)
    await node.start(this, `node-${(this.#names += 1)}`, roles)
    await this.settled()
    return node
  }

  async settled(): Promise<void> {
    for (let round = 0; round < 3; round += 1) for (const node of this.nodes) if (!node.isDead) await node.engine.settled()
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms, () => this.settled())
  }

  node(place: number): TestNode {
    const node = this.nodes[place]
    if (node === undefined) throw new Error(`no node ${place}`)
    return node
  }

  /** A task, made at a node, whose slot is owned by a given node. */
  async taskOf(owner: TestNode, at: TestNode, more: Partial<TaskCreate> = {}): Promise<{ taskId: number; slot: number }> {
    for (let tries = 0; tries < 200; tries += 1) {
      const { taskId } = await at.engine.createTask(
        {
          groupId: 1,
          name: `task ${(this.#names += 1)}`,
          schedule: { kind: 'manual' },
          handler: { kind: 'shell', script: 'true' },
          enabled: more.schedule !== undefined,
          ...more,
        },
        ALL,
        ALICE,
      )
      const [row] = await this.db.read((tx) => tx.all<{ slot: number }>('SELECT slot FROM series WHERE owner_id = ?', [taskId]))
      const slot = row?.slot ?? -1
      if ((await this.slots())[slot]?.owner_run === owner.engine.status().runId) return { taskId, slot }
      await at.engine.deleteTask(taskId, { cancelRunning: true }, ALL, ALICE)
      await this.settled()
    }
    throw new Error('the node owns no slot that a task falls into')
  }

  async slots(): Promise<SlotRow[]> {
    return this.db.read((tx) => tx.all<SlotRow>('SELECT * FROM slot ORDER BY id'))
  }
  async open(): Promise<OpenInstanceRow[]> {
    return this.db.read((tx) => tx.all<OpenInstanceRow>('SELECT * FROM open_instance ORDER BY id'))
  }
  async ended(): Promise<InstanceRow[]> {
    return this.db.read((tx) => tx.all<InstanceRow>('SELECT * FROM instance ORDER BY id'))
  }
  async firings(): Promise<FiringRow[]> {
    return this.db.read((tx) => tx.all<FiringRow>('SELECT * FROM firing ORDER BY due_at, series_id'))
  }
  async owners(): Promise<Map<number | null, number>> {
    const counts = new Map<number | null, number>()
    for (const row of await this.slots()) counts.set(row.owner_run, (counts.get(row.owner_run) ?? 0) + 1)
    return counts
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
