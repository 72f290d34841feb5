import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createExecutor, type Executor } from '@tickwheel/executor'
import { createLog, createServer, type Config, type Log, type Started } from '@tickwheel/server'
import { dieOnUncaught, stopWithin, untilSignal } from './lifecycle.ts'

/** Of the grace period, what is kept for canceling runs that do not end and for delivering their results. */
const KEPT_FOR_RESULTS_MS = 10_000

/** Runs a server, and with `withExecutor` the embedded executor beside it, until a stop signal; the exit code. */
export async function runServer(config: Config, { withExecutor }: { withExecutor: boolean }): Promise<number> {
  const log = createLog(config)
  dieOnUncaught(log)
  const stopSignal = untilSignal()
  const server = createServer(config, log)
  const started = await server.start()
  const executor = withExecutor && started.embeddedToken !== null ? startExecutor(config, log, { url: started.url, token: started.embeddedToken }) : null
  log.info({ url: started.url, embeddedExecutor: executor !== null }, 'tickwheel is ready')
  if (withExecutor) process.stdout.write(welcome(config, started))
  const signal = await stopSignal
  log.info({ signal }, 'stopping')
  await stopWithin(config.shutdown.graceMs, log, async () => {
    await server.retire()
    await executor?.stop({ graceMs: Math.max(0, config.shutdown.graceMs - KEPT_FOR_RESULTS_MS) })
    await server.stop()
  })
  log.info('stopped')
  return 0
}

/** The same executor as anybody's, joined by the same link. */
function startExecutor(config: Config, log: Log, { url, token }: { url: string; token: string }): Executor {
  const executor = createExecutor({
    server: url, appName: 'default', token, name: `embedded@${hostname()}`, capacity: config.embeddedCapacity, builtIn: { shell: true, script: true, http: true },
    spoolDir: join(resolve(config.dataDir), 'spool'), logger: log.child({ part: 'embedded executor' }),
  })
  void executor.start().catch((error: unknown) => log.error({ err: error }, 'the embedded executor could not join: tasks of the group default wait until another executor joins'))
  return executor
}

/** The last lines of a start: where to go, who to be, and how to let others in. */
function welcome({ host, port, adminPassword }: Config, { url, hasFirstPassword }: Started): string {
  const isLocal = /^(localhost|::1|127\.)/.test(host)
  const address = isLocal ? url.replace(/\/\/(127\.0\.0\.1|\[::1\])/, '//localhost') : url
  return [
    '',
    '  Tickwheel is ready.',
    `  Console   ${address}`,
    `  Account   admin${hasFirstPassword ? ` / ${adminPassword}` : ''}`,
    isLocal ? '  Only this machine can reach it: TICKWHEEL_HOST=0.0.0.0 opens it.' : `  Every machine that reaches port ${port} can reach it${hasFirstPassword ? ': the first sign-in must change the password' : ''}.`,
    '', '',
  ].join('\n')
}
