import type { ExecutorId, TaskId } from '../ids.ts'
import { HashRing } from './hash-ring.ts'

/** After so long a use counts half. */
const HALF_LIFE_MS = 60_000

type Use = {
  /** Uses, each worth half as much with every half-life, as of `at`. */
  readonly uses: number
  readonly at: number
  /** The number of the use among all. */
  readonly turn: number
}

/**
 * What routing remembers: the executor that each task used last, how much and when each executor was used by runs of any task, and rings that it has made.
 * Bounded: above `maxTasks`, `maxExecutors` and `maxRingPoints` what was used least recently is forgotten. Who is forgotten starts as if it were new.
 */
export class RouteMemory {
  readonly #maxTasks: number
  readonly #maxExecutors: number
  readonly #maxRingPoints: number
  readonly #lastUsed = new Map<TaskId, ExecutorId>()
  readonly #uses = new Map<ExecutorId, Use>()
  readonly #rings = new Map<string, HashRing>()
  #ringPoints = 0
  #turn = 0

  constructor({ maxTasks = 100_000, maxExecutors = 20_000, maxRingPoints = 2_000_000 }: MemoryBounds = {}) {
    this.#maxTasks = maxTasks
    this.#maxExecutors = maxExecutors
    this.#maxRingPoints = maxRingPoints
  }

  /** Tasks that are remembered. */
  get size(): number {
    return this.#lastUsed.size
  }

  lastUsed(taskId: TaskId): ExecutorId | null {
    return this.#lastUsed.get(taskId) ?? null
  }

  /** How much an executor was used lately: 1 for a run just now, half for one a minute ago. `now` in ms; a clock that was set back ages nothing. */
  usesOf(executorId: ExecutorId, now: number): number {
    const use = this.#uses.get(executorId)
    return use === undefined ? 0 : use.uses * 2 ** (-Math.max(0, now - use.at) / HALF_LIFE_MS)
  }

  /** When an executor was used last; null: never. */
  lastUseOf(executorId: ExecutorId): Pick<Use, 'at' | 'turn'> | null {
    return this.#uses.get(executorId) ?? null
  }

  /** The ring of some executors, made once for each set. */
  ringOf(executorIds: readonly ExecutorId[]): HashRing {
    const name = executorIds.toSorted((a, b) => a - b).join()
    const ring = this.#rings.get(name) ?? this.#newRing(executorIds)
    this.#rings.delete(name)
    this.#rings.set(name, ring)
    return ring
  }

  /** To be called for each dispatch that a strategy decided, with the executor that really got it. */
  noteUsed(taskId: TaskId, executorId: ExecutorId, now: number): void {
    renew(this.#lastUsed, taskId, executorId, this.#maxTasks)
    this.noteRun(executorId, now)
  }

  /** To be called for each dispatch that a person decided: it is a use, and nobody's turn. */
  noteRun(executorId: ExecutorId, now: number): void {
    this.#turn += 1
    renew(this.#uses, executorId, { uses: this.usesOf(executorId, now) + 1, at: now, turn: this.#turn }, this.#maxExecutors)
  }

  forget(taskId: TaskId): void {
    this.#lastUsed.delete(taskId)
  }

  #newRing(executorIds: readonly ExecutorId[]): HashRing {
    const made = new HashRing(executorIds)
    this.#ringPoints += made.size
    for (const [name, ring] of this.#rings) {
      if (this.#ringPoints <= this.#maxRingPoints) break
      this.#rings.delete(name)
      this.#ringPoints -= ring.size
    }
    return made
  }
}

export type MemoryBounds = { readonly maxTasks?: number; readonly maxExecutors?: number; readonly maxRingPoints?: number }

/** Sets a value as the one used last, and forgets the one used least recently when there are too many. */
function renew<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
