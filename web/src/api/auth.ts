import type { Me, Session } from '@tickwheel/contract'
import { call, callPublic } from './client.ts'

export const login = (username: string, password: string) => callPublic<Session>({ method: 'POST', url: '/auth/login', data: { username, password } })
export const logout = () => call<null>({ method: 'POST', url: '/auth/logout' })
export const fetchMe = () => call<Me>({ url: '/auth/me' })
export const changePassword = (current: string, next: string) => call<Session>({ method: 'PUT', url: '/auth/password', data: { current, next } })
/** Whether the first account still has its first password. */
export const fetchLoginHint = () => callPublic<{ firstAccount: boolean }>({ url: '/auth/hint' })
