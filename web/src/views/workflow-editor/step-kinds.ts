/** What the editor knows of each kind of step: how a new one looks, and by which branches it can be left. */
import type { Step } from '@tickwheel/contract'

export type StepKind = Step['kind']
/** in the order of the palette */
export const KINDS = ['task', 'subWorkflow', 'condition', 'switch', 'wait', 'approval', 'fanOut'] as const satisfies readonly StepKind[]

export function newStep(kind: StepKind, key: string): Step {
  switch (kind) {
    case 'task':
      return { key, kind }
    case 'subWorkflow':
      return { key, kind, workflow: '' }
    case 'condition':
      return { key, kind, when: '' }
    case 'switch':
      return { key, kind, cases: [{ branch: 'case1', when: '' }] }
    case 'wait':
      return { key, kind, forMs: 60_000 }
    case 'approval':
      return { key, kind, prompt: '', expiresMs: 86_400_000 }
    case 'fanOut':
      return { key, kind, items: '', each: { kind: 'task' } }
  }
}

/** The branches that a step ends by; none for most kinds. */
export function branchesOf(step: Step): readonly string[] {
  switch (step.kind) {
    case 'condition':
      return ['true', 'false']
    case 'switch':
      return [...new Set([...step.cases.map((one) => one.branch), 'default'])]
    case 'approval':
      return ['approved', 'rejected']
    case 'task':
    case 'subWorkflow':
    case 'wait':
    case 'fanOut':
      return []
  }
}

/** The first key of a kind that is free: `task1`, `task2` … */
export function freeKey(stem: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const key = `${stem}${number}`
    if (!taken.has(key)) return key
  }
}
export const KEY_STEM: Readonly<Record<StepKind, string>> = { task: 'task', subWorkflow: 'workflow', condition: 'check', switch: 'choose', wait: 'wait', approval: 'approve', fanOut: 'each' }
