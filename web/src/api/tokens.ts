import type { Token, TokenCreate } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export const listTokens = (query: { page?: number; pageSize?: number } = {}) => call<List<Token>>({ url: '/token', params: query })
export const createToken = (body: TokenCreate) => call<Token & { token: string }>({ method: 'POST', url: '/token', data: body })
export const revokeToken = (id: number) => call<null>({ method: 'DELETE', url: `/token/${id}` })
