import type { Scope } from '@tickwheel/core'

/** In which groups the last editor of a workflow may run tasks and workflows: of what lies outside, no step is started. */
export interface RunRights {
  readonly tasks: Scope
  readonly workflows: Scope
  /** the groups whose secrets the editor may refer to, asked when it is saved; absent: none */
  readonly secrets?: Scope
}

export const ALL_RIGHTS: RunRights = { tasks: 'all', workflows: 'all', secrets: 'all' }
