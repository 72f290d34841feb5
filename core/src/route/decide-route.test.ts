import { describe, expect, it } from 'vitest'
import { id } from '../ids.ts'
import { seededRandom } from '../random.ts'
import { decideRoute, previewRoute, type RouteQuestion, type Standing } from './decide-route.ts'
import { ROUTING_STRATEGIES } from './rank.ts'
import { RouteMemory } from './route-memory.ts'
import { parseRoutingKey, routeKey } from './routing-key.ts'

function standing(executorId: number, facts: Partial<Standing> = {}): Standing {
  return {
    executorId: id<'executor'>(executorId),
    name: `worker-${executorId}`,
    running: 0,
    capacity: 10,
    labels: {},
    isOnline: true,
    isDraining: false,
    isResting: false,
    knowsHandler: true,
    room: 10,
    isRoomComing: false,
    ...facts,
  }
}

function question(standings: readonly Standing[], more: Partial<RouteQuestion> = {}): RouteQuestion {
  return {
    strategy: 'first',
    taskId: id<'task'>(1),
    groupId: 7,
    key: { text: 'task:1', source: 'task' },
    tried: null,
    labels: {},
    handler: 'shell',
    standings,
    memory: new RouteMemory(),
    random: seededRandom(1),
    now: 0,
    ...more,
  }
}

const zoneA = { labels: { zone: 'a' } }
const full = { running: 10, room: 0 }

describe('a run waits', () => {
  it.each([
    ['nobody is online', [standing(1, { isOnline: false })], {}, 'group', 'waitsForExecutor', { groupId: 7 }],
    [
      'nobody who is online carries the labels',
      [standing(1), standing(2, { ...zoneA, isOnline: false })],
      { zone: 'a', disk: 'ssd' },
      'run',
      'waitsForLabels',
      { labels: 'zone=a, disk=ssd', executors: 1 },
    ],
    [
      'nobody who carries them knows the handler',
      [standing(1), standing(2, { ...zoneA, knowsHandler: false })],
      { zone: 'a' },
      'run',
      'waitsForHandler',
      { handler: 'shell' },
    ],
    [
      'everybody is full',
      [standing(1, full), standing(2, full)],
      {},
      'group',
      'waitsForSlot',
      { groupId: 7, used: 20, capacity: 20, executors: 2 },
    ],
    [
      'everybody who carries them is full',
      [standing(1), standing(2, { ...zoneA, ...full })],
      { zone: 'a' },
      'run',
      'waitsForSlot',
      { groupId: 7, used: 10, capacity: 10, executors: 1 },
    ],
    [
      'whoever has room is being drained',
      [standing(1, { isDraining: true }), standing(2, full)],
      {},
      'group',
      'waitsForSlot',
      { groupId: 7, used: 10, capacity: 20, executors: 2 },
    ],
  ] as const)('%s', (_, standings, labels, reach, reason, facts) => {
    for (const strategy of ROUTING_STRATEGIES)
      expect(decideRoute(question(standings, { strategy, labels }))).toEqual({ kind: 'none', reach, reason, facts })
  })

  it('for a place that is on its way from another node, when the strategy wants just that executor; the others take who has room', () => {
    const standings = [standing(1, { room: 0, isRoomComing: true }), standing(2)]
    const answers = Object.fromEntries(
      ROUTING_STRATEGIES.map((strategy) => {
        const route = decideRoute(question(standings, { strategy }))
        return [strategy, route.kind === 'to' ? route.executor.executorId : route.reach]
      }),
    )
    expect(answers).toMatchObject({ first: 'moment', failover: 'moment', leastUsed: 'moment', last: 2, roundRobin: 2, random: 2 })
    expect(decideRoute(question([standing(1, { room: 0 }), standing(2)]))).toMatchObject({ kind: 'to', executor: { executorId: 2 } })
  })
})

