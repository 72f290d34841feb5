/** How large a step is drawn; the layout needs it before anything is. The stylesheet of `step-node.vue` has the same numbers. */
import type { Step } from '@tickwheel/contract'
import { branchesOf } from './step-kinds.ts'

export const NODE_WIDTH = 232
const HEAD_HEIGHT = 60
const BRANCH_HEIGHT = 24

export function nodeSize(step: Step): { readonly width: number; readonly height: number } {
  return { width: NODE_WIDTH, height: HEAD_HEIGHT + BRANCH_HEIGHT * branchesOf(step).length }
}
