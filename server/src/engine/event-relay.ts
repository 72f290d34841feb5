import type { Bus } from '../cluster/bus.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodeBeat } from '../cluster/members.ts'
import type { BusMessage } from '../cluster/messages.ts'
import type { Clock, Wake } from './clock.ts'
import type { NodeFacts } from './commands.ts'
import { isShared, mergeEvents, readEvent, subjectOf, type SharedEvent } from './event-wire.ts'
import type { EngineEvent, EventPlace, Events } from './events.ts'

const GATHER_MS = 100
const EVENTS_IN_A_MESSAGE = 500
/** Gathered for one sending. Beyond it the others are told to look at everything. */
const EVENTS_KEPT = 5000
const LOOK_EVERY_MS = 1000
/** Of so many looks, one is at lists too: what a list shows costs its reader a whole page. */
const LISTS_EVERY_LOOKS = 3
/** A message may be lost though the bus is up: so often logs and runs are looked at for no reason. */
const NO_REASON_EVERY_LOOKS = 10
/** After this node began to listen, or could be reached again, the others may not know it yet. */
const UNSURE_MS = 3000
/** A page that is loaded again is back within that; meanwhile nothing is missed. */
const LISTEN_ON_MS = 5000

/** The other nodes that live, as this one finds them each second. */
export interface OtherNodes {
  readonly count: number
  /** each of them says that it reaches the bus */
  readonly areReached: boolean
  /** consoles watch on one of them, or nobody could say */
  readonly isWatched: boolean
}

/** The other nodes, from their rows in the database and from what they say through Redis (null: it did not answer). */
export function otherNodes(
  runId: number,
  live: readonly { readonly runId: number; readonly redis: NodeFacts['redis'] | null }[],
  beats: readonly NodeBeat[] | null,
): OtherNodes {
  const others = live.filter((node) => node.runId !== runId)
  return {
    count: others.length,
    areReached: beats !== null && others.every((node) => node.redis === 'ok'),
    isWatched: others.length > 0 && (beats === null || beats.some((beat) => beat.runId !== runId && beat.isWatching)),
  }
}

export interface EventRelayOptions {
  readonly runId: number
  readonly events: Events
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly cluster: Pick<Cluster, 'bus' | 'state'>
}

/**
 * Joins the events of this node with those of the others, so that a console sees on any node what happens on every node.
 *
 * Outgoing: while consoles watch elsewhere, what happens here is gathered for 100 ms, one event for each subject, and sent to the nodes that listen. What
 * came from elsewhere is never sent on. A change of access goes to every node at once, watched or not.
 *
 * Incoming: while consoles watch here, and 5 s longer, events of others are told here as having happened elsewhere. Messages are lost while the bus is
 * away for one side: then, once a second, `lookAgain` has whoever watches read the store. So a log is a second late without the bus, and never stands still.
 */
export class EventRelay {
  readonly #options: EventRelayOptions
  readonly #stopHearing: readonly (() => void)[]
  readonly #gathered = new Map<string, SharedEvent>()
  #hasMore = false
  #sendWake: Wake | null = null
  #others: OtherNodes = { count: 0, areReached: true, isWatched: false }
  #watchedUntil = -Infinity
  #stopListening: (() => void) | null = null
  #isWatchedHere = false
  #leaveWake: Wake | null = null
  #lookWake: Wake | null = null
  #looks = 0
  #unsureUntil = -Infinity

  constructor(options: EventRelayOptions) {
    this.#options = options
    this.#stopHearing = [
      options.events.listen((events, place) => this.#happened(events, place)),
      this.#bus.listen('all', (message) => this.#hear(message)),
    ]
  }

  /** Consoles watch here, or did a moment ago: to be told to the other nodes with each beat. */
  get isWatching(): boolean {
    return this.#stopListening !== null
  }

  /** The first console has come, or the last one is gone. */
  setWatching(isWatchedHere: boolean): void {
    this.#isWatchedHere = isWatchedHere
    this.#leaveWake?.cancel()
    this.#leaveWake = null
    if (isWatchedHere) this.#listen()
    else if (this.isWatching) this.#leaveWake = this.#options.clock.after(LISTEN_ON_MS, () => this.#leave())
  }

