import type { Group, GroupCreate, GroupUpdate } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export const listGroups = (query: { page?: number; pageSize?: number; keyword?: string } = {}) => call<List<Group>>({ url: '/group', params: query })
export const createGroup = (body: GroupCreate) => call<Group>({ method: 'POST', url: '/group', data: body })
export const updateGroup = (id: number, body: GroupUpdate) => call<Group>({ method: 'PUT', url: `/group/${id}`, data: body })
export const deleteGroup = (id: number) => call<null>({ method: 'DELETE', url: `/group/${id}` })
