/* What `start.test.ts` does not say of a data folder: one process at a time, also when two start at once and when the first is killed. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from './kit/free-port.ts'
import { Program } from './kit/program.ts'
import { ServerProcess, startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

const ONE_LINE = /^[^\n]+\n$/

describe('a data folder belongs to one process', () => {
  it('also when two are started on it at the same moment: one serves, the other says why not', async () => {
    const dataDir = tempDir()
    const both = await Promise.all([1, 2].map(async () => new ServerProcess({ command: 'server', dataDir, port: await freePort() })))
    const loser = await waitFor(() => both.find(({ program }) => !program.isRunning), { what: 'the end of one of them' })
    const winner = both.find((server) => server !== loser)
    const { code } = await loser.program.exited
    expect(code).toBe(1)
    expect(loser.program.output).toMatch(ONE_LINE)
    expect(loser.program.output).toContain(`Another Tickwheel process uses the data folder ${dataDir}`)
    await winner?.ready()
    expect(await winner?.program.stop()).toEqual({ code: 0, signal: null })
  })

  it('and is free at once when that one is killed', async () => {
    const dataDir = tempDir()
    const first = await startServer({ command: 'server', dataDir })
    await first.program.kill()
    const second = await startServer({ command: 'server', dataDir })
    expect(await second.program.stop()).toEqual({ code: 0, signal: null })
  })

  it('and is free again after an orderly stop, and after a start that failed', async () => {
    const dataDir = tempDir()
    const first = await startServer({ command: 'server', dataDir })
    await first.program.stop()
    const taken = await startServer({ command: 'server' })
    const failed = new ServerProcess({ command: 'server', dataDir, port: taken.port })
    expect((await failed.program.exited).code).toBe(1)
    expect(failed.program.output).toMatch(/^Port \d+ is taken/)
    await taken.close()
    const second = await startServer({ command: 'server', dataDir })
    expect(await second.program.stop()).toEqual({ code: 0, signal: null })
  })
})

it('a key file in which nothing stands, as a start that was killed may leave it, is made again', async () => {
  const dataDir = tempDir()
  for (const file of ['secret.key', 'secret.key.draft', 'embedded-executor.token']) writeFileSync(join(dataDir, file), '')
  await using server = await startServer({ dataDir })
  await server.signIn()
  for (const file of ['secret.key', 'embedded-executor.token']) {
    expect(readFileSync(join(dataDir, file), 'utf8')).not.toBe('')
    expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600)
  }
})

describe('a start that cannot succeed says so in one line', () => {
  const starts: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['a wrong value in the environment', { TICKWHEEL_PORT: '808o' }, 'TICKWHEEL_PORT must be a whole number 0–65535, not "808o".'],
    ['an unknown variable', { TICKWHEEL_PROT: '8080' }, 'TICKWHEEL_PROT is not a setting (did you mean TICKWHEEL_PORT?)'],
    [
      'settings that contradict each other',
      { TICKWHEEL_EXECUTOR_DEAD_MS: '6000' },
      'executor.deadMs (6000) must be at least twice executor.heartbeatMs (5000)',
    ],
    ['a configuration file that is not there', { TICKWHEEL_CONFIG: 'nowhere.yaml' }, 'nowhere.yaml does not exist'],
  ]
  it.each(starts)('%s', async (_why, env, message) => {
    const program = new Program({ args: ['server'], cwd: tempDir(), env })
    expect((await program.exited).code).toBe(1)
    expect(program.output).toMatch(ONE_LINE)
    expect(program.output).toContain(message)
  })

  it.each([
    ['port: 80a\n', /config\.yaml:1:1: port must be a whole number 0–65535, not "80a"\.$/],
    ['port: 8080\nhost 127.0.0.1\n', /config\.yaml:2:\d+ is not valid YAML/],
    ['log: 7\n', /config\.yaml:1:1: log must hold keys of its own\.$/],
  ])('the configuration %j', async (text, message) => {
    const folder = tempDir()
    writeFileSync(join(folder, 'config.yaml'), text)
    const program = new Program({ args: ['server'], cwd: folder })
    expect((await program.exited).code).toBe(1)
    expect(program.output).toMatch(ONE_LINE)
    expect(program.output.trimEnd()).toMatch(message)
  })

  it('a data folder in which a folder stands where the database should', async () => {
    const dataDir = tempDir()
    mkdirSync(join(dataDir, 'tickwheel.db'))
    const program = new Program({ args: ['server'], cwd: dataDir, env: { TICKWHEEL_DATA_DIR: dataDir, TICKWHEEL_PORT: '0' } })
    expect((await program.exited).code).toBe(1)
    expect(program.output).toMatch(ONE_LINE)
  })

  it('a Node.js that is too old', () => {
    // the file that `tickwheel` begins with, under a version that it takes for old
    const main = join(import.meta.dirname, '..', 'cli', 'src', 'main.ts')
    const script = `Object.defineProperty(process.versions, 'node', { value: '20.19.4' }); await import(${JSON.stringify(main)})`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toBe('Tickwheel needs Node.js 22.12 or later, this is 20.19.4: install a newer one from https://nodejs.org.\n')
  })
})
