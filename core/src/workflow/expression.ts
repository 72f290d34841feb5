/**
 * Expressions of workflows: CEL, by `@marcbachmann/cel-js`, which no other file imports (docs/adr/0025).
 *
 * JSON numbers are doubles to CEL and literals like `1` are ints, so the mixed operators that CEL leaves out are added; a result is plain JSON again.
 * What a text can cost is bounded where it is compiled: its length, its nodes, its depth, no regular expressions (`matches` runs the host's, which
 * backtracks) and no loop within a loop. What an evaluation can cost is bounded by `loop-cost.ts`, what it gives by `json-value.ts`.
 */
import { Environment, EvaluationError, ParseError, TypeError as CelTypeError, type ParseResult } from '@marcbachmann/cel-js'
import { inspect, type Inspection, type LoopUse, type StepReference } from './expression-walk.ts'
import type { Json, JsonObject } from './graph.ts'
import { toJson } from './json-value.ts'
import { isLoopTooLong } from './loop-cost.ts'
import type { RunFactsOfWorkflow, StepError, StepState } from './run.ts'
import { TextCache } from './text-cache.ts'

/** characters of an expression, at most */
export const EXPRESSION_LENGTH = 2000
const LIMITS = { maxAstNodes: 200, maxDepth: 16 }
/**
 * Characters of all expressions that stay compiled, of all workflows. A compiled one takes 70 to 90 bytes for each of its characters, so that this is 45 MB
 * at most; the 6,000 short ones of the largest workflow stay all.
 */
const COMPILED_CHARACTERS = 500_000
/** How much of a text stands in an error. */
const SHOWN = 200

/** Where an expression stands. In `each` of a fan-out `item` and `index` are known too. */
export type ExpressionPlace = 'step' | 'item'

export interface ExpressionProblem {
  /** `WORKFLOW_BAD_REFERENCE`: a name that is not known there, or is used in a way that does not say which step is meant */
  readonly code: 'EXPRESSION_INVALID' | 'WORKFLOW_BAD_REFERENCE'
  readonly message: string
  /** the character, counted from 1 */
  readonly position: number
}

export interface Expression {
  readonly kind: 'expression'
  readonly text: string
  /** the steps that it speaks of, each place once */
  readonly steps: readonly StepReference[]
  /** as CEL calls it; `dyn`: known when it runs */
  readonly type: string
  readonly loops: readonly LoopUse[]
  /** variables that it names; null: all of them may be meant */
  readonly vars: Inspection['vars']
  readonly run: (context: Record<string, unknown>) => unknown
}
export type ExpressionCompile = Expression | { readonly kind: 'invalid'; readonly problem: ExpressionProblem }

/** What an expression sees of a step. Both are null unless it has ended, and where it was skipped. */
export interface StepView {
  readonly state: StepState
  readonly output: Json
  readonly error: StepError | null
}

/** What the names of an expression stand for. */
export interface ExpressionScope {
  readonly params: JsonObject
  readonly vars: Readonly<Record<string, string>>
  readonly run: RunFactsOfWorkflow
  /** null: it has ended and its output is not at hand. `withResult`: output or error is asked for, not the state alone */
  readonly stepOf: (key: string, withResult: boolean) => StepView | null
  /** in `each` of a fan-out */
  readonly item?: { readonly value: Json; readonly index: number }
}

/** `need`: the outputs of these steps are not at hand. `failed`: with `EXPRESSION_FAILED`, or `RESULT_TOO_LARGE`. */
export type Evaluation<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'need'; readonly steps: readonly string[] }
  | { readonly kind: 'failed'; readonly error: StepError }

const cache = new TextCache<ExpressionCompile>(COMPILED_CHARACTERS)

/** The text as something that can be evaluated, or what is wrong with it and where. The same text is compiled once while it is in use. */
export function compileExpression(text: string, place: ExpressionPlace = 'step'): ExpressionCompile {
  const key = `${place}:${text}`
  const known = cache.get(key)
  if (known !== undefined) return known
  if (text.length > EXPRESSION_LENGTH) return tooLong(text)
  const compiled = compile(text, place)
  cache.add(key, compiled)
  return compiled
}

/** The value of an expression, at most 64 KiB as JSON. An expression that is not valid fails here too. */
export function evaluateExpression(text: string, scope: ExpressionScope): Evaluation<Json> {
  const compiled = compileExpression(text, scope.item === undefined ? 'step' : 'item')
  if (compiled.kind === 'invalid') return failed(text, compiled.problem.message, compiled.problem.position)
  const steps = stepsOf(compiled, scope)
  if (steps.kind === 'need') return steps
  return evaluate(compiled, contextOf(scope, steps.views))
}

/** The value of a `when`. Anything but a boolean fails. */
export function evaluateCondition(text: string, scope: ExpressionScope): Evaluation<boolean> {
  const found = evaluateExpression(text, scope)
  if (found.kind !== 'value') return found
  if (typeof found.value === 'boolean') return { kind: 'value', value: found.value }
  return failed(text, `the condition gave ${kindOf(found.value)}, not true or false`, 1)
}

