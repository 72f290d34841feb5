import type { AlarmRule, Group, Incident, Problem, Task } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

let api: ApiServer
let home: number

beforeAll(async () => {
  api = await openApi()
  home = (await api.admin.get<List<Group>>('/group')).items[0]?.id ?? 0
})
afterAll(async () => {
  await api.close()
})

const problem = async (method: string, path: string, body?: unknown): Promise<Problem> =>
  (await api.admin.call<Problem>(method, path, body)).body

describe('alarms', () => {
  it('a refused trigger opens an incident, which is seen live, acknowledged, silenced and closed', async () => {
    const rule = await api.admin.post<AlarmRule>('/alarm/rule', {
      name: 'full',
      groupId: home,
      conditions: [{ event: 'queueFull' }],
      channelIds: [],
    })
    expect(await api.admin.get(`/alarm/rule/${rule.id}`)).toEqual(rule)
    await using live = await new LiveClient(api.url, api.admin.token ?? '').open()
    live.send({ type: 'subscribe', id: 1, topic: 'alarm' })
    await live.hear('subscribed')
    const task = await api.admin.post<Task>('/task', {
      groupId: home,
      name: 'full',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script: 'true' },
      overlap: { policy: 'queue', max: 1 },
    })
    // the rule is in force within a second
    const incident = await waitFor(async () => {
      await api.admin.call('POST', `/task/${task.id}/trigger`, {})
      return (await api.admin.get<List<Incident>>('/alarm/incident?state=open')).items[0]
    })
    expect(incident).toMatchObject({
      ruleName: 'full',
      event: 'queueFull',
      groupId: home,
      target: { kind: 'task', id: task.id, name: 'full' },
    })
    expect((await live.hear('event', 1)).data).toMatchObject({ incidents: [{ id: incident.id }] })
    const path = `/alarm/incident/${incident.id}`
    expect(await api.admin.post(`${path}/acknowledge`, {})).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'admin' })
    const until = new Date(Date.now() + 3_600_000).toISOString()
    expect(await api.admin.post(`${path}/silence`, { until })).toMatchObject({ silencedUntil: until })
    expect((await problem('POST', `${path}/silence`, { until: '2020-01-01T00:00:00.000Z' })).errors).toMatchObject([{ code: 'TOO_SMALL' }])
    expect((await problem('POST', `${path}/silence`, { until: '2999-01-01T00:00:00.000Z' })).errors).toMatchObject([{ code: 'TOO_LARGE' }])
    expect(await api.admin.post(`${path}/close`, {})).toMatchObject({ state: 'recovered', recoveredBy: 'person' })
    expect((await problem('POST', `${path}/close`, {})).code).toBe('INCIDENT_OVER')
    expect(await api.admin.get(`${path}/run`)).toMatchObject({ items: [], total: 0 })
    expect(await api.admin.get(`/alarm/rule/${rule.id}`)).toMatchObject({ openIncidents: 0 })
    await api.admin.call('DELETE', `/alarm/rule/${rule.id}`)
    expect((await problem('GET', `/alarm/rule/${rule.id}`)).code).toBe('ALARM_RULE_NOT_FOUND')
  })

  it.each([
    ['no condition', { conditions: [] }, 400, 'conditions'],
    ['a condition that nobody knows', { conditions: [{ event: 'rain' }] }, 400, 'conditions.0'],
    ['a setting of another condition', { conditions: [{ event: 'failed', times: 3 }] }, 400, 'conditions.0'],
    ['an hour that no clock shows', { conditions: [{ event: 'unfinished', by: '24:00', timezone: 'UTC' }] }, 400, 'conditions.0'],
    ['a task that is not there', { taskIds: [999_999] }, 422, 'taskIds.0'],
  ])('a rule with %s is refused with the field', async (_why, more, status, field) => {
    const refused = await problem('POST', '/alarm/rule', {
      name: 'bad',
      groupId: home,
      conditions: [{ event: 'failed' }],
      channelIds: [],
      ...more,
    })
    expect(refused.status).toBe(status)
    expect(refused.errors?.some(({ path }) => path.startsWith(field))).toBe(true)
  })
})
