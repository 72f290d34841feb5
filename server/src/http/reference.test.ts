import { readFileSync } from 'node:fs'
import { BUDGETS } from '@tickwheel/core'
import { expect, it } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { VERSION } from '../version.ts'
import { renderApiReference } from './reference.ts'

it('the reference of the API is written down as it is (run with -u after a change)', async () => {
  await expect(renderApiReference()).toMatchFileSnapshot('../../../docs/reference/api.md')
})

it('the budgets of the configuration are those of core', () => {
  const { rateLimit } = loadConfig({ cwd: '/' })
  expect(rateLimit).toEqual(
    Object.fromEntries(Object.entries(BUDGETS).map(([name, { capacity, refillPerSecond }]) => [name, { capacity, refillPerSecond }])),
  )
})

it('the version is that of the package', () => {
  expect(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).toMatchObject({ version: VERSION })
})
