/**
 * The fuzz run (tests/fuzz): `npm run fuzz -- --seconds N --seed S` starts a server of its own and calls every route with what nobody means. Exits 1 when an
 * answer was a fault. `--calls N` instead of seconds: the same calls each time.
 */
import { parseArgs } from 'node:util'
import { openApi } from '../tests/api.fixture.ts'
import { accountOf, callersOf } from '../tests/fuzz/callers.ts'
import { fuzz } from '../tests/fuzz/fuzz.ts'
import { furnish } from '../tests/fuzz/world.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, calls: { type: 'string' } },
})

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const endsAt = performance.now() + Number(values.seconds) * 1000
const most = values.calls === undefined ? Infinity : Number(values.calls)

await using api = await openApi({ TICKWHEEL_RATE_LIMIT_EXECUTOR_CAPACITY: '1000000', TICKWHEEL_LOG_LEVEL: 'error' })
const { calls, statuses, succeeded, faults } = await fuzz({
  url: api.url,
  callers: callersOf(api.url),
  keptUserId: await accountOf(api.admin),
  furnish: async (round) => furnish(api.url, round),
  seed,
  goesOn: (made) => made < most && (most < Infinity || performance.now() < endsAt),
})
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(
  `seed ${seed}: ${calls} calls, ${faults.length} faults; by status ${JSON.stringify(statuses)}; ${Object.keys(succeeded).length} routes succeeded\n`,
)
process.exitCode = faults.length > 0 ? 1 : 0
