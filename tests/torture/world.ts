/** The processes of a torture: MariaDB, Redis, nodes and executors, each of which may be hurt and healed, and all of which end by pid. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiClient } from '../kit/api-client.ts'
import { makeCluster, type Cluster, type ClusterNode } from '../kit/cluster.ts'
import { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { PrivateRedis } from '../kit/redis.ts'
import { executorToken } from '../kit/runs.ts'
import { makeDir, removeDir } from '../kit/temp-dir.ts'
import { Wire } from '../kit/wire.ts'
import type { Start } from './check.ts'
import { LedgerReader } from './ledger.ts'

export interface WorldOptions {
  readonly nodeNames: readonly string[]
  readonly executorNames: readonly string[]
  /** of nodes beside what joins them to a cluster */
  readonly env: Readonly<Record<string, string>>
  /** one that runs already, and is not ended here; default: a durable one of its own */
  readonly mariaDb?: MariaDb
  /** in it, made here; default `torture` */
  readonly database?: string
  /** nodes reach Redis and database through wires of their own, which can be cut */
  readonly withWires?: boolean
}

/** What leads from a node to what nodes share. */
export interface NodeWires {
  readonly redis: Wire
  readonly mariaDb: Wire
}

interface Parts {
  readonly mariaDb: MariaDb
  readonly ownsMariaDb: boolean
  readonly redis: PrivateRedis
  readonly cluster: Cluster
  readonly databaseUrl: string
  readonly executorNames: readonly string[]
  readonly wires: ReadonlyMap<string, NodeWires>
}

export class World implements AsyncDisposable {
  readonly folder = makeDir()
  readonly mariaDb: MariaDb
  readonly redis: PrivateRedis
  readonly cluster: Cluster
  readonly executors: readonly TortureExecutor[]
  readonly reader: LedgerReader
  /** by the name of the node; empty without wires */
  readonly wires: ReadonlyMap<string, NodeWires>
  /** the file to which each start of a run writes a line */
  readonly notes = join(this.folder, 'notes')
  /** how processes ended that were not asked to */
  readonly surprises: string[] = []
  readonly #watched = new Set<Program>()
  readonly #databaseUrl: string
  readonly #ownsMariaDb: boolean
  #isOver = false
  #refused = 0

  private constructor(parts: Parts) {
    this.mariaDb = parts.mariaDb
    this.#databaseUrl = parts.databaseUrl
    this.#ownsMariaDb = parts.ownsMariaDb
    this.redis = parts.redis
    this.cluster = parts.cluster
    this.wires = parts.wires
    this.reader = this.newReader()
    const facts = { servers: parts.cluster.urls, folder: this.folder, notes: this.notes }
    this.executors = parts.executorNames.map((name) => new TortureExecutor({ ...facts, name }))
    appendFileSync(this.notes, '')
  }

  /** Database and Redis run, nothing else does. */
  static async make({
    nodeNames,
    executorNames,
    env,
    mariaDb: given,
    database = 'torture',
    withWires = false,
  }: WorldOptions): Promise<World> {
    const mariaDb = given ?? (await MariaDb.start({ durable: true }))
    const ownsMariaDb = given === undefined
    const wires = new Map<string, NodeWires>()
    let redis: PrivateRedis | null = null
    try {
      redis = await PrivateRedis.start()
      mariaDb.sql(`CREATE DATABASE ${database}`)
      const databaseUrl = mariaDb.url(database)
      for (const name of withWires ? nodeNames : [])
        wires.set(name, { redis: await Wire.to(redis.port), mariaDb: await Wire.to(mariaDb.port) })
      const envOf = Object.fromEntries(
        [...wires].map(([name, wire]) => [name, throughWires(wire, { redisUrl: redis?.url ?? '', databaseUrl })]),
      )
      const cluster = await makeCluster({ names: nodeNames, databaseUrl, redisUrl: redis.url, env, envOf })
      return new World({ mariaDb, ownsMariaDb, redis, cluster, databaseUrl, executorNames, wires })
    } catch (error) {
      await endWires(wires)
      await Promise.all([redis?.stop(), ownsMariaDb ? mariaDb.stop() : null])
      throw error
    }
  }

  /** Starts nodes and executors; the first account, signed in at the first node. `envOf`: of one node alone, by its name. */
  async begin(envOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): Promise<ApiClient> {
    const [first, ...others] = this.cluster.nodes
    if (first === undefined) throw new Error('a world needs a node')
    this.startNode(first, envOf[first.name])
    await first.ready()
    const admin = await first.signIn()
    const token = await executorToken(admin)
    for (const node of others) this.startNode(node, envOf[node.name])
    for (const executor of this.executors) {
      executor.token = token
      this.startExecutor(executor)
    }
    await Promise.all([...others.map(async (node) => node.ready()), ...this.executors.map(async (executor) => executor.joined())])
    return admin
  }

