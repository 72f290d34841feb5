/** The names that an expression may use at its place, for offering them. What is allowed is the validator's to say. */
import type { WorkflowDraft } from './draft.ts'
import { upstreamOf } from './graph-edits.ts'

export type Place = { readonly kind: 'step'; readonly key: string; readonly isItem?: boolean } | { readonly kind: 'edge'; readonly index: number } | { readonly kind: 'outputs' }

const RUN = ['run.date', 'run.scheduledAt', 'run.id', 'run.cause'] as const
const OF_STEP = ['output', 'state', 'error.message', 'error.code'] as const
/** the list stays short enough to be read */
const MOST_STEPS = 200

export function namesAt(draft: WorkflowDraft, place: Place): readonly string[] {
  const steps = stepsBefore(draft, place).slice(0, MOST_STEPS)
  return [
    ...(place.kind === 'step' && place.isItem === true ? ['item', 'index'] : []),
    ...steps.flatMap((key) => OF_STEP.map((part) => `steps.${key}.${part}`)),
    ...paramNames(draft.paramsSchema).map((name) => `params.${name}`),
    ...RUN, 'params', 'vars',
  ]
}

function stepsBefore(draft: WorkflowDraft, place: Place): readonly string[] {
  const order = draft.steps.map((step) => step.key)
  switch (place.kind) {
    case 'outputs':
      return order
    case 'step': {
      const before = upstreamOf(draft.edges, place.key)
      return order.filter((key) => before.has(key) && key !== place.key)
    }
    case 'edge': {
      const source = draft.edges[place.index]?.from
      if (source === undefined) return []
      const before = upstreamOf(draft.edges, source)
      // the step that has just ended is the one most asked about
      return [source, ...order.filter((key) => before.has(key) && key !== source)]
    }
  }
}

function paramNames(schema: WorkflowDraft['paramsSchema']): readonly string[] {
  const properties = schema?.['properties']
  return typeof properties === 'object' && properties !== null ? Object.keys(properties).filter((name) => /^[A-Za-z_]\w*$/.test(name)) : []
}
