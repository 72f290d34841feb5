import type { ExecutorId, TaskId } from '../ids.ts'

/**
 * What routing remembers: the executor that each task used last. Bounded: above `maxTasks` the task that was used least recently is
 * forgotten, and starts again with the first executor.
 */
export class RouteMemory {
  readonly #maxTasks: number
  readonly #lastUsed = new Map<TaskId, ExecutorId>()

  constructor({ maxTasks = 100_000 }: { readonly maxTasks?: number } = {}) {
    this.#maxTasks = maxTasks
  }

  get size(): number {
    return this.#lastUsed.size
  }

  lastUsed(taskId: TaskId): ExecutorId | null {
    return this.#lastUsed.get(taskId) ?? null
  }

  /** To be called for each dispatch, with the executor that really got it. */
  noteUsed(taskId: TaskId, executorId: ExecutorId): void {
    this.#lastUsed.delete(taskId)
    this.#lastUsed.set(taskId, executorId)
    if (this.#lastUsed.size <= this.#maxTasks) return
    const [oldest] = this.#lastUsed.keys()
    if (oldest !== undefined) this.#lastUsed.delete(oldest)
  }

  forget(taskId: TaskId): void {
    this.#lastUsed.delete(taskId)
  }
}
