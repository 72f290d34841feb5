import type { InstanceListItem, TaskListItem } from '@tickwheel/contract'
import { asState, isEnded } from './run-state.ts'

export const COUNT = 20
const LOWEST = 4
const HIGHEST = 24

type Dot = TaskListItem['recent'][number]

export interface Bar {
  readonly run: Dot
  readonly state: InstanceListItem['state']
  readonly height: number
  readonly isOpen: boolean
}

/** Bars from old to new. Height grows with the square root of the duration, so that one long run does not flatten the others. */
export function barsOf(recent: readonly Dot[]): Bar[] {
  const shown = recent.slice(0, COUNT).toReversed()
  const longest = Math.max(1, ...shown.map((run) => run.durationMs ?? 0))
  return shown.map((run) => {
    const state = asState(run.state)
    const share = run.durationMs === null ? 0.5 : Math.sqrt(run.durationMs / longest)
    return { run, state, height: Math.round(LOWEST + share * (HIGHEST - LOWEST)), isOpen: !isEnded(state) }
  })
}

/** How many runs of each state, most first. */
export function tally(recent: readonly Dot[]): { state: InstanceListItem['state']; count: number }[] {
  const counts = new Map<InstanceListItem['state'], number>()
  for (const run of recent) counts.set(asState(run.state), (counts.get(asState(run.state)) ?? 0) + 1)
  return [...counts].map(([state, count]) => ({ state, count })).sort((a, b) => b.count - a.count)
}
