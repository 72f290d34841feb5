import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { AxiosError, type AxiosResponse } from 'axios'
import { adoptSession, http } from '../api/client.ts'
import { readSession } from '../api/session-vault.ts'
import { useSession } from './session.ts'

const user = { id: 1, username: 'mei', displayName: '', mustChangePassword: false }

function answerMe(answer: { status: number; data: unknown }): void {
  http.defaults.adapter = (config) => {
    const response: AxiosResponse = { ...answer, statusText: '', headers: {}, config }
    return answer.status < 400 ? Promise.resolve(response) : Promise.reject(new AxiosError('', 'ERR', config, {}, response))
  }
}

describe('the session', () => {
  beforeEach(() => {
    localStorage.clear()
    setActivePinia(createPinia())
    adoptSession({ token: 't', refreshToken: 'r', expiresAt: new Date(Date.now() + 900_000).toISOString(), user })
  })

  it('may do what its grants say: everywhere, in one group, in any', async () => {
    answerMe({ status: 200, data: { user, grants: { all: ['task:view'], groups: { 3: ['task:edit'] } } } })
    const session = useSession()
    expect(session.may('task:view')).toBe(false)
    await session.loadGrants()
    expect(session.may('task:view', 9)).toBe(true)
    expect(session.may('task:edit', 3)).toBe(true)
    expect(session.may('task:edit', 4)).toBe(false)
    expect(session.may('task:edit')).toBe(true)
    expect(session.mayEverywhere('task:edit')).toBe(false)
  })

  it('must change its password when the server takes nothing else from it', async () => {
    answerMe({ status: 403, data: { type: '', title: '', status: 403, detail: '', code: 'PASSWORD_CHANGE_REQUIRED' } })
    const session = useSession()
    await session.loadGrants()
    expect(session.mustChangePassword).toBe(true)
    expect(session.isSignedIn).toBe(true)
  })

  it('is over in this tab when another tab signs out', async () => {
    const session = useSession()
    localStorage.removeItem('tickwheel.session')
    window.dispatchEvent(new StorageEvent('storage', { key: 'tickwheel.session' }))
    expect(session.isSignedIn).toBe(false)
    expect(readSession()).toBeNull()
  })
})
