import { compileExpression, type Evaluation, type ExpressionScope } from './expression.ts'
import { WORKFLOW_LIMITS, type FanOutStep, type Json, type JsonObject } from './graph.ts'
import { jsonBytes } from './json-value.ts'
import { expressionsIn } from './template.ts'
import { orderOf, type SubWorkflowOrder, type TaskOrder } from './order.ts'

/** `orderAt(index)`: what the child of that item is to do. It may fail for one item and not for the next. */
export type FanOutOrders =
  | { readonly kind: 'need'; readonly steps: readonly string[] }
  | { readonly kind: 'orders'; readonly orderAt: (index: number) => Evaluation<TaskOrder | SubWorkflowOrder> }

/**
 * The orders of a fan-out's children. `items` as `advance` gave them, `scope` as the run has it now: without the items. `need`: the input of `each` speaks
 * of steps whose outputs are not at hand; once they are, no index asks for more.
 */
export function ordersOf(step: FanOutStep, items: readonly Json[], scope: ExpressionScope): FanOutOrders {
  const steps = missingSteps(step.each.input ?? {}, scope)
  if (steps.length > 0) return { kind: 'need', steps }
  return { kind: 'orders', orderAt: (index) => orderOf(step.each, { ...scope, item: { value: items[index] ?? null, index } }) }
}

function missingSteps(input: JsonObject, scope: ExpressionScope): string[] {
  const missing = expressionsIn(input).flatMap(({ text }) => {
    const compiled = compileExpression(text, 'item')
    if (compiled.kind === 'invalid') return []
    return compiled.steps.filter(({ key, field }) => scope.stepOf(key, field !== 'state') === null).map(({ key }) => key)
  })
  return [...new Set(missing)]
}

const KEY_LENGTH = 200

/** What a person looks for among the children: the item's text, or the first 200 characters of its JSON. */
export function itemKey(item: Json): string {
  const text = typeof item === 'string' ? item : JSON.stringify(item)
  // A character of two units is not cut in half.
  return text.length <= KEY_LENGTH ? text : [...text.slice(0, KEY_LENGTH)].slice(0, -1).join('')
}

/**
 * What a fan-out gives: how many children there were, and how many ended well and otherwise (failed, timed out, canceled, lost, never made). `items`:
 * their results in the order of the list, null for those without one; left out above 256 KiB, also when it is not given.
 */
export function fanOutOutput({ total, succeeded, items }: { total: number; succeeded: number; items?: readonly Json[] }): JsonObject {
  const counts = { total, succeeded, failed: total - succeeded }
  if (items === undefined) return counts
  const whole = { ...counts, items }
  return jsonBytes(whole) > WORKFLOW_LIMITS.itemsBytes ? counts : whole
}

/** How a fan-out ends when its children have ended: with `collect` well whatever they did, unless it was canceled; with `stop` as they did. */
export function outcomeOfFanOut({
  total,
  succeeded,
  failures,
  isCanceled,
}: {
  total: number
  succeeded: number
  failures: FanOutStep['failures']
  /** from outside, not by its own first failure */
  isCanceled: boolean
}): 'succeeded' | 'failed' | 'canceled' {
  if (succeeded === total) return 'succeeded'
  if (isCanceled) return 'canceled'
  return failures === 'collect' ? 'succeeded' : 'failed'
}
