import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const binary = /\.(png|jpg|ico|woff2?|gz)$/

describe('what the repository publishes', () => {
  it('names no path and no package registry of the machine on which it was written', () => {
    const found = trackedFiles().flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return machineWords()
        .filter((word) => text.includes(word))
        .map((word) => `${path} holds ${word}`)
    })
    expect(found).toEqual([])
  })

  it('has a lock file without addresses, so that everyone installs from their own registry', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/)
  })
})

describe('the two readmes', () => {
  it('have the same headings in the same order and the same blocks of code', () => {
    const outlines = ['README.md', 'README.zh-CN.md'].map((name) => outlineOf(readFileSync(join(root, name), 'utf8')))
    expect(outlines[1]).toEqual(outlines[0])
  })

  it('link to files that exist', () => {
    const broken = ['README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((name) =>
      linksIn(readFileSync(join(root, name), 'utf8'))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${name} links to ${target}`),
    )
    expect(broken).toEqual([])
  })
})

function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
  return list.filter((path) => path !== '' && !binary.test(path) && existsSync(join(root, path)))
}

// Short words such as /root or /app would be found in texts that have nothing to do with this machine.
function machineWords(): string[] {
  const registry = process.env['npm_config_registry']
  const host = registry === undefined ? undefined : new URL(registry).host
  const words = [root, `${homedir()}/.cache`, `${homedir()}/.npm`, host === 'registry.npmjs.org' ? undefined : host]
  return words.filter((word) => word !== undefined && word.length > 8).map(String)
}

/** Headings as their level alone (the words are another language's), blocks of code without their comments. */
function outlineOf(text: string): string[] {
  const parts = text.matchAll(/^(#+) |^```(\w*)\n([\s\S]*?)^```/gm)
  return [...parts].map(([, level, language, code]) => level ?? `${language ?? ''}\n${withoutComments(code ?? '')}`)
}

function withoutComments(code: string): string {
  return code.replace(/(^|\s)(#|\/\/).*$/gm, '').replace(/[ \t]+$/gm, '')
}

function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g)].flatMap((match) => match[1] ?? [])
}
