import { VARIABLE_LIMITS, type FieldProblem, type Handler, type Step, type WorkflowDefinition } from '@tickwheel/contract'
import {
  brokenReferenceIn,
  expressionOf,
  fillReferences,
  referencesIn,
  variablesIn,
  type Json,
  type Reference,
  type Scope,
} from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { isInReach, OF_ALL } from './variable-place.ts'
import { graphOf, type WorkflowRefs } from './workflow-definition.ts'

/*
 * What tasks and workflows refer to: `${{ vars.NAME }}` and `${{ secrets.NAME }}` in params, in the environment of a shell or a script, and in address,
 * headers and body of an HTTP call. A script's own text is not looked at: it has its environment for that.
 */

/** A text that may refer to something, where it stands, and the group whose tasks will run it. */
export interface PlacedText {
  readonly path: string
  readonly text: string
  readonly groupId: number
}

/** What a version refers to, as tasks of a group know it. */
export interface PlacedReference extends Reference {
  readonly groupId: number
}

/** The part of a definition that refers to values. */
export interface Referring {
  readonly handler: Handler
  readonly params: string
}

/** Every text of a task that may refer to something. */
export function textsOf({ handler, params }: Referring): { path: string; text: string }[] {
  return [{ path: 'params', text: params }, ...textsOfHandler(handler)]
}

/** What a run refers to, each name once. */
export function referencesOfRun(referring: Referring): Reference[] {
  const found = textsOf(referring).flatMap(({ text }) => referencesIn(text))
  return [...new Map(found.map((one) => [`${one.kind}.${one.name}`, one])).values()]
}

/** The same with every reference filled in. */
export function filled({ handler, params }: Referring, valueOf: (reference: Reference) => string | undefined): Referring {
  const fill = (text: string): string => fillReferences(text, valueOf)
  return { handler: filledHandler(handler, fill), params: fill(params) }
}

function filledHandler(handler: Handler, fill: (text: string) => string): Handler {
  switch (handler.kind) {
    case 'shell':
    case 'script':
      return handler.env === undefined ? handler : { ...handler, env: filledRecord(handler.env, fill) }
    case 'http':
      return {
        ...handler,
        url: fill(handler.url),
        ...(handler.headers === undefined ? {} : { headers: filledRecord(handler.headers, fill) }),
        ...(handler.body === undefined ? {} : { body: fill(handler.body) }),
      }
    case 'named':
      return handler
  }
}

function filledRecord(record: Readonly<Record<string, string>>, fill: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, text]) => [name, fill(text)]))
}

function textsOfHandler(handler: Handler): { path: string; text: string }[] {
  switch (handler.kind) {
    case 'shell':
    case 'script':
      return textsOfRecord('handler.env', handler.env)
    case 'http':
      return [
        { path: 'handler.url', text: handler.url },
        ...textsOfRecord('handler.headers', handler.headers),
        { path: 'handler.body', text: handler.body ?? '' },
      ]
    case 'named':
      return []
  }
}

function textsOfRecord(path: string, record: Readonly<Record<string, string>> | undefined): { path: string; text: string }[] {
  return Object.entries(record ?? {}).map(([name, text]) => ({ path: `${path}.${name}`, text }))
}

/** What is wrong with what texts refer to, and what they refer to. `mayRefer`: the groups whose secrets the caller may see the names of. */
export async function judgeTexts(
  tx: ReadTx,
  texts: readonly PlacedText[],
  mayRefer: Scope,
): Promise<{ readonly problems: FieldProblem[]; readonly references: PlacedReference[] }> {
  const placed = texts.flatMap(({ path, text, groupId }) => referencesIn(text).map((reference) => ({ ...reference, path, groupId })))
  const known = new KnownNames(tx, mayRefer)
  const problems = texts.flatMap(brokenReference)
  for (const reference of placed) if (!(await known.has(reference))) problems.push(unknownReference(reference))
  const references = [...new Map(placed.map(({ kind, name, groupId }) => [`${groupId}.${kind}.${name}`, { kind, name, groupId }])).values()]
  if (references.length <= VARIABLE_LIMITS.perTask) return { problems, references }
  const message = `refers to ${references.length} variables and secrets, at most ${VARIABLE_LIMITS.perTask} are taken`
  return { problems: [...problems, { path: 'params', code: 'TOO_MANY', message, params: { max: VARIABLE_LIMITS.perTask } }], references }
}

/** As `judgeTexts`, of the tasks and expressions of a workflow. A step's input is filled in the group of the task that it runs. */
export async function judgeWorkflow(
  tx: ReadTx,
  { groupId, definition, refs, mayRefer }: { groupId: number; definition: WorkflowDefinition; refs: WorkflowRefs; mayRefer: Scope },
): Promise<{ readonly problems: FieldProblem[]; readonly references: PlacedReference[] }> {
  const groups = await groupsOfTasks(tx, Object.values(refs.tasks))
  const groupOf = (task: string | undefined): number => (task === undefined ? groupId : (groups.get(refs.tasks[task] ?? 0) ?? groupId))
  const { texts, problems } = textsOfSteps(definition.steps, { groupId, groupOf })
  const judged = await judgeTexts(tx, texts, mayRefer)
  const named = variablesIn(graphOf(definition)).names
  const known = new KnownNames(tx, mayRefer)
  for (const { name, path, position } of named) {
    if (await known.has({ kind: 'vars', name, groupId })) continue
    const message = `there is no variable ${name} (at ${position})`
    problems.push({ path, code: 'WORKFLOW_BAD_REFERENCE', message, params: { name: `vars.${name}`, position } })
  }
  const references = [...judged.references, ...named.map(({ name }): PlacedReference => ({ kind: 'vars', name, groupId }))]
  return { problems: [...problems, ...judged.problems], references }
}

