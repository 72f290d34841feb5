import type { Step } from './graph.ts'

/** The branches that a step may end with; none for kinds without branches. */
export function branchesOf(step: Step): readonly string[] {
  switch (step.kind) {
    case 'condition':
      return ['true', 'false']
    case 'switch':
      return [...step.cases.map(({ branch }) => branch), 'default']
    case 'approval':
      return ['approved', 'rejected']
    case 'task':
    case 'subWorkflow':
    case 'wait':
    case 'fanOut':
      return []
  }
}

/** Whether the end of a step says which of several ways it took. */
export function hasBranches(step: Step): boolean {
  return branchesOf(step).length > 0
}
