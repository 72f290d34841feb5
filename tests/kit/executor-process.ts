import { Program } from './program.ts'
import { makeDir, removeDir } from './temp-dir.ts'

export interface ExecutorProcessOptions {
  readonly serverUrl: string
  readonly token: string
  readonly name?: string
  /** An existing spool folder, to start again on; a new one unless given. A given one is left standing. */
  readonly spoolDir?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A real `tickwheel executor`, joined to a server. `await executor.close()`, or `await using executor = await startExecutor(…)`. */
export class ExecutorProcess implements AsyncDisposable {
  readonly program: Program
  readonly spoolDir: string
  readonly #ownsSpool: boolean

  constructor({ serverUrl, token, name = 'tester', spoolDir, args = [], env = {} }: ExecutorProcessOptions) {
    this.#ownsSpool = spoolDir === undefined
    this.spoolDir = spoolDir ?? makeDir()
    this.program = new Program({
      args: ['executor', '--name', name, '--spool', this.spoolDir, ...args],
      env: { TICKWHEEL_SERVER: serverUrl, TICKWHEEL_EXECUTOR_TOKEN: token, ...env },
      cwd: this.spoolDir,
    })
  }

  /** Waits until it has joined. Fails at once when the process ends instead. */
  async linked(): Promise<this> {
    await this.program.printed(/"msg":"linked"/)
    return this
  }

  /** Ends the process, kindly, and removes the spool if it was made here. */
  async close(): Promise<void> {
    await this.program.stop()
    if (this.#ownsSpool) removeDir(this.spoolDir)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Starts an executor and waits until it has joined. */
export async function startExecutor(options: ExecutorProcessOptions): Promise<ExecutorProcess> {
  const executor = new ExecutorProcess(options)
  try {
    return await executor.linked()
  } catch (error) {
    await executor.program.kill()
    throw error
  }
}
