import { createServer, type Started } from './app.ts'
import type { Config } from './config/schema.ts'
import { dieOnUncaught, stopWithin, untilSignal } from './lifecycle.ts'
import { createLog, type Log } from './log.ts'
import { nodeOf } from './node.ts'

/** Something that runs beside the server in the same process, like the embedded executor. */
export interface Companion {
  /** Ends within `graceMs`; the server still takes what it reports. */
  stop(options: { readonly graceMs: number }): Promise<void>
}

export interface RunOptions {
  /** Starts what runs beside the server once it is ready; null: nothing. */
  readonly beside?: (started: Started, log: Log) => Companion | null
}

/** Of the grace period, what is kept for canceling runs that do not end and for delivering their results: at most half of it. */
const KEPT_FOR_RESULTS_MS = 10_000

/**
 * The life of a server process: starts, waits for a stop signal, and stops in order within the grace period: nothing fires any more, the companion
 * ends and delivers, then the server goes. The exit code. Throws `StartProblem` when it cannot start.
 */
export async function runServer(config: Config, { beside }: RunOptions = {}): Promise<number> {
  const log = createLog({ logLevel: config.logLevel, name: nodeOf(config).name })
  dieOnUncaught(log)
  const stopSignal = untilSignal()
  const server = createServer(config, log)
  const started = await server.start()
  log.info({ url: started.url }, 'tickwheel is ready')
  const companion = beside?.(started, log) ?? null
  const signal = await stopSignal
  log.info({ signal }, 'stopping')
  await stopWithin(config.shutdown.graceMs, log, async () => {
    await server.retire()
    await companion?.stop({ graceMs: config.shutdown.graceMs - Math.min(KEPT_FOR_RESULTS_MS, config.shutdown.graceMs / 2) })
    await server.stop()
  })
  log.info('stopped')
  return 0
}
