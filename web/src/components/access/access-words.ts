import { ALL_PERMISSIONS, isPermission, type Permission } from '@tickwheel/core'
import { t, tMaybe } from '../../locales/text.ts'

/** A role by its name in the language shown: those that are built in have words, those made by people are called as they are. */
export function roleWords(role: string): string {
  return tMaybe(`access.roles.${role}`) ?? role
}

/** What a permission lets one do: `Run now`. */
export function verbWords(permission: Permission): string {
  const verb = permission.split(':')[1] ?? ''
  return tMaybe(`access.verbsOf.${permission.replace(':', '_')}`) ?? tMaybe(`access.verbs.${verb}`) ?? permission
}

/** `Tasks: run now`. */
export function permissionWords(permission: Permission): string {
  return `${kindWords(permission.split(':')[0] ?? '')} · ${verbWords(permission)}`
}

/** Why something is disabled: the right that is missing. */
export function noRightWords(permission: Permission): string {
  return t('access.noRight', { permission: permissionWords(permission) })
}

export function kindWords(kind: string): string {
  return tMaybe(`access.kinds.${kind}`) ?? kind
}

/** Every permission under the kind of thing that it is about, in the order of core's table. */
export function permissionsByKind(): readonly { readonly kind: string; readonly permissions: readonly Permission[] }[] {
  const kinds = [...new Set(ALL_PERMISSIONS.map((permission) => permission.split(':')[0] ?? ''))]
  return kinds.map((kind) => ({ kind, permissions: ALL_PERMISSIONS.filter((permission) => permission.startsWith(`${kind}:`)) }))
}

/** What crossed the wire, without what this console does not know. */
export function knownPermissions(permissions: readonly string[]): Permission[] {
  return permissions.filter(isPermission)
}

/** Where a role is given: `all groups`, `billing, reports`. */
export function whereWords(groupIds: readonly number[] | null, names: ReadonlyMap<number, string>): string {
  if (groupIds === null) return t('access.allGroups')
  return groupIds.map((groupId) => names.get(groupId) ?? t('access.groupId', { id: groupId })).join(t('access.separator'))
}
