import { expect, it } from 'vitest'
import { mariaDbMissing } from '../kit/mariadb.ts'
import { Program } from '../kit/program.ts'
import { redisMissing } from '../kit/redis.ts'

const missing = mariaDbMissing() ?? redisMissing()
if (missing !== null) process.stderr.write(`${missing}\n`)

it.skipIf(missing !== null)('npm run torture -- --short finds nothing missing, doubled or stuck', { timeout: 240_000 }, async () => {
  const torture = new Program({ file: 'scripts/torture.ts', args: ['--short'] })
  const { code } = await torture.exited
  // the seed and what is wrong, if anything is
  console.info(torture.output)
  expect(torture.output.trimEnd().split('\n').at(-1)).toBe('missing 0, doubled 0, stuck 0')
  expect(code).toBe(0)
})
