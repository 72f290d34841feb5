import type { AlarmRuleCreate } from '@tickwheel/contract'
import { id, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addChannel, CHANNEL } from '../engine/alarms.fixture.ts'
import { acknowledgeIncident, closeIncident, getIncident, listIncidentRuns, listIncidents } from './alarm-incidents.ts'
import { createRule, deleteRule, getRule, listRules, silenceRule, updateRule, watchRules } from './alarm-rules.ts'
import { query, type Database } from './database.ts'
import type { IncidentRow } from './schema.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'

let db: Database
const OF_ONE: Scope = [id<'group'>(1)]
const OF_TWO: Scope = [id<'group'>(2)]

beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addGroup(db, 2)
  await addChannel(db)
})
afterEach(async () => db.close())

const input = (more: Partial<AlarmRuleCreate> = {}): AlarmRuleCreate => ({
  name: 'nightly',
  groupId: 1,
  conditions: [{ event: 'failed' }],
  channelIds: [CHANNEL],
  ...more,
})
const create = async (more: Partial<AlarmRuleCreate> = {}, scope: Scope = 'all'): Promise<number> =>
  (await createRule(db, { input: input(more) }, changeAt(T0, { scope }))).ruleId

async function refusal(work: Promise<unknown>): Promise<string[]> {
  const error = (await work.then(
    () => ({ errors: [] }),
    (thrown: unknown) => thrown,
  )) as { code?: string; errors?: { path: string; code: string }[] }
  return (error.errors ?? []).length > 0 ? (error.errors ?? []).map((one) => `${one.path} ${one.code}`) : [String(error.code)]
}

