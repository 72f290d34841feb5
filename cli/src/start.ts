import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createExecutor, type Executor } from '@tickwheel/executor'
import { runServer, wordsIn, type Config, type Log, type Started } from '@tickwheel/server'

/** Everything on one machine: a server, and unless it is turned off an executor beside it. The exit code. */
export async function startEverything(config: Config): Promise<number> {
  return runServer(config, {
    beside: (started, log) => {
      if (config.role !== 'scheduler') process.stdout.write(welcome(config, started))
      if (started.embeddedToken === null && config.embeddedExecutor)
        log.warn('there is no group with the appName default: the embedded executor has nothing to serve and is not started')
      return started.embeddedToken === null ? null : startExecutor(config, log, { ...started, token: started.embeddedToken })
    },
  })
}

/** The same executor as anybody's, joined by the same link. */
function startExecutor(config: Config, log: Log, { url, node, token }: { url: string; node: string; token: string }): Executor {
  const handlers = wordsIn(config.embeddedHandlers)
  const allows = (handler: string): boolean => handlers.includes(handler)
  const executor = createExecutor({
    server: url,
    appName: 'default',
    token,
    // Beside other nodes on one machine the host alone would name two executors alike.
    name: `embedded@${config.redis.url === '' ? hostname() : node}`,
    capacity: config.embeddedCapacity,
    builtIn: { shell: allows('shell'), script: allows('script'), http: allows('http') },
    http: { denyPrivate: config.embeddedHttpDenyPrivate, allow: wordsIn(config.embeddedHttpAllow) },
    spoolDir: join(resolve(config.dataDir), 'spool'),
    logger: log.child({ part: 'embedded executor' }),
  })
  void executor
    .start()
    .catch((error: unknown) =>
      log.error({ err: error }, 'the embedded executor could not join: tasks of the group default wait until another executor joins'),
    )
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
    isLocal
      ? '  Only this machine can reach it: TICKWHEEL_HOST=0.0.0.0 opens it.'
      : `  Every machine that reaches port ${port} can reach it${hasFirstPassword ? ': the first sign-in must change the password' : ''}.`,
    '',
    '',
  ].join('\n')
}
