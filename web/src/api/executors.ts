import type { Executor, NamedHandler, UnclaimedApp } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export const listExecutors = (query: { page?: number; pageSize?: number; groupId?: number; state?: string } = {}) => call<List<Executor>>({ url: '/executor', params: query })
export const listHandlers = (groupId: number) => call<{ items: NamedHandler[] }>({ url: `/group/${groupId}/handler` })
export const listUnclaimed = () => call<{ items: UnclaimedApp[]; total: number }>({ url: '/executor/unclaimed' })
export const getExecutor = (id: number) => call<Executor>({ url: `/executor/${id}` })
export const drainExecutor = (id: number) => call<Executor>({ method: 'POST', url: `/executor/${id}/drain` })
export const resumeExecutor = (id: number) => call<Executor>({ method: 'POST', url: `/executor/${id}/resume` })
export const deleteExecutor = (id: number) => call<null>({ method: 'DELETE', url: `/executor/${id}` })
