/**
 * The simulation (tests/sim): `npm run sim -- --seed N [--trace]` plays one scene, `npm run sim -- --seeds COUNT [--first N]` many,
 * `--jobs N` at the same time. Exits 1 when a scene has a fault.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { playMany } from '../tests/sim/play-many.ts'
import { play, type Outcome } from '../tests/sim/play.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    nodes: { type: 'string', default: '4' },
    trace: { type: 'boolean', default: false },
  },
})

const nodes = numberOf(values.nodes)

process.on('unhandledRejection', (error) => {
  process.stdout.write(`an error that nobody caught: ${error instanceof Error ? String(error.stack) : String(error)}\n`)
  process.exitCode = 1
})

if (values.seed === undefined) await playSeeds(numberOf(values.first), numberOf(values.seeds))
else await playOne(numberOf(values.seed))

async function playOne(seed: number): Promise<void> {
  const outcome = await play({ seed, isTraced: values.trace, nodes })
  if (values.trace) process.stdout.write(`${outcome.trace}\n`)
  tell(outcome)
  process.stdout.write(`seed ${seed}: ${outcome.fired} firings, ${outcome.executed} attempts, ${outcome.faults.length} faults\n`)
}

async function playSeeds(first: number, count: number): Promise<void> {
  const seeds = Array.from({ length: count }, (_, index) => first + index)
  let [played, failed] = [0, 0]
  const onOutcome = (outcome: Outcome): void => {
    played += 1
    if (outcome.faults.length > 0) failed += 1
    tell(outcome)
    if (process.stdout.isTTY) process.stdout.write(`\r${played} of ${count} seeds, ${failed} failed`)
  }
  await playMany({ seeds, nodes, jobs: numberOf(values.jobs), onOutcome })
  process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}${count} seeds, ${failed} failed\n`)
}

function tell({ seed, faults }: Outcome): void {
  if (faults.length === 0) return
  process.exitCode = 1
  process.stdout.write(
    `\nseed ${seed} fails (npm run sim -- --seed ${seed} --trace):\n${faults
      .slice(0, 20)
      .map((fault) => `  ${fault}\n`)
      .join('')}`,
  )
}

function numberOf(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`expected a number, not "${text}"`)
  return number
}
