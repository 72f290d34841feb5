import { AppError } from '@tickwheel/contract'
import { id, may, type Permission } from '@tickwheel/core'
import type { Refusal } from '../auth/refusals.ts'
import type { SignedUser } from '../auth/signed-user.ts'

/** A second permission that a call needs for what its body asks; 403 naming it. `groupId` null: the thing does not exist, which is said elsewhere. */
export function requireAlso({ grants }: Pick<SignedUser, 'grants'>, permission: Permission, groupId: number | null): void {
  if (groupId !== null && !mayIn({ grants }, permission)(groupId)) throw forbidden(permission)
}

/**
 * A permission in a group that a body names: 403 where the group is visible and the permission is missing. A group that is not visible is refused where it is looked up, as one that is
 * not there. `groupId` null: what belongs to all groups, which is judged where it is written.
 */
export function requireWhereSeen({ grants }: Pick<SignedUser, 'grants'>, permission: Permission, groupId: number | null): void {
  if (groupId !== null && mayIn({ grants }, 'group:view')(groupId)) requireAlso({ grants }, permission, groupId)
}

/** Whether a user has a permission in a group. */
export function mayIn({ grants }: Pick<SignedUser, 'grants'>, permission: Permission): (groupId: number) => boolean {
  return (groupId) => may(grants, permission, id<'group'>(groupId)).allowed
}

export function forbidden(permission: Permission): AppError {
  return new AppError('FORBIDDEN', ...neededRight(permission))
}

function neededRight(permission: Permission): [string, { params: { permission: Permission } }] {
  return [`This needs the permission ${permission}.`, { params: { permission } }]
}

/** Something that the caller may see, and may not do this to: who reads the audit log of its group is told. */
export class ForbiddenThing extends AppError {
  readonly about: NonNullable<Refusal['about']>

  constructor(permission: Permission, about: NonNullable<Refusal['about']>) {
    super('FORBIDDEN', ...neededRight(permission))
    this.about = about
  }
}
