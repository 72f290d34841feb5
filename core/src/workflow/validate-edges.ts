import { branchesOf } from './branches.ts'
import type { LooseGraph } from './graph-reach.ts'
import type { Edge } from './graph.ts'
import type { WorkflowProblem, WorkflowProblemCode } from './problem.ts'

type Tell = (field: string, code: WorkflowProblemCode, message: string, params?: WorkflowProblem['params']) => void

/** What is wrong with each edge by itself; their expressions are looked at elsewhere. */
export function validateEdges(edges: readonly Edge[], { steps }: LooseGraph): WorkflowProblem[] {
  const problems: WorkflowProblem[] = []
  const seen = new Set<string>()
  for (const [place, edge] of edges.entries()) {
    const tell: Tell = (field, code, message, params = {}) => void problems.push({ code, path: `edges.${place}.${field}`, params, message })
    for (const end of ['from', 'to'] as const) {
      if (!steps.has(edge[end])) tell(end, 'UNKNOWN_REFERENCE', `there is no step "${edge[end]}"`, { step: edge[end] })
    }
    checkBranch(edge, steps, tell)
    // Two edges of one kind would be decided alike, or contradict each other for no reason that can be seen: one `when` says both.
    const like = JSON.stringify([edge.from, edge.to, edge.on ?? 'success', edge.branch ?? null])
    if (seen.has(like))
      tell('to', 'NAME_TAKEN', `another edge leads from "${edge.from}" to "${edge.to}" in the same way; join their conditions by ||`)
    seen.add(like)
  }
  return problems
}

function checkBranch({ from, on, branch }: Edge, steps: LooseGraph['steps'], tell: Tell): void {
  if (on !== 'branch') {
    if (branch !== undefined) tell('branch', 'NOT_ALLOWED_VALUE', 'a branch has an effect with `on: branch` only')
    return
  }
  if (branch === undefined) return tell('branch', 'REQUIRED', 'say which branch')
  const source = steps.get(from)
  const branches = source === undefined ? null : branchesOf(source)
  if (branches === null || branches.includes(branch)) return
  const known = branches.length === 0 ? 'it has none' : `it has ${branches.join(', ')}`
  tell('branch', 'WORKFLOW_UNKNOWN_BRANCH', `"${from}" has no branch "${branch}"; ${known}`, { branch, branches })
}
