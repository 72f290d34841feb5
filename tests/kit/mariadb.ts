import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { waitFor } from './wait-for.ts'

export interface MariaDbOptions {
  /** Flush at each commit, as in production. Default: only once a second, which tests need not wait for. */
  readonly durable?: boolean
}

const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/local/mysql/bin']
const USER = 't'

/** Why no private MariaDB can be started here, in one line that says how to get one; null: it can. */
export function mariaDbMissing(): string | null {
  const missing = ['mariadbd', 'mariadb-install-db', 'mariadb'].filter((name) => find(name) === null)
  return missing.length === 0 ? null : `no tests on MariaDB: ${missing.join(', ')} not found (apt-get install mariadb-server)`
}

/** A private MariaDB on a free port of loopback, with a data folder of its own that goes when it is stopped. */
export class MariaDb implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #options: MariaDbOptions
  #process: ChildProcess | null = null

  private constructor(port: number, folder: string, options: MariaDbOptions) {
    this.port = port
    this.#folder = folder
    this.#options = options
  }

  static async start(options: MariaDbOptions = {}): Promise<MariaDb> {
    // the server gives up root for the user mysql, who must be able to enter the folder
    const folder = mkdtempSync(join(tmpdir(), 'tickwheel-mariadb-'))
    const server = new MariaDb(await freePort(), folder, options)
    try {
      if (isRoot()) must('chown', ['mysql:mysql', folder])
      must(program('mariadb-install-db'), [
        '--no-defaults',
        ...asMysql(),
        `--datadir=${folder}/data`,
        // several at once would remove each other's temporary tables
        `--tmpdir=${folder}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ])
      await server.up()
      server.sql(`CREATE USER '${USER}'@'127.0.0.1' IDENTIFIED BY '${USER}'; GRANT ALL ON *.* TO '${USER}'@'127.0.0.1'`)
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** Where the program finds a database of it. */
  url(database: string): string {
    return `mysql://${USER}:${USER}@127.0.0.1:${String(this.port)}/${database}`
  }

  /** Runs statements as root, as `mysql -u root < file` does; what they print. */
  sql(statements: string, database?: string): string {
    return must(
      program('mariadb'),
      ['--no-defaults', '-uroot', '-S', this.#socket, '-N', ...(database === undefined ? [] : [database])],
      statements,
    )
  }

  /** Starts it on its data, the first time or after `kill`. */
  async up(): Promise<void> {
    const child = spawn(
      program('mariadbd'),
      [
        '--no-defaults',
        ...asMysql(),
        `--datadir=${this.#folder}/data`,
        `--tmpdir=${this.#folder}`,
        `--socket=${this.#socket}`,
        `--port=${String(this.port)}`,
        '--bind-address=127.0.0.1',
        `--pid-file=${this.#folder}/m.pid`,
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=256M',
        '--innodb-log-file-size=256M',
        '--character-set-server=utf8mb4',
        '--collation-server=utf8mb4_bin',
        `--log-error=${this.#folder}/m.log`,
        ...(this.#options.durable === true
          ? []
          : ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0', '--innodb-flush-method=nosync']),
      ],
      { stdio: 'ignore' },
    )
    this.#process = child
    await waitFor(async () => child.exitCode !== null || (await answers(this.port)), { what: 'MariaDB', timeoutMs: 60_000 })
    if (child.exitCode !== null) throw new Error(`MariaDB ended before it was ready:\n${this.#log()}`)
  }

  /** The process dies at once. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Stops it and removes its data. */
  async stop(): Promise<void> {
    // its data goes anyway: no orderly shutdown is waited for
    await this.#end('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #socket(): string {
    return join(this.#folder, 'm.sock')
  }

  #log(): string {
    const path = join(this.#folder, 'm.log')
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-2000) : ''
  }

  async #end(signal: 'SIGKILL'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
}

function find(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), ...FOLDERS]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

function program(name: string): string {
  const path = find(name)
  if (path === null) throw new Error(mariaDbMissing() ?? `${name} is not on this machine`)
  return path
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function asMysql(): string[] {
  return isRoot() ? ['--user=mysql'] : []
}

function must(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`)
  return stdout
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    // it sends the first packet, once it is ready for one
    await once(socket, 'data')
    return true
  } finally {
    socket.destroy()
  }
}
