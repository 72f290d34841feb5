import { setTimeout as sleep } from 'node:timers/promises'
import type { Verdict } from '@tickwheel/contract'
import { groupsOfExecutors } from '../../store/executors.ts'
import { wiresById, type WireSeen } from '../../store/wires.ts'
import { readCallbacks, SUCCESS, TIMED_OUT, type Callback } from './callback.ts'
import { keyOf, type Peer, type XxlRun } from './peer.ts'
import { failure, OK, WRONG_TOKEN, type Envelope } from './reply.ts'
import type { Said, Shared } from './shared.ts'

type Finished = Extract<Said, { type: 'finished' }>

/** An executor waits 3 s for the answer to a callback. */
const LOG_WITHIN_MS = 1_000
const ERROR_LENGTH = 16_384
const RESULT_LENGTH = 16_000

/** Results, at whichever node they arrive. The answer comes after the commit. */
export class Callbacks {
  readonly #shared: Shared
  readonly #readLog: (peer: Peer, run: XxlRun) => Promise<unknown>

  constructor(shared: Shared, readLog: (peer: Peer, run: XxlRun) => Promise<unknown>) {
    this.#shared = shared
    this.#readLog = readLog
  }

  async take(body: unknown, token: string): Promise<Envelope> {
    const read = readCallbacks(body)
    if (read === null) return failure('expected a list of callbacks, or an object with callbackList')
    if (read.odd > 0)
      this.#shared.options.log.warn({ odd: read.odd }, 'an XXL-JOB executor called back with elements that tell no end of a run')
    if (read.callbacks.length === 0) return OK
    const wires = new Map(
      (await wiresById(this.#shared.options.db, [...new Set(read.callbacks.map((one) => one.logId))])).map((wire) => [wire.id, wire]),
    )
    const unknown = read.callbacks.filter((one) => !wires.has(one.logId))
    if (unknown.length > 0)
      this.#shared.options.log.warn(
        { logIds: unknown.slice(0, 20).map((one) => one.logId), count: unknown.length },
        'an XXL-JOB executor called back for runs that this store does not know: they are of another scheduler, or older than what is kept',
      )
    const groups = await groupsOfExecutors(
      this.#shared.options.db,
      [...wires.values()].map((wire) => wire.executor_id),
    )
    const allowed: Callback[] = []
    for (const one of read.callbacks) {
      const groupId = groups.get(wires.get(one.logId)?.executor_id ?? 0)
      // what nobody knows any more changes nothing, and would be sent again for ever
      if (groupId === undefined || (await this.#shared.options.access.allows(groupId, token))) allowed.push(one)
    }
    // an executor has one token: when some are taken, what is left is of an earlier life of it, and would be sent again for ever
    if (allowed.length === 0) return failure(WRONG_TOKEN)
    if (allowed.length < read.callbacks.length)
      this.#shared.options.log.warn(
        { refused: read.callbacks.length - allowed.length },
        'an XXL-JOB executor called back for runs of a group that has another access token: they are passed over',
      )
    const verdicts = await Promise.all(allowed.map(async (one) => this.#report(one, wires.get(one.logId))))
    return verdicts.includes(null) ? failure('the store is away: send it again') : OK
  }

  /** Whatever the verdict, it is final: an executor sends a refused batch again for ever. */
  async #report(callback: Callback, wire: WireSeen | undefined): Promise<Verdict | null> {
    if (wire === undefined) return 'unknown'
    const peer = this.#shared.peers.get(wire.executor_id)
    const run = peer?.runs.get(keyOf({ instanceId: wire.instance_id, attempt: wire.attempt }))
    // whoever sees that a run has ended finds its log there, except for what the executor adds afterwards
    if (peer !== undefined && run !== undefined) await within(LOG_WITHIN_MS, this.#readLog(peer, run))
    const verdict = await this.#shared.say(
      { executorId: wire.executor_id, bootId: wire.boot_id },
      finishedOf(callback, wire, this.#shared.options.host.now()),
    )
    if (verdict !== null && peer !== undefined && run !== undefined) this.#shared.ended(peer, run)
    return verdict
  }
}

/**
 * What a callback says of its attempt. A run that was to be stopped ends as canceled, whatever the code: an executor cannot tell, and one of them answers
 * a kill with success. A failure beyond the time limit is the time limit.
 */
export function finishedOf({ code, message }: Callback, wire: WireSeen, at: number): Finished {
  const base = {
    type: 'finished',
    instanceId: wire.instance_id,
    attempt: wire.attempt,
    bootId: wire.boot_id,
    at,
    startedAt: wire.started_at ?? Math.min(at, wire.accepted_at ?? wire.log_at),
  } as const
  if (wire.cancel_at !== null) return { ...base, outcome: 'canceled' }
  if (code === SUCCESS) return { ...base, outcome: 'succeeded', ...(message === '' ? {} : { result: message.slice(0, RESULT_LENGTH) }) }
  const isOver = code === TIMED_OUT || (wire.timeout_ms > 0 && at >= wire.log_at + wire.timeout_ms)
  const error = { code: isOver ? 'TIMED_OUT' : `XXL_${String(code)}`, message: message.slice(0, ERROR_LENGTH) }
  return { ...base, outcome: isOver ? 'timedOut' : 'failed', error }
}

/** Waits for work, not longer than so many ms, and not for how it goes. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController()
  const late = sleep(ms, undefined, { signal: enough.signal }).catch(() => undefined)
  await Promise.race([late, work.catch(() => undefined)])
  enough.abort()
}
