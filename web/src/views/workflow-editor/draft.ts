/** What the editor holds: a whole definition as one value that is never changed in place, so that a step back is an older value. */
import { TASK_DEFAULTS, type Edge, type Step, type Workflow, type WorkflowCreate, type WorkflowDefinition } from '@tickwheel/contract'

export interface Point {
  readonly x: number
  readonly y: number
}
export type Layout = Readonly<Record<string, Point>>

export interface WorkflowDraft extends Readonly<Omit<WorkflowDefinition, 'tags' | 'steps' | 'edges' | 'paramsSchema' | 'outputs' | 'layout'>> {
  readonly groupId: number | null
  readonly tags: readonly string[]
  readonly steps: readonly Step[]
  readonly edges: readonly Edge[]
  /** null: a start may give any object */
  readonly paramsSchema: Readonly<Record<string, unknown>> | null
  readonly outputs: Readonly<Record<string, unknown>>
  /** a step that is absent stands where the automatic layout puts it */
  readonly layout: Layout
}

export function emptyDraft(groupId: number | null): WorkflowDraft {
  const { overlap, misfire, timeoutMs, priority, pauseAfterFailures } = structuredClone(TASK_DEFAULTS)
  return {
    groupId, name: '', description: '', owner: '', tags: [], schedule: { kind: 'manual' }, overlap, misfire, timeoutMs, priority, pauseAfterFailures,
    paramsSchema: null, steps: [], edges: [], stepConcurrency: 0, onFailure: 'finish', outputs: {}, layout: {},
  }
}

/** The definition inside a workflow, a version or a document, with what it leaves out filled in. */
export function draftOf(definition: WorkflowDefinition, groupId: number | null): WorkflowDraft {
  const { name, description, owner, tags, schedule, overlap, misfire, timeoutMs, priority, pauseAfterFailures, stepConcurrency, onFailure, steps, edges } = definition
  return {
    groupId, name, description, owner, tags, schedule, overlap, misfire, timeoutMs, priority, pauseAfterFailures, stepConcurrency, onFailure, steps, edges,
    paramsSchema: definition.paramsSchema ?? null, outputs: definition.outputs ?? {}, layout: definition.layout ?? {},
  }
}

/** The definition as it is saved and compared. What is empty is left out; places of steps that are gone too. */
export function definitionOf(draft: WorkflowDraft): WorkflowDefinition {
  const { groupId: _chosen, tags, steps, edges, paramsSchema, outputs, layout, ...plain } = draft
  const keys = new Set(steps.map((step) => step.key))
  const places = Object.entries(layout).filter(([key]) => keys.has(key)).map(([key, { x, y }]) => [key, { x: Math.round(x), y: Math.round(y) }] as const)
  return {
    ...plain, name: draft.name.trim(), tags: [...tags], steps: [...steps], edges: [...edges],
    ...(paramsSchema === null ? {} : { paramsSchema }), ...(Object.keys(outputs).length === 0 ? {} : { outputs: { ...outputs } }), ...(places.length === 0 ? {} : { layout: Object.fromEntries(places) }),
  }
}

/** The body of a POST; a PUT adds `version`. */
export function bodyOf(draft: WorkflowDraft, groupId: number, enabled: boolean): WorkflowCreate {
  return { ...definitionOf(draft), groupId, enabled }
}

/** The definition inside a workflow, for filling the editor and for comparing. */
export function definitionIn(workflow: Workflow): WorkflowDefinition {
  return definitionOf(draftOf(workflow, workflow.groupId))
}
