import type { ASTNode } from '@marcbachmann/cel-js'
import type { ExpressionPlace, ExpressionProblem } from './expression.ts'

/** A place in an expression that speaks of a step: `steps.KEY` (`field` null), `steps.KEY.output` and the like. */
export interface StepReference {
  readonly key: string
  readonly field: StepField | null
  /** the character, counted from 1 */
  readonly position: number
}
export const STEP_FIELDS = ['state', 'output', 'error'] as const
export type StepField = (typeof STEP_FIELDS)[number]
export const RUN_FIELDS = ['id', 'scheduledAt', 'date', 'cause'] as const

/** A value that an expression names, from its root on: `['steps', 'a', 'output']`. */
export type ValuePath = readonly string[]

/** A macro that goes through a list. `isSplit`: the list may come out of a text. */
export interface LoopUse {
  /** what the list is made of, beside literals, which take `written` characters at most */
  readonly over: readonly ValuePath[]
  readonly written: number
  /** what is looked at for each item, beside the item */
  readonly each: readonly ValuePath[]
  readonly isSplit: boolean
}

export interface Inspection {
  readonly problem: ExpressionProblem | null
  readonly steps: readonly StepReference[]
  readonly loops: readonly LoopUse[]
  /** names that are taken from `vars`; null: `vars` as a whole, or by a name that is computed */
  readonly vars: readonly (VariableReference | null)[]
}

/** A variable that an expression names, and at which character, counted from 1. */
export interface VariableReference {
  readonly name: string
  readonly position: number
}

const ROOTS = ['params', 'vars', 'run', 'steps'] as const
/** Macros whose first argument is a name that they give a value to. */
const BINDING: Readonly<Record<string, readonly number[]>> = {
  map: [2, 3],
  filter: [2],
  all: [2],
  exists: [2],
  exists_one: [2],
  bind: [3],
}
/**
 * Refused, with what to do instead. `matches` runs the host's regular expressions, which backtrack; with a zone, or for the day of the year, the
 * library goes by the zone that the host happens to be set to.
 */
const REFUSED: Readonly<Record<string, string>> = {
  matches: 'regular expressions are not taken; use contains, startsWith, endsWith or split',
  getDayOfYear: 'getDayOfYear is not taken, because it depends on where the server runs',
}

type NodeOf<Op extends ASTNode['op']> = Extract<ASTNode, { op: Op }>

/** What an expression refers to, and what it may not do. Only the first problem is told: the next often follows from it. */
export function inspect(root: ASTNode, place: ExpressionPlace): Inspection {
  const walk = new Walk(place)
  walk.visit(root)
  return walk
}

class Walk implements Inspection {
  problem: ExpressionProblem | null = null
  readonly steps: StepReference[] = []
  readonly loops: LoopUse[] = []
  readonly vars: (VariableReference | null)[] = []
  readonly #roots: readonly string[]
  /** the name that the loop around this place gives a value to; loops do not nest, so there is one at most */
  #bound: string | null = null
  #paths: ValuePath[] = []
  #isSplit = false

  constructor(place: ExpressionPlace) {
    this.#roots = place === 'item' ? [...ROOTS, 'item', 'index'] : ROOTS
  }

  visit(node: ASTNode): void {
    switch (node.op) {
      case 'value':
        return
      case 'id':
      case '.':
      case '[]':
        return this.#visitAccess(node)
      case 'call':
        return node.args[1].forEach((argument) => this.visit(argument))
      case 'rcall':
        return this.#visitMethod(node)
      case 'map':
        return node.args.forEach((entry) => entry.forEach((part) => this.visit(part)))
      case '!_':
      case '-_':
        return this.visit(node.args)
      case '.?':
      case '[?]':
        return this.#refuse(node, 'optional access is not taken; ask with has() first')
      default:
        return node.args.forEach((part) => this.visit(part))
    }
  }

