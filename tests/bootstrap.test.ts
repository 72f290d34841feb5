import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const bootstrap = join(root, 'scripts', 'bootstrap')
const folders = ['.', 'server', 'web', 'cli']

describe('the bootstrap', () => {
  it('names the commands it knows when it is asked for another', () => {
    const result = spawnSync(process.execPath, [join(root, 'scripts/bootstrap.cjs'), 'nonsense'], { encoding: 'utf8' })
    expect(result.status).toBe(1)
    expect(result.stderr).toMatch(/^Unknown command "nonsense"\. Known: start, /)
  })

  it.each(folders)('knows every command that the scripts of %s ask for', (folder) => {
    const scripts = Object.values(scriptsOf(join(root, folder, 'package.json'))).filter((script) => script.includes('bootstrap.cjs'))
    const known = knownCommands()
    expect(
      scripts.map((script) => /bootstrap\.cjs (\S+)/.exec(script)?.[1]).filter((name) => name === undefined || !known.includes(name)),
    ).toEqual([])
  })

  it('takes stop signals within a second for one, because Ctrl-C under npm arrives twice, and a later one for a second', () => {
    const result = spawnSync(
      process.execPath,
      ['--require', join(bootstrap, 'one-signal.cjs'), join(bootstrap, 'one-signal.fixture.cjs')],
      { encoding: 'utf8' },
    )
    expect(result.stdout).toBe('SIGTERM, a second later')
  })
})

function scriptsOf(file: string): Record<string, string> {
  return (JSON.parse(readFileSync(file, 'utf8')) as { scripts?: Record<string, string> }).scripts ?? {}
}

function knownCommands(): string[] {
  const result = spawnSync(process.execPath, [join(root, 'scripts/bootstrap.cjs'), '?'], { encoding: 'utf8' })
  return (/Known: (.*)\./.exec(result.stderr)?.[1] ?? '').split(', ')
}
