import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Run } from '@tickwheel/executor'

const PART = 100_000

/** Runs on a worker thread. It stops between two parts when it is told to; without that, its thread would be ended after the task's time to stop. */
export async function addInvoice(run: Run<{ positions: number }>): Promise<{ positions: number; cents: number }> {
  const { positions } = run.params
  let cents = 0
  for (let from = 0; from < positions; from += PART) {
    const to = Math.min(positions, from + PART)
    for (let position = from; position < to; position += 1) cents = (cents + ((position * 7919) % 10_000)) % 1_000_000_007
    run.progress(to / positions)
    await nextTurn()
    run.signal.throwIfAborted()
  }
  return { positions, cents }
}
