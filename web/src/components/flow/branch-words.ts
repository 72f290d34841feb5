import type { Step } from '@tickwheel/contract'
import { t } from '../../locales/text.ts'

/** A branch in the language shown, where it is one that the kind of its step gives. */
export function branchWords(step: Pick<Step, 'kind'> | undefined, branch: string): string {
  const isOurs = step !== undefined && (step.kind === 'condition' || step.kind === 'approval' || branch === 'default')
  return isOurs && isFixed(branch) ? t(`workflows.editor.branches.${branch}`) : branch
}

const FIXED = ['true', 'false', 'default', 'approved', 'rejected'] as const
function isFixed(branch: string): branch is (typeof FIXED)[number] {
  return FIXED.some((one) => one === branch)
}
