/** Steps on the clipboard: as text, so that they go from one workflow to another, and into a chat. */
import { Edge, Step } from '@tickwheel/contract'
import { Check } from 'typebox/value'
import type { Point, WorkflowDraft } from './draft.ts'
import { followKey, rewriteEdge, rewriteStep } from './expression-fields.ts'
import { freeKey } from './step-kinds.ts'

const FORMAT = 'tickwheel/steps'
/** what is pasted stands beside what it was copied from */
const BESIDE: Point = { x: 32, y: 48 }

interface Copied {
  readonly steps: readonly Step[]
  /** those between the steps */
  readonly edges: readonly Edge[]
  readonly layout: Readonly<Record<string, Point>>
}

/** The text of some steps with the edges between them; null for none. */
export function copyText(draft: WorkflowDraft, keys: ReadonlySet<string>): string | null {
  const steps = draft.steps.filter((step) => keys.has(step.key))
  if (steps.length === 0) return null
  const edges = draft.edges.filter((edge) => keys.has(edge.from) && keys.has(edge.to))
  const layout = Object.fromEntries(Object.entries(draft.layout).filter(([key]) => keys.has(key)))
  return JSON.stringify({ format: FORMAT, steps, edges, layout }, null, 2)
}

/** The draft with what the text holds, under keys that are free; null where the text holds no steps. */
export function pasteText(draft: WorkflowDraft, text: string): { draft: WorkflowDraft; keys: readonly string[] } | null {
  const copied = read(text)
  if (copied === null) return null
  const names = freshKeys(copied.steps, new Set(draft.steps.map((step) => step.key)))
  const fresh = (key: string) => names.get(key) ?? key
  const follow = (expression: string) => [...names].reduce((done, [old, next]) => followKey(old, next)(done), expression)
  const places = Object.entries(copied.layout).map(([key, { x, y }]) => [fresh(key), { x: x + BESIDE.x, y: y + BESIDE.y }] as const)
  return {
    keys: [...names.values()],
    draft: {
      ...draft,
      steps: [...draft.steps, ...copied.steps.map((step) => ({ ...rewriteStep(step, follow), key: fresh(step.key) }))],
      edges: [...draft.edges, ...copied.edges.map((edge) => ({ ...rewriteEdge(edge, follow), from: fresh(edge.from), to: fresh(edge.to) }))],
      layout: { ...draft.layout, ...Object.fromEntries(places) },
    },
  }
}

/** A key that is taken gets the next number: `load` → `load2`, `load2` → `load3`. */
function freshKeys(steps: readonly Step[], taken: ReadonlySet<string>): ReadonlyMap<string, string> {
  const used = new Set(taken)
  const names = new Map<string, string>()
  for (const { key } of steps) {
    const next = used.has(key) ? freeKey(stemOf(key), new Set([...used, ...steps.map((step) => step.key), `${stemOf(key)}1`])) : key
    used.add(next)
    names.set(key, next)
  }
  return names
}

const stemOf = (key: string) => key.replace(/\d+$/, '')

function read(text: string): Copied | null {
  try {
    const value: unknown = JSON.parse(text)
    return isCopied(value) ? value : null
  } catch {
    return null
  }
}

function isCopied(value: unknown): value is Copied {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) return false
  if (!('steps' in value) || !Array.isArray(value.steps) || !('edges' in value) || !Array.isArray(value.edges)) return false
  return 'layout' in value && isLayout(value.layout) && value.steps.every(isStepLike) && value.edges.every((edge) => Check(Edge, edge))
}

/** As far along as it was when it was copied: texts may still be empty. */
function isStepLike(step: unknown): boolean {
  return Check(Step, filled(step))
}

function filled(value: unknown): unknown {
  if (value === '') return 'group/name'
  if (Array.isArray(value)) return value.map(filled)
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filled(part)])) : value
}

function isLayout(value: unknown): value is Readonly<Record<string, Point>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((place: unknown) => typeof place === 'object' && place !== null && 'x' in place && typeof place.x === 'number' && 'y' in place && typeof place.y === 'number')
}
