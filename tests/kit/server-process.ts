import { ApiClient } from './api-client.ts'
import { freePort } from './free-port.ts'
import { Program } from './program.ts'
import { makeDir, removeDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

export interface ServerOptions {
  /** `start` (server and embedded executor, the default) or `server`. */
  readonly command?: 'start' | 'server'
  /** An existing data folder, to start again on; a new one unless given. A given one is left standing. */
  readonly dataDir?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

/**
 * A real server on a free port of loopback and a data folder of its own, ready to answer. Close it: `await server.close()`, or
 * `await using server = await startServer()`.
 */
export class ServerProcess implements AsyncDisposable {
  readonly program: Program
  readonly url: string
  readonly port: number
  readonly dataDir: string
  readonly #ownsDataDir: boolean

  constructor({ command = 'start', dataDir, port, env = {}, args = [] }: ServerOptions & { readonly port: number }) {
    this.port = port
    this.url = `http://127.0.0.1:${String(port)}`
    this.#ownsDataDir = dataDir === undefined
    this.dataDir = dataDir ?? makeDir()
    const settings = { TICKWHEEL_HOST: '127.0.0.1', TICKWHEEL_PORT: String(port), TICKWHEEL_DATA_DIR: this.dataDir }
    // From inside the data folder no config.yaml of the repository is found.
    this.program = new Program({ args: [command, ...args], env: { ...settings, ...env }, cwd: this.dataDir })
  }

  /** Waits until `/readyz` says 200. Fails at once, with what was printed, when the process ends instead. */
  async ready(): Promise<this> {
    await waitFor(async () => !this.program.isRunning || (await fetch(`${this.url}/readyz`)).ok, {
      what: `${this.url}/readyz`,
      timeoutMs: 60_000,
    })
    if (!this.program.isRunning) throw new Error(`the server ended before it was ready:\n${this.program.output}`)
    return this
  }

  /** A client that has signed in, as the first account unless told otherwise. */
  async signIn(username = 'admin', password = 'admin123'): Promise<ApiClient> {
    return ApiClient.signIn(this.url, username, password)
  }

  /** Ends the process, kindly, and removes the data folder if it was made here. */
  async close(): Promise<void> {
    await this.program.stop()
    if (this.#ownsDataDir) removeDir(this.dataDir)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Starts a server and waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = new ServerProcess({ ...options, port: options.port ?? (await freePort()) })
  try {
    return await server.ready()
  } catch (error) {
    await server.program.kill()
    throw error
  }
}
