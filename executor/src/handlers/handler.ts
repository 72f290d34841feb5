import type { Dispatch, ShardResult } from '@tickwheel/contract'
import type { AttemptLog } from '../log/attempt-log.ts'
import type { Splitter } from '../run/splitter.ts'

/** What a handler works with. */
export interface Work {
  readonly dispatch: Dispatch
  readonly signal: AbortSignal
  readonly log: AttemptLog
  progress(value: number, text: string): void
  readonly splitter: Splitter
  /** what the shards of the run came to, for an attempt that combines their results */
  readonly results: () => AsyncIterable<ShardResult>
}

/** One way to run tasks. */
export interface TaskHandler {
  /** the name under which its own limit counts in the pool */
  readonly slot: string
  /** true: `run` settles by itself within a bounded time after the signal is aborted. Others are given up after the kill grace. */
  readonly endsItself: boolean
  /** Resolves to the result; what it throws makes the run fail. */
  run(work: Work): Promise<unknown>
}
