import { AppError } from '@tickwheel/contract'
import { id, may, type Permission } from '@tickwheel/core'
import type { SignedUser } from './handlers.ts'

/** A second permission that a call needs for what its body asks; 403 naming it. `groupId` null: the thing does not exist, which is said elsewhere. */
export function requireAlso({ grants }: SignedUser, permission: Permission, groupId: number | null): void {
  if (groupId !== null && !mayIn({ grants }, permission)(groupId))
    throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`, { params: { permission } })
}

/** Whether a user has a permission in a group. */
export function mayIn({ grants }: Pick<SignedUser, 'grants'>, permission: Permission): (groupId: number) => boolean {
  return (groupId) => may(grants, permission, id<'group'>(groupId)).allowed
}
