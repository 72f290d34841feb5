import { WORKFLOW_LIMITS } from '@tickwheel/core'
import { Document, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Scalar } from 'yaml'
import type { WorkflowDocument } from './workflows.ts'

/** Something that keeps a text from being read as a workflow. `path` is dotted, empty where there is none yet; `line` and `col` count from 1. */
export interface YamlProblem {
  readonly path: string
  readonly message: string
  readonly line: number
  readonly col: number
}
export interface YamlPosition {
  readonly line: number
  readonly col: number
}

/**
 * `document`: plain JSON, whose fields nobody has looked at yet; `WorkflowDocument` is their schema. `positionOf`: where a dotted path stands in the text, or
 * the nearest thing around it, so that what a schema or `validate` finds can be shown where it is written.
 */
export type YamlReading =
  | { readonly kind: 'document'; readonly document: Readonly<Record<string, unknown>>; readonly positionOf: (path: string) => YamlPosition }
  | { readonly kind: 'problems'; readonly problems: readonly YamlProblem[] }

/** Longer texts are not looked at: reading a megabyte takes the better part of a second. */
const MAX_CHARACTERS = WORKFLOW_LIMITS.bytes
const MAX_PROBLEMS = 100
/** How many aliases a text may have, and how often they may repeat what they stand for, all in all: enough for a retry that all steps share. */
const MAX_ALIASES: number = WORKFLOW_LIMITS.steps
const START: YamlPosition = { line: 1, col: 1 }

/**
 * Reads a workflow that is written as YAML 1.2, or as JSON, which is YAML too. Nothing but plain values: tags of one's own, dates, binary data and merge
 * keys are refused or taken as the text that they are. Never throws.
 */
export function readWorkflowYaml(text: string): YamlReading {
  if (text.length > MAX_CHARACTERS) return refused(`the text has ${text.length} characters; at most ${MAX_CHARACTERS} are taken`)
  try {
    return read(text)
  } catch (error) {
    // The library recurses, so that what is nested ten thousand deep breaks it; and it throws when aliases repeat too much.
    return refused(
      error instanceof RangeError ? 'lists and objects are nested too deep' : error instanceof Error ? error.message : String(error),
    )
  }
}

/** A workflow as YAML that `readWorkflowYaml` reads back to the same document: fields in the order in which a person thinks of them, an edge a line. */
export function workflowToYaml(document: WorkflowDocument): string {
  const made = new Document(inOrder(document), { aliasDuplicateObjects: false, version: '1.2' })
  arrange(made)
  return made.toString({ lineWidth: 0, flowCollectionPadding: true })
}

function read(text: string): YamlReading {
  const lines = new LineCounter()
  // Unique keys are looked at below: the library compares each with each, which takes minutes for a megabyte of keys.
  const parsed = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
  })
  const found = [...parsed.errors, ...parsed.warnings].map(({ message, pos }) => ({ path: '', message, ...positionAt(lines, pos[0]) }))
  const version = parsed.directives.yaml.version
  if (version !== '1.2') return refused(`the text says that it is YAML ${version}; only 1.2 is taken`)
  const problems = [...found, ...unfitNodes(parsed, lines)].slice(0, MAX_PROBLEMS)
  if (problems.length > 0) return { kind: 'problems', problems }
  const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES })
  if (!isObject(value)) return refused('expected the fields of a workflow, such as `name: nightly-orders`')
  return { kind: 'document', document: value, positionOf: (path) => positionOf(parsed, path, lines) }
}

