import { assemble, type Executor } from './assemble.ts'
import { settingsOf, type ExecutorOptions } from './options.ts'
import { TIMING } from './timing.ts'

/**
 * Makes an executor; `handle` gives it work and `start` joins it to the server.
 * Throws a TypeError when an option makes no sense, and what the file system throws when the spool folder cannot be made.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  return assemble(settingsOf(options), TIMING)
}
