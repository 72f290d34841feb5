import type { Role, RoleCreate, RoleUpdate } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

const PAGE_SIZE = 200

/** Every role: there are at most 200 beside the built-in ones. */
export async function allRoles(): Promise<Role[]> {
  const roles: Role[] = []
  for (let page = 1; ; page += 1) {
    const { items } = await call<List<Role>>({ url: '/role', params: { page, pageSize: PAGE_SIZE } })
    roles.push(...items)
    if (items.length < PAGE_SIZE) return roles
  }
}
export const createRole = (body: RoleCreate) => call<Role>({ method: 'POST', url: '/role', data: body })
export const updateRole = (id: number, body: RoleUpdate) => call<Role>({ method: 'PUT', url: `/role/${id}`, data: body })
export const deleteRole = (id: number) => call<null>({ method: 'DELETE', url: `/role/${id}` })
