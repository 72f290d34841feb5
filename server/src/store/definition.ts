import { ScheduleInput, TASK_DEFAULTS, TaskDefinition, type TaskCreate } from '@tickwheel/contract'
import { referencesIn } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { CALENDARS_LEVEL, EXECUTORS_LEVEL, VARIABLES_LEVEL } from './levels.ts'
import { BrokenData, calendarIdOf, completeSchedule } from './schedules.ts'
import { asWorkflow, runDefinitionOf, type RunDefinition } from './workflow-definition.ts'

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
    // left out where there is none: older nodes read a definition that has nothing they do not know
    ...(input.sharding === undefined || input.sharding.kind === 'none' ? {} : { sharding: input.sharding }),
    overlap: { ...TASK_DEFAULTS.overlap, ...input.overlap },
    misfire: { ...TASK_DEFAULTS.misfire, ...input.misfire },
    timeoutMs: input.timeoutMs ?? TASK_DEFAULTS.timeoutMs,
    killGraceMs: input.killGraceMs ?? TASK_DEFAULTS.killGraceMs,
    retry: { ...TASK_DEFAULTS.retry, ...input.retry },
    priority: input.priority ?? TASK_DEFAULTS.priority,
    concurrency: input.concurrency ?? TASK_DEFAULTS.concurrency,
    queueTimeoutMs: input.queueTimeoutMs ?? TASK_DEFAULTS.queueTimeoutMs,
    onLost: input.onLost ?? TASK_DEFAULTS.onLost,
    pauseAfterFailures: input.pauseAfterFailures ?? TASK_DEFAULTS.pauseAfterFailures,
  }
}

/** What older programs do not know, and would take for damage: it is stored only where it is not the default. */
const LATER = ['concurrency', 'queueTimeoutMs', 'onLost', 'pauseAfterFailures', 'labels', 'routingKey'] as const
const EARLY_STRATEGIES: ReadonlySet<TaskDefinition['routing']> = new Set(['roundRobin', 'random'] as const)

/** A definition as it is stored. */
export function definitionText(definition: TaskDefinition): string {
  const { retry, ...stored } = definition
  const { jitter, ...known } = retry
  const plain: Record<string, unknown> = { ...stored, retry: jitter === TASK_DEFAULTS.retry.jitter ? known : retry }
  for (const field of LATER) if (isDefault(definition, field)) delete plain[field]
  return JSON.stringify(plain)
}

/** The schema level that nodes must have to keep to a definition. */
export function levelOf(definition: TaskDefinition): number {
  const isLater =
    definition.sharding !== undefined ||
    definition.retry.jitter !== TASK_DEFAULTS.retry.jitter ||
    !EARLY_STRATEGIES.has(definition.routing) ||
    LATER.some((field) => !isDefault(definition, field))
  if (calendarIdOf(definition.schedule) !== null) return CALENDARS_LEVEL
  if (usesVariables(definition)) return VARIABLES_LEVEL
  return isLater ? EXECUTORS_LEVEL : 0
}

/** Whether a task has an environment, or refers to variables or secrets: an older program would send what it says as it is written. */
export function usesVariables({ handler, params }: Pick<TaskDefinition, 'handler' | 'params'>): boolean {
  return 'env' in handler || referencesIn(params).length > 0 || referencesIn(JSON.stringify(handler)).length > 0
}

function isDefault(definition: TaskDefinition, field: (typeof LATER)[number]): boolean {
  return JSON.stringify(definition[field]) === JSON.stringify(TASK_DEFAULTS[field])
}

/** What a text leaves out, with its defaults. */
function filled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const absent = LATER.filter((field) => !(field in value)).map((field) => [field, TASK_DEFAULTS[field]] as const)
  const fields: Record<string, unknown> = { ...value, ...Object.fromEntries(absent) }
  const { retry } = fields
  const hasRetry = typeof retry === 'object' && retry !== null && !('jitter' in retry)
  return hasRetry ? { ...fields, retry: { ...retry, jitter: TASK_DEFAULTS.retry.jitter } } : fields
}

/** A stored definition, of a task or of a workflow. Throws `BrokenData` for text that this program did not write. */
export function parseDefinition(text: string): RunDefinition {
  const stored = parseJson(text)
  const workflow = asWorkflow(stored)
  if (workflow !== null) return runDefinitionOf(workflow)
  const value = filled(stored)
  if (definitionCheck.Check(value)) return value
  throw new BrokenData(`a stored definition is not valid: ${text.slice(0, 200)}`)
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
