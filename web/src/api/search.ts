import type { SearchAnswer } from '@tickwheel/contract'
import { call } from './client.ts'

export const search = (q: string) => call<SearchAnswer>({ url: '/search', params: { q } })
