import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LOCALES } from '../../locales/i18n.ts'
import { EXAMPLE_FILE, guideFile, NODE_COMMAND } from './add-node.ts'

const root = join(import.meta.dirname, '../../../..')

it.each([EXAMPLE_FILE, ...LOCALES.map(guideFile)])('the file %s is there', (file) => expect(existsSync(join(root, file))).toBe(true))

it('the command for another node sets variables that the program knows', () => {
  const reference = readFileSync(join(root, 'docs/reference/configuration.md'), 'utf8')
  const names = [...NODE_COMMAND.matchAll(/TICKWHEEL_\w+/g)].map(([name]) => name)
  expect(names.filter((name) => !reference.includes(`\`${name}\``))).toEqual([])
  expect(names.length).toBeGreaterThan(3)
})
