import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { settingKeys } from './keys.ts'
import { loadConfig, type ConfigSources } from './load.ts'
import { renderReference, renderYaml } from './render.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickwheel-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function withFile(yaml: string, more: ConfigSources = {}): ConfigSources {
  const file = join(folder, `${Math.floor(performance.now() * 1000)}.yaml`)
  writeFileSync(file, yaml)
  return { cwd: folder, file, ...more }
}

const SECRET = 's'.repeat(32)
const CLUSTER = { TICKWHEEL_DATABASE_URL: 'mysql://u:pw@h/d', TICKWHEEL_REDIS_URL: 'redis://:pw@h:6380/1', TICKWHEEL_SECRET: SECRET }

describe('configuration', () => {
  it('has a default for everything', () => {
    const config = loadConfig({ cwd: folder })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      database: { url: '' },
      rateLimit: { login: { capacity: 10, refillPerSecond: 0.2 } },
      retention: { runsDays: 30, failuresDays: 90 },
    })
  })

  it('gives each key a flag and a variable', () => {
    expect(settingKeys.find((key) => key.path === 'database.url')).toMatchObject({
      flag: '--database-url',
      variable: 'TICKWHEEL_DATABASE_URL',
    })
    expect(settingKeys.find((key) => key.path === 'rateLimit.login.refillPerSecond')).toMatchObject({
      flag: '--rate-limit-login-refill-per-second',
      variable: 'TICKWHEEL_RATE_LIMIT_LOGIN_REFILL_PER_SECOND',
    })
  })

  it('takes flags over the environment over the file over defaults', () => {
    const file = withFile('port: 1001\nhost: a\nlogLevel: warn\n')
    const config = loadConfig({ ...file, env: { TICKWHEEL_PORT: '1002', TICKWHEEL_HOST: 'b' }, flags: { port: '1003' } })
    expect([config.port, config.host, config.logLevel, config.dataDir]).toEqual([1003, 'b', 'warn', './data'])
  })

  it.each([
    ['an unknown key', 'prot: 8080\n', {}, /\.yaml:1:1: prot is not a setting \(did you mean port\?\)/],
    [
      'an unknown key further in',
      'retention:\n  runDays: 3\n',
      {},
      /\.yaml:2:3: retention\.runDays is not a setting \(did you mean retention\.runsDays\?\)/,
    ],
    ['a wrong value in the file', 'host: x\nport: eighty\n', {}, /\.yaml:2:1: port must be a whole number 0–65535, not "eighty"/],
    ['a proxy that is none', 'http:\n  trustedProxies: proxy\n', {}, /http\.trustedProxies .*"proxy" is none/],
    ['a handler that is none', 'embeddedHandlers: shell,php\n', {}, /embeddedHandlers .*"php" is none/],
    ['a place that is none', 'embeddedHttpAllow: 10.0.0.256\n', {}, /embeddedHttpAllow .*"10\.0\.0\.256" is none/],
    ['broken YAML', 'port: [\n', {}, /\.yaml:\d+:\d+ is not valid YAML/],
    ['a value where keys belong', 'retention: 3\n', {}, /retention must hold keys of its own/],
    ['a list', '- port\n', {}, /must hold keys and values/],
    ['a wrong variable', '', { env: { TICKWHEEL_PORT: '99999' } }, /TICKWHEEL_PORT must be a whole number 0–65535, not "99999"/],
    ['an unknown variable', '', { env: { TICKWHEEL_PROT: '1' } }, /TICKWHEEL_PROT is not a setting \(did you mean TICKWHEEL_PORT\?\)/],
    [
      'networks that are none',
      '',
      { env: { TICKWHEEL_EXECUTOR_NETWORKS: '10.0.0.0/8,ten' } },
      /executor\.networks \(TICKWHEEL_EXECUTOR_NETWORKS\) must be networks .*"ten" is none/,
    ],
    ['MySQL without a database', '', { env: { TICKWHEEL_DATABASE_URL: 'mysql://u:pw@h/' } }, /mysql:\/\/user:password@host:port\/database/],
    ['MySQL with a password that is not encoded', '', { env: { TICKWHEEL_DATABASE_URL: 'mysql://u:pw/x@h/d' } }, /written as %XX/],
    ['another database', '', { env: { TICKWHEEL_DATABASE_URL: 'postgres://u:pw@h/d' } }, /begin with sqlite: or mysql/],
    [
      'Redis by an address that is none',
      '',
      { env: { ...CLUSTER, TICKWHEEL_REDIS_URL: 'u:pw@h:6379' } },
      /redis\.url .* must have the form redis:/,
    ],
    [
      'Redis beside SQLite',
      '',
      { env: { TICKWHEEL_REDIS_URL: 'redis://:u:pw@h', TICKWHEEL_SECRET: SECRET } },
      /redis\.url .* SQLite serves one process: set database\.url/,
    ],
    [
      'Redis without a secret',
      '',
      { env: { ...CLUSTER, TICKWHEEL_SECRET: '' } },
      /secret \(TICKWHEEL_SECRET\) must be given with redis\.url/,
    ],
    [
      'a role without Redis',
      '',
      { flags: { role: 'api' } },
      /role \(TICKWHEEL_ROLE\) api is for one of several nodes: .*\(TICKWHEEL_REDIS_URL\)/,
    ],
    ['an unknown role', '', { flags: { role: 'admin' } }, /--role must be one of all, api, scheduler, not "admin"/],
    ['an address of the node with a password', '', { env: { TICKWHEEL_NODE_URL: 'http://u:pw@h' } }, /node\.url .* http:\/\/host:port/],
    ['a short secret', '', { env: { TICKWHEEL_SECRET: 'short' } }, /at least 32 characters/],
    [
      'a first executor token of another form',
      '',
      { env: { TICKWHEEL_FIRST_EXECUTOR_TOKEN: 'twe_2_x' } },
      /must be twe_1_ and 43 characters/,
    ],
    ['an executor that is dead between two beats', '', { flags: { 'executor.deadMs': '6000' } }, /at least twice executor\.heartbeatMs/],
  ])('stops at %s with one line that names it', (_what, yaml, more, expected) => {
    const load = () => loadConfig(withFile(yaml, more))
    expect(load).toThrow(expected)
    expect(load).not.toThrow(/\n|u:pw/)
  })

  it('leaves the embedded executor out on MySQL, unless a flag or a variable asks for it', () => {
    const file = withFile(renderYaml())
    const env = { TICKWHEEL_DATABASE_URL: 'mysql://u:pw@h:3307/d' }
    expect(loadConfig({ ...file, env }).embeddedExecutor).toBe(false)
    expect(loadConfig({ ...file, env: { ...env, TICKWHEEL_EMBEDDED_EXECUTOR: 'true' } }).embeddedExecutor).toBe(true)
    expect(loadConfig({ ...file, env, flags: { embeddedExecutor: 'true' } }).embeddedExecutor).toBe(true)
    expect(loadConfig({ ...file, env: {} }).embeddedExecutor).toBe(true)
  })

  it('takes MySQL, Redis and a secret for several nodes, each with its role', () => {
    for (const role of ['all', 'api', 'scheduler'])
      expect(
        loadConfig({ cwd: folder, env: { ...CLUSTER, TICKWHEEL_ROLE: role, TICKWHEEL_NODE_URL: 'http://10.0.0.5:8080' } }),
      ).toMatchObject({
        role,
        redis: { url: CLUSTER.TICKWHEEL_REDIS_URL },
      })
  })

  it('stops when the named file does not exist', () => {
    expect(() => loadConfig({ cwd: folder, file: 'nowhere.yaml' })).toThrow(/nowhere\.yaml does not exist/)
  })

  it('never prints a wrong secret', () => {
    expect(() => loadConfig({ cwd: folder, env: { TICKWHEEL_ADMIN_PASSWORD: 'x'.repeat(200) } })).toThrow(
      /TICKWHEEL_ADMIN_PASSWORD must be text of 1 to 128 characters, not what was given/,
    )
  })

  it('leaves the variables of child processes and of Kubernetes alone', () => {
    expect(() =>
      loadConfig({
        cwd: folder,
        env: { TICKWHEEL_INSTANCE_ID: '5', TICKWHEEL_SERVICE_HOST: '10.0.0.1', TICKWHEEL_PORT_8080_TCP: 'tcp://x' },
      }),
    ).not.toThrow()
  })

  it('is written down as it is (run with -u after a change)', async () => {
    await expect(renderYaml()).toMatchFileSnapshot('../../config.yaml')
    await expect(renderReference('en')).toMatchFileSnapshot('../../../docs/reference/configuration.md')
    await expect(renderReference('zh')).toMatchFileSnapshot('../../../docs/reference/configuration.zh-CN.md')
  })

  it('can be read from the file that it wrote', () => {
    expect(loadConfig(withFile(renderYaml()))).toEqual(loadConfig({ cwd: folder }))
  })
})
