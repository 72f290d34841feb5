import { createExecutor, type Executor } from '@tickwheel/executor'
import { createLog, createServer, loadConfig, type Config, type Server } from '@tickwheel/server'
import { ApiClient } from './kit/api-client.ts'
import { makeDir, removeDir } from './kit/temp-dir.ts'

/** A server in this process, on a free port and a data folder of its own. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string
  readonly dataDir: string
  readonly config: Config
  readonly server: Server
  readonly embeddedToken: string
  /** nobody signed in */
  readonly anonymous: ApiClient
  /** signed in as the first account */
  readonly admin: ApiClient
  /** Lets an executor join the group `default`; it is stopped with the server. */
  join(): Promise<Executor>
  close(): Promise<void>
}

/** Starts a server. `env` as a person would set it; `more`: what settings alone would refuse here, like a role without Redis. */
export async function openApi(env: Readonly<Record<string, string>> = {}, more: Partial<Config> = {}): Promise<ApiServer> {
  const dataDir = makeDir()
  const settings = loadConfig({
    cwd: dataDir,
    env: { TICKWHEEL_PORT: '0', TICKWHEEL_DATA_DIR: dataDir, TICKWHEEL_LOG_LEVEL: 'error', ...GENEROUS, ...env },
  })
  const config = { ...settings, ...more }
  const server = createServer(config, createLog(config), { consoleDir: null })
  const { url, embeddedToken } = await server.start()
  const executors: Executor[] = []
  const close = async (): Promise<void> => {
    await server.retire()
    for (const executor of executors) await executor.stop({ graceMs: 0 })
    await server.stop()
    removeDir(dataDir)
  }
  return {
    url,
    dataDir,
    config,
    server,
    embeddedToken: embeddedToken ?? '',
    anonymous: new ApiClient(url),
    admin: config.role === 'scheduler' ? new ApiClient(url) : await ApiClient.signIn(url, 'admin', 'admin123'),
    close,
    [Symbol.asyncDispose]: close,
    join: async () => {
      const executor = createExecutor({
        server: url,
        appName: 'default',
        token: embeddedToken ?? '',
        name: 'tester',
        builtIn: { shell: true, script: true, http: true },
        spoolDir: `${dataDir}/spool`,
      })
      executors.push(executor)
      await executor.start()
      return executor
    },
  }
}

/** Tests call faster than people do. */
const GENEROUS = Object.fromEntries(
  ['LOGIN', 'ANONYMOUS', 'READ', 'WRITE', 'TRIGGER', 'HEAVY'].map((budget) => [`TICKWHEEL_RATE_LIMIT_${budget}_CAPACITY`, '100000']),
)
