import { routes, type Registered } from '@tickwheel/contract'
import { ApiClient } from '../kit/api-client.ts'
import type { FuzzCaller } from './fuzz.ts'

const TAKEN_BY_PEOPLE = routes.map(({ access }) => access).filter((access) => !access.startsWith('executor') && access !== 'public')

/** Somebody who tries whatever people can. */
export const callerOfAll = { accesses: TAKEN_BY_PEOPLE, mayLeave: false }

export const nobody: FuzzCaller = { name: 'nobody', accesses: ['public'], mayLeave: true, signIn: async () => null }

/** The first account, nobody, an executor that joins, and one that has joined. */
export function callersOf(url: string): FuzzCaller[] {
  return [
    {
      name: 'admin',
      accesses: TAKEN_BY_PEOPLE,
      mayLeave: false,
      signIn: async () => (await ApiClient.signIn(url, 'admin', 'admin123')).token ?? null,
    },
    nobody,
    { name: 'joining', accesses: ['executorToken'], mayLeave: true, signIn: async () => makeToken(url).catch(() => null) },
    { name: 'joined', accesses: ['executorSession'], mayLeave: true, signIn: async () => joined(url).catch(() => null) },
  ]
}

/** The id of the account that a client has signed in to. */
export async function accountOf(client: ApiClient): Promise<number> {
  return (await client.get<{ user: { id: number } }>('/auth/me')).user.id
}

/** The token of an executor that has joined, by a token of its own: that of others may have been revoked. */
async function joined(url: string): Promise<string | null> {
  const token = await makeToken(url)
  return token === null ? null : (await joinExecutor(url, token, 'default')).sessionToken
}

async function makeToken(url: string): Promise<string | null> {
  const admin = await ApiClient.signIn(url, 'admin', 'admin123')
  const { items } = await admin.get<{ items: { id: number; appName: string }[] }>('/group?pageSize=200')
  const home = items.find(({ appName }) => appName === 'default')
  return home === undefined ? null : (await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [home.id] })).token
}

export async function joinExecutor(url: string, token: string, appName: string): Promise<Registered> {
  return new ApiClient(url, token).post<Registered>('/executor/register', {
    appName,
    name: 'fuzzed',
    protocol: { min: 1, max: 1 },
    version: '1',
    capacity: 2,
    handlers: [{ name: 'shell', kind: 'builtIn' }],
    host: 'here',
    pid: 1,
    address: 'http://127.0.0.1:1/',
  })
}
