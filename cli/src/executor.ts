import { statSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { createExecutor, type Executor } from '@tickwheel/executor'
import { createLog, dieOnUncaught, StartProblem, untilSignal, type Config, type Log } from '@tickwheel/server'
import { Option, type Command } from 'commander'

/** What `tickwheel executor` is told. */
export interface ExecutorCommandOptions {
  /** addresses of nodes of one cluster */
  readonly server: readonly string[]
  readonly token: string
  readonly app: string
  /** default: the host's name */
  readonly name?: string | undefined
  readonly capacity?: number | undefined
  /** built-in handlers it allows */
  readonly handlers: readonly string[]
  readonly httpDenyPrivate: boolean
  /** networks, addresses and hosts that HTTP tasks may call all the same */
  readonly httpAllow: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly spool?: string | undefined
  readonly workdir?: string | undefined
  readonly envAllow: readonly string[]
  readonly graceMs?: number | undefined
  readonly logLevel: Config['logLevel']
}

/** another process took over the name: not to be started again by a supervisor (systemd: `RestartPreventExitStatus=3`) */
const SUPERSEDED = 3

/**
 * Runs an executor until a stop signal; the exit code. Stops in order: takes nothing new, lets runs end within the grace, delivers every
 * result. A second signal ends the process at once; what was not delivered is delivered by the next start.
 * Throws StartProblem when an option makes no sense or the server refuses it.
 */
export async function runExecutor(options: ExecutorCommandOptions): Promise<number> {
  keepYoungHeapSmall()
  const log = createLog({ logLevel: options.logLevel })
  dieOnUncaught(log)
  const executor = make(options, log)
  const superseded = new Promise<'superseded'>((resolve) => executor.on('superseded', () => resolve('superseded')))
  executor.on('recovered', ({ frames }) => (frames > 0 ? log.info({ frames }, 'delivered what an earlier process left') : undefined))
  executor.on('draining', ({ draining }) => log.info(draining ? 'the server asks to take nothing new' : 'the server asks to go on'))
  const signaled = untilSignal()
  log.info({ servers: options.server, app: options.app, handlers: options.handlers }, 'joining')
  const ended = await Promise.race([joined(executor), signaled]).then((first) =>
    first === 'joined' ? Promise.race([superseded, signaled]) : first,
  )
  log.info({ why: ended, open: executor.open }, 'stopping')
  await executor.stop()
  log.info('stopped')
  return ended === 'superseded' ? SUPERSEDED : 0
}

async function joined(executor: Executor): Promise<'joined'> {
  try {
    await executor.start()
    return 'joined'
  } catch (error) {
    throw new StartProblem(messageOf(error), error)
  }
}

function make(options: ExecutorCommandOptions, log: Log): Executor {
  const has = (handler: string): boolean => options.handlers.includes(handler)
  try {
    return createExecutor({
      server: options.server,
      appName: options.app,
      token: options.token,
      name: options.name,
      capacity: options.capacity,
      labels: options.labels,
      builtIn: { shell: has('shell'), script: has('script'), http: has('http') },
      http: { denyPrivate: options.httpDenyPrivate, allow: options.httpAllow },
      spoolDir: options.spool,
      envAllow: options.envAllow,
      workDir: options.workdir,
      shutdownGraceMs: options.graceMs,
      logger: log,
    })
  } catch (error) {
    throw new StartProblem(messageOf(error), error)
  }
}

/** Adds `tickwheel executor` to the command line; `exit` is told the exit code. */
export function addExecutorCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('executor')
    .description('an executor of its own, joined to a server')
    .addOption(
      new Option('--server <address>', 'address of the server; several, joined by commas: nodes of one cluster')
        .env('TICKWHEEL_SERVER')
        .default('http://localhost:8080'),
    )
    .addOption(
      new Option('--token <token>', 'executor token; better given by the environment, where other users of the machine do not see it').env(
        'TICKWHEEL_EXECUTOR_TOKEN',
      ),
    )
    .addOption(new Option('--app <name>', 'appName of the group whose tasks it runs').env('TICKWHEEL_APP').default('default'))
    .option('--name <name>', 'its own name, unique in the group; default: the name of this host')
    .option('--capacity <number>', 'how many runs at once; default: four for each processor')
    .option('--handlers <names>', 'which built-in handlers it allows, joined by commas; empty: none', 'shell,script,http')
    .addOption(
      new Option('--http-deny-private', 'HTTP tasks do not call private networks and this machine').env(
        'TICKWHEEL_EXECUTOR_HTTP_DENY_PRIVATE',
      ),
    )
    .addOption(
      new Option(
        '--http-allow <list>',
        'networks and hosts that HTTP tasks may call all the same, joined by commas, like 10.1.0.0/16,*.example.com',
      )
        .env('TICKWHEEL_EXECUTOR_HTTP_ALLOW')
        .default(''),
    )
    .option('--label <key=value>', 'a label; may be given several times', collect, [])
    .option('--spool <folder>', 'where results and lines wait for the server; default: ~/.local/state/tickwheel/spool')
    .option('--workdir <folder>', 'where child processes run; default: the current folder')
    .option('--env-allow <names>', 'environment variables that child processes may see beside the usual ones, joined by commas', '')
    .option('--grace <ms>', 'how long runs may go on after a stop signal; default: 30000')
    .addOption(new Option('--log-level <level>', 'what it says of itself').env('TICKWHEEL_LOG_LEVEL').choices(LEVELS).default('info'))
    .action(async (flags: Record<string, unknown>) => exit(await runExecutor(optionsOf(flags))))
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const HANDLERS = ['shell', 'script', 'http']

/** Reads the flags. Throws StartProblem that names the one that is wrong. */
export function optionsOf(flags: Readonly<Record<string, unknown>>): ExecutorCommandOptions {
  return {
    server: wordsOf(flags['server']),
    token: tokenOf(flags['token']),
    app: textOf(flags['app']) ?? 'default',
    name: textOf(flags['name']),
    capacity: numberOf('--capacity', flags['capacity']),
    handlers: handlersOf(flags['handlers']),
    httpDenyPrivate: flags['httpDenyPrivate'] === true,
    httpAllow: wordsOf(flags['httpAllow']),
    labels: labelsOf(flags['label']),
    spool: textOf(flags['spool']),
    workdir: folderOf(textOf(flags['workdir'])),
    envAllow: namesOf(flags['envAllow']),
    graceMs: numberOf('--grace', flags['grace']),
    logLevel: LEVELS.find((level) => level === flags['logLevel']) ?? 'info',
  }
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function wordsOf(value: unknown): readonly string[] {
  return (textOf(value) ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function tokenOf(value: unknown): string {
  const token = textOf(value) ?? ''
  if (token === '')
    throw new StartProblem(
      '--token is missing: give an executor token by --token or TICKWHEEL_EXECUTOR_TOKEN; the console makes them under Executors.',
    )
  return token
}

function handlersOf(value: unknown): readonly string[] {
  const names = wordsOf(value)
  const unknown = names.find((name) => !HANDLERS.includes(name))
  if (unknown !== undefined) throw new StartProblem(`--handlers: expected ${HANDLERS.join(', ')}, got ${unknown}.`)
  return names
}

/** Found out at the start, and not by each run. */
function folderOf(path: string | undefined): string | undefined {
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new StartProblem(`--workdir: expected a folder that is there, got ${path}.`)
  return path
}

function namesOf(value: unknown): readonly string[] {
  const names = wordsOf(value)
  const wrong = names.find((name) => !/^[A-Za-z_]\w*$/.test(name))
  if (wrong !== undefined) throw new StartProblem(`--env-allow: expected names of variables, joined by commas, got ${wrong}.`)
  return names
}

function numberOf(flag: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value))
    throw new StartProblem(`${flag}: expected a whole number, got ${textOf(value) ?? typeof value}.`)
  return Number(value)
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const pairs = Array.isArray(value) ? value.map((pair) => pairOf(String(pair))) : []
  return Object.fromEntries(pairs)
}

function pairOf(text: string): readonly [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined || value === undefined) throw new StartProblem(`--label: expected key=value, got ${text}.`)
  return [key, value]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * What a run prints passes through as short-lived text and buffers, and the buffers go only when the young heap is swept. V8 lets that heap grow to 32 MiB
 * and fills most of it first, which cost 70 to 200 MiB of resident memory above idle for a run that printed 100 MB; swept at a fifth it costs 40 to 60
 * in four runs of five, up to 155 otherwise, in the same time (Node.js 24). What is held after a collection is 27 MiB at most.
 */
function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--minor-gc-task-trigger=20')
}
