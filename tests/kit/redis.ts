import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { waitFor } from './wait-for.ts'

export interface PrivateRedisOptions {
  /** Redis Cluster: this one node has every hash slot, and a script or command on keys of several is refused as in a large one. */
  readonly cluster?: boolean
  /** What is written outlives `kill`: appended to a file before it is acknowledged. Default: it starts empty again. */
  readonly durable?: boolean
}

const TRIES = 3
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/sbin']

/** Why no private Redis can be started here, in one line that says how to get one; null: it can. */
export function redisMissing(): string | null {
  return find() === null ? 'no tests on Redis: redis-server not found (apt-get install redis-server)' : null
}

/** A private Redis on a free port of loopback, with a folder of its own that goes when it is stopped. */
export class PrivateRedis implements AsyncDisposable {
  readonly port: number
  /** on which the nodes of a cluster talk to each other */
  readonly #clusterPort: number
  readonly #folder: string
  readonly #options: PrivateRedisOptions
  #process: ChildProcess | null = null

  private constructor(port: number, clusterPort: number, options: PrivateRedisOptions) {
    this.port = port
    this.#clusterPort = clusterPort
    this.#folder = mkdtempSync(join(tmpdir(), 'tickwheel-redis-'))
    this.#options = options
  }

  static async start(options: PrivateRedisOptions = {}): Promise<PrivateRedis> {
    for (let tries = 1; ; tries++) {
      const server = new PrivateRedis(await freePort(), await freePort(), options)
      try {
        await server.up()
        return server
      } catch (error) {
        await server.stop()
        // another process may have taken a port meanwhile
        if (tries === TRIES) throw error
      }
    }
  }

  /** Where the program finds it. */
  get url(): string {
    return `${this.#options.cluster === true ? 'redis+cluster' : 'redis'}://127.0.0.1:${String(this.port)}`
  }

  /** One command, its words separated by blanks; the answer as the protocol writes it. Throws what Redis refuses, and when it does not answer for 10 s. */
  async ask(command: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      socket.write(`${command}\r\n`)
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })
      const text = String(answer).trim()
      if (text.startsWith('-')) throw new Error(`${command}: ${text.slice(1)}`)
      return text
    } finally {
      socket.destroy()
    }
  }

  /** As if everything in it had been lost. */
  async flushAll(): Promise<void> {
    await this.ask('FLUSHALL')
  }

  /** Starts it on the same port, the first time or after `kill`. */
  async up(): Promise<void> {
    const child = spawn(program(), this.#settings(), { stdio: 'ignore' })
    this.#process = child
    await waitFor(async () => child.exitCode !== null || (await this.ask('PING')) === '+PONG', { what: 'Redis', timeoutMs: 60_000 })
    if (child.exitCode !== null) throw new Error(`Redis ended before it was ready:\n${this.#log()}`)
    if (this.#options.cluster === true) await this.#takeEverySlot()
  }

  /** The process dies at once. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  /** It answers nothing, and its connections stay, until `resume`. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Stops it, also when it is paused, and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #settings(): string[] {
    const { cluster = false, durable = false } = this.#options
    return [
      ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''],
      ...(durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']),
      ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(this.#clusterPort)] : []),
      ...['--logfile', join(this.#folder, 'redis.log')],
    ]
  }

  #log(): string {
    const path = join(this.#folder, 'redis.log')
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-2000) : ''
  }

  async #takeEverySlot(): Promise<void> {
    // after a restart it has them still
    if ((await this.ask('CLUSTER INFO')).includes('cluster_slots_assigned:0')) await this.ask('CLUSTER ADDSLOTSRANGE 0 16383')
    await waitFor(async () => (await this.ask('CLUSTER INFO')).includes('cluster_state:ok'), { what: 'a cluster of one' })
  }
}

function find(): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), ...FOLDERS]
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path)) ?? null
}

function program(): string {
  const path = find()
  if (path === null) throw new Error(redisMissing() ?? 'redis-server is not on this machine')
  return path
}