describe('a run goes', () => {
  it('to the first in order that has room, and says among whom, by which strategy and who was passed over', () => {
    const standings = [standing(3), standing(2, full), standing(1, { isDraining: true }), standing(4, { isOnline: false })]
    expect(decideRoute(question(standings))).toMatchObject({
      kind: 'to',
      reason: 'chosen',
      facts: { strategy: 'first', executorId: 3, executor: 'worker-3', among: 2, whom: 'worker-2, worker-3', passed: 1 },
    })
  })

  it('with a short list of names, however many there are', () => {
    const route = decideRoute(question(Array.from({ length: 500 }, (_, n) => standing(n + 1))))
    expect(String(route.facts['whom']).length).toBeLessThan(100)
    expect(route.facts).toMatchObject({ among: 500 })
  })
})

describe('a preview', () => {
  const standings = [
    standing(1, { isOnline: false }),
    standing(2, { labels: { zone: 'b' } }),
    standing(3, { ...zoneA, knowsHandler: false }),
    standing(4, { ...zoneA, isDraining: true }),
    standing(5, { ...zoneA, isResting: true }),
    standing(6, { ...zoneA, ...full }),
    standing(7, zoneA),
  ]

  it('names who would be asked in order, and of the others what stands in the way', () => {
    for (const strategy of ROUTING_STRATEGIES) {
      const { placed, route } = previewRoute(question(standings, { strategy, labels: { zone: 'a' } }))
      const byId = Object.fromEntries(placed.map((one) => [one.standing.executorId, one.obstacle]))
      expect(byId).toEqual({ 1: 'offline', 2: 'labelsMissing', 3: 'handlerUnknown', 4: 'draining', 5: 'resting', 6: 'full', 7: null })
      expect(route).toMatchObject({ kind: 'to', executor: { executorId: 7 } })
      const places = placed.filter(({ standing: { executorId } }) => executorId >= 6).map(({ place }) => place)
      expect(places).toEqual(strategy === 'random' ? [null, null] : [1, 2])
    }
  })

  it('says what is missing', () => {
    const { placed } = previewRoute(question([standing(1, zoneA)], { labels: { zone: 'a', disk: 'ssd' } }))
    expect(placed).toMatchObject([{ place: null, obstacle: 'labelsMissing', facts: { labels: 'disk=ssd' } }])
  })

  it('is what happens next: asking it changes nothing', () => {
    for (const strategy of ROUTING_STRATEGIES.filter((one) => one !== 'random')) {
      const memory = new RouteMemory()
      for (let turn = 0; turn < 6; turn++) {
        const asked = question([standing(1), standing(2), standing(3)], { strategy, memory })
        const { placed } = previewRoute(asked)
        const route = decideRoute(asked)
        if (route.kind === 'none') throw new Error('nobody')
        expect(placed[0]?.standing.executorId).toBe(route.executor.executorId)
        memory.noteUsed(asked.taskId, route.executor.executorId, turn)
      }
    }
  })
})

describe('the key of a run', () => {
  const own = { text: 'task:9', source: 'task' }
  const at = (routingKey: string, params: string) => routeKey({ taskId: id<'task'>(9), routingKey, params })

  it.each([
    ['no key: the task', '', '{"a":1}', own],
    ['a text', 'params.customer', '{"customer":"Ada"}', { text: 'value:Ada', source: 'params.customer' }],
    ['a number', 'params.a.b', '{"a":{"b":7}}', { text: 'value:7', source: 'params.a.b' }],
    ['a place in a list', 'params.items.1', '{"items":["x","y"]}', { text: 'value:y', source: 'params.items.1' }],
    ['an object', 'params.a', '{"a":{"b":7}}', { text: 'value:{"b":7}', source: 'params.a' }],
    ['nothing there', 'params.b', '{"a":1}', own],
    ['null', 'params.a', '{"a":null}', own],
    ['what every object has is not there', 'params.constructor', '{}', own],
    ['params that are not JSON', 'params.a', 'a=1', own],
    ['a path that is none', 'run.id', '{"run":{"id":1}}', own],
  ])('%s', (_, routingKey, params, expected) => {
    expect(at(routingKey, params)).toEqual(expected)
  })

  it.each(['params', 'params.', 'customer', 'params.a b', 'params..a', `params${'.a'.repeat(9)}`, `params.${'a'.repeat(65)}`])(
    '%j is no path',
    (text) => {
      expect(parseRoutingKey(text)).toBeNull()
    },
  )
})
