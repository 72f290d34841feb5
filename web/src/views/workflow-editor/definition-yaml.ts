/** A definition as YAML text and back. The format is the contract's; here its fields are looked at, and what is a default is left out. */
import { readWorkflowYaml, Step, workflowToYaml, WorkflowDocument, type WorkflowDefinition } from '@tickwheel/contract'
import type { TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { definitionOf, emptyDraft, type WorkflowDraft } from './draft.ts'

export interface TextProblem {
  /** from 1 */
  readonly line: number
  readonly path: string
  readonly code: string
  /** in English, for a code that this console has no words for */
  readonly message: string
}
export type ReadText = { readonly kind: 'good'; readonly document: WorkflowDocument } | { readonly kind: 'bad'; readonly problems: readonly TextProblem[] }

/** Without what a new workflow has anyway, and without places: those stay on the canvas. */
export function yamlOf(definition: WorkflowDefinition, group: string): string {
  const { layout: _places, ...shown } = definition
  const defaults = new Map(Object.entries(definitionOf(emptyDraft(null))).map(([name, value]) => [name, JSON.stringify(value)]))
  const kept = Object.fromEntries(Object.entries(shown).filter(([name, value]) => ALWAYS.includes(name) || defaults.get(name) !== JSON.stringify(value)))
  const document: object = { group, ...kept }
  return isDocument(document) ? workflowToYaml(document) : ''
}
const ALWAYS: readonly string[] = ['name', 'schedule', 'steps', 'edges']

/** What is written here need not be complete: a step as it comes from the palette has empty texts. */
function isDocument(value: object): value is WorkflowDocument {
  return 'steps' in value
}

export function readYaml(text: string): ReadText {
  const read = readWorkflowYaml(text)
  if (read.kind === 'problems') return { kind: 'bad', problems: read.problems.map(({ line, path, message }) => ({ line, path, code: '', message })) }
  const { document, positionOf } = read
  const whole = filled(document)
  if (Check(WorkflowDocument, whole) && isDocument(document)) return { kind: 'good', document }
  const found = [...problemsOf(WITHOUT_STEPS, whole, '').filter(({ path }) => !path.startsWith('steps.')), ...stepProblems(whole)]
  const places = new Map(found.map((problem) => [problem.path, { ...problem, line: positionOf(problem.path).line }]))
  return { kind: 'bad', problems: places.size > 0 ? [...places.values()] : [{ line: 1, path: '', code: 'BAD_FORMAT', message: '' }] }
}

/** A document with what it leaves out filled in, as the server would. `layout`: the places that steps have already. */
export function draftOfDocument({ group: _group, version: _version, enabled: _enabled, ...given }: WorkflowDocument, groupId: number | null, layout: WorkflowDraft['layout']): WorkflowDraft {
  const empty = emptyDraft(groupId)
  return { ...empty, ...given, layout: given.layout ?? layout, paramsSchema: given.paramsSchema ?? null, overlap: { ...empty.overlap, ...given.overlap }, misfire: { ...empty.misfire, ...given.misfire } }
}

// of a union only the kind that a step says it is tells what is wrong with it
const WITHOUT_STEPS: TSchema = { ...WorkflowDocument, properties: { ...WorkflowDocument.properties, steps: { type: 'array', minItems: 1 } } }

function stepProblems(document: unknown): Found[] {
  const steps: unknown = typeof document === 'object' && document !== null && 'steps' in document ? document.steps : []
  if (!Array.isArray(steps)) return []
  return steps.flatMap((step: unknown, place) => {
    const schema = Step.anyOf.find((one) => typeof step === 'object' && step !== null && 'kind' in step && one.properties.kind.const === step.kind)
    return schema === undefined ? [{ path: `steps.${place}.kind`, code: 'NOT_ALLOWED_VALUE', message: '' }] : problemsOf(schema, step, `steps.${place}`)
  })
}

type Found = Omit<TextProblem, 'line'>

function problemsOf(schema: TSchema, value: unknown, at: string): Found[] {
  return Errors(schema, value).flatMap((error): Found[] => {
    const path = [at, ...error.instancePath.split('/').slice(1)].filter((part) => part !== '').join('.')
    const under = (name: string) => (path === '' ? name : `${path}.${name}`)
    switch (error.keyword) {
      case 'required':
        return error.params.requiredProperties.map((name) => ({ path: under(name), code: 'REQUIRED', message: error.message }))
      case 'additionalProperties':
        return error.params.additionalProperties.map((name) => ({ path: under(name), code: 'UNKNOWN_FIELD', message: error.message }))
      case 'type':
        return [{ path, code: 'WRONG_TYPE', message: error.message }]
      case 'enum':
      case 'const':
        return [{ path, code: 'NOT_ALLOWED_VALUE', message: error.message }]
      default:
        return [{ path, code: 'BAD_FORMAT', message: error.message }]
    }
  })
}

/** A text that is still empty is the validator's to tell, not a reason to leave the drawing as it was. */
function filled(value: unknown): unknown {
  if (value === '') return 'group/name'
  if (Array.isArray(value)) return value.map(filled)
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filled(part)])) : value
}
