/**
 * The life of a run. This table is the only place that says which change of state is legal; the store's guarded write asks it.
 *
 *   waiting ⇄ queued → dispatched → running → ended
 *                └─── split (a parent of shards) ──┘
 *                ▲                        │ map (its handler has split it: a parent, too)
 *                └──── reduce ────────────┘ (its shards have ended, and one more attempt combines their results)
 *
 * `waiting` holds a retry that waits out its delay and whoever cannot go for a reason of its own. A run is dispatched from either. An executor
 * may refuse (back to queued), and it may report an end without its start having been noted. Ended is for ever.
 */

/** States of an open run, with the code that is stored. A code is never used again for anything else. */
export const PHASE = { waiting: 1, queued: 2, dispatched: 3, running: 4 } as const

/** How a run ended, with the code that is stored. A code is never used again for anything else. */
export const OUTCOME = { succeeded: 1, failed: 2, timedOut: 3, canceled: 4, lost: 5, skipped: 6 } as const

export type OpenState = keyof typeof PHASE
export type PhaseCode = (typeof PHASE)[OpenState]
export type Outcome = keyof typeof OUTCOME
export type OutcomeCode = (typeof OUTCOME)[Outcome]
export type InstanceState = OpenState | Outcome

export const OPEN_STATES = ['waiting', 'queued', 'dispatched', 'running'] as const satisfies readonly OpenState[]
export const OUTCOMES = ['succeeded', 'failed', 'timedOut', 'canceled', 'lost', 'skipped'] as const satisfies readonly Outcome[]
export const INSTANCE_STATES: readonly InstanceState[] = [...OPEN_STATES, ...OUTCOMES]

/** What can happen to a run. */
export const INSTANCE_EVENTS = [
  'ready', // its time to wait is over
  'park', // it cannot go for a reason of its own
  'dispatch', // it was given to an executor, under a new attempt
  'split', // its shards are made: a parent runs while they do, and has no executor of its own
  'map', // its attempt has split it and ended: it goes on as a parent
  'reduce', // its shards have ended: one more attempt combines their results
  'accept', // the executor took it
  'start', // its body runs
  'reject', // the executor refused it: no try is spent
  'retry', // the attempt ended and another try follows
  'succeed',
  'fail',
  'timeOut',
  'cancel', // it is over because somebody canceled it; the wish alone is no event
  'lose', // its executor is lost; before it was sent only the one that a shard is tied to
  'skip', // dropped by policy before it was sent
] as const
export type InstanceEvent = (typeof INSTANCE_EVENTS)[number]

/**
 * `to`: write this state (for `accept` the same one: only its instant is new). `already`: a repeat, acknowledge and change nothing.
 * `illegal`: change nothing and say so; `isEnded` tells whether the run is over.
 */
export type Transition =
  | { readonly kind: 'to'; readonly state: InstanceState }
  | { readonly kind: 'already'; readonly state: InstanceState }
  | { readonly kind: 'illegal'; readonly from: InstanceState; readonly event: InstanceEvent; readonly isEnded: boolean }

/** What an event does to a run in a state. */
export function transition(from: InstanceState, event: InstanceEvent): Transition {
  if (!isOpen(from)) return END_OF[event] === from ? { kind: 'already', state: from } : { kind: 'illegal', from, event, isEnded: true }
  const target = TRANSITIONS[from][event]
  if (target === undefined) return { kind: 'illegal', from, event, isEnded: false }
  return target === 'already' ? { kind: 'already', state: from } : { kind: 'to', state: target }
}

const WHILE_HERE = { cancel: 'canceled', skip: 'skipped', dispatch: 'dispatched', lose: 'lost' } as const
const WHILE_THERE = {
  retry: 'waiting',
  succeed: 'succeeded',
  fail: 'failed',
  timeOut: 'timedOut',
  cancel: 'canceled',
  lose: 'lost',
} as const

const TRANSITIONS: Readonly<Record<OpenState, Partial<Record<InstanceEvent, InstanceState | 'already'>>>> = {
  waiting: { ...WHILE_HERE, ready: 'queued', park: 'already' },
  queued: { ...WHILE_HERE, ready: 'already', park: 'waiting', reject: 'already', split: 'running' },
  dispatched: {
    ...WHILE_THERE,
    dispatch: 'already',
    accept: 'dispatched',
    start: 'running',
    reject: 'queued',
    map: 'running',
    reduce: 'queued',
  },
  running: { ...WHILE_THERE, accept: 'already', start: 'already', split: 'already', map: 'running', reduce: 'queued' },
}

const END_OF: Partial<Record<InstanceEvent, Outcome>> = {
  succeed: 'succeeded',
  fail: 'failed',
  timeOut: 'timedOut',
  cancel: 'canceled',
  lose: 'lost',
  skip: 'skipped',
}

export function isOpen(state: InstanceState): state is OpenState {
  return Object.hasOwn(PHASE, state)
}

export function isEnded(state: InstanceState): state is Outcome {
  return Object.hasOwn(OUTCOME, state)
}

/** The state that a stored phase stands for. Throws RangeError for a code that this version does not know. */
export function stateOfPhase(code: number): OpenState {
  const state = OPEN_STATES.find((name) => PHASE[name] === code)
  if (state === undefined)
    throw new RangeError(`Expected a phase from 1 to 4, got ${code}: the row was written by a newer version or is damaged.`)
  return state
}

/** The outcome that a stored code stands for. Throws RangeError for a code that this version does not know. */
export function outcomeOfCode(code: number): Outcome {
  const outcome = OUTCOMES.find((name) => OUTCOME[name] === code)
  if (outcome === undefined)
    throw new RangeError(`Expected an outcome from 1 to 6, got ${code}: the row was written by a newer version or is damaged.`)
  return outcome
}
