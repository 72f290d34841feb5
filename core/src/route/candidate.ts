import type { ExecutorId } from '../ids.ts'

/** A live executor of the group as routing sees it. */
export type Candidate = {
  readonly executorId: ExecutorId
  /** Attempts in flight there. */
  readonly running: number
  /** How many attempts it takes at a time. */
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
}