  /** Once a second: what the other nodes are. */
  see(others: OtherNodes): void {
    this.#others = others
    if (!this.#isWatchedElsewhere) this.#gathered.clear()
  }

  stop(): void {
    this.#send()
    for (const stop of this.#stopHearing) stop()
    this.#leave()
    this.#leaveWake?.cancel()
    this.#sendWake?.cancel()
  }

  get #bus(): Bus {
    return this.#options.cluster.bus
  }

  get #isWatchedElsewhere(): boolean {
    return this.#others.isWatched || this.#options.clock.monotonic() < this.#watchedUntil
  }

  // ── outgoing ──

  #happened(events: readonly EngineEvent[], place: EventPlace): void {
    if (place === 'elsewhere') return
    if (events.some((event) => event.kind === 'accessChanged')) this.#bus.publish('all', { kind: 'access', from: this.#options.runId })
    if (!this.#isWatchedElsewhere) return
    for (const event of events) if (isShared(event)) this.#gather(event)
    if (this.#gathered.size > 0) this.#sendWake ??= this.#options.clock.after(GATHER_MS, () => this.#send())
  }

  #gather(event: SharedEvent): void {
    const subject = subjectOf(event)
    const earlier = this.#gathered.get(subject)
    if (earlier === undefined && this.#gathered.size >= EVENTS_KEPT) {
      this.#hasMore = true
      return
    }
    this.#gathered.delete(subject)
    this.#gathered.set(subject, earlier === undefined ? event : mergeEvents(earlier, event))
  }

  #send(): void {
    this.#sendWake = null
    const events = [...this.#gathered.values()]
    const more = this.#hasMore
    this.#gathered.clear()
    this.#hasMore = false
    for (let from = 0; from < events.length; from += EVENTS_IN_A_MESSAGE) {
      const isLast = from + EVENTS_IN_A_MESSAGE >= events.length
      this.#bus.publish('watchers', {
        kind: 'events',
        from: this.#options.runId,
        events: events.slice(from, from + EVENTS_IN_A_MESSAGE),
        more: more && isLast,
      })
    }
  }

  // ── incoming ──

  #hear(message: BusMessage): void {
    if (message.from === this.#options.runId) return
    if (message.kind === 'access') this.#options.events.emit([{ kind: 'accessChanged' }], 'elsewhere')
    if (message.kind === 'watching') this.#watchedUntil = this.#options.clock.monotonic() + UNSURE_MS
  }

  #hearEvents(message: BusMessage): void {
    if (message.from === this.#options.runId || message.kind !== 'events') return
    const isTooLong = message.events.length > EVENTS_IN_A_MESSAGE
    const events = message.events.slice(0, EVENTS_IN_A_MESSAGE).flatMap((value) => readEvent(value) ?? [])
    this.#options.events.emit(events, 'elsewhere')
    if (message.more || isTooLong) this.#options.events.emit([{ kind: 'lookAgain', lists: true }], 'elsewhere')
  }

  #listen(): void {
    if (this.#stopListening !== null) return
    this.#stopListening = this.#bus.listen('watchers', (message) => this.#hearEvents(message))
    // The others learn it with the next beat, which is up to two seconds off.
    this.#bus.publish('all', { kind: 'watching', from: this.#options.runId })
    this.#unsureUntil = this.#options.clock.monotonic() + UNSURE_MS
    this.#looks = 0
    this.#lookLater()
  }

  #leave(): void {
    this.#stopListening?.()
    this.#stopListening = null
    this.#lookWake?.cancel()
  }

  // ── what stands in for lost messages ──

  #lookLater(): void {
    this.#lookWake = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#lookLater()
      this.#look()
    })
  }

  #look(): void {
    this.#looks += 1
    if (!this.#isWatchedHere || this.#others.count === 0) return
    const now = this.#options.clock.monotonic()
    if (this.#isCutOff) this.#unsureUntil = now + UNSURE_MS
    const isUnsure = now < this.#unsureUntil
    if (isUnsure || this.#looks % NO_REASON_EVERY_LOOKS === 0)
      this.#options.events.emit([{ kind: 'lookAgain', lists: isUnsure && this.#looks % LISTS_EVERY_LOOKS === 0 }], 'elsewhere')
  }

  get #isCutOff(): boolean {
    const { bus, state } = this.#options.cluster
    return state !== 'ok' || !bus.isUp || !this.#others.areReached
  }
}
