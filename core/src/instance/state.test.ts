import { describe, expect, it } from 'vitest'
import { CAUSE, CAUSES, causeOfCode } from './cause.ts'
import {
  INSTANCE_EVENTS,
  INSTANCE_STATES,
  OPEN_STATES,
  OUTCOME,
  OUTCOMES,
  PHASE,
  isEnded,
  isOpen,
  outcomeOfCode,
  stateOfPhase,
  transition,
} from './state.ts'
import type { InstanceEvent, OpenState } from './state.ts'

/** Every open state × every event, by hand: `-` illegal, `=` a repeat. */
const EXPECTED: Record<InstanceEvent, Record<OpenState, string>> = {
  ready: { waiting: 'queued', queued: '=', dispatched: '-', running: '-' },
  park: { waiting: '=', queued: 'waiting', dispatched: '-', running: '-' },
  dispatch: { waiting: 'dispatched', queued: 'dispatched', dispatched: '=', running: '-' },
  split: { waiting: '-', queued: 'running', dispatched: '-', running: '=' },
  map: { waiting: '-', queued: '-', dispatched: 'running', running: 'running' },
  reduce: { waiting: '-', queued: '-', dispatched: 'queued', running: 'queued' },
  accept: { waiting: '-', queued: '-', dispatched: 'dispatched', running: '=' },
  start: { waiting: '-', queued: '-', dispatched: 'running', running: '=' },
  reject: { waiting: '-', queued: '=', dispatched: 'queued', running: '-' },
  retry: { waiting: '-', queued: '-', dispatched: 'waiting', running: 'waiting' },
  succeed: { waiting: '-', queued: '-', dispatched: 'succeeded', running: 'succeeded' },
  fail: { waiting: '-', queued: '-', dispatched: 'failed', running: 'failed' },
  timeOut: { waiting: '-', queued: '-', dispatched: 'timedOut', running: 'timedOut' },
  cancel: { waiting: 'canceled', queued: 'canceled', dispatched: 'canceled', running: 'canceled' },
  lose: { waiting: 'lost', queued: 'lost', dispatched: 'lost', running: 'lost' },
  skip: { waiting: 'skipped', queued: 'skipped', dispatched: '-', running: '-' },
}

describe('the transition table', () => {
  for (const event of INSTANCE_EVENTS) {
    it(`says for every open state what ${event} does`, () => {
      for (const from of OPEN_STATES) {
        const expected = EXPECTED[event][from]
        const answer = transition(from, event)
        if (expected === '-') expect(answer).toEqual({ kind: 'illegal', from, event, isEnded: false })
        else if (expected === '=') expect(answer).toEqual({ kind: 'already', state: from })
        else expect(answer).toEqual({ kind: 'to', state: expected })
      }
    })
  }

  it('never lets an ended run change: the same end again is a repeat, everything else illegal', () => {
    const repeats = {
      succeeded: 'succeed',
      failed: 'fail',
      timedOut: 'timeOut',
      canceled: 'cancel',
      lost: 'lose',
      skipped: 'skip',
    } as const
    for (const from of OUTCOMES) {
      for (const event of INSTANCE_EVENTS) {
        const expected = repeats[from] === event ? { kind: 'already', state: from } : { kind: 'illegal', from, event, isEnded: true }
        expect(transition(from, event)).toEqual(expected)
      }
    }
  })

  it('can bring a run from every open state to every end that its kind allows, and lets all be canceled', () => {
    for (const from of OPEN_STATES) expect(reachable(from)).toEqual(new Set(INSTANCE_STATES))
  })

  it('counts every state as open or ended, and none as both', () => {
    for (const state of INSTANCE_STATES) expect(isOpen(state)).toBe(!isEnded(state))
    expect(INSTANCE_STATES).toHaveLength(10)
  })
})

describe('the stored codes', () => {
  it('are what they have always been', () => {
    expect(PHASE).toEqual({ waiting: 1, queued: 2, dispatched: 3, running: 4 })
    expect(OUTCOME).toEqual({ succeeded: 1, failed: 2, timedOut: 3, canceled: 4, lost: 5, skipped: 6 })
    expect(CAUSE).toEqual({ schedule: 1, manual: 2, api: 3, retry: 4, workflow: 5, backfill: 6, shard: 7 })
  })

  it('turn into names and back', () => {
    for (const state of OPEN_STATES) expect(stateOfPhase(PHASE[state])).toBe(state)
    for (const outcome of OUTCOMES) expect(outcomeOfCode(OUTCOME[outcome])).toBe(outcome)
    for (const cause of CAUSES) expect(causeOfCode(CAUSE[cause])).toBe(cause)
    expect([OPEN_STATES.length, OUTCOMES.length, CAUSES.length]).toEqual([PHASE, OUTCOME, CAUSE].map((table) => Object.keys(table).length))
  })

  it('are refused by name when this version does not know them', () => {
    for (const decode of [stateOfPhase, outcomeOfCode, causeOfCode])
      for (const code of [0, 99, -1, 1.5, NaN]) expect(() => decode(code)).toThrow(RangeError)
  })
})

function reachable(from: OpenState): Set<string> {
  const seen = new Set<string>([from])
  const open: OpenState[] = [from]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const event of INSTANCE_EVENTS) {
      const answer = transition(state, event)
      if (answer.kind !== 'to' || seen.has(answer.state)) continue
      seen.add(answer.state)
      if (isOpen(answer.state)) open.push(answer.state)
    }
  }
  return seen
}
