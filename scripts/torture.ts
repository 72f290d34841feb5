/**
 * Real nodes, executors, MariaDB and Redis are killed, frozen, cut off and restarted at random while tasks fire; then the ledger is compared with
 * what the schedules say: `npm run torture [-- --minutes N] [--seed N] [--short] [--tasks N] [--nodes N] [--faults A,B] [--keep]`.
 *
 * The last line is `missing M, doubled D, stuck S`; the exit code is 1 unless all three are 0, and 2 when it could not be run.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mariaDbMissing } from '../tests/kit/mariadb.ts'
import { redisMissing } from '../tests/kit/redis.ts'
import { FAULTS, type FaultKind } from '../tests/torture/faults.ts'
import { torture, type TortureOptions } from '../tests/torture/torture.ts'

type Plan = Omit<TortureOptions, 'signal' | 'say' | 'keepIn'>

const LONG = { hurtMs: 600_000, quietMs: 20_000, tasks: 300, nodes: 3, executors: 2, mostHoldMs: 12_000, deadMs: 9_000, restMs: 120_000 }
/** under a minute in all, start and check included */
const SHORT = { ...LONG, hurtMs: 14_000, quietMs: 3_000, tasks: 120, mostHoldMs: 4_000, deadMs: 8_000, restMs: 40_000 }

function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      tasks: { type: 'string' },
      faults: { type: 'string', default: FAULTS.join() },
      nodes: { type: 'string' },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  const base = values.short ? SHORT : LONG
  const number = (flag: 'minutes' | 'seed' | 'tasks' | 'nodes', fallback: number, least: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag])
    if (!(value >= least)) throw new Error(`--${flag}: expected a number of at least ${String(least)}, got ${String(values[flag])}`)
    return value
  }
  return {
    ...base,
    hurtMs: number('minutes', base.hurtMs / 60_000, 0) * 60_000,
    seed: number('seed', Date.now() % 1_000_000, 0),
    tasks: number('tasks', base.tasks, 10),
    nodes: number('nodes', base.nodes, 1),
    faults: values.faults.split(',').map(faultNamed),
    keep: values.keep,
  }
}

function faultNamed(name: string): FaultKind {
  const fault = FAULTS.find((each) => each === name)
  if (fault === undefined) throw new Error(`--faults: expected some of ${FAULTS.join()}, got ${name}`)
  return fault
}

async function main(): Promise<number> {
  const missing = mariaDbMissing() ?? redisMissing()
  if (missing !== null) throw new Error(missing.replace('no tests on', 'no torture without'))
  const plan = planOf(process.argv.slice(2))
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ended.abort(new Error(`ended by ${signal}`)))
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const keepIn = join(tmpdir(), `tickwheel-torture-${String(plan.seed)}-${String(process.pid)}`)
  say(
    `seed ${String(plan.seed)}: ${String(plan.nodes)} nodes, ${String(plan.executors)} executors, ${String(plan.tasks)} tasks, ${String(plan.hurtMs / 1000)} s`,
  )
  const { missing: lost, doubled, stuck } = await torture({ ...plan, signal: ended.signal, say, keepIn })
  say(`missing ${String(lost)}, doubled ${String(doubled)}, stuck ${String(stuck)}`)
  return lost + doubled + stuck === 0 ? 0 : 1
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    // people and faults that were under way are not waited for: what they were done to has ended
    process.exit(2)
  },
)
