import { routes } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import { openApi } from '../api.fixture.ts'
import { accountOf, callersOf } from './callers.ts'
import { fuzz } from './fuzz.ts'
import { furnish } from './world.ts'

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
