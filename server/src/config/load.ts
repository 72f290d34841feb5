import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isHostPattern, parseNetwork } from '@tickwheel/core'
import { Value } from 'typebox/value'
import { Origins } from '../auth/origin.ts'
import { didYouMean } from './did-you-mean.ts'
import { parseFile, type FileValue } from './file.ts'
import { settingKeys, type SettingKey } from './keys.ts'
import { ConfigSchema, type Config } from './schema.ts'
import { StartProblem } from './start-problem.ts'
import { isFirstToken } from '../store/first-token.ts'
import { parseRedisUrl } from '../cluster/redis-url.ts'
import { ALARM_NETWORKS, EXECUTOR_NETWORKS, Networks, type NetworksSetting } from '../link/networks.ts'
import { isMysqlUrl, parseMysqlUrl } from '../store/dialect/mysql-url.ts'

/** Where settings come from. `flags` are keyed by path (`database.url`), as the command line parsed them. */
export interface ConfigSources {
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** `--config`; must exist */
  readonly file?: string
}

interface Given {
  readonly value: unknown
  /** how the person wrote it: `config.yaml:3:7 port`, `TICKWHEEL_PORT`, `--port` */
  readonly where: string
}

/**
 * The settings: flags over environment over config.yaml over defaults. Throws `StartProblem` with one line naming an unknown key or a wrong value.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const env = sources.env ?? {}
  const file = findFile(sources.file ?? env.TICKWHEEL_CONFIG, sources.cwd ?? process.cwd())
  const fromFile = file === null ? new Map<string, FileValue>() : parseFile(readText(file), file)
  refuseUnknownVariables(env)
  const settings: Record<string, unknown> = {}
  for (const key of settingKeys) place(settings, key.path, valueOf(key, fromFile, env, sources.flags ?? {}))
  const config = judged(settings)
  return {
    ...config,
    embeddedExecutor: config.embeddedExecutor && (!isMysqlUrl(config.database.url) || isAskedFor('embeddedExecutor', sources)),
  }
}

/** By a flag or a variable: the file, which may be the one with every default, does not count. */
function isAskedFor(path: string, { env = {}, flags = {} }: ConfigSources): boolean {
  const key = settingKeys.find((known) => known.path === path)
  return flags[path] !== undefined || (key !== undefined && env[key.variable] !== undefined && env[key.variable] !== '')
}

const PLACES = ['config.yaml', 'server/config.yaml']

