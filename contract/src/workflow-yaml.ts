import { WORKFLOW_LIMITS } from '@tickwheel/core'
import { Document, isCollection, isMap, isSeq, visit, type Scalar } from 'yaml'
import { readYaml, type YamlPosition, type YamlProblem } from './yaml-reading.ts'
import type { WorkflowDocument } from './workflows.ts'

/**
 * `document`: plain JSON, whose fields nobody has looked at yet; `WorkflowDocument` is their schema. `positionOf`: where a dotted path stands in the text, or
 * the nearest thing around it, so that what a schema or `validate` finds can be shown where it is written.
 */
export type WorkflowReading =
  | { readonly kind: 'document'; readonly document: Readonly<Record<string, unknown>>; readonly positionOf: (path: string) => YamlPosition }
  | { readonly kind: 'problems'; readonly problems: readonly YamlProblem[] }

/** Reads a workflow that is written as YAML 1.2, or as JSON. As `readYaml`; never throws. */
export function readWorkflowYaml(text: string): WorkflowReading {
  const read = readYaml(text, { maxCharacters: WORKFLOW_LIMITS.bytes })
  if (read.kind === 'problems') return read
  const { value, positionOf } = read
  if (isObject(value)) return { kind: 'document', document: value, positionOf: (path) => positionOf(path) }
  const message = 'expected the fields of a workflow, such as `name: nightly-orders`'
  return { kind: 'problems', problems: [{ path: '', message, line: 1, col: 1 }] }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A workflow as YAML that `readWorkflowYaml` reads back to the same document: fields in the order in which a person thinks of them, an edge a line. */
export function workflowToYaml(document: Omit<WorkflowDocument, 'schedule'> & { readonly schedule: object }): string {
  const made = new Document(inOrder(document), { aliasDuplicateObjects: false, version: '1.2' })
  arrange(made)
  return made.toString({ lineWidth: 0, flowCollectionPadding: true })
}

/** Fields in the order in which a person thinks of them; what is not named comes after, as it is given. */
const FIELDS = {
  workflow:
    'group name description owner tags schedule overlap misfire timeoutMs priority pauseAfterFailures enabled version paramsSchema stepConcurrency onFailure steps edges outputs layout',
  step: 'key name kind disabled join task workflow inline when cases forMs until upstream maxMs prompt expiresMs onExpire notByStarter items maxItems concurrency failures each input retry timeoutMs continueOnFailure',
  edge: 'from to on branch when',
  each: 'kind task workflow inline input',
} as const

function inOrder(document: Pick<WorkflowDocument, 'steps' | 'edges'>): object {
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
 * How a text of several lines is written: as a block, or in quotes where it could not be told from its indentation, or from empty lines behind it, and where it is a key. Left to itself, the
 * library writes some that it does not read back.
 */
export function chooseLines(key: unknown, scalar: Scalar): void {
  const { value } = scalar
  if (typeof value !== 'string' || !value.includes('\n')) return
  const isBlock = key !== 'key' && !/^\s/.test(value) && !/^[ \t]+$/m.test(value) && !value.endsWith('\n\n')
  scalar.type = isBlock ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE'
}

function itemsOf(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : []
}

function onOneLine(node: unknown): void {
  if (isCollection(node)) node.flow = true
}
