import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient } from './api-client.ts'
import { freePort } from './free-port.ts'
import type { Program } from './program.ts'
import { GENEROUS_BUDGETS } from './runs.ts'
import { ServerProcess } from './server-process.ts'
import { makeDir, removeDir } from './temp-dir.ts'

export interface ClusterOptions {
  /** names of the nodes; their folders and ports are kept over their lives */
  readonly names: readonly string[]
  readonly databaseUrl: string
  /** absent: no Redis, which lets one node alone be */
  readonly redisUrl?: string
  readonly env?: Readonly<Record<string, string>>
  /** of one node alone, by its name */
  readonly envOf?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Server nodes of one cluster, each a real process that may be killed, frozen and started again. `await using cluster = await makeCluster(…)`. */
export class Cluster implements AsyncDisposable {
  readonly nodes: readonly ClusterNode[]
  readonly #folder: string

  constructor(nodes: readonly ClusterNode[], folder: string) {
    this.nodes = nodes
    this.#folder = folder
  }

  node(name: string): ClusterNode {
    const node = this.nodes.find((each) => each.name === name)
    if (node === undefined) throw new Error(`no node ${name}`)
    return node
  }

  /** What an executor is given: every node, joined by commas. */
  get urls(): string {
    return this.nodes.map(({ url }) => url).join(',')
  }

  /** Kills what still runs and removes the folders of the nodes. */
  async end(): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => node.kill()))
    removeDir(this.#folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

/** Chooses ports and folders; starts nothing. */
export async function makeCluster({ names, databaseUrl, redisUrl, env = {}, envOf = {} }: ClusterOptions): Promise<Cluster> {
  const folder = makeDir()
  const shared = {
    ...GENEROUS_BUDGETS,
    TICKWHEEL_DATABASE_URL: databaseUrl,
    ...(redisUrl === undefined ? {} : { TICKWHEEL_REDIS_URL: redisUrl }),
    TICKWHEEL_SECRET: 'one secret for all nodes of this cluster',
    TICKWHEEL_LOG_LEVEL: 'warn',
    ...env,
  }
  const nodes = await Promise.all(
    names.map(async (name) => new ClusterNode({ name, port: await freePort(), folder, env: { ...shared, ...envOf[name] } })),
  )
  return new Cluster(nodes, folder)
}

interface NodeOptions {
  readonly name: string
  readonly port: number
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** One node over all its lives. */
export class ClusterNode {
  readonly name: string
  readonly url: string
  /** every process it was, oldest first */
  readonly lives: Program[] = []
  readonly #options: NodeOptions
  #server: ServerProcess | null = null

  constructor(options: NodeOptions) {
    this.name = options.name
    this.url = `http://127.0.0.1:${String(options.port)}`
    this.#options = options
  }

  get program(): Program {
    if (this.#server === null) throw new Error(`node ${this.name} was never started`)
    return this.#server.program
  }

  get isRunning(): boolean {
    return this.#server?.program.isRunning === true
  }

  /** A new process; does not wait until it is ready. `env` holds for this life only. */
  start(env: Readonly<Record<string, string>> = {}): this {
    if (this.isRunning) throw new Error(`node ${this.name} runs already`)
    const dataDir = join(this.#options.folder, this.name)
    mkdirSync(dataDir, { recursive: true })
    this.#server = new ServerProcess({
      command: 'server',
      port: this.#options.port,
      dataDir,
      env: { TICKWHEEL_NODE_NAME: this.name, ...this.#options.env, ...env },
    })
    this.lives.push(this.#server.program)
    return this
  }

  async ready(): Promise<this> {
    if (this.#server === null) throw new Error(`node ${this.name} was never started`)
    await this.#server.ready()
    return this
  }

  async signIn(): Promise<ApiClient> {
    return ApiClient.signIn(this.url, 'admin', 'admin123')
  }

  /** Dies at once, frozen or not. */
  async kill(): Promise<void> {
    await this.#server?.program.kill()
  }

  /** Leaves in order (SIGTERM). */
  async stop(): Promise<void> {
    await this.#server?.program.stop()
  }
}
