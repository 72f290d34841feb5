import type { SimProcess } from './sim-process.ts'

/** One time that a handler ran an attempt, as an onlooker sees it; instants of the timeline. */
export interface Execution {
  readonly instanceId: number
  readonly attempt: number
  readonly executor: string
  readonly bootId: number
  readonly process: SimProcess
  readonly isMovable: boolean
  readonly startedAt: number
  /** how often the process had been stopped when it accepted the attempt */
  readonly pausesBefore: number
  endedAt: number | null
  /** how often by its end */
  pausesAfter: number
}

/** A result that an executor was told is taken. */
export interface Acknowledged {
  readonly instanceId: number
  readonly attempt: number
  readonly outcome: string
  readonly verdict: string
  readonly at: number
}

/** What executors did, kept by an onlooker who cannot fail. */
export class Executions {
  readonly all: Execution[] = []
  readonly acknowledged: Acknowledged[] = []

  begin(execution: Omit<Execution, 'endedAt' | 'pausesAfter'>): Execution {
    const begun = { ...execution, endedAt: null, pausesAfter: 0 }
    this.all.push(begun)
    return begun
  }

  end(execution: Execution, at: number): void {
    if (execution.endedAt !== null) return
    execution.endedAt = at
    execution.pausesAfter = execution.process.pauseCount
  }
}
