import type { RunningAttempt } from '@tickwheel/contract'
import type { Session } from '../link.ts'

/** What it takes to believe that an executor does not have a run to whose dispatch it only ever answered errors. */
export interface Patience {
  /** from the first error on; ms */
  readonly forMs: number
  readonly tries: number
  /** heartbeats of the executor in that time, none of which named the run */
  readonly beats: number
}

export const PATIENCE: Patience = { forMs: 60_000, tries: 10, beats: 3 }

/** Of one executor. What is pushed out begins anew. */
const MOST = 1_000

interface Errors {
  /** monotonic, ms */
  readonly since: number
  tries: number
  beats: number
}

/**
 * Attempts to whose dispatch an executor answered with an error (5xx). Each may be there in spite of it, so none is given to another at once: the same one
 * is sent again. But who has it must answer a repeat with 2xx, and names it in its heartbeats; an executor that for a minute does neither does not have it.
 */
export class ErrorAnswers {
  readonly #patience: Patience
  readonly #byExecutor = new Map<number, Map<string, Errors>>()

  constructor(patience: Patience) {
    this.#patience = patience
  }

  /** An error was answered. A sentence when that is enough; null: it is sent again. */
  noted({ executorId }: Session, attempt: RunningAttempt): string | null {
    const all = this.#byExecutor.get(executorId) ?? new Map<string, Errors>()
    this.#byExecutor.set(executorId, all)
    const key = keyOf(attempt)
    const errors = all.get(key) ?? { since: performance.now(), tries: 0, beats: 0 }
    errors.tries += 1
    all.set(key, errors)
    const [oldest] = all.keys()
    if (all.size > MOST && oldest !== undefined) all.delete(oldest)
    const lastedMs = performance.now() - errors.since
    const { forMs, tries, beats } = this.#patience
    if (lastedMs < forMs || errors.tries < tries || errors.beats < beats) return null
    return `it answered ${String(errors.tries)} tries in ${String(Math.round(lastedMs / 1000))} s with errors, and does not name the run in its heartbeats`
  }

  /** Something else became of an order: what was counted says nothing any more. */
  forget({ executorId }: Session, attempt: RunningAttempt): void {
    this.#byExecutor.get(executorId)?.delete(keyOf(attempt))
  }

  /** The executor said what it has. */
  heard({ executorId }: Session, running: readonly RunningAttempt[]): void {
    const all = this.#byExecutor.get(executorId)
    if (all === undefined) return
    for (const errors of all.values()) errors.beats += 1
    for (const one of running) all.delete(keyOf(one))
  }

  /** Another process, or none. */
  end(executorId: number): void {
    this.#byExecutor.delete(executorId)
  }
}

function keyOf({ instanceId, attempt }: RunningAttempt): string {
  return `${String(instanceId)}/${String(attempt)}`
}
