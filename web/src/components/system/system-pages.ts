import type { Permission } from '@tickwheel/core'
import { mayOpen } from '../../router/page-needs.ts'

export type SystemPage = 'system' | 'system-storage' | 'system-transfer'

type May = (permission: Permission) => boolean

/** The pages of the system that somebody may open, in their order. */
export function systemPages(may: May): SystemPage[] {
  return (['system', 'system-storage', 'system-transfer'] as const).filter((page) => mayOpen(page, may))
}
