import type { EngineEvent } from './events.ts'

/** The events that cross between nodes. The change of access has a message of its own, and what may be lost here is nobody else's matter. */
export type SharedEvent = Exclude<EngineEvent, { kind: 'accessChanged' | 'alarmTold' | 'lookAgain' }>

export function isShared(event: EngineEvent): event is SharedEvent {
  return event.kind !== 'accessChanged' && event.kind !== 'alarmTold' && event.kind !== 'lookAgain'
}

/** What an event is about: of two about the same thing, the later says all that the earlier said, except how far a log goes. */
export function subjectOf(event: SharedEvent): string {
  switch (event.kind) {
    case 'instanceChanged':
      return `instance ${event.instanceId}`
    case 'logAppended':
      return `log ${event.instanceId} ${event.attempt}`
    case 'logEnded':
      return `end ${event.instanceId} ${event.attempt}`
    case 'taskChanged':
      return `task ${event.taskId}`
    case 'workflowRunChanged':
      return `workflowRun ${event.workflowRunId}`
    case 'executorChanged':
      return `executor ${event.executorId}`
    case 'incidentChanged':
      return `incident ${event.incidentId}`
    case 'bulkChanged':
      return `bulk ${event.bulkId}`
  }
}

/** The later of two events of one subject, as one. */
export function mergeEvents(earlier: SharedEvent, later: SharedEvent): SharedEvent {
  if (earlier.kind !== 'logAppended' || later.kind !== 'logAppended') return later
  return earlier.firstSeq + earlier.count > later.firstSeq + later.count ? earlier : later
}

type Wire = Readonly<Record<string, unknown>>

const READERS: Readonly<Record<SharedEvent['kind'], (wire: Wire) => SharedEvent | null>> = {
  instanceChanged: ({ instanceId, taskId, groupId }) =>
    isId(instanceId) && isId(taskId) && isId(groupId) ? { kind: 'instanceChanged', instanceId, taskId, groupId } : null,
  logAppended: ({ instanceId, attempt, firstSeq, count }) =>
    isId(instanceId) && isId(attempt) && isId(firstSeq) && isId(count)
      ? { kind: 'logAppended', instanceId, attempt, firstSeq, count }
      : null,
  logEnded: ({ instanceId, attempt }) => (isId(instanceId) && isId(attempt) ? { kind: 'logEnded', instanceId, attempt } : null),
  taskChanged: ({ taskId, groupId }) => (isId(taskId) && isId(groupId) ? { kind: 'taskChanged', taskId, groupId } : null),
  workflowRunChanged: ({ workflowRunId, workflowId, groupId }) =>
    isId(workflowRunId) && isId(workflowId) && isId(groupId) ? { kind: 'workflowRunChanged', workflowRunId, workflowId, groupId } : null,
  executorChanged: ({ executorId, groupId }) =>
    isId(executorId) && isId(groupId) ? { kind: 'executorChanged', executorId, groupId } : null,
  incidentChanged: ({ incidentId, groupId }) =>
    isId(incidentId) && isId(groupId) ? { kind: 'incidentChanged', incidentId, groupId } : null,
  bulkChanged: ({ bulkId }) => (isId(bulkId) ? { kind: 'bulkChanged', bulkId } : null),
}

/** An event as another node sent it; null for what is none, or of a kind that this program does not know. Fields that it does not know are dropped. */
export function readEvent(value: unknown): SharedEvent | null {
  if (typeof value !== 'object' || value === null) return null
  const wire: Wire = { ...value }
  const { kind } = wire
  return typeof kind === 'string' && isKind(kind) ? READERS[kind](wire) : null
}

function isKind(kind: string): kind is SharedEvent['kind'] {
  return Object.hasOwn(READERS, kind)
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
