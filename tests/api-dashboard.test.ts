import type { Dashboard, Group, Task } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import type { ApiClient } from './kit/api-client.ts'
import { ended, trigger } from './kit/runs.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson } from './person.fixture.ts'

let api: ApiServer
let home: Group
let other: Group
const idOf: Record<string, number> = {}

/** A task of a group; `fails` says what becomes of its runs. */
async function task(name: string, groupId: number, { fails = false, everyMs = 1_800_000 } = {}): Promise<number> {
  const handler = { kind: 'shell', script: fails ? 'exit 3' : 'true' }
  const made = await api.admin.post<Task>('/task', { groupId, name, enabled: true, schedule: { kind: 'fixedRate', everyMs }, handler })
  idOf[name] = made.id
  return made.id
}

/** The dashboard, once it is as it should be: it is kept for a second. */
async function dashboard(client: ApiClient, query = '', isReady: (found: Dashboard) => boolean = () => true): Promise<Dashboard> {
  const ask = async (): Promise<Dashboard | null> => {
    const found = await client.get<Dashboard>(`/dashboard${query}`)
    return isReady(found) ? found : null
  }
  return waitFor(ask, { what: `the dashboard${query} with what was done` })
}

beforeAll(async () => {
  api = await openApi()
  await api.join()
  home = (await api.admin.get<{ items: [Group] }>('/group')).items[0]
  other = await api.admin.post<Group>('/group', { name: 'other', appName: 'other-jobs' })
})
afterAll(async () => {
  await api.close()
})

describe('the dashboard', () => {
  it('of a new installation is empty, and says so', async () => {
    const { isEmpty, outcomes, lateness, coming, attention, hours, hidden } = await dashboard(api.admin)
    expect([isEmpty, outcomes?.succeeded, lateness?.p99Ms, coming?.total, attention.items, hours?.length, hidden]).toEqual([
      ...[true, 0, null, 0, [], 24, undefined],
    ])
  })

  it('counts what ends and how late it starts, tells what fails, who waits for whom, and what comes', async () => {
    const ticks = await task('ticks', home.id, { everyMs: 200 })
    await task('fails', home.id, { fails: true })
    await task('waits', other.id)
    await ended(api.admin, await trigger(api.admin, idOf['fails'] ?? 0))
    await trigger(api.admin, idOf['waits'] ?? 0)
    await waitFor(async () => (await api.admin.get<Task>(`/task/${ticks}`)).lastFiredAt !== null, { what: 'a firing' })
    const found = await dashboard(
      api.admin,
      '',
      (one) => (one.lateness?.starts ?? 0) > 0 && one.outcomes?.failed === 1 && one.coming?.total !== 0,
    )
    expect(found.isEmpty).toBe(false)
    expect(found.hours?.at(-1)).toMatchObject({ failed: 1, p50Ms: expect.any(Number) as number })
    expect(found.coming?.total).toBeGreaterThan(17_000)
    expect(found.coming?.first[0]).toMatchObject({ id: ticks, name: 'ticks' })
    expect(found.executors).toMatchObject({ online: 1, waiting: 1 })
    expect(found.executors?.groups.map((group) => [group.groupName, group.waiting])).toEqual([
      ['other', 1],
      ['default', 0],
    ])
    expect(found.attention.items).toMatchObject([{ kind: 'failing', id: idOf['fails'], n: 1, facts: { code: 'EXIT_CODE' } }])
  })

  it('is told of the groups that somebody sees, and of one of them where that is asked', async () => {
    const viewer = await makePerson(api, 'ann', [{ role: 'viewer', groupIds: [other.id] }])
    const theirs = await dashboard(viewer)
    expect(theirs).toMatchObject({
      isEmpty: false,
      outcomes: { failed: 0, succeeded: 0 },
      lateness: { starts: 0 },
      executors: { online: 0, waiting: 1 },
    })
    expect(theirs.coming?.first.map((firing) => firing.name)).toEqual(['waits'])
    expect(JSON.stringify(theirs)).not.toContain('fails')
    const asked = await dashboard(viewer, `?groupId=${home.id}`)
    expect(asked).toMatchObject({
      isEmpty: true,
      outcomes: { failed: 0 },
      executors: { online: 0, groups: [] },
      coming: { total: 0 },
      attention: { items: [] },
    })
    expect(await dashboard(api.admin, `?groupId=${other.id}&hours=48`)).toMatchObject({
      outcomes: { failed: 0 },
      executors: { online: 0, waiting: 1 },
    })
  })

  it('leaves out the parts that somebody may see in no group, and names them', async () => {
    const nobody = await makePerson(api, 'nobody')
    const parts = { hours: null, outcomes: null, lateness: null, executors: null, coming: null, completeness: null }
    expect(await dashboard(nobody)).toMatchObject({
      ...parts,
      attention: { items: [], isCut: false },
      hidden: ['outcomes', 'lateness', 'executors', 'coming', 'completeness'],
    })
  })

  it.each([
    ['hours=0', 'hours'],
    ['hours=169', 'hours'],
    ['hours=x', 'hours'],
    ['groupId=0', 'groupId'],
    ['days=1', 'days'],
  ])('refuses ?%s, naming the field', async (query, path) => {
    expect(await api.admin.call('GET', `/dashboard?${query}`)).toMatchObject({ status: 400, body: { errors: [{ path }] } })
  })
})
