import { parseInstant } from '../schedule/instant.ts'
import { evaluateCondition, type Evaluation, type ExpressionScope } from './expression.ts'
import { fanOutOutput } from './fan-out.ts'
import { WORKFLOW_LIMITS, type Json, type Step } from './graph.ts'
import { orderOf, type SubWorkflowOrder, type TaskOrder } from './order.ts'
import type { StepError } from './run.ts'
import { evaluateTemplate } from './template.ts'

/** What a step that starts is to do, with every expression computed. */
export type Work =
  | TaskOrder
  | SubWorkflowOrder
  /** `until`: epoch ms, also one that has passed; `upstream`: a success of whom, of which date. `expiresAt`: then it has timed out; null: never */
  | { readonly kind: 'wait'; readonly until: number | null; readonly upstream: UpstreamOrder | null; readonly expiresAt: number | null }
  | { readonly kind: 'approval'; readonly prompt: string; readonly expiresAt: number | null }
  /** one order for each item, at least one, made when it is needed: `ordersOf` in `fan-out.ts` */
  | { readonly kind: 'fanOut'; readonly items: readonly Json[] }

export interface UpstreamOrder {
  readonly kind: 'task' | 'workflow'
  /** "group/name" */
  readonly name: string
  /** YYYY-MM-DD */
  readonly date: string
}

/** How a step ends that does no work of its own, or cannot do it. */
export interface EndOfStep {
  readonly state: 'succeeded' | 'failed'
  readonly output: Json
  readonly error: StepError | null
  readonly branch: string | null
}

/** `need`: nothing was decided, these outputs are missing. */
export type Begin =
  | { readonly kind: 'work'; readonly work: Work }
  | { readonly kind: 'end'; readonly end: EndOfStep }
  | { readonly kind: 'need'; readonly steps: readonly string[] }

/** What becomes of a step whose turn it is: its work, or its end at once. `now`: epoch ms, from which delays count. */
export function beginStep(step: Step, scope: ExpressionScope, now: number): Begin {
  if (step.disabled === true) return ended({ output: null, branch: null })
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
      return mapped(orderOf(step, scope), (work) => ({ kind: 'work', work }))
    case 'condition':
      return mapped(evaluateCondition(step.when, scope), (holds) => ended({ output: null, branch: String(holds) }))
    case 'switch':
      return mapped(branchOf(step.cases, scope), (branch) => ended({ output: null, branch }))
    case 'wait':
      return beginWait(step, scope, now)
    case 'approval':
      return { kind: 'work', work: { kind: 'approval', prompt: step.prompt, expiresAt: after(now, step.expiresMs) } }
    case 'fanOut':
      return mapped(evaluateTemplate(step.items, scope), (items) => beginFanOut(items, step.maxItems ?? WORKFLOW_LIMITS.defaultItems))
  }
}

/** A step that has failed before it did anything. */
export function failedEnd(error: StepError): EndOfStep {
  return { state: 'failed', output: null, error, branch: null }
}

function branchOf(cases: readonly { readonly branch: string; readonly when: string }[], scope: ExpressionScope): Evaluation<string> {
  for (const { branch, when } of cases) {
    const found = evaluateCondition(when, scope)
    if (found.kind !== 'value') return found
    if (found.value) return { kind: 'value', value: branch }
  }
  return { kind: 'value', value: 'default' }
}

type WaitStep = Extract<Step, { kind: 'wait' }>

function beginWait(step: WaitStep, scope: ExpressionScope, now: number): Begin {
  const expiresAt = after(now, step.maxMs)
  const waiting = (until: number | null, upstream: UpstreamOrder | null): Begin => ({
    kind: 'work',
    work: { kind: 'wait', until, upstream, expiresAt },
  })
  if (step.upstream !== undefined) return mapped(upstreamOf(step.upstream, scope), (upstream) => waiting(null, upstream))
  if (step.until !== undefined) return mapped(instantOf(step.until, scope), (until) => waiting(until, null))
  return waiting(after(now, step.forMs ?? 0), null)
}

function instantOf(until: string, scope: ExpressionScope): Evaluation<number> {
  const found = evaluateTemplate(until, scope)
  if (found.kind !== 'value') return found
  const at = typeof found.value === 'string' ? parseInstant(found.value) : null
  return at === null ? wrong('until', 'an instant such as 2026-12-01T00:00:00.000Z', found.value) : { kind: 'value', value: at }
}

function upstreamOf(
  { task, workflow, date = '=run.date' }: NonNullable<WaitStep['upstream']>,
  scope: ExpressionScope,
): Evaluation<UpstreamOrder> {
  const found = evaluateTemplate(date, scope)
  if (found.kind !== 'value') return found
  if (typeof found.value !== 'string' || !isDate(found.value)) return wrong('date', 'a date such as 2026-12-01', found.value)
  const kind = task === undefined ? 'workflow' : 'task'
  return { kind: 'value', value: { kind, name: task ?? workflow ?? '', date: found.value } }
}

/** Whether a text is a date that there is, as YYYY-MM-DD. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== null
}

function beginFanOut(items: Json, maxItems: number): Begin {
  if (!Array.isArray(items)) return ending(wrong('items', 'a list', items).error)
  const list: readonly Json[] = items
  if (list.length > maxItems) return ending({ code: 'FANOUT_TOO_LARGE', message: `${list.length} items; maxItems is ${maxItems}` })
  if (list.length === 0) return ended({ output: fanOutOutput({ total: 0, succeeded: 0, items: [] }), branch: null })
  return { kind: 'work', work: { kind: 'fanOut', items: list } }
}

function wrong(field: string, expected: string, value: Json): { readonly kind: 'failed'; readonly error: StepError } {
  return {
    kind: 'failed',
    error: { code: 'EXPRESSION_FAILED', message: `${field} must be ${expected}; it is ${JSON.stringify(value).slice(0, 200)}` },
  }
}

function mapped<Value>(found: Evaluation<Value>, then: (value: Value) => Begin): Begin {
  if (found.kind === 'failed') return ending(found.error)
  return found.kind === 'need' ? found : then(found.value)
}

function ended({ output, branch }: { output: Json; branch: string | null }): Begin {
  return { kind: 'end', end: { state: 'succeeded', output, error: null, branch } }
}

function ending(error: StepError): Begin {
  return { kind: 'end', end: failedEnd(error) }
}

function after(now: number, ms: number | undefined): number | null {
  return ms === undefined ? null : now + ms
}
