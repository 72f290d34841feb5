import { afterEach, expect, it } from 'vitest'
import type { Cluster } from '../../cluster/cluster.ts'
import type { EngineStatus } from '../../engine/commands.ts'
import { memoryStore } from '../../store/store.fixture.ts'
import { Metrics } from '../metrics.ts'
import type { Role } from '../roles.ts'
import { systemHandlers } from './system.ts'

const IDLE: EngineStatus = {
  runId: 1,
  isFiring: false,
  isInTime: false,
  beatAgeMs: null,
  slotsOwned: 0,
  contended: 0,
  lagMs: 0,
  held: null,
  armedTimers: 0,
  openRuns: 0,
  queuedRuns: 0,
  liveExecutors: 0,
  storeAway: false,
  counts: {},
}
const HELD = { since: Date.UTC(2026, 10, 22, 8), storeAt: 0, seenAt: 0 }

interface Situation {
  readonly role?: Role
  readonly redis?: Cluster['state']
  readonly status?: Partial<EngineStatus>
}

const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function open({ role = 'all', redis = 'none', status = {} }: Situation) {
  const db = await memoryStore()
  closes.push(() => db.close())
  const observed = {
    status: () => ({ ...IDLE, ...status }),
    live: () => ({ connections: 0, subscriptions: 0 }),
    redis: () => redis,
    skewMs: () => 1500,
    reckoner: async () => ({ due_at: Date.UTC(2026, 10, 22, 8), fired: 5, skipped: 2, missing: 1, doubled: 0 }),
    now: () => Date.UTC(2026, 10, 22, 8, 0, 31),
  }
  const metrics = new Metrics({ ...observed, cluster: { state: redis, bus: { dropped: 7 } } })
  return { metrics, handlers: systemHandlers({ db, metrics, status: observed.status, isOpen: () => true, role, redis: observed.redis }) }
}

/** What `/readyz` answers in a situation: the checks, or the detail of the problem. */
async function readiness(situation: Situation): Promise<unknown> {
  const { handlers } = await open(situation)
  const asked = {
    params: undefined,
    query: undefined,
    body: undefined,
    who: null,
    scope: [] as const,
    idempotencyKey: null,
    yaml: null,
    wantsYaml: false,
  }
  const caller = { actor: { kind: 'user' as const, id: null, name: '' }, ip: '', requestId: '' }
  const origin = { ip: '', requestId: '', isExposed: false }
  return handlers.readyz({ ...asked, caller, origin }).catch((error: unknown) => (error instanceof Error ? error.message : error))
}

it.each<[why: string, situation: Situation, answer: unknown]>([
  ['its beats come in time', { status: { isInTime: true } }, { ready: true, checks: { store: 'ok', slots: 'ok', calls: 'ok' } }],
  ['it owns slots and cannot keep them', {}, 'Not ready: store ok, slots not kept, calls ok'],
  ['it owns no slots', { role: 'api' }, { ready: true, checks: { store: 'ok', calls: 'ok' } }],
  ['the store is away', { role: 'api', status: { storeAway: true } }, 'Not ready: store away, calls ok'],
  [
    'Redis away costs speed only',
    { redis: 'away', status: { isInTime: true } },
    { ready: true, checks: { store: 'ok', slots: 'ok', calls: 'ok', redis: 'away' } },
  ],
  [
    'people must reach it to let it fire',
    { redis: 'ok', status: { isInTime: true, held: HELD } },
    {
      ready: true,
      checks: {
        store: 'ok',
        slots: 'ok',
        calls: 'ok',
        redis: 'ok',
        firing: 'held since 2026-11-22T08:00:00.000Z, because the store was restored: choose how to go on',
      },
    },
  ],
])('readiness: %s', async (_why, situation, answer) => {
  expect(await readiness(situation)).toEqual(answer)
})

it('metrics tell how a node does among others, in seconds', async () => {
  const { metrics } = await open({ redis: 'away', status: { beatAgeMs: 1250, contended: 3, lagMs: 20, held: HELD } })
  const text = await metrics.text()
  for (const line of [
    'tickwheel_redis_up 0',
    'tickwheel_bus_dropped 7',
    'tickwheel_beat_age_seconds 1.25',
    'tickwheel_slots_contended 3',
    'tickwheel_wheel_lag_seconds 0.02',
    'tickwheel_clock_skew_seconds 1.5',
    'tickwheel_firing_held 1',
  ])
    expect(text).toContain(`${line}\n`)
})

it('metrics tell what is reckoned of the ledger, and how far', async () => {
  const text = await (await open({})).metrics.text()
  const totals = ['expected 8', 'fired 5', 'skipped 2', 'missing 1', 'doubled 0'].map((line) => line.replace(' ', '_total '))
  for (const total of totals) expect(text).toContain(`tickwheel_firings_${total}\n`)
  expect(text).toContain('tickwheel_reckoner_lag_seconds 31\n')
})
