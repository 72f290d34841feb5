import { routes } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { openApi } from '../api.fixture.ts'
import { makePerson } from '../person.fixture.ts'
import { accountOf, callerOfAll, callersOf, nobody } from './callers.ts'
import { fuzz } from './fuzz.ts'
import { furnish, type Templates } from './world.ts'

const CALLS = 2000
const SEED = 20_261_123

it('whatever is sent to whichever route: never a 500, never a hang, always a problem that has a code; and the store works afterwards', async () => {
  await using api = await openApi({ TICKWHEEL_RATE_LIMIT_EXECUTOR_CAPACITY: '100000', TICKWHEEL_LOG_LEVEL: 'silent' })
  const { faults, succeeded, statuses } = await fuzz({
    url: api.url,
    callers: callersOf(api.url),
    keptUserId: await accountOf(api.admin),
    furnish: async (round) => furnish(api.url, round),
    seed: SEED,
    goesOn: (calls) => calls < CALLS,
  })
  expect(faults).toEqual([])
  // It must get past the first door to find anything.
  expect(Object.keys(succeeded).length, `${JSON.stringify(statuses)} ${JSON.stringify(succeeded)}`).toBeGreaterThan(routes.length / 2)
  const group = await api.admin.post<{ id: number }>('/group', { name: 'afterwards', appName: 'afterwards' })
  const task = await api.admin.post<{ id: number }>('/task', {
    groupId: group.id,
    name: 'after',
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: 'true' },
  })
  expect((await api.admin.post<{ instanceId: number }>(`/task/${String(task.id)}/trigger`, {})).instanceId).toBeGreaterThan(0)
})

it('somebody of one group is told nothing of another, whatever they send', async () => {
  await using api = await openApi({ TICKWHEEL_LOG_LEVEL: 'silent' })
  const { items } = await api.admin.get<{ items: { id: number }[] }>('/group')
  const insider = await makePerson(api, 'insider', [{ role: 'developer', groupIds: items.map(({ id }) => id) }])
  const { faults, succeeded } = await fuzz({
    url: api.url,
    callers: [{ ...callerOfAll, name: 'insider', signIn: async () => insider.token ?? null }, nobody],
    seed: SEED,
    keptUserId: await accountOf(insider),
    hidden: 'zebra',
    // the insider's own calls must not carry the word along
    furnish: async (round) => without('zebra', await furnish(api.url, round, 'zebra')),
    goesOn: (calls) => calls < CALLS / 2,
  })
  expect(faults).toEqual([])
  expect(Object.keys(succeeded).length).toBeGreaterThan(routes.length / 4)
})

function without(word: string, templates: Templates): Templates {
  return JSON.parse(JSON.stringify(templates).replaceAll(word, 'own')) as Templates
}
