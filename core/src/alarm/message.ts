import type { AlarmEvent, AlarmTargetKind } from './event.ts'

/** runs and incidents that a message names at most */
export const MESSAGE_RUNS = 5
export const MESSAGE_INCIDENTS = 20

/**
 * What a message tells. `opened`: an incident is new. `repeated`: one that was told goes on. `digest`: several at once. `recovered`: one is over.
 * `test`: somebody pressed the button.
 */
export const MESSAGE_KINDS = ['opened', 'repeated', 'digest', 'recovered', 'test'] as const
export type MessageKind = (typeof MESSAGE_KINDS)[number]

/** A run behind an incident. `outcome`: how it ended, or the state it is in. `at`: epoch ms. */
export interface MessageRun {
  readonly id: number
  readonly outcome: string
  readonly at: number
  readonly error: string | null
}

export interface MessageTarget {
  readonly kind: AlarmTargetKind
  /** null: a thing that has no id, or is not there any more */
  readonly id: number | null
  readonly name: string
}

/** One of the incidents of a digest. Instants in epoch ms. */
export interface MessageIncident {
  readonly id: number
  readonly kind: 'opened' | 'repeated' | 'recovered'
  readonly event: AlarmEvent
  readonly target: MessageTarget
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

/**
 * What a delivery carries, as JSON in its `body`: facts without words, which each channel puts into its language and form. Instants in epoch ms.
 * Of a digest, `incidents` are its first `MESSAGE_INCIDENTS`, `facts.incidents` how many there are, and `count` their occurrences together; `event`
 * and `target` are those of the first.
 */
export interface AlarmMessage {
  readonly kind: MessageKind
  readonly incidentId: number | null
  readonly event: AlarmEvent
  readonly rule: { readonly id: number; readonly name: string } | null
  readonly group: { readonly id: number; readonly name: string } | null
  readonly target: MessageTarget | null
  /** how often it happened since the incident opened */
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  /** the last runs behind it, newest first, at most `MESSAGE_RUNS` */
  readonly runs: readonly MessageRun[]
  /** what the event says beside that: times, windowMs, lateMs, dueAt, reason, durationMs, usualMs, by, timezone, waiting, max … */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  readonly incidents: readonly MessageIncident[]
}
