import type { StepRun, WorkflowRun } from '@tickwheel/contract'
import { reasonParts, runErrorWords, runMark, split, type Part } from '../../locales/reason-words.ts'
import { serverNow } from '../../api/client.ts'
import { branchWords } from '../../components/flow/branch-words.ts'
import { t } from '../../locales/text.ts'
import { formatInstant } from '../../utils/time.ts'
import type { StepOf } from './run-shape.ts'

type Edges = WorkflowRun['definition']['edges']

export interface AboutContext {
  /** the step as it was drawn */
  readonly definition: StepOf | undefined
  readonly edges: Edges
  readonly decisions: WorkflowRun['edges']
}

/** What is worth a line about a step as it is now: what it waits for, why it was skipped, what became of it. Empty where its state says all. */
export function aboutStep(step: StepRun, { definition, edges, decisions }: AboutContext): Part[] {
  if (step.waitingFor !== null) return reasonParts(step.waitingFor.reason, step.waitingFor.facts)
  if (step.reusedFrom !== null) return split(t('workflowRuns.step.reused', { run: runMark(step.reusedFrom) }))
  if (step.state === 'skipped') return split(skipWords(step, edges, decisions))
  if (step.decidedBy !== null) return split(t(`workflowRuns.step.decided.${step.decidedBy.decision}`, { by: deciderOf(step.decidedBy) }))
  if (step.state === 'waiting') return split(waitWords(step, definition))
  if (step.items !== null) return split(t('workflowRuns.items.done', { n: endedItems(step.items), total: step.items.total }))
  if (step.error !== null) return split(runErrorWords(step.error.code) ?? step.error.message)
  if (step.branch !== null) return split(t('workflowRuns.edges.on.branch', { branch: branchWords(step, step.branch) }))
  return []
}

/** Who decided; nobody: it expired. */
export function deciderOf({ actor }: NonNullable<StepRun['decidedBy']>): string {
  return actor.name === '' ? t('runs.trace.system') : actor.name
}

function waitWords(step: StepRun, definition: StepOf | undefined): string {
  if (definition?.kind === 'approval') return definition.prompt
  const upstream = definition?.kind === 'wait' ? definition.upstream : undefined
  if (upstream !== undefined) return t('workflowRuns.step.waitsUpstream', { name: upstream.task ?? upstream.workflow ?? '' })
  if (step.nextAt === null) return t('states.waiting')
  return t(definition?.kind === 'wait' ? 'workflowRuns.step.waitsUntil' : 'workflowRuns.step.waitsRound', { at: formatInstant(step.nextAt, serverNow()) })
}

export function endedItems(items: NonNullable<StepRun['items']>): number {
  return Object.values(items.ended).reduce((sum, count) => sum + count, 0)
}

function skipWords(step: StepRun, edges: Edges, decisions: WorkflowRun['edges']): string {
  const by = step.skippedBy.find((place) => decisions[place] === 'blocked') ?? step.skippedBy[0]
  const from = by === undefined ? undefined : edges[by]?.from
  if (by === undefined || from === undefined) return t('workflowRuns.step.skipped')
  return t(decisions[by] === 'blocked' ? 'workflowRuns.step.skippedBlocked' : 'workflowRuns.step.skippedPassed', { step: from })
}
