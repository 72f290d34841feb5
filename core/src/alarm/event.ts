/**
 * What an alarm rule can watch for, with the code that is stored. A code is never used again for anything else.
 *
 * Of runs, once for each that ends so (shards are told by their parent): `failed`, `timedOut`, `lost`, and `slow`, which took much longer than its task
 * usually does. Of tasks: `failedInARow`, `failedInWindow`, `late` (not started so long after it was due), `missed` (a due instant that did not run),
 * `unfinished` (no run has succeeded today by a time of day), `noExecutor`, `queueFull`. Of the installation: `nodeDown`, `incomplete` (ledger and schedule
 * do not fit, told by the reckoner), `undeliverable` (messages of a channel could not be delivered).
 */
export const ALARM_EVENT = {
  failed: 1,
  timedOut: 2,
  lost: 3,
  failedInARow: 4,
  failedInWindow: 5,
  late: 6,
  missed: 7,
  unfinished: 8,
  slow: 9,
  noExecutor: 10,
  queueFull: 11,
  nodeDown: 12,
  incomplete: 13,
  undeliverable: 14,
} as const

export type AlarmEvent = keyof typeof ALARM_EVENT

export const ALARM_EVENTS = [
  'failed',
  'timedOut',
  'lost',
  'failedInARow',
  'failedInWindow',
  'late',
  'missed',
  'unfinished',
  'slow',
  'noExecutor',
  'queueFull',
  'nodeDown',
  'incomplete',
  'undeliverable',
] as const satisfies readonly AlarmEvent[]

const byCode: ReadonlyMap<number, AlarmEvent> = new Map(ALARM_EVENTS.map((event) => [ALARM_EVENT[event], event]))

/** The word for a stored code; null for one that a newer version wrote. */
export function alarmEventOf(code: number): AlarmEvent | null {
  return byCode.get(code) ?? null
}

/** What an incident is about, with the code that is stored. `system`: everything that a rule watches, or the installation. */
export const ALARM_TARGET = { task: 1, workflow: 2, group: 3, executor: 4, node: 5, channel: 6, system: 7 } as const
export type AlarmTargetKind = keyof typeof ALARM_TARGET
export const ALARM_TARGETS = [
  'task',
  'workflow',
  'group',
  'executor',
  'node',
  'channel',
  'system',
] as const satisfies readonly AlarmTargetKind[]

const targetByCode: ReadonlyMap<number, AlarmTargetKind> = new Map(ALARM_TARGETS.map((kind) => [ALARM_TARGET[kind], kind]))

/** The word for a stored code; `system` for one that a newer version wrote. */
export function alarmTargetOf(code: number): AlarmTargetKind {
  return targetByCode.get(code) ?? 'system'
}

/** States of an incident, with the code that is stored. */
export const INCIDENT_STATE = { open: 1, acknowledged: 2, recovered: 3 } as const
export type IncidentState = keyof typeof INCIDENT_STATE
export const INCIDENT_STATES = ['open', 'acknowledged', 'recovered'] as const satisfies readonly IncidentState[]

/** The word for a stored code. */
export function incidentStateOf(code: number): IncidentState {
  if (code === INCIDENT_STATE.recovered) return 'recovered'
  return code === INCIDENT_STATE.acknowledged ? 'acknowledged' : 'open'
}

/** States of a delivery in the outbox, with the code that is stored. `failed`: given up. */
export const DELIVERY_STATE = { waiting: 1, sent: 2, failed: 3, dropped: 4 } as const
export type DeliveryState = keyof typeof DELIVERY_STATE
export const DELIVERY_STATES = ['waiting', 'sent', 'failed', 'dropped'] as const satisfies readonly DeliveryState[]

/** Why an incident is over: a run succeeded; what it is about is gone, or works again; it did not happen again for long; whoever raised it took it back; the rule was changed; a person said so. */
export const RECOVERIES = ['success', 'gone', 'quiet', 'cleared', 'ruleChanged', 'person'] as const
export type Recovery = (typeof RECOVERIES)[number]
