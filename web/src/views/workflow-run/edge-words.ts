import type { WorkflowRun } from '@tickwheel/contract'
import { branchWords } from '../../components/flow/branch-words.ts'
import { t } from '../../locales/text.ts'
import type { StepOf } from './run-shape.ts'

type Edge = WorkflowRun['definition']['edges'][number]

/** When an edge is chosen, in a few words; null for the plain one, after success. `source`: the step that it leaves. */
export function edgeWords(edge: Edge, source: StepOf | undefined): string | null {
  const on = onWords(edge, source)
  const when = edge.when === undefined ? null : cut(edge.when)
  const words = [on, when].filter((word) => word !== null).join(' · ')
  return words === '' ? null : words
}

/** By which end of its step an edge is chosen; null: by a success. */
export function onWords({ on, branch }: Edge, source: StepOf | undefined): string | null {
  if (on === undefined || on === 'success') return null
  return on === 'branch' ? branchWords(source, branch ?? '') : t(`workflowRuns.edges.on.${on}`)
}

/** between two nodes there is room for so many letters */
const LONGEST = 16

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}
