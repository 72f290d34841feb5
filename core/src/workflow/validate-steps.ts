import { hasBranches } from './branches.ts'
import { WORKFLOW_LIMITS, type FanOutStep, type Json, type JsonObject, type Step, type SubWorkflowWork, type TaskWork } from './graph.ts'
import { isTooDeep, JSON_DEPTH, jsonBytes } from './json-value.ts'
import type { WorkflowProblem, WorkflowProblemCode } from './problem.ts'
import { expressionOf, expressionsIn } from './template.ts'
import { parseInstant } from '../schedule/instant.ts'
import { isDate } from './work.ts'

/** Tells a problem of a field, named from the step on. */
type Tell = (field: string, code: WorkflowProblemCode, message: string, params?: Readonly<Record<string, Json>>) => void

/** Words that CEL keeps to itself: `steps.in` could not be written. */
const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package prototype return true var void while'.split(
    ' ',
  ),
)
const PARAMS_BYTES = 65_536

/** What is wrong with each step by itself; expressions and edges are looked at elsewhere. */
export function validateSteps(steps: readonly Step[]): WorkflowProblem[] {
  const problems: WorkflowProblem[] = []
  const keys = new Set<string>()
  for (const [place, step] of steps.entries()) {
    const tell: Tell = (field, code, message, params = {}) => void problems.push({ code, path: `steps.${place}.${field}`, params, message })
    checkKey(step.key, keys, tell)
    checkFields(step, tell)
    checkKind(step, tell)
  }
  return problems
}

function checkKey(key: string, keys: Set<string>, tell: Tell): void {
  if (!/^[a-z][a-zA-Z0-9_]{0,63}$/.test(key))
    tell('key', 'BAD_FORMAT', 'expected a lower-case letter, then letters, digits and _, at most 64')
  else if (RESERVED.has(key)) tell('key', 'NOT_ALLOWED_VALUE', `"${key}" is a word of the expression language; choose another key`)
  else if (keys.has(key)) tell('key', 'NAME_TAKEN', `another step has the key "${key}"`)
  keys.add(key)
}

function checkFields(step: Step, tell: Tell): void {
  const runs = step.kind === 'task' || step.kind === 'subWorkflow' || step.kind === 'fanOut'
  for (const field of ['retry', 'timeoutMs'] as const) {
    if (!runs && step[field] !== undefined)
      tell(field, 'UNKNOWN_FIELD', `has no effect on a step of kind ${step.kind}; remove it`, { kind: step.kind })
  }
  if (step.disabled === true && hasBranches(step)) {
    tell('disabled', 'NOT_ALLOWED_VALUE', `a step of kind ${step.kind} cannot be disabled: nobody could say which branch it takes`)
  }
}

function checkKind(step: Step, tell: Tell): void {
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
      return checkWork(step, '', tell)
    case 'switch':
      return checkCases(step.cases, tell)
    case 'wait':
      return checkWait(step, tell)
    case 'fanOut':
      return checkFanOut(step, tell)
    case 'condition':
    case 'approval':
  }
}

function checkWork(work: TaskWork | SubWorkflowWork, prefix: string, tell: Tell): void {
  if (work.kind === 'task') {
    checkOneOf({ task: work.task, inline: work.inline }, `${prefix}task`, tell)
    if (work.task !== undefined) checkName(work.task, `${prefix}task`, tell)
  } else {
    checkName(work.workflow, `${prefix}workflow`, tell)
  }
  if (work.input !== undefined) checkInput(work.input, `${prefix}input`, tell)
}

function checkInput(input: JsonObject, field: string, tell: Tell): void {
  if (isTooDeep(input)) return tell(field, 'TOO_LARGE', `objects and lists may be nested ${JSON_DEPTH} deep`, { max: JSON_DEPTH })
  if (expressionsIn(input).length === 0 && jsonBytes(input) > PARAMS_BYTES) tell(field, 'PARAMS_TOO_LARGE', 'more than 64 KiB as JSON')
}

