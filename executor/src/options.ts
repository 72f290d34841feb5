import { homedir, hostname, availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { HttpReachOptions } from './handlers/http-reach.ts'
import type { ExecutorLogger } from './logger.ts'
import { stderrLogger } from './logger.ts'

/** How an executor is made. Only the first three are needed. */
export interface ExecutorOptions {
  /** address of the server, `http://host:8080`; several: any node of one cluster */
  readonly server: string | readonly string[]
  /** the appName of the group whose tasks it runs */
  readonly appName: string
  /** an executor token, `twe_…` */
  readonly token: string
  /** its own name, unique in the group and the same after a restart; default: the host's name. A newer process of the same name takes over. */
  readonly name?: string | undefined
  /** how many runs at once; default: four for each processor */
  readonly capacity?: number | undefined
  /** how many more may wait here for a slot (of a handler with a limit of its own); default: `capacity` */
  readonly queue?: number | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** which built-in handlers it allows; default: none. No server can allow more. */
  readonly builtIn?:
    { readonly shell?: boolean | undefined; readonly script?: boolean | undefined; readonly http?: boolean | undefined } | undefined
  /**
   * where HTTP tasks may lead: with `denyPrivate` not into private networks or to this machine; never to the metadata services of clouds. `allow`: networks,
   * addresses and host names (`*.example.com`) that are called all the same
   */
  readonly http?: HttpReachOptions | undefined
  /** where results and lines wait until the server has them; default: `~/.local/state/tickwheel/spool` */
  readonly spoolDir?: string | undefined
  /** `maxBytes`: default 256 MiB. `fsync`: flush each write, for hosts that lose power; default false */
  readonly spool?: { readonly maxBytes?: number | undefined; readonly fsync?: boolean | undefined } | undefined
  /** environment variables that child processes may see beside PATH, HOME, USER, LANG, TZ and the like; default: none */
  readonly envAllow?: readonly string[] | undefined
  /** where child processes run; default: the current folder */
  readonly workDir?: string | undefined
  /** pino, or anything of its shape; default: warnings and errors on stderr */
  readonly logger?: ExecutorLogger | undefined
  /** how long `stop` lets runs go on; default 30 s */
  readonly shutdownGraceMs?: number | undefined
}

/** The same with every default filled in. */
export interface Settings {
  readonly servers: readonly string[]
  readonly appName: string
  readonly token: string
  readonly name: string
  readonly capacity: number
  readonly queue: number
  readonly labels: Readonly<Record<string, string>>
  readonly builtIn: { readonly shell: boolean; readonly script: boolean; readonly http: boolean }
  readonly http: HttpReachOptions
  readonly spoolDir: string
  readonly spool: { readonly maxBytes: number; readonly fsync: boolean }
  readonly envAllow: readonly string[]
  readonly workDir: string
  readonly logger: ExecutorLogger
  readonly shutdownGraceMs: number
}

const MIN_SPOOL_BYTES = 1_048_576

/** Throws a TypeError that names the option when one makes no sense. */
export function settingsOf(options: ExecutorOptions): Settings {
  const capacity = wholeNumber('capacity', options.capacity ?? availableParallelism() * 4, 1, 10_000)
  return {
    servers: serversOf(options.server),
    appName: options.appName,
    token: options.token,
    name: nameOf(options.name ?? hostname()),
    capacity,
    queue: wholeNumber('queue', options.queue ?? capacity, 0, 100_000),
    labels: options.labels ?? {},
    builtIn: { shell: options.builtIn?.shell ?? false, script: options.builtIn?.script ?? false, http: options.builtIn?.http ?? false },
    http: options.http ?? {},
    spoolDir: resolve(options.spoolDir ?? join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'tickwheel', 'spool')),
    spool: {
      maxBytes: wholeNumber('spool.maxBytes', options.spool?.maxBytes ?? 268_435_456, MIN_SPOOL_BYTES, Number.MAX_SAFE_INTEGER),
      fsync: options.spool?.fsync ?? false,
    },
    envAllow: options.envAllow ?? [],
    workDir: resolve(options.workDir ?? '.'),
    logger: options.logger ?? stderrLogger,
    shutdownGraceMs: wholeNumber('shutdownGraceMs', options.shutdownGraceMs ?? 30_000, 0, 2_147_483_647),
  }
}

function serversOf(server: string | readonly string[]): readonly string[] {
  const servers = typeof server === 'string' ? [server] : server
  if (servers.length === 0) throw new TypeError('server: expected at least one address')
  for (const each of servers) {
    if (!URL.canParse(each) || !/^https?:$/.test(new URL(each).protocol))
      throw new TypeError(`server: expected an address like http://localhost:8080, got ${JSON.stringify(each)}`)
  }
  return servers
}

function nameOf(name: string): string {
  if (!/^[^/\s]{1,128}$/.test(name))
    throw new TypeError(`name: expected 1 to 128 characters without blanks and slashes, got ${JSON.stringify(name)}`)
  return name
}

/** Throws a TypeError that names the option when the value is not one. */
export function wholeNumber(option: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum)
    throw new TypeError(`${option}: expected a whole number from ${String(minimum)} to ${String(maximum)}, got ${String(value)}`)
  return value
}
