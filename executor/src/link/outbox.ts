/**
 * Everything that must reach the server and be acknowledged. Each attempt has a lane in which its frames keep their order; lanes take turns,
 * so that the lines of one run do not hold up the end of another. At most 1,000 frames or 8 MiB are on their way; an eighth of that is kept
 * free of log chunks. What is on its way when a connection ends goes back to the head of its lane.
 *
 * Bodies stand in the spool; up to 8 MiB of them are also kept in memory. A body is the text of the frame without its opening brace.
 */
import { FRAME_LIMITS, type Verdict } from '@tickwheel/contract'
import type { SpoolEntry } from '../spool/segments.ts'
import { Queue } from './queue.ts'

/** A frame that waits for its acknowledgement. */
export interface Item {
  readonly lane: string
  readonly isLog: boolean
  /** shards that a run splits off: a server of an older release refuses such frames without naming them */
  readonly isMap?: true
  readonly bytes: number
  /** null: read it from the spool */
  body: string | null
  readonly entry: SpoolEntry | null
  /** the server has judged it; it is gone from here and from the spool */
  readonly judged?: ((verdict: Verdict) => void) | undefined
}

export interface Outgoing {
  readonly n: number
  readonly text: string
}

const CACHE_BYTES = 8_388_608
const LOG_SHARE = 0.875
const CONGESTED_BYTES = 1_048_576
const RELIEVED_BYTES = 524_288

class Lane {
  readonly key: string
  readonly items = new Queue<Item>()
  bytes = 0
  /** whether it stands in the turn */
  isInTurn = false
  waiters: (() => void)[] = []

  constructor(key: string) {
    this.key = key
  }
}

export class Outbox {
  readonly #lanes = new Map<string, Lane>()
  /** lanes that have something to send, whose turn it is first (walking over the map itself would pass its deleted entries every time) */
  readonly #turn = new Queue<Lane>()
  readonly #inFlight = new Map<number, Item>()
  #inFlightBytes = 0
  #inFlightLogs = { frames: 0, bytes: 0 }
  #cachedBytes = 0
  #queued = 0
  #nextN = 1
  #isFlowing = false
  #wake: () => void = () => undefined
  #emptied: (() => void)[] = []

  /** Called whenever there may be something to send. */
  onReady(wake: () => void): void {
    this.#wake = wake
  }

  get isEmpty(): boolean {
    return this.#queued === 0 && this.#inFlight.size === 0
  }

  get size(): number {
    return this.#queued + this.#inFlight.size
  }

  push(item: Item): void {
    const lane = this.#lane(item.lane)
    this.#cache(item)
    lane.items.push(item)
    lane.bytes += item.bytes
    this.#queued += 1
    this.#enter(lane)
    this.#wake()
  }

