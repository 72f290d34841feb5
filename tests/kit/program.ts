import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const fromSources = ['--conditions=development', '--experimental-strip-types', '--disable-warning=ExperimentalWarning']

export interface ProgramOptions {
  /** File of a program, from the root of the project. Default `cli/src/main.ts`. */
  readonly file?: string
  /** Another program than Node.js: it is given `args` alone. */
  readonly command?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A real process of this project, run from its sources by the same Node.js. Nothing of the tester's own TICKWHEEL_ settings reaches it. */
export class Program {
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()
  #output = ''
  /** Settles when the process is gone, however it went. */
  readonly exited: Promise<Exit>

  constructor({ file = 'cli/src/main.ts', command, args = [], env = {}, cwd = root }: ProgramOptions = {}) {
    const [program, words] = command === undefined ? [process.execPath, [...fromSources, join(root, file), ...args]] : [command, [...args]]
    this.#child = spawn(program, words, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    this.exited = once(this.#child, 'close').then(() => ({ code: this.#child.exitCode, signal: this.#child.signalCode }))
    void this.exited.then(() => this.#hear(''))
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process did not start')
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** All that the process has printed so far, both streams. */
  get output(): string {
    return this.#output
  }

  /** Waits until what was printed matches. Fails when the process ends first. */
  async printed(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const look = (): void => {
      const match = pattern.exec(this.#output)
      if (match !== null) resolve(match)
      else if (!this.isRunning) reject(new Error(`the process ended before it printed ${String(pattern)}:\n${this.#output}`))
    }
    const timer = setTimeout(() => {
      reject(new Error(`${String(pattern)} was not printed within ${String(timeoutMs)} ms:\n${this.#output}`))
    }, timeoutMs)
    this.#watchers.add(look)
    look()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#watchers.delete(look)
    })
  }

  /** Asks the process to stop (SIGTERM unless another signal is named) and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (this.isRunning) this.#child.kill(signal)
    return this.exited
  }

  /** Ends the process without a word, as a power cut would, and waits until it is gone. */
  async kill(): Promise<Exit> {
    return this.stop('SIGKILL')
  }

  /** Stops the process where it stands (SIGSTOP), as a machine does that hangs. Killed it can be, stopped kindly only after `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  #hear(text: string): void {
    this.#output += text
    for (const look of this.#watchers) look()
  }
}

function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TICKWHEEL_|VITEST|NODE_OPTIONS$)/.test(name)))
}
