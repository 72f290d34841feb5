import { evaluateExpression, type Evaluation, type ExpressionScope } from './expression.ts'
import { WORKFLOW_LIMITS, type Json } from './graph.ts'
import { jsonBytes } from './json-value.ts'

/**
 * Values that may hold expressions. A text that starts with `=` is one, `==` at its start gives a literal `=`, and everything else is taken as it is, at
 * any depth of lists and objects. Names of fields are never expressions.
 */
export type Template = Json

/** An expression of a template and where it stands: `['a', 0]` is the first of the list `a`. */
export interface TemplateExpression {
  readonly path: readonly (string | number)[]
  readonly text: string
}

/** The expression that a text of a template is; null: it is taken literally. */
export function expressionOf(text: string): string | null {
  return text.startsWith('=') && !text.startsWith('==') ? text.slice(1) : null
}

/** Every expression of a template, in order. */
export function expressionsIn(template: Template, path: readonly (string | number)[] = []): TemplateExpression[] {
  if (typeof template === 'string') {
    const text = expressionOf(template)
    return text === null ? [] : [{ path, text }]
  }
  if (typeof template !== 'object' || template === null) return []
  if (Array.isArray(template)) return template.flatMap((part: Json, index) => expressionsIn(part, [...path, index]))
  return Object.entries(template).flatMap(([name, part]: [string, Json]) => expressionsIn(part, [...path, name]))
}

/**
 * A template with every expression computed. All outputs that are missing are asked for at once; of several that fail, the first is told. A result above
 * 64 KiB as JSON fails with `RESULT_TOO_LARGE`. `computed`: what is made of each value that an expression gave.
 */
export function evaluateTemplate(
  template: Template,
  scope: ExpressionScope,
  computed: (value: Json) => Json = (value) => value,
): Evaluation<Json> {
  const run = new TemplateRun(scope, computed)
  const value = run.fill(template)
  if (run.needed.size > 0) return { kind: 'need', steps: [...run.needed] }
  if (run.failure !== null) return run.failure
  if (run.hasExpressions && jsonBytes(value) > WORKFLOW_LIMITS.resultBytes)
    return { kind: 'failed', error: { code: 'RESULT_TOO_LARGE', message: 'more than 64 KiB' } }
  return { kind: 'value', value }
}

class TemplateRun {
  readonly needed = new Set<string>()
  failure: Extract<Evaluation<never>, { kind: 'failed' }> | null = null
  hasExpressions = false
  readonly #scope: ExpressionScope
  readonly #computed: (value: Json) => Json

  constructor(scope: ExpressionScope, computed: (value: Json) => Json) {
    this.#scope = scope
    this.#computed = computed
  }

  fill(template: Template): Json {
    if (typeof template === 'string') return this.#fillText(template)
    if (typeof template !== 'object' || template === null) return template
    if (Array.isArray(template)) return template.map((part: Json) => this.fill(part))
    return Object.fromEntries(Object.entries(template).map(([name, part]: [string, Json]) => [name, this.fill(part)]))
  }

  #fillText(template: string): Json {
    const text = expressionOf(template)
    if (text === null) return template.startsWith('==') ? template.slice(1) : template
    this.hasExpressions = true
    const found = evaluateExpression(text, this.#scope)
    if (found.kind === 'value') return this.#computed(found.value)
    if (found.kind === 'need') for (const key of found.steps) this.needed.add(key)
    else this.failure ??= found
    return null
  }
}
