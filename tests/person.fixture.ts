import type { Binding } from '@tickwheel/contract'
import type { ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'

/** What people of tests sign in with. */
export const PASSWORD = 'a bridge at dawn'

/** Makes an account and signs in to it as its owner: the password that the administrator has set is changed first. */
export async function makePerson(
  api: Pick<ApiServer, 'admin' | 'url'>,
  username: string,
  bindings: readonly Binding[] = [],
): Promise<ApiClient> {
  const given = 'a road to the sea'
  await api.admin.post('/user', { username, password: given, bindings })
  const first = await ApiClient.signIn(api.url, username, given)
  const { token } = await first.put<{ token: string }>('/auth/password', { current: given, next: PASSWORD })
  return new ApiClient(api.url, token)
}
