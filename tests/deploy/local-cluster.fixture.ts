import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../kit/free-port.ts'
import { MariaDb } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { PrivateRedis } from '../kit/redis.ts'
import { makeDir, removeDir } from '../kit/temp-dir.ts'
import { waitFor } from '../kit/wait-for.ts'
import { deployFolder, makeEnv, readCompose, type Compose, type Service } from './compose.fixture.ts'
import { TcpProxy } from './tcp-proxy.fixture.ts'

const CONTAINER_PORT = 8080
/** of each process, how much of its own log a failure shows */
const SAID = 2000

/**
 * The services of deploy/compose.yaml as processes of this machine: the same commands and variables, where only host names, ports and folders stand for
 * those of containers. A private MariaDB is in the place of MySQL. The proxy is HAProxy with the real configuration, or a plain one where it is missing.
 */
export class LocalCluster implements AsyncDisposable {
  readonly compose: Compose
  readonly env: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #mariaDb: MariaDb
  readonly #redis: PrivateRedis
  readonly #ports: ReadonlyMap<string, number>
  readonly #programs = new Map<string, Program>()
  #proxy: AsyncDisposable | null = null
  #url = ''

  private constructor(parts: { folder: string; mariaDb: MariaDb; redis: PrivateRedis; ports: ReadonlyMap<string, number> }) {
    this.#folder = parts.folder
    this.#mariaDb = parts.mariaDb
    this.#redis = parts.redis
    this.#ports = parts.ports
    this.env = makeEnv(parts.folder)
    this.compose = readCompose(this.env)
  }

