import type { Token, TokenCreate, TokenKind } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export interface TokenQuery {
  readonly page?: number
  readonly pageSize?: number
  readonly kind?: TokenKind
  readonly userId?: number
  readonly live?: boolean
}

export const listTokens = (query: TokenQuery = {}) => call<List<Token>>({ url: '/token', params: query })
export const createToken = (body: TokenCreate) => call<Token & { token: string }>({ method: 'POST', url: '/token', data: body })
export const revokeToken = (id: number) => call<null>({ method: 'DELETE', url: `/token/${id}` })
