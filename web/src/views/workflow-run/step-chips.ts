import type { StepRun } from '@tickwheel/contract'
import type { StepState } from '../../components/run-state.ts'

/** What a person looks for first stands first. */
const ORDER: readonly StepState[] = ['failed', 'timedOut', 'canceled', 'waiting', 'running', 'pending', 'skipped', 'succeeded']

export interface StepChip {
  readonly state: StepState
  readonly count: number
}

/** The states that some steps are in, with their numbers. */
export function stepChips(steps: readonly Pick<StepRun, 'state'>[]): StepChip[] {
  return chipsOf(Object.groupBy(steps, ({ state }) => state), (found) => found.length)
}

/** The same from the counts that a list gives. */
export function chipsOfCounts(counts: Readonly<Record<string, number>>): StepChip[] {
  return chipsOf(counts, (count) => count)
}

function chipsOf<Found>(found: Partial<Record<string, Found>>, count: (found: Found) => number): StepChip[] {
  return ORDER.flatMap((state) => {
    const here = found[state]
    const n = here === undefined ? 0 : count(here)
    return n === 0 ? [] : [{ state, count: n }]
  })
}
