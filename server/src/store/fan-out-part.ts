import { FAN_OUT_FAILURES } from '@tickwheel/core'
import { parseJson } from './definition.ts'
import type { RunFacts } from './schema.ts'

/** What the parent of a fan-out keeps in its `shard_part`. `concurrency`: children open at once; 0: no limit. */
export interface FanOutPart {
  readonly concurrency: number
  readonly failures: (typeof FAN_OUT_FAILURES)[number]
}

const HEAD = '{"fanOut":'

export function textOfFanOut(part: FanOutPart): string {
  return JSON.stringify({ fanOut: part })
}

/** Whether a run is the parent of a fan-out: its children are made by the conductor, and joined as shards are. */
export function isFanOut({ shard_index, shard_part }: Pick<RunFacts, 'shard_index' | 'shard_part'>): boolean {
  return shard_index === null && shard_part?.startsWith(HEAD) === true
}

/** Null: the run is no parent of a fan-out. */
export function fanOutOf(row: Pick<RunFacts, 'shard_index' | 'shard_part'>): FanOutPart | null {
  const value = isFanOut(row) && row.shard_part !== null ? parseJson(row.shard_part) : null
  if (typeof value !== 'object' || value === null || !('fanOut' in value)) return null
  const { concurrency, failures } = value.fanOut as { concurrency?: unknown; failures?: unknown }
  return {
    concurrency: typeof concurrency === 'number' ? concurrency : 0,
    failures: FAN_OUT_FAILURES.find((known) => known === failures) ?? 'stop',
  }
}
