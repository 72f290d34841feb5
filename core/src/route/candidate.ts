import type { ExecutorId } from '../ids.ts'

/** A live executor of the group as routing sees it. */
export type Candidate = {
  readonly executorId: ExecutorId
  /** Unique in its group. */
  readonly name: string
  /** Attempts in flight there. */
  readonly running: number
  /** How many attempts it takes at a time. */
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
}

/** Whether an executor carries every label that a task asks for, with the same value. */
export function carries({ labels }: Pick<Candidate, 'labels'>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

/** Names by code unit: the same order on every node, whatever its language. */
export function byName(a: Pick<Candidate, 'name' | 'executorId'>, b: Pick<Candidate, 'name' | 'executorId'>): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.executorId - b.executorId
}