  /** Nothing is started any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  startNode(node: ClusterNode, env: Readonly<Record<string, string>> = {}): void {
    if (this.#isOver) return
    this.#watch(`node ${node.name}`, node.start(env).program)
  }

  /** As a supervisor does: one that found no store when it started is started again, until it is ready. */
  async bringUp(node: ClusterNode): Promise<void> {
    for (;;) {
      this.startNode(node)
      const { program } = node
      try {
        await node.ready()
        return
      } catch (error) {
        if (this.#isOver || !/cannot be opened/.test(program.output)) throw error
        this.#refused += 1
      }
    }
  }

  /** how many starts of a node found no store */
  get refusedStarts(): number {
    return this.#refused
  }

  startExecutor(executor: TortureExecutor): void {
    if (this.#isOver) return
    this.#watch(`executor ${executor.name}`, executor.start())
  }

  /** From here on the end of this process is no surprise. */
  expectEnd(program: Program): void {
    this.#watched.delete(program)
  }

  /** Another connection, for who looks at the same time. */
  newReader(): LedgerReader {
    return new LedgerReader(this.#databaseUrl)
  }

  starts(): Start[] {
    return readFileSync(this.notes, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [instanceId = '', attempt = '', boot = ''] = line.split(' ')
        return { instanceId: Number(instanceId), attempt: Number(attempt), boot }
      })
  }

  /** Writes what every process printed into a folder. */
  keepLogs(folder: string): void {
    mkdirSync(folder, { recursive: true })
    for (const { name, program } of this.#lives()) writeFileSync(join(folder, `${name}.log`), program.output)
    if (existsSync(this.notes)) writeFileSync(join(folder, 'notes'), readFileSync(this.notes))
  }

  /** What every process printed, one after the other. */
  outputs(): string {
    return this.#lives()
      .map(({ name, program }) => `--- ${name}\n${program.output}`)
      .join('\n')
  }

  /** Ends every process at once, by pid, and removes every folder. */
  async end(): Promise<void> {
    this.#isOver = true
    this.#watched.clear()
    await this.reader[Symbol.asyncDispose]()
    await Promise.all(this.executors.map(async (executor) => executor.kill()))
    await this.cluster.end()
    await endWires(this.wires)
    await Promise.all([this.#ownsMariaDb ? this.mariaDb.stop() : null, this.redis.stop()])
    removeDir(this.folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  #lives(): { name: string; program: Program }[] {
    const all = [
      ...this.cluster.nodes.map(({ name, lives }) => ({ name: `node-${name}`, lives })),
      ...this.executors.map(({ name, lives }) => ({ name: `executor-${name}`, lives })),
    ]
    return all.flatMap(({ name, lives }) => lives.map((program, index) => ({ name: `${name}-${String(index + 1)}`, program })))
  }

  #watch(name: string, program: Program): void {
    this.#watched.add(program)
    void program.exited.then(({ code, signal }) => {
      // whoever brings it up starts it again
      const foundNoStore = code === 1 && /cannot be opened/.test(program.output)
      if (this.#watched.delete(program) && !foundNoStore)
        this.surprises.push(`${name} ended by itself, ${String(code ?? signal)}: ${program.output.slice(-2000)}`)
    })
  }
}

function throughWires(
  wires: NodeWires,
  { redisUrl, databaseUrl }: { readonly redisUrl: string; readonly databaseUrl: string },
): Record<string, string> {
  const through = (url: string, { port }: Wire): string => url.replace(/(?<=127\.0\.0\.1:)\d+/, String(port))
  return { TICKWHEEL_REDIS_URL: through(redisUrl, wires.redis), TICKWHEEL_DATABASE_URL: through(databaseUrl, wires.mariaDb) }
}

async function endWires(wires: ReadonlyMap<string, NodeWires>): Promise<void> {
  await Promise.all([...wires.values()].flatMap(({ redis, mariaDb }) => [redis, mariaDb].map(async (wire) => wire[Symbol.asyncDispose]())))
}

interface ExecutorFacts {
  readonly name: string
  readonly servers: string
  readonly folder: string
  readonly notes: string
}

/** One executor over all its lives; its spool is kept. */
export class TortureExecutor {
  readonly name: string
  token = ''
  readonly lives: Program[] = []
  readonly #facts: ExecutorFacts

  constructor(facts: ExecutorFacts) {
    this.name = facts.name
    this.#facts = facts
  }

  get program(): Program {
    const program = this.lives.at(-1)
    if (program === undefined) throw new Error(`executor ${this.name} was never started`)
    return program
  }

  start(): Program {
    const { name, servers, folder, notes } = this.#facts
    const spool = join(folder, `spool-${name}`)
    mkdirSync(spool, { recursive: true })
    const program = new Program({
      file: 'tests/torture/executor.fixture.ts',
      env: { TORTURE_SERVERS: servers, TORTURE_TOKEN: this.token, TORTURE_NAME: name, TORTURE_SPOOL: spool, TORTURE_NOTES: notes },
      cwd: spool,
    })
    this.lives.push(program)
    return program
  }

  async joined(): Promise<void> {
    await this.program.printed(/^joined$/m)
  }

  async kill(): Promise<void> {
    await this.lives.at(-1)?.kill()
  }
}
