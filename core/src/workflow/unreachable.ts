import { branchesOf } from './branches.ts'
import type { LooseGraph } from './graph-reach.ts'
import type { Edge, Step } from './graph.ts'

/**
 * The steps that can never start: every edge that leads to them is a branch that its source lacks, the failure of a step that cannot fail, or behind a
 * step that never starts. An `always` edge is taken after a skip, too, if that came of something that went wrong.
 */
export function unreachableSteps(graph: LooseGraph): readonly string[] {
  const dead = new Set<string>()
  const blockable = new Set<string>()
  const isBehindDead = ({ from, on }: Edge): boolean => dead.has(from) && !(on === 'always' && blockable.has(from))
  for (const key of graph.order) {
    const incoming = graph.incoming.get(key) ?? []
    const canWait = graph.steps.get(key)?.join !== 'allDone'
    if (canWait && incoming.length > 0 && incoming.every((edge) => isBehindDead(edge) || isNever(edge, graph))) dead.add(key)
    // what runs may be canceled at the least
    if (incoming.some(({ from, on }) => on !== 'always' && (blockable.has(from) || graph.steps.get(from)?.disabled !== true)))
      blockable.add(key)
  }
  return [...dead]
}

function isNever({ from, on, branch }: Edge, graph: LooseGraph): boolean {
  const source = graph.steps.get(from)
  if (source === undefined) return false
  if (on === 'branch') return !branchesOf(source).includes(branch ?? '')
  return on === 'failure' && !seesFailure(source, graph.incoming.get(from) ?? [])
}

/** Whether the edges of a step may see a failure of it. */
function seesFailure(step: Step, incoming: readonly Edge[]): boolean {
  if (step.continueOnFailure === true) return false
  return incoming.some(({ when }) => when !== undefined) || mayFail(step)
}

function mayFail(step: Step): boolean {
  if (step.disabled === true) return false
  switch (step.kind) {
    case 'task':
    case 'subWorkflow':
    case 'fanOut':
    case 'condition':
    case 'switch':
      return true
    case 'wait':
      return step.maxMs !== undefined || step.forMs === undefined
    case 'approval':
      return step.expiresMs !== undefined && step.onExpire !== 'reject'
  }
}