function evaluate(expression: Expression, context: Record<string, unknown>): Evaluation<Json> {
  if (isLoopTooLong(expression.loops, context)) return failed(expression.text, 'it goes through too much data in a loop', 1)
  try {
    const result = toJson(expression.run(context))
    if (result.kind === 'value') return result
    if (result.kind === 'noJson') return failed(expression.text, `it gave ${result.what}, which is no JSON`, 1)
    return { kind: 'failed', error: { code: 'RESULT_TOO_LARGE', message: `more than 64 KiB (${shown(expression.text)})` } }
  } catch (error) {
    // Whatever happens in the library, a text that too long a string or too deep a value broke included, is a failure of this expression alone.
    const { message, position } = explain(error)
    return failed(expression.text, message, position)
  }
}

function failed(text: string, message: string, position: number): Evaluation<never> {
  return { kind: 'failed', error: { code: 'EXPRESSION_FAILED', message: `${message} (at ${position} of: ${shown(text)})` } }
}

function shown(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}

function stepsOf(expression: Expression, scope: ExpressionScope): { kind: 'views'; views: JsonObject } | { kind: 'need'; steps: string[] } {
  const wantsResult = new Map<string, boolean>()
  for (const { key, field } of expression.steps) wantsResult.set(key, wantsResult.get(key) === true || field !== 'state')
  const views: Record<string, Json> = {}
  const missing: string[] = []
  for (const [key, withResult] of wantsResult) {
    const view = scope.stepOf(key, withResult)
    if (view === null) missing.push(key)
    else views[key] = { state: view.state, output: view.output, error: view.error === null ? null : { ...view.error } }
  }
  return missing.length > 0 ? { kind: 'need', steps: missing } : { kind: 'views', views }
}

function contextOf({ params, vars, run, item }: ExpressionScope, steps: JsonObject): Record<string, unknown> {
  const context = { params, vars, run, steps }
  return item === undefined ? context : { ...context, item: item.value, index: BigInt(item.index) }
}

function compile(text: string, place: ExpressionPlace): ExpressionCompile {
  try {
    const parsed = environmentOf(place).parse(text)
    return compiledFrom(text, parsed, inspect(parsed.ast, place))
  } catch (error) {
    return { kind: 'invalid', problem: { code: 'EXPRESSION_INVALID', ...explain(error) } }
  }
}

/** What the walk refuses is told before what the type check refuses: it knows what was meant. */
function compiledFrom(text: string, parsed: ParseResult, { problem, steps, loops, vars }: Inspection): ExpressionCompile {
  if (problem !== null) return { kind: 'invalid', problem }
  const { valid, type, error } = parsed.check()
  if (valid) return { kind: 'expression', text, steps, loops, vars, type: type ?? 'dyn', run: parsed }
  const code = error?.code === 'unknown_variable' ? 'WORKFLOW_BAD_REFERENCE' : 'EXPRESSION_INVALID'
  return { kind: 'invalid', problem: { code, ...explain(error) } }
}

function tooLong(text: string): ExpressionCompile {
  const message = `it has ${text.length} characters; ${EXPRESSION_LENGTH} are allowed`
  return { kind: 'invalid', problem: { code: 'EXPRESSION_INVALID', message, position: EXPRESSION_LENGTH + 1 } }
}

function explain(error: unknown): { message: string; position: number } {
  if (error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError) {
    return { message: error.summary, position: (error.range?.start ?? 0) + 1 }
  }
  return { message: error instanceof Error ? error.message : String(error), position: 1 }
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const environments = new Map<ExpressionPlace, Environment>()

/** Made when it is first asked for: the console imports this package on pages that have no expressions. */
function environmentOf(place: ExpressionPlace): Environment {
  const known = environments.get(place)
  if (known !== undefined) return known
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  for (const name of ['params', 'vars', 'run', 'steps']) environment.registerVariable(name, 'map<string, dyn>')
  if (place === 'item') environment.registerVariable('item', 'dyn').registerVariable('index', 'int')
  addMixedArithmetic(environment)
  environments.set(place, environment)
  return environment
}

type Arithmetic = (a: number, b: number) => number
const ARITHMETIC: Readonly<Record<string, Arithmetic>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

function addMixedArithmetic(environment: Environment): void {
  for (const [sign, apply] of Object.entries(ARITHMETIC)) {
    const handler = (a: number | bigint, b: number | bigint): number => apply(Number(a), Number(b))
    environment.registerOperator(`int ${sign} double: double`, handler)
    environment.registerOperator(`double ${sign} int: double`, handler)
  }
  environment.registerOperator('double % double: double', (a: number, b: number) => a % b)
  // The library has `double == int` and, for what is only known when it runs, the other way round.
  environment.registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b)
}