describe('a rule', () => {
  it('is given back as it was saved, with what was left out', async () => {
    const ruleId = await create({ conditions: [{ event: 'failedInARow' }, { event: 'late', afterMs: 5000 }] })
    expect(await getRule(db, OF_ONE, ruleId)).toMatchObject({
      name: 'nightly',
      groupId: 1,
      taskIds: [],
      conditions: [{ event: 'failedInARow' }, { event: 'late', afterMs: 5000 }],
      grouping: 'target',
      tellsRecovery: true,
      quietHours: null,
      enabled: true,
      openIncidents: 0,
      version: 1,
    })
  })

  it.each<[string, Partial<AlarmRuleCreate>, Scope, string[]]>([
    ['a group that is not there', { groupId: 77 }, 'all', ['groupId UNKNOWN_REFERENCE']],
    ['a group that is not visible', { groupId: 2 }, OF_ONE, ['groupId UNKNOWN_REFERENCE']],
    ['every group, from who may not see them', { groupId: null }, OF_ONE, ['groupId REQUIRED']],
    ['a task that is not there', { taskIds: [5] }, 'all', ['taskIds.0 UNKNOWN_REFERENCE']],
    ['a channel that is not there', { channelIds: [CHANNEL, 5] }, 'all', ['channelIds.1 UNKNOWN_REFERENCE']],
    [
      'one event twice',
      { conditions: [{ event: 'late' }, { event: 'late', afterMs: 9000 }] },
      'all',
      ['conditions.1.event NOT_ALLOWED_VALUE'],
    ],
    ['nodes, of a group', { conditions: [{ event: 'nodeDown' }] }, 'all', ['conditions.0.event NOT_ALLOWED_VALUE']],
    [
      'a time of day in a zone that nobody knows, for no task',
      { conditions: [{ event: 'unfinished', by: '08:00', timezone: 'Mars/Olympus' }] },
      'all',
      ['conditions.0.timezone ZONE_UNKNOWN', 'conditions.0.event NOT_ALLOWED_VALUE'],
    ],
    [
      'quiet hours likewise',
      { quietHours: { from: '22:00', to: '08:00', timezone: 'Nowhere' } },
      'all',
      ['quietHours.timezone ZONE_UNKNOWN'],
    ],
  ])('is refused with %s', async (_why, more, scope, problems) => {
    expect(await refusal(create(more, scope))).toEqual(problems)
    expect(await listRules(db, 'all', { page: 1, pageSize: 20 })).toMatchObject({ total: 0 })
  })

  it('has a name of its own, and is changed under its version', async () => {
    const ruleId = await create()
    expect(await refusal(create())).toEqual(['name NAME_TAKEN'])
    await updateRule(db, { ruleId, input: { ...input({ name: 'weekly' }), version: 1 } }, changeAt(T0))
    expect(await refusal(updateRule(db, { ruleId, input: { ...input(), version: 1 } }, changeAt(T0)))).toEqual(['STALE_VERSION'])
    expect(await getRule(db, 'all', ruleId)).toMatchObject({ name: 'weekly', version: 2 })
  })

  it('uses channels of its group and those of none', async () => {
    await addChannel(db, 901)
    await db.write('rest', (tx) => tx.run('UPDATE alarm_channel SET group_id = 2 WHERE id = 901'))
    expect(await refusal(create({ channelIds: [901] }))).toEqual(['channelIds.0 UNKNOWN_REFERENCE'])
    await create({ channelIds: [901], groupId: 2 })
  })

  it('is unknown to who may not see its group, and of none to who may not see all', async () => {
    const ofOne = await create()
    const ofAll = await create({ name: 'everything', groupId: null })
    for (const [ruleId, scope] of [
      [ofOne, OF_TWO],
      [ofAll, OF_ONE],
    ] as const) {
      expect(await refusal(getRule(db, scope, ruleId))).toEqual(['ALARM_RULE_NOT_FOUND'])
      expect(await refusal(deleteRule(db, { ruleId }, changeAt(T0, { scope })))).toEqual(['ALARM_RULE_NOT_FOUND'])
      expect(await refusal(silenceRule(db, { ruleId, until: null }, changeAt(T0, { scope })))).toEqual(['ALARM_RULE_NOT_FOUND'])
    }
    const seen = async (scope: Scope): Promise<number[]> =>
      (await listRules(db, scope, { page: 1, pageSize: 20 })).items.map((rule) => rule.id)
    expect([await seen('all'), await seen(OF_ONE), await seen(OF_TWO)]).toEqual([[ofAll, ofOne], [ofOne], []])
  })

  it('is found by what it names', async () => {
    const { taskId } = await createTask(db, { input: taskInput({ groupId: 1 }), serverZone: 'UTC' }, changeAt(T0))
    const ofTask = await create({ name: 'a', taskIds: [taskId], channelIds: [] })
    const ofChannel = await create({ name: 'b' })
    const found = async (asked: object): Promise<number[]> =>
      (await listRules(db, 'all', { page: 1, pageSize: 20, ...asked })).items.map((rule) => rule.id)
    expect([await found({ taskId }), await found({ channelId: CHANNEL }), await found({ keyword: 'A' })]).toEqual([
      [ofTask],
      [ofChannel],
      [ofTask],
    ])
  })

  it('is taken in by a process when it was changed, and not read again else', async () => {
    const first = await watchRules(db, -1)
    const ruleId = await create()
    const second = await watchRules(db, first.revision)
    expect(second.rules?.watches('failed')).toBe(true)
    expect(await watchRules(db, second.revision)).toEqual({ revision: second.revision, rules: null })
    await deleteRule(db, { ruleId }, changeAt(T0))
    expect((await watchRules(db, second.revision)).rules?.isEmpty).toBe(true)
  })

  it('is audited, whatever is done to it', async () => {
    const ruleId = await create()
    await updateRule(db, { ruleId, input: { ...input({ enabled: false }), version: 1 } }, changeAt(T0))
    await silenceRule(db, { ruleId, until: T0 + 60_000 }, changeAt(T0))
    await deleteRule(db, { ruleId }, changeAt(T0))
    const rows = await db.read((tx) => tx.rows(query.selectFrom('audit').select(['action', 'group_id', 'after']).orderBy('id')))
    expect(rows.map((row) => row.action)).toEqual(['alarm:create', 'alarm:edit', 'alarm:silence', 'alarm:delete'])
    expect(rows[1]).toMatchObject({ group_id: 1, after: '{"enabled":false}' })
  })
})

