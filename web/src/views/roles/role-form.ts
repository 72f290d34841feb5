import type { Role, RoleCreate } from '@tickwheel/contract'
import { ALL_PERMISSIONS, type Permission } from '@tickwheel/core'
import { knownPermissions } from '../../components/access/access-words.ts'
import { t } from '../../locales/text.ts'

export interface RoleForm {
  name: string
  description: string
  permissions: Set<Permission>
}

export function formOf(role: Pick<Role, 'name' | 'description' | 'permissions'> | null): RoleForm {
  return { name: role?.name ?? '', description: role?.description ?? '', permissions: new Set(knownPermissions(role?.permissions ?? [])) }
}

/** What is wrong before it is sent: `{ name: 'sentence' }`. The server checks again. */
export function checkRole({ name, permissions }: RoleForm): Record<string, string> {
  return {
    ...(name.trim() === '' ? { name: t('access.role.nameMissing') } : {}),
    ...(permissions.size === 0 ? { permissions: t('access.role.permissionsMissing') } : {}),
  }
}

/** In the order of core's table, so that a role that was changed and changed back is as it was. */
export function bodyOf({ name, description, permissions }: RoleForm): RoleCreate {
  return { name: name.trim(), description: description.trim(), permissions: ALL_PERMISSIONS.filter((permission) => permissions.has(permission)) }
}

/** Chooses a permission, or takes it away. Who may do something with a thing may see it: `task:run` brings `task:view`, without which it would be of no use. */
export function toggled(permissions: ReadonlySet<Permission>, permission: Permission): Set<Permission> {
  const next = new Set(permissions)
  const view = viewOf(permission)
  if (next.delete(permission)) {
    if (permission === view) for (const other of permissions) if (viewOf(other) === view) next.delete(other)
    return next
  }
  next.add(permission)
  if (view !== null) next.add(view)
  return next
}

function viewOf(permission: Permission): Permission | null {
  const [kind = ''] = permission.split(':')
  return ALL_PERMISSIONS.find((one) => one === `${kind}:view`) ?? null
}