  #visitAccess(node: NodeOf<'id' | '.' | '[]'>): void {
    const path = pathOf(node)
    if (path !== null) return this.#note(path, node)
    if (node.op === 'id') return
    this.visit(node.args[0])
    if (node.op === '[]') this.visit(node.args[1])
  }

  #note(path: ValuePath, node: ASTNode): void {
    const root = path[0] ?? ''
    if (root === this.#bound || !this.#roots.includes(root)) return
    this.#paths.push(path)
    if (root === 'steps') this.#noteStep(path, node)
    const field = path[1]
    if (root === 'vars') this.vars.push(field === undefined ? null : { name: field, position: node.start + 1 })
    if (root === 'run' && field !== undefined && !isOneOf(RUN_FIELDS, field))
      this.#refuseName(node, `run has ${RUN_FIELDS.join(', ')}, but no ${field}`)
  }

  #noteStep([, key, field]: ValuePath, node: ASTNode): void {
    const position = node.start + 1
    if (key === undefined) return this.#refuseName(node, 'say which step is meant: steps.KEY')
    if (field === undefined) return void this.steps.push({ key, field: null, position })
    if (isOneOf(STEP_FIELDS, field)) return void this.steps.push({ key, field, position })
    this.#refuseName(node, `a step has ${STEP_FIELDS.join(', ')}, but no ${field}`)
  }

  #visitMethod(node: NodeOf<'rcall'>): void {
    const [name, receiver, parameters] = node.args
    const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
    if (refused !== undefined) return this.#refuse(node, refused)
    if (/^get[A-Z]/.test(name) && parameters.length > 0)
      return this.#refuse(node, `${name} is not taken with a zone; run.date is the day in the schedule's`)
    if (name === 'split') this.#isSplit = true
    if (Object.hasOwn(BINDING, name) && BINDING[name]?.includes(parameters.length) === true) return this.#visitLoop(node)
    this.visit(receiver)
    parameters.forEach((parameter) => this.visit(parameter))
  }

  #visitLoop(node: NodeOf<'rcall'>): void {
    const [name, receiver, [variable, ...rest]] = node.args
    if (this.#bound !== null) return this.#refuse(node, `${name} may not stand within another loop`)
    if (variable?.op !== 'id') return
    if (isOneOf(ROOTS, variable.args)) return this.#refuse(variable, `${variable.args} has a meaning already; give the item another name`)
    const before = this.loops.length
    const [over, isSplit] = this.#pathsOf(() => this.visit(receiver))
    this.#bound = variable.args
    const [each] = this.#pathsOf(() => rest.forEach((part) => this.visit(part)))
    this.#bound = null
    // A list that a loop has made may hold, in each item, all that the loop looked at.
    const made = this.loops.slice(before).flatMap((loop) => loop.each)
    this.loops.push({ over, written: receiver.end - receiver.start, each: [...each, ...made], isSplit })
  }

  /** What a part of the expression names; it counts for what is around the part too. */
  #pathsOf(visit: () => void): [paths: ValuePath[], isSplit: boolean] {
    const [paths, isSplit] = [this.#paths, this.#isSplit]
    this.#paths = []
    this.#isSplit = false
    visit()
    const found: [ValuePath[], boolean] = [this.#paths, this.#isSplit]
    this.#paths = [...paths, ...found[0]]
    this.#isSplit ||= isSplit
    return found
  }

  #refuse(node: ASTNode, message: string): void {
    this.problem ??= { code: 'EXPRESSION_INVALID', message, position: node.start + 1 }
  }

  #refuseName(node: ASTNode, message: string): void {
    this.problem ??= { code: 'WORKFLOW_BAD_REFERENCE', message, position: node.start + 1 }
  }
}

/** The names from a root on, as far as all of them are written out; null: this is not such a chain. */
function pathOf(node: ASTNode): ValuePath | null {
  if (node.op === 'id') return [node.args]
  if (node.op !== '.' && node.op !== '[]') return null
  const left = pathOf(node.args[0])
  const name = node.op === '.' ? node.args[1] : literalOf(node.args[1])
  return left === null || name === null ? null : [...left, name]
}

function literalOf(node: ASTNode): string | null {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : null
}

function isOneOf<Word extends string>(words: readonly Word[], text: string): text is Word {
  const all: readonly string[] = words
  return all.includes(text)
}
