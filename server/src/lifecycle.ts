import { StartProblem } from './config/start-problem.ts'
import type { Log } from './log.ts'

/** Prints why a start failed: one line for what a person can mend, everything for what nobody expected. */
export function tellStartProblem(error: unknown): void {
  process.stderr.write(
    error instanceof StartProblem
      ? `${error.message}\n`
      : `Tickwheel could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
}

/** Resolves with the stop signal that came first; a second one ends the process at once. */
export async function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!isFirst) process.exit(1)
        isFirst = false
        resolve(signal)
      })
    }
  })
}

/** Stops in order within the grace period; after it the process ends anyway, and what was not done is done at the next start. */
export async function stopWithin(graceMs: number, log: Log, work: () => Promise<void>): Promise<void> {
  const deadline = setTimeout(() => {
    log.error({ graceMs }, 'the grace period is over: ending now')
    log.flush()
    process.exit(1)
  }, graceMs)
  await work()
  clearTimeout(deadline)
}

/** What nobody caught: told, and the process ends; the next start goes on from the store. */
export function dieOnUncaught(log: Log): void {
  const die = (error: unknown): void => {
    log.fatal({ err: error }, 'an error that nobody caught: ending')
    log.flush(() => process.exit(70))
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
}
