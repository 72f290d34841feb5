import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemble, type Executor } from '../assemble.ts'
import { settingsOf, type ExecutorOptions } from '../options.ts'
import { TIMING, type Timing } from '../timing.ts'
import { FakeServer } from './fake-server.fixture.ts'

export const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** A fake server, a second one that is started by who wants two nodes, and executors joined to them, all of which go away together. */
export class Harness {
  readonly server = new FakeServer()
  readonly other = new FakeServer()
  readonly folder = mkdtempSync(join(tmpdir(), 'tickwheel-executor-'))
  readonly #executors: Executor[] = []

  /** Assembled, not started. */
  executor(options: Partial<ExecutorOptions> = {}, timing: Partial<Timing> = {}): Executor {
    const executor = assemble(
      settingsOf({
        server: this.server.url,
        appName: 'test',
        token: 'twe_test',
        name: 'one',
        capacity: 8,
        builtIn: { shell: true, script: true, http: true },
        spoolDir: join(this.folder, 'spool'),
        workDir: this.folder,
        logger: quiet,
        ...options,
      }),
      { ...TIMING, reconnectMinMs: 20, reconnectMaxMs: 60, farewellMs: 3_000, ...timing },
    )
    this.#executors.push(executor)
    return executor
  }

  async close(): Promise<void> {
    for (const server of [this.server, this.other]) {
      server.isAcknowledging = true
      server.acknowledgeWithheld()
    }
    await Promise.all(this.#executors.map((executor) => executor.stop({ graceMs: 0 })))
    await this.server.stop()
    await this.other.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A server, and an executor that is started. */
export async function startHarness(
  options: Partial<ExecutorOptions> = {},
  timing: Partial<Timing> = {},
): Promise<{ harness: Harness; server: FakeServer; executor: Executor }> {
  const harness = new Harness()
  await harness.server.start()
  const executor = harness.executor(options, timing)
  await executor.start()
  return { harness, server: harness.server, executor }
}
