import { ClusterView, type Problem } from '@tickwheel/contract'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { waitFor } from './kit/wait-for.ts'

let api: ApiServer
beforeAll(async () => {
  api = await openApi({ TICKWHEEL_NODE_NAME: 'node-a', TICKWHEEL_NODE_URL: 'http://10.0.0.5:8080/' })
})
afterAll(async () => {
  await api.close()
})

describe('the cluster', () => {
  it('of one node is that node, which owns every slot', async () => {
    // it is what the node saw when it last looked, once a second
    const view = await waitFor(async () => {
      const seen = await api.admin.get<ClusterView>('/cluster')
      return seen.nodes[0]?.slots === 256 && seen
    })
    expect([...Value.Errors(ClusterView, view)]).toEqual([])
    expect(view).toMatchObject({ store: 'sqlite', redis: 'none', held: null, contended: 0 })
    expect(view.nodes).toMatchObject([
      { name: 'node-a', url: 'http://10.0.0.5:8080', roles: ['api', 'scheduler'], isThis: true, isAlive: true, slots: 256 },
    ])
    expect(view.slots.map(({ slot }) => slot)).toEqual(Array.from({ length: 256 }, (_, slot) => slot))
    expect(new Set(view.slots.map(({ owner }) => owner))).toEqual(new Set([view.nodes[0]?.runId]))
    expect(view.slots.every(({ fence }) => fence > 0)).toBe(true)
  })

  it('has nothing to resume while nothing is held, and says which words it takes', async () => {
    expect(await api.admin.call<Problem>('POST', '/cluster/resume', { how: 'fromNow' })).toMatchObject({
      status: 409,
      body: { code: 'FIRING_NOT_HELD' },
    })
    expect(await api.admin.call<Problem>('POST', '/cluster/resume', { how: 'now' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'how', code: 'NOT_ALLOWED_VALUE' }] },
    })
  })
})
