/** What is wrong with a draft, as far as this browser can tell: the envelope here, the graph by the validator that the server uses too. */
import type { Step } from '@tickwheel/contract'
import { validate, type Graph } from '@tickwheel/core'
import type { WorkflowDraft } from './draft.ts'
import type { Problem } from './problem-places.ts'

export function checkDraft(draft: WorkflowDraft): readonly Problem[] {
  const unfilled = draft.steps.flatMap(checkFilled)
  const known = new Set(unfilled.map(({ path }) => path))
  // an empty field is told once, as one that is needed
  return [...checkEnvelope(draft), ...unfilled, ...problemsOfGraph(draft).filter(({ path }) => path !== 'steps' && !known.has(path))]
}

function problemsOfGraph({ paramsSchema, steps, edges, stepConcurrency, onFailure, outputs }: WorkflowDraft): readonly Problem[] {
  const graph: object = { paramsSchema, steps, edges, stepConcurrency, onFailure, outputs }
  return isGraph(graph) ? validate(graph).map(({ code, path, params, message }) => ({ code, path, params, message })) : []
}

/** The contract says `unknown` where core says JSON; a draft is made of JSON only, and of steps and edges of the contract's shape. */
function isGraph(value: object): value is Graph {
  return 'steps' in value
}

function checkEnvelope({ name, groupId, schedule, steps }: WorkflowDraft): Problem[] {
  const missing = (path: string): Problem => ({ path, code: 'REQUIRED' })
  return [
    ...(name.trim() === '' ? [missing('name')] : []),
    ...(name.includes('/') ? [{ path: 'name', code: 'BAD_FORMAT' } satisfies Problem] : []),
    ...(groupId === null ? [missing('groupId')] : []),
    ...(schedule.kind === 'cron' && schedule.expression === '' ? [missing('schedule.expression')] : []),
    ...(schedule.kind === 'once' && schedule.at === '' ? [missing('schedule.at')] : []),
    ...(steps.length === 0 ? [missing('steps')] : []),
  ]
}

/** What the schema refuses to be empty, for a step as it comes from the palette. */
function checkFilled(step: Step, place: number): Problem[] {
  return emptyFields(step).map((field) => ({ path: `steps.${place}.${field}`, code: 'REQUIRED' }))
}

function emptyFields(step: Step): string[] {
  switch (step.kind) {
    case 'task':
      return workFields(step)
    case 'subWorkflow':
      return workFields(step)
    case 'condition':
      return step.when === '' ? ['when'] : []
    case 'switch':
      return step.cases.flatMap(({ branch, when }, place) => [...(branch === '' ? [`cases.${place}.branch`] : []), ...(when === '' ? [`cases.${place}.when`] : [])])
    case 'wait':
      return [...(step.until === '' ? ['until'] : []), ...(step.upstream?.task === '' ? ['upstream.task'] : []), ...(step.upstream?.workflow === '' ? ['upstream.workflow'] : [])]
    case 'approval':
      return step.prompt === '' ? ['prompt'] : []
    case 'fanOut':
      return [...(step.items === '' ? ['items'] : []), ...workFields(step.each).map((field) => `each.${field}`)]
  }
}

function workFields(work: Extract<Step, { kind: 'fanOut' }>['each']): string[] {
  if (work.kind === 'subWorkflow') return work.workflow === '' ? ['workflow'] : []
  if (work.inline === undefined) return work.task === undefined ? ['task'] : []
  const { handler } = work.inline
  switch (handler.kind) {
    case 'shell':
      return handler.script === '' ? ['inline.handler.script'] : []
    case 'script':
      return handler.source === '' ? ['inline.handler.source'] : []
    case 'http':
      return /^https?:\/\//.test(handler.url) ? [] : ['inline.handler.url']
    case 'named':
      return handler.name === '' ? ['inline.handler.name'] : []
  }
}
