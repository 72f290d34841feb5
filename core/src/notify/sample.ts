import type { AlarmEvent } from '../alarm/event.ts'
import type { AlarmMessage, MessageKind } from '../alarm/message.ts'

type Facts = AlarmMessage['facts']

/** A message with made-up facts, for previews. `now`: epoch ms. */
export function sampleMessage(kind: MessageKind, event: AlarmEvent, now: number): AlarmMessage {
  const target = targetOf(event)
  const firstAt = now - 600_000
  const isPlain = kind === 'opened'
  return {
    kind,
    incidentId: kind === 'digest' ? null : 1_042,
    event,
    rule: { id: 7, name: 'settlement' },
    group: { id: 1, name: 'default' },
    target,
    count: isPlain ? 1 : kind === 'digest' ? 31 : 12,
    firstAt: isPlain ? now : firstAt,
    lastAt: now,
    runs: hasRuns(event) && kind !== 'digest' ? [{ id: 83_886_081, outcome: outcomeOf(event), at: now, error: errorOf(event) }] : [],
    facts: kind === 'digest' ? { incidents: 3 } : factsOf(event, now),
    incidents:
      kind === 'digest'
        ? ['settle', 'export-orders', 'rebuild-index'].map((name, index) => ({
            id: 1_042 + index,
            kind: 'opened',
            event,
            target: { kind: 'task', id: 21 + index, name },
            count: 12 - index,
            firstAt,
            lastAt: now,
          }))
        : [],
  }
}

/** What the test button sends. */
export function testMessage(channel: { readonly id: number; readonly name: string }, now: number): AlarmMessage {
  return {
    kind: 'test',
    incidentId: null,
    event: 'undeliverable',
    rule: null,
    group: null,
    target: { kind: 'channel', ...channel },
    count: 1,
    firstAt: now,
    lastAt: now,
    runs: [],
    facts: {},
    incidents: [],
  }
}

function targetOf(event: AlarmEvent): AlarmMessage['target'] {
  switch (event) {
    case 'nodeDown':
      return { kind: 'node', id: null, name: 'node-2:8080' }
    case 'undeliverable':
      return { kind: 'channel', id: 3, name: 'on-call' }
    case 'incomplete':
      return { kind: 'system', id: null, name: '' }
    case 'noExecutor':
      return { kind: 'group', id: 1, name: 'default' }
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'failedInARow':
    case 'failedInWindow':
    case 'late':
    case 'missed':
    case 'unfinished':
    case 'slow':
    case 'queueFull':
      return { kind: 'task', id: 21, name: 'settle' }
  }
}

function hasRuns(event: AlarmEvent): boolean {
  return !['missed', 'unfinished', 'noExecutor', 'queueFull', 'nodeDown', 'incomplete', 'undeliverable'].includes(event)
}

function outcomeOf(event: AlarmEvent): string {
  return event === 'timedOut' || event === 'lost' ? event : 'failed'
}

function errorOf(event: AlarmEvent): string | null {
  if (event === 'late' || event === 'slow') return null
  return event === 'failed' || event === 'failedInARow' || event === 'failedInWindow'
    ? 'exit code 1: connection to 10.0.0.7:3306 refused'
    : null
}

function factsOf(event: AlarmEvent, now: number): Facts {
  switch (event) {
    case 'failedInARow':
      return { times: 3 }
    case 'failedInWindow':
      return { times: 5, windowMs: 600_000 }
    case 'late':
      return { dueAt: now - 95_000, lateMs: 95_000 }
    case 'missed':
      return { dueAt: now - 60_000, reason: 'overlap' }
    case 'unfinished':
      return { by: '08:30', timezone: 'Asia/Shanghai' }
    case 'slow':
      return { durationMs: 754_000, usualMs: 180_000 }
    case 'noExecutor':
      return { waiting: 14 }
    case 'queueFull':
      return { waiting: 1_000, max: 1_000 }
    case 'incomplete':
      return { missing: 1, doubled: 0 }
    case 'undeliverable':
      return { error: '404 channel_not_found' }
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'nodeDown':
      return {}
  }
}