interface Groups {
  readonly groupId: number
  readonly groupOf: (task: string | undefined) => number
}

function textsOfSteps(steps: readonly Step[], { groupId, groupOf }: Groups): { texts: PlacedText[]; problems: FieldProblem[] } {
  const texts: PlacedText[] = []
  const problems: FieldProblem[] = []
  for (const [index, step] of steps.entries()) {
    const works = step.kind === 'fanOut' ? [{ work: step.each, path: `steps.${index}.each` }] : [{ work: step, path: `steps.${index}` }]
    for (const { work, path } of works) {
      if (work.kind === 'subWorkflow') problems.push(...textsIn(work.input ?? {}, `${path}.input`).flatMap(notForSubWorkflows))
      if (work.kind !== 'task') continue
      const target = groupOf(work.task)
      texts.push(...textsIn(work.input ?? {}, `${path}.input`).map((found) => ({ ...found, groupId: target })))
      if (work.inline === undefined) continue
      texts.push(...textsOfHandler(work.inline.handler).map((found) => ({ ...found, path: `${path}.inline.${found.path}`, groupId })))
    }
  }
  return { texts, problems }
}

/** The texts of a template that are taken as they are, and the names of its fields. */
function textsIn(template: unknown, path: string): { path: string; text: string }[] {
  if (typeof template === 'string') return expressionOf(template) === null ? [{ path, text: template }] : []
  if (typeof template !== 'object' || template === null) return []
  if (Array.isArray(template)) return template.flatMap((part: Json, index) => textsIn(part, `${path}.${index}`))
  return Object.entries(template).flatMap(([name, part]: [string, unknown]) => [{ path, text: name }, ...textsIn(part, `${path}.${name}`)])
}

function notForSubWorkflows({ path, text }: { path: string; text: string }): FieldProblem[] {
  return referencesIn(text).map(({ kind, name }) => ({
    path,
    code: 'BAD_REFERENCE',
    message: `${kind}.${name} cannot be handed to a sub-workflow: refer to it in the step of the sub-workflow that needs it`,
    params: { name: `${kind}.${name}` },
  }))
}

function brokenReference({ path, text }: PlacedText): FieldProblem[] {
  const broken = brokenReferenceIn(text)
  if (broken === null) return []
  const message = `${broken} … is no reference: write \${{ vars.NAME }} or \${{ secrets.NAME }}, or one dollar more for the text itself`
  return [{ path, code: 'BAD_REFERENCE', message, params: { name: broken } }]
}

function unknownReference({ path, kind, name }: { path: string } & Reference): FieldProblem {
  const what = kind === 'vars' ? 'variable' : 'secret'
  const message = `there is no ${what} ${name} in the group, or in all groups, that you may refer to`
  return { path, code: 'UNKNOWN_REFERENCE', message, params: { value: `${kind}.${name}` } }
}

async function groupsOfTasks(tx: ReadTx, ids: readonly number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.rows(
    query
      .selectFrom('task')
      .select(['id', 'group_id'])
      .where('id', 'in', [...new Set(ids)]),
  )
  return new Map(rows.map((row) => [row.id, row.group_id]))
}

/** Which names tasks of groups know, each group read once. */
class KnownNames {
  readonly #tx: ReadTx
  readonly #mayRefer: Scope
  readonly #known = new Map<string, ReadonlySet<string>>()

  constructor(tx: ReadTx, mayRefer: Scope) {
    this.#tx = tx
    this.#mayRefer = mayRefer
  }

  async has({ kind, name, groupId }: PlacedReference): Promise<boolean> {
    const key = `${kind} ${groupId}`
    const known = this.#known.get(key) ?? (await this.#read(kind, groupId))
    this.#known.set(key, known)
    return known.has(name)
  }

  async #read(kind: Reference['kind'], groupId: number): Promise<ReadonlySet<string>> {
    const table = kind === 'vars' ? 'variable' : 'secret'
    const rows = await this.#tx.rows(
      query.selectFrom(table).select(['name', 'group_id']).where('group_id', 'in', [OF_ALL, groupId]).orderBy('group_id'),
    )
    // a group's own comes last, and is the one that counts: whoever may not see it may not refer to that of all groups in its place
    const groups = new Map(rows.map((row) => [row.name, row.group_id]))
    const reachable = [...groups].filter(([, of]) => kind === 'vars' || isInReach(this.#mayRefer, of))
    return new Set(reachable.map(([name]) => name))
  }
}
