import type { DocumentWorkflow } from '@tickwheel/contract'
import { pathKey } from './workflow-refs.ts'

interface Placed {
  readonly key: string
  readonly given: DocumentWorkflow
}

/** Workflows of a document, those that others run before these. In a circle some come too early, which whoever saves the last of it finds. */
export function inOrderOfUse<One extends Placed>(workflows: readonly One[]): One[] {
  const byKey = new Map(workflows.map((one) => [pathKey(one.key), one]))
  const ordered = new Set<One>()
  const begun = new Set<One>()
  for (const first of workflows) {
    const trail: { readonly one: One; readonly left: One[] }[] = []
    const begin = (one: One): void => {
      if (begun.has(one)) return
      begun.add(one)
      trail.push({ one, left: usedBy(one.given).flatMap((name) => byKey.get(pathKey(name)) ?? []) })
    }
    begin(first)
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = top.left.shift()
      if (next !== undefined) begin(next)
      else {
        ordered.add(top.one)
        trail.pop()
      }
    }
  }
  return [...ordered, ...workflows.filter((one) => !ordered.has(one))]
}

/** The workflows that one runs in its steps. What it only waits for is none. */
function usedBy({ steps }: DocumentWorkflow): string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'subWorkflow') return [step.workflow]
    return step.kind === 'fanOut' && step.each.kind === 'subWorkflow' ? [step.each.workflow] : []
  })
}