  /** The next frame that fits into the window, or null. */
  next(): Outgoing | null {
    for (let looked = this.#turn.size; looked > 0; looked -= 1) {
      const lane = this.#turn.shift()
      if (lane === undefined) return null
      lane.isInTurn = false
      const item = this.#takeFrom(lane)
      if (item !== null) return this.#launch(item)
      if (this.#isWindowFull) return null
    }
    return null
  }

  acknowledge(n: number, verdict: Verdict): void {
    const item = this.#inFlight.get(n)
    if (item === undefined) return
    this.#inFlight.delete(n)
    this.#count(item, -1)
    this.#uncache(item)
    item.entry?.segment.release()
    item.judged?.(verdict)
    if (this.isEmpty) for (const resolve of this.#emptied.splice(0)) resolve()
  }

  /** The server does not know frames of this type: those on their way will never be judged. */
  refusedMaps(): void {
    for (const [n, item] of [...this.#inFlight]) if (item.isMap === true) this.acknowledge(n, 'bad')
  }

  /** The connection is gone: what was on its way has to be sent again, with new numbers. */
  rewind(): void {
    this.#nextN = 1
    const items = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const item of items) {
      this.#count(item, -1)
      this.#queued += 1
    }
    for (const [key, ofLane] of Map.groupBy(items, (item) => item.lane)) {
      const lane = this.#lane(key)
      lane.items.unshift(ofLane)
      lane.bytes += ofLane.reduce((sum, item) => sum + item.bytes, 0)
      this.#enter(lane)
    }
  }

  /** Whether the server takes frames and acknowledges them. While it does not, writers are not held up: the spool takes their lines. */
  setFlowing(isFlowing: boolean): void {
    this.#isFlowing = isFlowing
    if (!isFlowing) for (const lane of this.#lanes.values()) this.#relieve(lane)
  }

  isCongested(key: string): boolean {
    return this.#isFlowing && (this.#lanes.get(key)?.bytes ?? 0) > CONGESTED_BYTES
  }

  /** Resolves when the lane is no longer congested. */
  relieved(key: string): Promise<void> {
    if (!this.isCongested(key)) return Promise.resolve()
    return new Promise((resolve) => this.#lane(key).waiters.push(resolve))
  }

  /** Resolves when everything was acknowledged. */
  emptied(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    return new Promise((resolve) => this.#emptied.push(resolve))
  }

  #lane(key: string): Lane {
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const lane = new Lane(key)
    this.#lanes.set(key, lane)
    return lane
  }

  #fits(item: Item): boolean {
    const { unacknowledgedFrames: frames, unacknowledgedBytes: bytes } = FRAME_LIMITS
    // the first frame always fits, or one that is larger than the window would never leave
    if (this.#inFlight.size === 0) return true
    if (this.#inFlight.size >= frames || this.#inFlightBytes + item.bytes > bytes) return false
    return !item.isLog || (this.#inFlightLogs.frames < frames * LOG_SHARE && this.#inFlightLogs.bytes + item.bytes <= bytes * LOG_SHARE)
  }

  /** Takes the head of the lane when it fits; the lane goes to the end of the turn, or away when nothing is left in it. */
  #takeFrom(lane: Lane): Item | null {
    const head = lane.items.peek()
    const item = head !== undefined && this.#fits(head) ? lane.items.shift() : undefined
    if (item !== undefined) {
      lane.bytes -= item.bytes
      this.#queued -= 1
      if (lane.bytes <= RELIEVED_BYTES) this.#relieve(lane)
    }
    if (lane.items.size > 0) this.#enter(lane)
    else this.#lanes.delete(lane.key)
    return item ?? null
  }

  #enter(lane: Lane): void {
    if (lane.isInTurn) return
    lane.isInTurn = true
    this.#turn.push(lane)
  }

  get #isWindowFull(): boolean {
    return this.#inFlight.size >= FRAME_LIMITS.unacknowledgedFrames
  }

  #launch(item: Item): Outgoing {
    const n = this.#nextN
    this.#nextN += 1
    this.#inFlight.set(n, item)
    this.#count(item, 1)
    const body = item.body ?? textOf(item).slice(1)
    if (item.entry !== null) this.#uncache(item)
    return { n, text: `{"n":${String(n)},${body}` }
  }

  #relieve(lane: Lane): void {
    for (const resolve of lane.waiters.splice(0)) resolve()
  }

  #count(item: Item, sign: 1 | -1): void {
    this.#inFlightBytes += sign * item.bytes
    if (item.isLog) this.#inFlightLogs = { frames: this.#inFlightLogs.frames + sign, bytes: this.#inFlightLogs.bytes + sign * item.bytes }
  }

  /** Keeps the body in memory while there is room; without a place in the spool it stays in any case. */
  #cache(item: Item): void {
    if (item.body === null) return
    if (item.entry !== null && this.#cachedBytes + item.bytes > CACHE_BYTES) item.body = null
    else this.#cachedBytes += item.bytes
  }

  #uncache(item: Item): void {
    if (item.body === null) return
    this.#cachedBytes -= item.bytes
    if (item.entry !== null) item.body = null
  }
}

/** The spool holds whole frames. */
function textOf(item: Item): string {
  if (item.entry === null) throw new Error('a frame without a place in the spool lost its body')
  return item.entry.segment.read(item.entry)
}
