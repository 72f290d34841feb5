import { describe, expect, it } from 'vitest'
import { INCIDENT_STATE } from './event.ts'
import { messageOf, newsOf, type IncidentFacts, type Told } from './incident.ts'

const { open, acknowledged, recovered } = INCIDENT_STATE

const incident = (more: Partial<IncidentFacts> = {}): IncidentFacts => ({
  id: 1,
  event: 'failed',
  target: { kind: 'task', id: 5, name: 'backup' },
  group: { id: 1, name: 'default' },
  state: open,
  count: 1,
  openedAt: 1000,
  lastAt: 2000,
  silencedUntil: null,
  toldCount: null,
  toldState: null,
  runs: [{ id: 9, outcome: 'failed', at: 2000, error: 'exit 1' }],
  facts: {},
  ...more,
})

describe('what is to be told of an incident', () => {
  it.each([
    ['one that is new', {}, 'opened'],
    ['one that has gone on since', { toldState: open, toldCount: 1, count: 2 }, 'repeated'],
    ['one that has not', { toldState: open, toldCount: 2, count: 2 }, 'nothing'],
    ['one that is over', { state: recovered, toldState: open, toldCount: 1 }, 'recovered'],
    ['one that came and went unheard', { state: recovered }, 'recovered'],
    ['the end that was told', { state: recovered, toldState: recovered }, 'nothing'],
    ['one that somebody has seen', { state: acknowledged, toldState: open, toldCount: 1, count: 5 }, 'nothing'],
    ['one that is silenced', { silencedUntil: 9000 }, 'later'],
    ['one whose silence is over', { silencedUntil: 2500 }, 'opened'],
    ['one that came and went in silence', { state: recovered, silencedUntil: 2500 }, 'nothing'],
    ['one that came and went after a silence of its rule', { state: recovered, silencedUntil: 500 }, 'recovered'],
  ] as const)('%s', (_what, more, news) => {
    expect(newsOf(incident(more), { now: 3000, tellsRecovery: true })).toBe(news)
  })

  it('ends of a rule that does not want them', () => {
    expect(newsOf(incident({ state: recovered, toldState: open }), { now: 3000, tellsRecovery: false })).toBe('nothing')
  })
})

describe('a message', () => {
  const rule = { id: 3, name: 'all of it' }
  const told = (id: number, news: Told['news'], more: Partial<IncidentFacts> = {}): Told => ({ news, incident: incident({ id, ...more }) })

  it('of one incident says what it is', () => {
    expect(messageOf(rule, [told(1, 'opened', { facts: { lateMs: 7 } })])).toMatchObject({
      kind: 'opened',
      incidentId: 1,
      rule,
      target: { name: 'backup' },
      count: 1,
      facts: { lateMs: 7 },
      runs: [{ id: 9 }],
      incidents: [],
    })
  })

  it('of many is a digest: what is new first, 20 at most, with how many there are and their occurrences together', () => {
    const many = Array.from({ length: 30 }, (_, index) => told(100 + index, index < 25 ? 'repeated' : 'opened', { count: 10 }))
    const message = messageOf(rule, [told(1, 'recovered'), ...many])
    expect(message).toMatchObject({ kind: 'digest', incidentId: null, count: 301, facts: { incidents: 31 }, group: { id: 1 } })
    expect(message.incidents.map((one) => one.kind)).toEqual([
      ...Array.from({ length: 5 }, () => 'opened'),
      ...Array.from({ length: 15 }, () => 'repeated'),
    ])
    expect(message.runs).toHaveLength(5)
  })

  it('of several groups is of none', () => {
    expect(messageOf(rule, [told(1, 'opened'), told(2, 'opened', { group: { id: 2, name: 'other' } })]).group).toBeNull()
  })
})
