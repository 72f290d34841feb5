/** What happened, told after the commit. Each is a hint with ids; the truth is in the store. */
export type EngineEvent =
  | { readonly kind: 'instanceChanged'; readonly instanceId: number; readonly taskId: number; readonly groupId: number }
  | {
      readonly kind: 'logAppended'
      readonly instanceId: number
      readonly attempt: number
      readonly firstSeq: number
      readonly count: number
    }
  | { readonly kind: 'logEnded'; readonly instanceId: number; readonly attempt: number }
  | { readonly kind: 'taskChanged'; readonly taskId: number; readonly groupId: number }
  | { readonly kind: 'workflowRunChanged'; readonly workflowRunId: number; readonly workflowId: number; readonly groupId: number }
  | { readonly kind: 'executorChanged'; readonly executorId: number; readonly groupId: number }
  /** `groupId` 0: of no group */
  | { readonly kind: 'incidentChanged'; readonly incidentId: number; readonly groupId: number }
  | { readonly kind: 'bulkChanged'; readonly bulkId: number }
  /** messages of alarms were left in the outbox */
  | { readonly kind: 'alarmTold' }
  | { readonly kind: 'accessChanged' }
  /** Events of other nodes may have been lost: logs and runs that are watched are read again; with `lists`, lists too. */
  | { readonly kind: 'lookAgain'; readonly lists: boolean }

/** `elsewhere`: on another node. */
export type EventPlace = 'here' | 'elsewhere'

export type Listener = (events: readonly EngineEvent[], place: EventPlace) => void

/** Hands events to listeners in the order of the commits, in one batch for each commit. A listener must not throw and must not wait. */
export class Events {
  readonly #listeners = new Set<Listener>()

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(events: readonly EngineEvent[], place: EventPlace = 'here'): void {
    if (events.length === 0) return
    for (const listener of this.#listeners) listener(events, place)
  }
}
