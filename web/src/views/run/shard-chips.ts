import type { ShardPage } from '@tickwheel/contract'
import type { RunState } from '../../components/run-state.ts'

/** What a person looks for first stands first. */
const ORDER: readonly RunState[] = ['failed', 'timedOut', 'lost', 'canceled', 'skipped', 'running', 'dispatched', 'queued', 'waiting', 'succeeded']

export interface ShardChip {
  readonly state: RunState
  readonly count: number
}

/** The states that some shards are in, with their numbers. */
export function shardChips({ counts }: Pick<ShardPage, 'counts'>): ShardChip[] {
  return ORDER.flatMap((state) => {
    const count = counts[state] ?? 0
    return count === 0 ? [] : [{ state, count }]
  })
}
