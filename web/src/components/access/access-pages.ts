import type { Permission } from '@tickwheel/core'

export type AccessPage = 'users' | 'roles' | 'tokens' | 'rights' | 'audit'

/** One of them is enough: who lets executors join sees their tokens. */
const NEEDS: Readonly<Record<AccessPage, readonly Permission[]>> = {
  users: ['user:view'], roles: ['role:view'], tokens: ['token:view', 'executor:enroll'], rights: ['user:view'], audit: ['audit:view'],
}

/** The pages of access that somebody may open, in their order. */
export function accessPages(may: (permission: Permission) => boolean): AccessPage[] {
  return (['users', 'roles', 'tokens', 'rights', 'audit'] as const).filter((page) => NEEDS[page].some((permission) => may(permission)))
}
