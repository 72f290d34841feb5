/** Every expression of a step, an edge and the outputs, rewritten by one function: for a key that changes its name. */
import type { Edge, Step } from '@tickwheel/contract'

type Rewrite = (expression: string) => string
type Fields = Readonly<Record<string, unknown>>

/** A rewriting that follows a step to its new key: `steps.old.output` → `steps.fresh.output`. */
export function followKey(old: string, fresh: string): Rewrite {
  const name = new RegExp(`(?<![\\w.])steps\\.${old}(?!\\w)`, 'g')
  return (expression) => expression.replaceAll(name, `steps.${fresh}`)
}

export function rewriteStep(step: Step, rewrite: Rewrite): Step {
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
      return withInput(step, rewrite)
    case 'condition':
      return { ...step, when: rewrite(step.when) }
    case 'switch':
      return { ...step, cases: step.cases.map((one) => ({ ...one, when: rewrite(one.when) })) }
    case 'wait':
      return {
        ...step, ...(step.until === undefined ? {} : { until: inTemplate(step.until, rewrite) }),
        ...(step.upstream?.date === undefined ? {} : { upstream: { ...step.upstream, date: inTemplate(step.upstream.date, rewrite) } }),
      }
    case 'approval':
      return step
    case 'fanOut':
      return { ...step, items: typeof step.items === 'string' ? inTemplate(step.items, rewrite) : step.items, each: withInput(step.each, rewrite) }
  }
}

export function rewriteEdge(edge: Edge, rewrite: Rewrite): Edge {
  return edge.when === undefined ? edge : { ...edge, when: rewrite(edge.when) }
}

/** Values in which a text that starts with `=` is an expression, however deep; `==` starts a literal one. */
export function rewriteValues(values: Fields, rewrite: Rewrite): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, inValue(value, rewrite)]))
}

function withInput<Work extends { input?: Record<string, unknown> }>(work: Work, rewrite: Rewrite): Work {
  return work.input === undefined ? work : { ...work, input: rewriteValues(work.input, rewrite) }
}

function inValue(value: unknown, rewrite: Rewrite): unknown {
  if (typeof value === 'string') return inTemplate(value, rewrite)
  if (Array.isArray(value)) return value.map((one) => inValue(one, rewrite))
  return isFields(value) ? rewriteValues(value, rewrite) : value
}

function inTemplate(text: string, rewrite: Rewrite): string {
  return text.startsWith('=') && !text.startsWith('==') ? `=${rewrite(text.slice(1))}` : text
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
