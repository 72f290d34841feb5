import { VERDICTS, type Beat, type Cancel, type Dispatch, type Finished, type RejectCode, type RunningAttempt } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'
import type { Session } from '../../server/src/link/link.ts'
import type { Execution, Executions } from './executions.ts'
import { mapOf, mapFramesOf } from './map-tasks.ts'
import { T0 } from './sim-database.ts'
import type { SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'
import { CLOSE, isServerFrame, type UpFrame } from './up-frame.ts'
import type { Wire, WireEnd } from './wire.ts'
import type { Rates } from './weather.ts'

const HEARTBEAT_MS = 5000
const SILENT_MS = 5000
const LONELY_MS = 12_000
const FRAME_AGE_MS = 10_000
const REMEMBERED_MS = 30_000
const CANCEL_REMEMBERED_MS = 60_000
const REQUEST_MS = 10_000

/** What an executor says of itself; `processKey`: the same in each registration of one process. */
export interface Registration {
  readonly name: string
  readonly capacity: number
  readonly bootId: number | null
  readonly processKey: string
}

/** Where an executor can go: one for each node that it knows. */
export interface Door {
  register(registration: Registration): Promise<Session | 'unreachable' | 'superseded'>
  accept(executor: WireEnd): Wire | null
}

type Unnumbered<T> = T extends { n: number } ? Omit<T, 'n'> : never
export type SpooledEnd = Unnumbered<Finished>

interface Item {
  readonly frame: Unnumbered<UpFrame>
  readonly judged: (verdict: string) => void
}

interface Known {
  state: 'open' | 'ended' | 'rejected'
  readonly dispatch: Dispatch
  execution: Execution | null
  end: SpooledEnd | null
  rejection: RejectCode | null
  stopping: boolean
  isJudged: boolean
  forgetAt: number
  /** what it splits off and is not judged yet; the end waits for it */
  mapping: number
  isMapRefused: boolean
  endWaits: boolean
}

export interface ExecutorProcessOptions {
  readonly name: string
  readonly capacity: number
  /** how far its machine's clock is off, ms */
  readonly clockOff: number
  readonly timeline: Timeline
  readonly chance: Chance
  readonly rates: Rates
  readonly trace: Trace
  readonly process: SimProcess
  readonly doors: () => readonly Door[]
  readonly executions: Executions
  /** results that stand on its disk; those of dead processes are delivered first */
  readonly spool: Map<string, SpooledEnd>
  readonly orphans: SpooledEnd[]
  /** plants a fault: runs a repeated dispatch again */
  readonly runsTwice?: boolean | undefined
}

/** One start of an executor, by the rules of storage.md ("when an attempt may be sent again") and of the SDK's link. */
export class ExecutorProcess implements WireEnd {
  readonly #options: ExecutorProcessOptions
  readonly #known = new Map<string, Known>()
  readonly #canceledFirst = new Map<string, number>()
  readonly #outbox = new Set<Item>()
  readonly #sent = new Map<number, Item>()
  #session: Session | null = null
  #bootId: number | null = null
  #wire: Wire | null = null
  #isWelcome = false
  #door = 0
  #tries = 0
  #n = 0
  #undelivered: number
  #hasRecovered = false
  #unanswered: number[] = []
  #lastSignAt: number | null = null
  #awaySince: number | null = null
  #offsets: number[] = []
  #isOver = false
  /** no connection comes about before this */
  isolatedUntil = 0

  constructor(options: ExecutorProcessOptions) {
    this.#options = options
    const { orphans } = options
    this.#undelivered = orphans.length
    for (const frame of orphans) this.#push(frame, () => (this.#undelivered -= 1))
  }

  get process(): SimProcess {
    return this.#options.process
  }

  get session(): Session | null {
    return this.#session
  }

  get running(): number {
    return this.#open().length
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** How much it keeps, for the bounds. */
  get kept(): number {
    return this.#known.size + this.#outbox.size
  }

  get wire(): Wire | null {
    return this.#wire
  }

  start(): void {
    void this.#connect()
  }

  // ── the link ──

  async #connect(): Promise<void> {
    const { timeline, name, capacity } = this.#options
    if (this.#isOver) return
    const doors = this.#options.doors()
    const door = doors[this.#door % Math.max(1, doors.length)]
    if (door === undefined || timeline.now < this.isolatedUntil) return this.#later()
    if (this.#session === null) {
      const answer = await Promise.race([
        door.register({ name, capacity, bootId: this.#bootId, processKey: this.#name }),
        timeline.sleep(REQUEST_MS, this.process).then(() => 'unreachable' as const),
      ])
      if (answer === 'superseded') return this.#supersede()
      if (answer === 'unreachable') return this.#later()
      this.#session = answer
      this.#bootId = answer.bootId
    }
    this.#join(door, this.#session)
  }

  #join(door: Door, session: Session): void {
    const wire = door.accept(this)
    if (wire === null) return this.#later()
    this.#wire = wire
    this.#unanswered = [this.#options.timeline.now]
    wire.send(this, {
      type: 'hello',
      version: 1,
      ...session,
      token: `${session.executorId}.${session.bootId}`,
      running: this.#running(),
      at: this.#now(),
    } satisfies UpFrame)
    this.#options.timeline.after(REQUEST_MS, this.process, () => {
      if (this.#wire === wire && !this.#isWelcome) wire.close(CLOSE.broken, this)
    })
  }

  #later(): void {
    const { timeline, chance } = this.#options
    this.#door += 1
    this.#tries += 1
    const ceiling = Math.min(5000, 200 * 2 ** Math.min(this.#tries + 1, 16))
    timeline.after(200 + chance.next() * (ceiling - 200), this.process, () => void this.#connect())
  }

  closed(code: number): void {
    this.#wire = null
    this.#isWelcome = false
    this.#unanswered = []
    this.#awaySince = null
    this.#sent.clear()
    this.#options.trace.line(() => `${this.#name} has lost its link (${code})`)
    if (code === CLOSE.sessionUnknown) this.#session = null
    if (code === CLOSE.superseded) return this.#supersede()
    this.#later()
  }

  #supersede(): void {
    this.#options.trace.line(() => `${this.#name} is superseded`)
    this.#isOver = true
    for (const known of this.#open()) this.#stop(known, 'failed')
    this.#options.timeline.after(200, this.process, () => this.process.kill())
  }

  receive(frame: object): void {
    if (!isServerFrame(frame)) throw new Error(`not a frame: ${JSON.stringify(frame)}`)
    switch (frame.type) {
      case 'welcome':
        return this.#welcome(frame.at)
      case 'dispatch':
        return this.#dispatch(frame)
      case 'cancel':
        return this.#cancelFrame(frame)
      case 'ack':
        for (const [n, place] of frame.acks) this.#acknowledge(n, VERDICTS[place] ?? '')
        return
      case 'beat':
        return this.#beat(frame)
      case 'drain':
        return
    }
  }

  #welcome(at: number): void {
    this.#isWelcome = true
    this.#tries = 0
    this.#learn(at)
    this.#sign(this.#unanswered.shift() ?? null)
    this.#heartbeat(this.#wire)
    for (const item of this.#outbox) this.#transmit(item)
    this.#tellRecovered()
  }

  #heartbeat(wire: Wire | null): void {
    const { timeline } = this.#options
    if (wire === null || this.#wire !== wire) return
    const sentAt = timeline.now
    this.#unanswered.push(sentAt)
    const running = this.#running()
    wire.send(this, {
      type: 'heartbeat',
      at: this.#now(),
      running,
      load: { cpu: 0, memory: 0, running: this.running, queued: 0 },
    } satisfies UpFrame)
    timeline.after(SILENT_MS, this.process, () => {
      const oldest = this.#unanswered[0]
      if (this.#wire === wire && oldest !== undefined && oldest <= sentAt) wire.close(CLOSE.broken, this)
    })
    timeline.after(HEARTBEAT_MS, this.process, () => this.#heartbeat(wire))
  }

  #beat({ at, store, cancel, unknown }: Beat): void {
    const { timeline } = this.#options
    this.#learn(at)
    this.#sign(this.#unanswered.shift() ?? null)
    if (store === 'ok') this.#awaySince = null
    else if (this.#awaySince === null) {
      const since = timeline.now
      const wire = this.#wire
      this.#awaySince = since
      timeline.after(SILENT_MS, this.process, () => {
        if (this.#awaySince === since && this.#wire === wire) wire?.close(CLOSE.broken, this)
      })
    }
    for (const key of cancel) this.#cancel(key)
    for (const key of unknown) this.#stop(this.#known.get(laneOf(key)), 'canceled')
  }

  /** An answer has come to what was sent then: while no newer one comes, others may think this executor lost. */
  #sign(sentAt: number | null): void {
    const { timeline } = this.#options
    if (sentAt === null || (this.#lastSignAt !== null && sentAt <= this.#lastSignAt)) return
    this.#lastSignAt = sentAt
    timeline.after(sentAt + LONELY_MS - timeline.now, this.process, () => {
      if (this.#lastSignAt !== sentAt) return
      for (const known of this.#open()) if (known.dispatch.movable) this.#stop(known, 'failed')
    })
  }

  #push(frame: Unnumbered<UpFrame>, judged: (verdict: string) => void = () => undefined): void {
    const item = { frame, judged }
    this.#outbox.add(item)
    if (this.#isWelcome) this.#transmit(item)
  }

  #transmit(item: Item): void {
    this.#n += 1
    this.#sent.set(this.#n, item)
    this.#wire?.send(this, { ...item.frame, n: this.#n })
  }

  #acknowledge(n: number, verdict: string): void {
    const item = this.#sent.get(n)
    if (item === undefined) return
    this.#sent.delete(n)
    this.#outbox.delete(item)
    const { frame } = item
    if (frame.type === 'finished') {
      this.#options.spool.delete(laneOf(frame))
      this.#options.executions.acknowledged.push({
        instanceId: frame.instanceId,
        attempt: frame.attempt,
        outcome: frame.outcome,
        verdict,
        at: this.#options.timeline.now,
      })
    }
    item.judged(verdict)
    this.#tellRecovered()
  }

  #tellRecovered(): void {
    const session = this.#session
    if (this.#undelivered > 0 || this.#hasRecovered || session === null || !this.#isWelcome) return
    this.#hasRecovered = true
    this.#push({ type: 'recovered', bootId: session.bootId })
  }

  // ── attempts ──

  #dispatch(dispatch: Dispatch): void {
    const known = this.#known.get(laneOf(dispatch))
    if (dispatch.bootId !== this.#bootId) return this.#reject(dispatch, 'otherBoot', false)
    if (known !== undefined && this.#options.runsTwice !== true) return this.#repeat(known)
    const objection = this.#objection(dispatch)
    if (objection !== null) return this.#reject(dispatch, objection, true)
    this.#accept(dispatch)
  }

  #objection(dispatch: Dispatch): RejectCode | null {
    const { timeline, chance, rates, capacity } = this.#options
    const canceledAt = this.#canceledFirst.get(laneOf(dispatch))
    if (this.#serverNow() - dispatch.at > FRAME_AGE_MS) return 'tooOld'
    if (canceledAt !== undefined && timeline.now - canceledAt < CANCEL_REMEMBERED_MS) return 'canceledFirst'
    if (this.#isOver) return 'draining'
    return this.running >= capacity || chance.next() < rates.rejected ? 'capacity' : null
  }

  #accept(dispatch: Dispatch): void {
    const { timeline, chance } = this.#options
    const known: Known = { ...blank(dispatch), state: 'open' }
    this.#known.set(laneOf(dispatch), known)
    this.#push({ type: 'accepted', ...keyOf(dispatch), at: this.#now() })
    const pauses = this.process.pauseCount
    timeline.after(chance.next() < 0.8 ? 0 : chance.between(1, 300), this.process, () => this.#run(known, pauses))
  }

  #run(known: Known, pausesBefore: number): void {
    const { timeline, chance, rates, executions, name, process } = this.#options
    const { dispatch } = known
    if (known.state !== 'open' || known.stopping) return
    known.execution = executions.begin({
      ...keyOf(dispatch),
      executor: name,
      bootId: dispatch.bootId,
      process,
      isMovable: dispatch.movable,
      startedAt: timeline.now,
      pausesBefore,
    })
    const { execution } = known
    process.onDeath(() => executions.end(execution, timeline.now))
    this.#options.trace.line(() => `${this.#name} runs ${laneOf(dispatch)}`)
    this.#push({ type: 'started', ...keyOf(dispatch), at: this.#now() })
    for (const frame of mapFramesOf(dispatch)) {
      known.mapping += 1
      this.#push(frame, (verdict) => this.#mapJudged(known, verdict))
    }
    const outcome = chance.next() < rates.failed ? 'failed' : 'succeeded'
    timeline.after(durationMs(chance, rates.long), process, () => this.#end(known, outcome))
    if (dispatch.timeoutMs > 0) timeline.after(dispatch.timeoutMs, process, () => this.#stop(known, 'timedOut'))
  }

  #mapJudged(known: Known, verdict: string): void {
    known.mapping -= 1
    if (verdict !== 'done' && verdict !== 'already') known.isMapRefused = true
    if (known.mapping === 0 && known.endWaits) this.#end(known, 'succeeded')
  }

  #stop(known: Known | undefined, outcome: Finished['outcome']): void {
    const { timeline, chance, process } = this.#options
    if (known?.state !== 'open' || known.stopping) return
    known.stopping = true
    timeline.after(chance.between(0, 50), process, () => this.#end(known, outcome))
  }

  #end(known: Known, outcome: Finished['outcome']): void {
    const { timeline, executions, spool } = this.#options
    if (known.state !== 'open') return
    const { dispatch, execution } = known
    if (outcome === 'succeeded' && known.mapping > 0) {
      known.endWaits = true
      return
    }
    const map = mapOf(dispatch)
    const end = outcome === 'succeeded' && known.isMapRefused ? 'failed' : outcome
    if (execution !== null) executions.end(execution, timeline.now)
    const at = this.#now()
    const startedAt = execution === null ? null : at - (timeline.now - execution.startedAt)
    const frame: SpooledEnd = {
      type: 'finished',
      ...keyOf(dispatch),
      at,
      startedAt,
      bootId: dispatch.bootId,
      outcome: end,
      ...(map === null || end !== 'succeeded' ? {} : { map }),
    }
    known.state = 'ended'
    known.end = frame
    spool.set(laneOf(dispatch), frame)
    this.#options.trace.line(() => `${this.#name} ends ${laneOf(dispatch)}: ${end}`)
    this.#push(frame, () => this.#judged(known))
  }

  #repeat(known: Known): void {
    const key = keyOf(known.dispatch)
    if (known.state === 'open') {
      this.#push({ type: 'accepted', ...key, at: this.#now() })
      if (known.execution !== null) this.#push({ type: 'started', ...key, at: this.#now() })
      return
    }
    // what was not acknowledged is on its way already
    if (!known.isJudged) return
    if (known.end !== null) this.#push(known.end)
    else if (known.rejection !== null) this.#push({ type: 'rejected', ...key, at: this.#now(), code: known.rejection, detail: '' })
  }

  #reject(dispatch: Dispatch, code: RejectCode, isRemembered: boolean): void {
    const known: Known = { ...blank(dispatch), state: 'rejected', rejection: code }
    if (isRemembered) this.#known.set(laneOf(dispatch), known)
    this.#options.trace.line(() => `${this.#name} rejects ${laneOf(dispatch)}: ${code}`)
    this.#push({ type: 'rejected', ...keyOf(dispatch), at: this.#now(), code, detail: '' }, () => this.#judged(known))
  }

  #judged(known: Known): void {
    const { timeline } = this.#options
    known.isJudged = true
    known.forgetAt = timeline.now + REMEMBERED_MS
    for (const [lane, one] of this.#known) if (one.forgetAt <= timeline.now) this.#known.delete(lane)
  }

  #cancelFrame(cancel: Cancel): void {
    if (cancel.bootId === this.#bootId) this.#cancel(cancel)
  }

  #cancel(key: RunningAttempt): void {
    const known = this.#known.get(laneOf(key))
    if (known === undefined) this.#canceledFirst.set(laneOf(key), this.#options.timeline.now)
    else this.#stop(known, 'canceled')
  }

  #open(): Known[] {
    return [...this.#known.values()].filter((known) => known.state === 'open')
  }

  /** What the server may count on being here: what runs, and what has ended and was not acknowledged. */
  #running(): RunningAttempt[] {
    return [...this.#known.values()]
      .filter((known) => known.state === 'open' || (known.state === 'ended' && !known.isJudged))
      .map((known) => keyOf(known.dispatch))
  }

  #learn(at: number): void {
    this.#offsets.push(at - this.#options.timeline.now)
    if (this.#offsets.length > 12) this.#offsets.shift()
  }

  /** Its machine's clock. */
  #now(): number {
    return T0 + this.#options.timeline.now + this.#options.clockOff
  }

  #serverNow(): number {
    return Math.floor(this.#options.timeline.now + (this.#offsets.length === 0 ? T0 + this.#options.clockOff : Math.max(...this.#offsets)))
  }

  get #name(): string {
    return this.process.name
  }
}

function blank(dispatch: Dispatch): Omit<Known, 'state'> {
  return {
    dispatch,
    execution: null,
    end: null,
    rejection: null,
    stopping: false,
    isJudged: false,
    forgetAt: Infinity,
    mapping: 0,
    isMapRefused: false,
    endWaits: false,
  }
}

function durationMs(chance: Chance, long: number): number {
  const one = chance.next()
  if (one >= long) return chance.between(2, 300)
  return one > long / 5 ? chance.between(300, 3000) : chance.between(3000, 15_000)
}

function laneOf({ instanceId, attempt }: RunningAttempt): string {
  return `${instanceId}/${attempt}`
}

function keyOf({ instanceId, attempt }: RunningAttempt): RunningAttempt {
  return { instanceId, attempt }
}