function checkName(name: string, field: string, tell: Tell): void {
  if (!/^[^/]+\/[^/]+$/.test(name)) tell(field, 'BAD_FORMAT', `expected group/name, such as billing/send; it is "${name}"`)
}

/** `at`: where a problem is told if none is there; of two the later is told. */
function checkOneOf(fields: Readonly<Record<string, unknown>>, at: string, tell: Tell): void {
  const names = Object.keys(fields)
  const given = names.filter((name) => fields[name] !== undefined)
  const list = names.join(', ')
  if (given.length === 0) tell(at, 'REQUIRED', `one of ${list} is needed`, { fields: names })
  const prefix = at.slice(0, at.lastIndexOf('.') + 1)
  for (const name of given.slice(1)) tell(`${prefix}${name}`, 'NOT_ALLOWED_VALUE', `only one of ${list} may be given`, { fields: names })
}

function checkCases(cases: readonly { readonly branch: string }[], tell: Tell): void {
  if (cases.length === 0) tell('cases', 'REQUIRED', 'a switch needs a case')
  const seen = new Set<string>()
  for (const [place, { branch }] of cases.entries()) {
    const field = `cases.${place}.branch`
    if (branch === '') tell(field, 'REQUIRED', 'a branch needs a name')
    else if (branch === 'default') tell(field, 'NOT_ALLOWED_VALUE', '"default" is the branch that is taken where no case holds')
    else if (seen.has(branch)) tell(field, 'NAME_TAKEN', `another case has the branch "${branch}"`)
    seen.add(branch)
  }
}

function checkWait(step: Extract<Step, { kind: 'wait' }>, tell: Tell): void {
  checkOneOf({ forMs: step.forMs, until: step.until, upstream: step.upstream }, 'forMs', tell)
  if (step.until !== undefined && expressionOf(step.until) === null && parseInstant(step.until) === null) {
    tell('until', 'BAD_FORMAT', `expected an instant such as 2026-12-01T00:00:00Z, or an expression after =; it is "${step.until}"`)
  }
  if (step.upstream === undefined) return
  const { task, workflow, date } = step.upstream
  checkOneOf({ task, workflow }, 'upstream.task', tell)
  if (task !== undefined) checkName(task, 'upstream.task', tell)
  if (workflow !== undefined) checkName(workflow, 'upstream.workflow', tell)
  if (date !== undefined && expressionOf(date) === null && !isDate(date)) {
    tell('upstream.date', 'BAD_FORMAT', `expected a date such as 2026-12-01, or an expression after =; it is "${date}"`)
  }
}

function checkFanOut({ items, maxItems = WORKFLOW_LIMITS.defaultItems, each }: FanOutStep, tell: Tell): void {
  if (typeof items === 'string' && expressionOf(items) === null) {
    tell('items', 'WRONG_TYPE', 'expected a list, or an expression after = that gives one')
  }
  if (maxItems > WORKFLOW_LIMITS.items) tell('maxItems', 'TOO_LARGE', `at most ${WORKFLOW_LIMITS.items}`, { max: WORKFLOW_LIMITS.items })
  if (typeof items !== 'string' && items.length > maxItems)
    tell('items', 'TOO_LARGE', `${items.length} items; maxItems is ${maxItems}`, { max: maxItems })
  if (typeof items !== 'string' && isTooDeep(items))
    tell('items', 'TOO_LARGE', `objects and lists may be nested ${JSON_DEPTH} deep`, { max: JSON_DEPTH })
  checkWork(each, 'each.', tell)
  if (each.kind === 'task' && isSharded(each.inline?.sharding)) {
    tell('each.inline.sharding', 'NOT_ALLOWED_VALUE', 'an item is not split again; remove it, or make the items smaller')
  }
}

function isSharded(sharding: object | undefined): boolean {
  return sharding !== undefined && Reflect.get(sharding, 'kind') !== 'none'
}
