import type { Account, RightsWhy, UserCreate, UserUpdate } from '@tickwheel/contract'
import type { Permission } from '@tickwheel/core'
import { call } from './client.ts'
import type { List } from './list.ts'

export const listUsers = (query: { page?: number; pageSize?: number; keyword?: string; disabled?: boolean; role?: string } = {}) => call<List<Account>>({ url: '/user', params: query })
export const getUser = (id: number) => call<Account>({ url: `/user/${id}` })
export const createUser = (body: UserCreate) => call<Account>({ method: 'POST', url: '/user', data: body })
export const updateUser = (id: number, body: UserUpdate) => call<Account>({ method: 'PUT', url: `/user/${id}`, data: body })
export const resetPassword = (id: number, password: string) => call<null>({ method: 'PUT', url: `/user/${id}/password`, data: { password } })
export const deleteUser = (id: number) => call<null>({ method: 'DELETE', url: `/user/${id}` })
export const whyUser = (id: number, query: { permission: Permission; groupId?: number }) => call<RightsWhy>({ url: `/user/${id}/why`, params: query })
