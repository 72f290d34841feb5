import { ScheduleInput, TASK_DEFAULTS, TaskDefinition, type TaskCreate } from '@tickwheel/contract'
import { Compile } from 'typebox/compile'
import { BrokenData, completeSchedule } from './schedules.ts'

const definitionCheck = Compile(TaskDefinition)
const scheduleCheck = Compile(ScheduleInput)

/** A definition with every default filled in and names trimmed: what a version stores. */
export function completeDefinition(input: TaskCreate, serverZone: string): TaskDefinition {
  return {
    name: input.name.trim(),
    description: input.description ?? TASK_DEFAULTS.description,
    notes: input.notes ?? TASK_DEFAULTS.notes,
    owner: (input.owner ?? TASK_DEFAULTS.owner).trim(),
    tags: [...new Set((input.tags ?? []).map((tag) => tag.trim()).filter((tag) => tag !== ''))],
    schedule: completeSchedule(input.schedule, serverZone),
    handler: input.handler,
    params: input.params ?? TASK_DEFAULTS.params,
    routing: input.routing ?? TASK_DEFAULTS.routing,
    labels: input.labels ?? TASK_DEFAULTS.labels,
    routingKey: (input.routingKey ?? TASK_DEFAULTS.routingKey).trim(),
    overlap: { ...TASK_DEFAULTS.overlap, ...input.overlap },
    misfire: { ...TASK_DEFAULTS.misfire, ...input.misfire },
    timeoutMs: input.timeoutMs ?? TASK_DEFAULTS.timeoutMs,
    killGraceMs: input.killGraceMs ?? TASK_DEFAULTS.killGraceMs,
    retry: { ...TASK_DEFAULTS.retry, ...input.retry },
    priority: input.priority ?? TASK_DEFAULTS.priority,
  }
}

/** A stored definition. Throws `BrokenData` for text that this program did not write. */
export function parseDefinition(text: string): TaskDefinition {
  const value = withAdded(parseJson(text))
  if (definitionCheck.Check(value)) return value
  throw new BrokenData(`a stored definition is not valid: ${text.slice(0, 200)}`)
}

/** Fields that came after the first release, where a version says nothing of them. */
function withAdded(value: unknown): unknown {
  const { labels, routingKey } = TASK_DEFAULTS
  return typeof value === 'object' && value !== null ? { labels, routingKey, ...value } : value
}

/** A stored schedule. Throws `BrokenData` for text that this program did not write. */
export function readSchedule(text: string): ScheduleInput {
  const value = parseJson(text)
  if (scheduleCheck.Check(value)) return value
  throw new BrokenData(`a stored schedule is not valid: ${text.slice(0, 200)}`)
}

/** What makes a name unique: two that differ in case or in the way an accent is written are one. */
export function nameKey(name: string): string {
  return name.trim().normalize('NFC').toLowerCase()
}

/** JSON from the store; `undefined` when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
