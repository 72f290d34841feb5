import type { Chance } from '../kit/chance.ts'

/** What can go wrong by itself, at each call and each message; shares of 1. Drawn for each seed, so that seeds differ in what they stress. */
export interface Rates {
  /** the process dies at a call of the store, of Redis, or of its clock */
  crash: number
  /** a write fails: before its commit, or after it, with the outcome unknown */
  storeError: number
  /** a call of the store takes up to two seconds */
  storeSlow: number
  /** a node freezes inside a transaction */
  freeze: number
  /** ending the connections of a node that is thought dead misses them: it has opened others since its last beat */
  killMissed: number
  /** a call of Redis is lost, or its answer is */
  redisError: number
  busLost: number
  busDoubled: number
  /** a message on the bus comes up to three seconds late */
  busLate: number
  /** an order to an executor is lost, or comes twice */
  orderLost: number
  orderDoubled: number
  /** a frame takes up to two seconds */
  frameLate: number
  /** a handler fails */
  failed: number
  /** a handler takes up to three, or up to fifteen, seconds */
  long: number
  /** an executor refuses for no reason */
  rejected: number
}

export const CALM: Rates = {
  crash: 0,
  storeError: 0,
  storeSlow: 0,
  freeze: 0,
  killMissed: 0,
  redisError: 0,
  busLost: 0,
  busDoubled: 0,
  busLate: 0,
  orderLost: 0,
  orderDoubled: 0,
  frameLate: 0,
  failed: 0,
  long: 0,
  rejected: 0,
}

const WORST: Rates = {
  crash: 0.002,
  storeError: 0.03,
  storeSlow: 0.02,
  freeze: 0.004,
  killMissed: 1,
  redisError: 0.1,
  busLost: 0.5,
  busDoubled: 0.2,
  busLate: 0.2,
  orderLost: 0.3,
  orderDoubled: 0.3,
  frameLate: 0.1,
  failed: 0.5,
  long: 0.6,
  rejected: 0.2,
}

/** The blows of a storm, each with how much of it there is. */
export const BLOWS = [
  'crashNode',
  'pauseNode',
  'suspendNode',
  'cutDatabase',
  'cutRedis',
  'redisAway',
  'redisFlush',
  'databaseAway',
  'databaseClock',
  'leaveNode',
  'joinNode',
  'crashExecutor',
  'pauseExecutor',
  'replaceExecutor',
  'cutWire',
  'silenceWire',
] as const
export type Blow = (typeof BLOWS)[number]

export interface Weather {
  readonly rates: Rates
  readonly blows: readonly { readonly blow: Blow; readonly weight: number }[]
  /** on average so long between two blows, ms */
  readonly blowEveryMs: number
  /** on average so long between two things that a person does, ms */
  readonly personEveryMs: number
  readonly hasRedis: boolean
  readonly nodes: number
  readonly executors: number
  readonly stormMs: number
}

/** Half of what could go wrong does not, in each seed another half. */
export function drawWeather(chance: Chance, maxNodes: number): Weather {
  const share = (): number => (chance.next() < 0.5 ? 0 : chance.next())
  const rates = { ...CALM }
  for (const key of Object.keys(WORST).filter(isRate)) rates[key] = WORST[key] * share()
  const weighted = BLOWS.map((blow) => ({ blow, weight: share() })).filter(({ weight }) => weight > 0)
  return {
    rates,
    blows: weighted.length > 0 ? weighted : [{ blow: 'crashNode', weight: 1 }],
    blowEveryMs: chance.between(800, 6000),
    personEveryMs: chance.between(500, 5000),
    hasRedis: chance.next() < 0.8,
    nodes: chance.between(1, maxNodes),
    executors: chance.between(1, 3),
    stormMs: chance.between(6000, 30_000),
  }
}

function isRate(key: string): key is keyof Rates {
  return Object.hasOwn(CALM, key)
}