function refused(message: string): YamlReading {
  return { kind: 'problems', problems: [{ path: '', message, ...START }] }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys that stand twice in one map, and values that JSON does not have. */
function unfitNodes(document: Document.Parsed, lines: LineCounter): YamlProblem[] {
  const problems: YamlProblem[] = []
  let aliases = 0
  const tell = (message: string, node: unknown): void => void problems.push({ path: '', message, ...positionAt(lines, startOf(node)) })
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<string>()
      for (const { key } of items) {
        const name = textOf(key)
        if (seen.has(name)) tell(`the key "${name}" stands here twice`, key)
        seen.add(name)
      }
    },
    Alias: (_, node) => {
      aliases += 1
      // Looking for what an alias names goes through the text up to there.
      if (aliases > MAX_ALIASES) tell(`more than ${MAX_ALIASES} aliases`, node)
      else if (node.resolve(document) === undefined) tell(`nothing before this is marked &${node.source}`, node)
      return aliases > MAX_ALIASES ? visit.BREAK : undefined
    },
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && !Number.isFinite(node.value)) tell('a number must be finite', node)
    },
  })
  return problems
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

function positionOf(document: Document.Parsed, path: string, lines: LineCounter): YamlPosition {
  let node: unknown = document.contents
  let found = startOf(node)
  for (const name of path.split('.')) {
    const next = childOf(node, name)
    if (next === null) break
    found = startOf(next.key) ?? startOf(next.value) ?? found
    node = next.value
  }
  return positionAt(lines, found)
}

function childOf(node: unknown, name: string): { readonly key: unknown; readonly value: unknown } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && textOf(key) === name)
    return pair === undefined ? null : { key: pair.key, value: pair.value }
  }
  if (!isSeq(node)) return null
  const value = node.items[Number(name)]
  return value === undefined ? null : { key: value, value }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function positionAt(lines: LineCounter, offset: number | undefined): YamlPosition {
  if (offset === undefined) return START
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), col: Math.max(1, col) }
}

/** Fields in the order in which a person thinks of them; what is not named comes after, as it is given. */
const FIELDS = {
  workflow:
    'group name description owner tags schedule overlap misfire timeoutMs priority pauseAfterFailures enabled version paramsSchema stepConcurrency onFailure steps edges outputs layout',
  step: 'key name kind disabled join task workflow inline when cases forMs until upstream maxMs prompt expiresMs onExpire notByStarter items maxItems concurrency failures each input retry timeoutMs continueOnFailure',
  edge: 'from to on branch when',
  each: 'kind task workflow inline input',
} as const

function inOrder(document: WorkflowDocument): object {
  const steps = document.steps.map((step) => sorted('each' in step ? { ...step, each: sorted(step.each, 'each') } : step, 'step'))
  return sorted({ ...document, steps, edges: document.edges.map((edge) => sorted(edge, 'edge')) }, 'workflow')
}

function sorted(fields: object, as: keyof typeof FIELDS): object {
  const names: readonly string[] = FIELDS[as].split(' ')
  const rank = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length)
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => rank(a) - rank(b)))
}

/** Small things that belong together stand on one line. */
function arrange(document: Document): void {
  for (const field of ['schedule', 'overlap', 'misfire', 'tags']) onOneLine(document.get(field))
  for (const step of itemsOf(document.get('steps')))
    for (const field of ['join', 'retry', 'upstream']) onOneLine(isMap(step) ? step.get(field) : null)
  for (const edge of itemsOf(document.get('edges'))) onOneLine(edge)
  const layout = document.get('layout')
  if (isMap(layout)) for (const { value } of layout.items) onOneLine(value)
  visit(document, { Scalar: chooseLines })
}

/**
 * How a text of several lines is written: as a block, or in quotes where it could not be told from its indentation, and where it is a key. Left to itself, the
 * library writes some that it does not read back.
 */
function chooseLines(key: unknown, scalar: Scalar): void {
  const { value } = scalar
  if (typeof value !== 'string' || !value.includes('\n')) return
  const isBlock = key !== 'key' && !/^\s/.test(value) && !/^[ \t]+$/m.test(value)
  scalar.type = isBlock ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE'
}

function itemsOf(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : []
}

function onOneLine(node: unknown): void {
  if (isCollection(node)) node.flow = true
}