  /** Everything is up: nodes are ready, executors have joined, the proxy answers. */
  static async start(): Promise<LocalCluster> {
    const [mariaDb, redis] = await Promise.all([MariaDb.start({ durable: true }), PrivateRedis.start({ durable: true })])
    const ports = new Map([
      ['node-1', await freePort()],
      ['node-2', await freePort()],
    ])
    const cluster = new LocalCluster({ folder: makeDir(), mariaDb, redis, ports })
    try {
      await cluster.#startAll()
      return cluster
    } catch (error) {
      const said = [...cluster.#programs].map(([name, { output }]) => `── ${name}\n${output.slice(-SAID)}`)
      await cluster[Symbol.asyncDispose]()
      throw new Error(`the cluster did not come up:\n${said.join('\n')}`, { cause: error })
    }
  }

  /** Where the proxy answers. */
  get url(): string {
    return this.#url
  }

  get nodes(): readonly string[] {
    return [...this.#ports.keys()]
  }

  get executors(): readonly string[] {
    return Object.keys(this.compose.services).filter((name) => name.startsWith('executor'))
  }

  program(name: string): Program {
    const program = this.#programs.get(name)
    if (program === undefined) throw new Error(`${name} was not started`)
    return program
  }

  /** Starts the process of a service, the first time or again. */
  run(name: string): Program {
    const { command, environment } = this.#service(name)
    const home = join(this.#folder, name)
    mkdirSync(home, { recursive: true })
    const isHere = (text: string): string => this.#local(text, home)
    const program = new Program({
      args: command.map(isHere),
      env: { ...this.#imageEnv(name), ...mapValues(environment, isHere) },
      cwd: home,
    })
    this.#programs.set(name, program)
    return program
  }

  /** Whether the service's own health check, run as the container would, says that it is well. */
  isHealthy(name: string): boolean {
    const [kind, program, script, ...args] = this.#service(name).healthcheck.test ?? []
    if (kind !== 'CMD' || program !== 'node' || script === undefined) throw new Error(`${name} has no health check by node`)
    const path = join(deployFolder, '..', script.replace(/^\/app\//, ''))
    return spawnSync(process.execPath, [path, ...args], { env: this.#imageEnv(name) }).status === 0
  }

  async ready(name: string): Promise<void> {
    const program = this.program(name)
    await waitFor(() => !program.isRunning || this.isHealthy(name), { what: `${name} to be ready`, timeoutMs: 60_000, everyMs: 200 })
    if (!program.isRunning) throw new Error(`${name} ended:\n${program.output}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // executors first: with no node to deliver to they would wait for one
    for (const name of [...this.executors, ...this.nodes]) await this.#programs.get(name)?.kill()
    await this.#proxy?.[Symbol.asyncDispose]()
    await this.#mariaDb.stop()
    await this.#redis.stop()
    removeDir(this.#folder)
  }

  async #startAll(): Promise<void> {
    const { MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD } = this.#service('mysql').environment
    // what the image of MySQL makes of its variables
    this.#mariaDb.sql(
      `CREATE DATABASE ${String(MYSQL_DATABASE)} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
       CREATE USER '${String(MYSQL_USER)}'@'%' IDENTIFIED BY '${String(MYSQL_PASSWORD)}'; GRANT ALL ON ${String(MYSQL_DATABASE)}.* TO '${String(MYSQL_USER)}'@'%'`,
    )
    await this.#redis.ask(`CONFIG SET requirepass ${this.env['REDIS_PASSWORD'] ?? ''}`)
    // both nodes at once on an empty database
    for (const name of this.nodes) this.run(name)
    for (const name of this.executors) this.run(name)
    await Promise.all(this.nodes.map((name) => this.ready(name)))
    await Promise.all(this.executors.map((name) => this.program(name).printed(/"msg":"linked"/)))
    const proxy =
      haproxyPath() === null ? new TcpProxy([...this.#ports.values()]) : new HaProxy(this.#folder, (text) => this.#local(text, ''))
    this.#proxy = proxy
    this.#url = await proxy.start()
  }

  #service(name: string): Service {
    const service = this.compose.services[name]
    if (service === undefined) throw new Error(`compose.yaml has no service ${name}`)
    return service
  }

  /** Text that is meant inside the network of containers, as it must be on this machine. */
  #local(text: string, home: string): string {
    let local = text
      .replace('@mysql:3306', `@127.0.0.1:${String(this.#mariaDb.port)}`)
      .replace('@redis:6379', `@127.0.0.1:${String(this.#redis.port)}`)
    for (const [name, port] of this.#ports) local = local.replaceAll(`${name}:${String(CONTAINER_PORT)}`, `127.0.0.1:${String(port)}`)
    return local.replace(/^\/data\b/, home)
  }

  /** ENV of the Dockerfile. */
  #imageEnv(name: string): Record<string, string> {
    const line = /^ENV (.+)$/m.exec(readFileSync(join(deployFolder, 'Dockerfile'), 'utf8'))?.[1] ?? ''
    const image = Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]))
    if (image['TICKWHEEL_PORT'] !== String(CONTAINER_PORT)) throw new Error('the image serves another port than compose.yaml expects')
    const port = this.#ports.get(name) ?? CONTAINER_PORT
    return { ...image, TICKWHEEL_HOST: '127.0.0.1', TICKWHEEL_PORT: String(port), TICKWHEEL_DATA_DIR: join(this.#folder, name) }
  }
}

/** Where HAProxy is, or null. */
export function haproxyPath(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'haproxy')).find((path) => existsSync(path)) ?? null
}

class HaProxy implements AsyncDisposable {
  readonly #file: string
  readonly #local: (text: string) => string
  #process: ChildProcess | null = null

  constructor(folder: string, local: (text: string) => string) {
    this.#file = join(folder, 'haproxy.cfg')
    this.#local = local
  }

  async start(): Promise<string> {
    const port = await freePort()
    const text = readFileSync(join(deployFolder, 'haproxy.cfg'), 'utf8')
    writeFileSync(this.#file, this.#local(text).replace(`bind :${String(CONTAINER_PORT)}`, `bind 127.0.0.1:${String(port)}`))
    this.#process = spawn(haproxyPath() ?? 'haproxy', ['-db', '-f', this.#file], { stdio: 'ignore' })
    const url = `http://127.0.0.1:${String(port)}`
    await waitFor(async () => (await fetch(`${url}/healthz`)).ok, { what: 'HAProxy' })
    return url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  }
}

function mapValues(record: Readonly<Record<string, string>>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