function findFile(named: string | undefined, cwd: string): string | null {
  if (named !== undefined && named !== '') {
    const path = resolve(cwd, named)
    if (!existsSync(path))
      throw new StartProblem(
        `The configuration file ${path} does not exist: name one that does, or leave --config and TICKWHEEL_CONFIG out.`,
      )
    return path
  }
  return PLACES.map((path) => resolve(cwd, path)).find((path) => existsSync(path)) ?? null
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartProblem(
      `The configuration file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    )
  }
}

function valueOf(
  key: SettingKey,
  file: ReadonlyMap<string, FileValue>,
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string>>,
): unknown {
  const given = givenOf(key, file, env, flags)
  if (given === null) return key.default
  const value = typeof given.value === 'string' ? fromText(key, given.value) : given.value
  if (Value.Check(key.schema, value)) return value
  throw new StartProblem(
    `${given.where} must be ${wordsOf(key)}, not ${key.secret === true ? 'what was given' : JSON.stringify(given.value)}.`,
  )
}

function givenOf(
  key: SettingKey,
  file: ReadonlyMap<string, FileValue>,
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string>>,
): Given | null {
  const flag = flags[key.path]
  if (flag !== undefined) return { value: flag, where: key.flag }
  const variable = env[key.variable]
  if (variable !== undefined && variable !== '') return { value: variable, where: key.variable }
  const inFile = file.get(key.path)
  return inFile === undefined ? null : { value: inFile.value, where: `${inFile.where}: ${key.path}` }
}

function fromText(key: SettingKey, text: string): unknown {
  const type = (key.schema as { type?: string }).type
  if (type === 'integer' || type === 'number') return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text
  if (type === 'boolean')
    return (
      ({ true: true, on: true, yes: true, 1: true, false: false, off: false, no: false, 0: false } as Record<string, boolean>)[
        text.trim().toLowerCase()
      ] ?? text
    )
  return text
}

function wordsOf(key: SettingKey): string {
  return `${key.kind.replace(/^(?=whole|number)/, 'a ')}${lengthWords(key)}`
}

function lengthWords(key: SettingKey): string {
  const { minLength, maxLength } = key.schema as { minLength?: number; maxLength?: number }
  if (maxLength !== undefined) return ` of ${minLength ?? 0} to ${maxLength} characters`
  return minLength === undefined ? '' : ', not empty'
}

function place(settings: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.')
  const last = parts.pop() ?? path
  let target = settings
  for (const part of parts) target = (target[part] ??= {}) as Record<string, unknown>
  target[last] = value
}

// Variables of this name that belong to others: of a run's child process, of the test runner, and of the executor's command line.
const FOREIGN =
  /^TICKWHEEL_(CONFIG|REQUIRE_ALL|INSTANCE_ID|ATTEMPT|SCHEDULED_AT|PARAMS|PARAMS_FILE|TASK|GROUP|MOCK|SHARD_INDEX|SHARD_TOTAL|RESULT|TOKEN|SERVER|APP|TEST_.+|BENCH_.+|EXECUTOR_(?!HEARTBEAT|DEAD|NETWORK).+)$/
// Kubernetes sets these for a Service named tickwheel.
const KUBERNETES = /^TICKWHEEL_(SERVICE_.+|PORT_\d+_.+)$/

function refuseUnknownVariables(env: Readonly<Record<string, string | undefined>>): void {
  const known = new Set(settingKeys.map((key) => key.variable))
  const unknown = Object.keys(env).find(
    (name) => name.startsWith('TICKWHEEL_') && !known.has(name) && !FOREIGN.test(name) && !KUBERNETES.test(name),
  )
  if (unknown === undefined) return
  throw new StartProblem(`${unknown} is not a setting${didYouMean(unknown, [...known])}. docs/reference/configuration.md lists all.`)
}

function mustBeMysqlUrl(url: string): void {
  try {
    parseMysqlUrl(url)
  } catch (error) {
    throw new StartProblem(
      'database.url (TICKWHEEL_DATABASE_URL) must have the form mysql://user:password@host:port/database; special characters of the password are written as %XX.',
      error,
    )
  }
}

/** What several nodes need, so that none of them starts into a cluster that it would only disturb. */
function judgeCluster({ redis, role, secret, database, node }: Config): void {
  if (node.url !== '' && !/^https?:\/\/[^\s@/]+(\/[^\s@]*)?$/i.test(node.url))
    throw new StartProblem('node.url (TICKWHEEL_NODE_URL) must be empty, or of the form http://host:port, without user and password.')
  if (redis.url === '' && role !== 'all')
    throw new StartProblem(
      `role (TICKWHEEL_ROLE) ${role} is for one of several nodes: give them all one Redis by redis.url (TICKWHEEL_REDIS_URL), or leave role at all.`,
    )
  if (redis.url === '') return
  mustBeRedisUrl(redis.url)
  if (!isMysqlUrl(database.url))
    throw new StartProblem(
      'redis.url (TICKWHEEL_REDIS_URL) is for several nodes, and SQLite serves one process: set database.url (TICKWHEEL_DATABASE_URL) to a MySQL database, or leave redis.url empty.',
    )
  if (secret === '')
    throw new StartProblem(
      'secret (TICKWHEEL_SECRET) must be given with redis.url, because every node needs the same one: make one by `openssl rand -hex 32` and set it on each node.',
    )
}

function mustBeNetworks(listed: string, setting: NetworksSetting): void {
  try {
    void new Networks({ listed, isLoopbackOpen: true, setting })
  } catch (error) {
    throw new StartProblem(error instanceof Error ? error.message : String(error), error)
  }
}

function judgeEmbedded({ embeddedHandlers, embeddedHttpAllow }: Config): void {
  const handler = wordsIn(embeddedHandlers).find((word) => !['shell', 'script', 'http'].includes(word))
  if (handler !== undefined)
    throw new StartProblem(
      `embeddedHandlers (TICKWHEEL_EMBEDDED_HANDLERS) must be some of shell, script and http, joined by commas: ${JSON.stringify(handler)} is none.`,
    )
  const place = wordsIn(embeddedHttpAllow).find((word) => parseNetwork(word) === null && !isHostPattern(word))
  if (place !== undefined)
    throw new StartProblem(
      `embeddedHttpAllow (TICKWHEEL_EMBEDDED_HTTP_ALLOW) must be networks, addresses or hosts joined by commas, like 10.1.0.0/16,*.example.com: ${JSON.stringify(place)} is none.`,
    )
}

/** The parts of a setting that is a list: what stands between its commas. */
export function wordsIn(listed: string): string[] {
  return listed.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
}

function mustBeOrigins({ http }: Config): void {
  try {
    void new Origins({ isExposed: true, ...http })
  } catch (error) {
    throw new StartProblem(error instanceof Error ? error.message : String(error), error)
  }
}

function mustBeRedisUrl(url: string): void {
  try {
    parseRedisUrl(url)
  } catch (error) {
    throw new StartProblem(`redis.url (TICKWHEEL_REDIS_URL): ${error instanceof Error ? error.message : String(error)}.`, error)
  }
}

function judged(settings: unknown): Config {
  const config = Value.Parse(ConfigSchema, settings)
  const { url } = config.database
  if (isMysqlUrl(url)) mustBeMysqlUrl(url)
  else if (url !== '' && !/^sqlite:/i.test(url))
    throw new StartProblem('database.url (TICKWHEEL_DATABASE_URL) must be empty, or begin with sqlite: or mysql://.')
  const sealing = [
    ['secrets.key', config.secrets.key],
    ...config.secrets.previousKeys.split(',').map((key) => ['secrets.previousKeys', key.trim()]),
  ]
  for (const [name, key = ''] of sealing)
    if (key !== '' && key.length < 32)
      throw new StartProblem(`each key of ${name} must have at least 32 characters: make one by \`openssl rand -hex 32\`.`)
  if (config.secret !== '' && config.secret.length < 32)
    throw new StartProblem('secret (TICKWHEEL_SECRET) must have at least 32 characters, or be left empty to be generated.')
  judgeCluster(config)
  mustBeOrigins(config)
  judgeEmbedded(config)
  mustBeNetworks(config.executor.networks, EXECUTOR_NETWORKS)
  mustBeNetworks(config.alarm.networks, ALARM_NETWORKS)
  if (config.publicUrl !== '' && !/^https?:\/\/[^\s@/?#]+(\/[^\s@?#]*)?$/i.test(config.publicUrl))
    throw new StartProblem('publicUrl (TICKWHEEL_PUBLIC_URL) must be empty, or of the form https://host or https://host/path.')
  if (config.firstExecutorToken !== '' && !isFirstToken(config.firstExecutorToken))
    throw new StartProblem(
      'firstExecutorToken (TICKWHEEL_FIRST_EXECUTOR_TOKEN) must be twe_1_ and 43 characters of A-Z, a-z, 0-9, - and _, or be left empty.',
    )
  if (config.executor.deadMs < 2 * config.executor.heartbeatMs)
    throw new StartProblem(
      `executor.deadMs (${config.executor.deadMs}) must be at least twice executor.heartbeatMs (${config.executor.heartbeatMs}).`,
    )
  return config
}