describe('incidents', () => {
  const row = (incidentId: number, more: Partial<IncidentRow> = {}): IncidentRow => ({
    id: incidentId,
    rule_id: 1,
    rule_name: 'r',
    group_id: 1,
    event: 1,
    target_kind: 1,
    target_id: 5,
    target_name: 't',
    state: 1,
    count: 1,
    opened_at: T0,
    last_at: T0,
    last_instance_id: 0,
    acknowledged_at: null,
    acknowledged_by: null,
    silenced_until: null,
    recovered_at: null,
    recovered_by: null,
    told_count: null,
    told_state: null,
    pending: 1,
    runs: '[]',
    facts: '{}',
    ...more,
  })

  it('are listed by state, rule, group and thing, newest first, page by page, and only where they may be seen', async () => {
    await db.write('rest', (tx) =>
      tx.insert('incident', [
        ...Array.from({ length: 30 }, (_, index) => row(100 + index)),
        row(200, { state: 3, rule_id: 2 }),
        row(201, { group_id: 2, target_id: 6 }),
        row(202, { group_id: null, target_kind: 5 }),
      ]),
    )
    const ids = async (scope: Scope, asked: object): Promise<number[]> =>
      (await listIncidents(db, scope, { pageSize: 200, ...asked })).items.map((incident) => incident.id)
    expect(await ids('all', {})).toHaveLength(33)
    expect(await ids(OF_ONE, {})).toHaveLength(31)
    expect(await ids(OF_TWO, {})).toEqual([201])
    expect(await ids('all', { state: 'recovered' })).toEqual([200])
    expect(await ids('all', { ruleId: 2, state: 'open,recovered' })).toEqual([200])
    expect(await ids('all', { taskId: 6 })).toEqual([201])
    const first = await listIncidents(db, OF_ONE, { pageSize: 20 })
    expect(first).toMatchObject({ totalCapped: true })
    const rest = await ids(OF_ONE, { pageSize: 20, cursor: first.nextCursor })
    expect([...first.items.map((incident) => incident.id), ...rest]).toEqual(await ids(OF_ONE, {}))
    expect(await refusal(listIncidents(db, 'all', { state: 'lost' }))).toEqual(['state NOT_ALLOWED_VALUE'])
    expect(await refusal(getIncident(db, OF_TWO, 100))).toEqual(['INCIDENT_NOT_FOUND'])
    expect(await refusal(listIncidentRuns(db, OF_TWO, 100, { page: 1, pageSize: 20 }))).toEqual(['INCIDENT_NOT_FOUND'])
  })

  it('are acknowledged and closed once, audited, and not from another group', async () => {
    await db.write('rest', (tx) => tx.insert('incident', [row(100)]))
    expect(await refusal(acknowledgeIncident(db, { incidentId: 100 }, changeAt(T0, { scope: OF_TWO })))).toEqual(['INCIDENT_NOT_FOUND'])
    await acknowledgeIncident(db, { incidentId: 100 }, changeAt(T0))
    await acknowledgeIncident(db, { incidentId: 100 }, changeAt(T0))
    await closeIncident(db, { incidentId: 100 }, changeAt(T0))
    expect(await refusal(acknowledgeIncident(db, { incidentId: 100 }, changeAt(T0)))).toEqual(['INCIDENT_OVER'])
    expect(await getIncident(db, OF_ONE, 100)).toMatchObject({ state: 'recovered', recoveredBy: 'person', acknowledgedBy: 'tickwheel' })
    const audited = await db.read((tx) => tx.rows(query.selectFrom('audit').select('action').orderBy('id')))
    expect(audited.map((entry) => entry.action)).toEqual(['alarm:acknowledge', 'alarm:close'])
  })
})
