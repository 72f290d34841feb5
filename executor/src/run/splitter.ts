/**
 * What a run splits off while it goes on. Items are gathered into shards, and shards into numbered frames that leave as they fill up. At most four frames
 * of an attempt are on their way: whoever splits faster than the server writes, waits. They stand in memory only, and the attempt does not end before the
 * server has them: a process that is killed before has lost the attempt, which begins anew.
 */
import { MAP_LIMITS, MAX_SHARDS, type MapEnd, type MappedShard, type Verdict } from '@tickwheel/contract'
import { messageOf } from '../logger.ts'
import { RunFailure } from './run.ts'

export interface MapOptions<Item = unknown> {
  /** how many items a shard gets, from 1; default 1. One that would have more than 64 KiB of JSON gets fewer. */
  readonly size?: number
  /** what a person looks for to find the shard of an item; at most 200 characters count. Default: its text. */
  readonly key?: (item: Item) => string
}

export type Items<Item> = Iterable<Item> | AsyncIterable<Item>

export interface SplitterOptions {
  /** sends a frame, and tells what the server made of it */
  readonly send: (seq: number, shards: readonly MappedShard[], judged: (verdict: Verdict) => void) => void
  /** why this run cannot be split; null: it can */
  readonly objection: () => string | null
  readonly signal: AbortSignal
}

const FRAMES_ON_THEIR_WAY = 4

export class Splitter {
  readonly #options: SplitterOptions
  #shards = 0
  #seq = 0
  #onTheirWay = 0
  #calls = 0
  #failure: Error | null = null
  #wantsResults = false
  #waiters: (() => void)[] = []

  constructor(options: SplitterOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** What the end of the attempt says of it; undefined: it has split nothing. */
  get end(): MapEnd | undefined {
    return this.#shards > 0 || this.#wantsResults ? { shards: this.#shards, reduce: this.#wantsResults } : undefined
  }

  /** When all shards have ended, one more attempt combines their results. */
  wantResults(): void {
    this.#checkMay()
    this.#wantsResults = true
  }

  /** Resolves to how many shards were made of the items, when the server has them all. Throws RunFailure, or the reason of the signal. */
  async map(items: Items<unknown>, options: MapOptions<never> = {}): Promise<number> {
    this.#calls += 1
    try {
      return await this.#map(items, options)
    } catch (thrown) {
      // some items are no shards: the run must not go on without them, whatever its function makes of it
      this.#failure ??= thrown instanceof Error ? thrown : new Error(messageOf(thrown))
      throw thrown
    } finally {
      this.#calls -= 1
      this.#wake()
    }
  }

  /** Resolves when every item is with the server, also of calls that nobody waited for. Throws when one of them failed. */
  async settled(): Promise<void> {
    while (this.#calls > 0) await this.#change()
    this.#checkTaken()
  }

  async #map(items: Items<unknown>, { size = 1, key = keyOf }: MapOptions<never>): Promise<number> {
    if (!Number.isSafeInteger(size) || size < 1) throw new TypeError(`run.map: expected a size from 1 on, got ${String(size)}`)
    this.#checkMay()
    const [frame, shard] = [new Gathered(), new Gathered()]
    let made = 0
    const closeShard = async (): Promise<void> => {
      if (shard.isEmpty) return
      if (!frame.takes(shard.bytes, MAP_LIMITS.shardsPerFrame, MAP_LIMITS.frameBytes)) await this.#send(frame)
      this.#count()
      made += 1
      frame.add(shardOf(shard, key as (item: unknown) => unknown), shard.bytes)
      shard.clear()
    }
    for await (const item of items) {
      const bytes = bytesOf(item)
      if (!shard.takes(bytes, size, MAP_LIMITS.shardBytes)) await closeShard()
      shard.add(item, bytes)
    }
    await closeShard()
    await this.#send(frame)
    while (this.#onTheirWay > 0) await this.#change()
    this.#checkTaken()
    return made
  }

  async #send(frame: Gathered): Promise<void> {
    if (frame.isEmpty) return
    while (this.#onTheirWay >= FRAMES_ON_THEIR_WAY) await this.#change()
    this.#checkTaken()
    this.#seq += 1
    this.#onTheirWay += 1
    // safe: a frame gathers what shardOf makes
    this.#options.send(this.#seq, frame.things as MappedShard[], (verdict) => this.#judged(verdict))
    frame.clear()
  }

  #judged(verdict: Verdict): void {
    this.#onTheirWay -= 1
    if (verdict !== 'done' && verdict !== 'already') this.#failure ??= refused(verdict)
    this.#wake()
  }

  #count(): void {
    this.#shards += 1
    if (this.#shards > MAX_SHARDS)
      throw new RunFailure('MAP_TOO_MANY', `a run has at most ${String(MAX_SHARDS)} shards: give each of them more items (size)`)
  }

  async #change(): Promise<void> {
    const { signal } = this.#options
    signal.throwIfAborted()
    await new Promise<void>((resolve) => this.#waiters.push(resolve))
    signal.throwIfAborted()
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #checkTaken(): void {
    if (this.#failure !== null) throw this.#failure
  }

  #checkMay(): void {
    const why = this.#options.objection()
    if (why !== null) throw new RunFailure('MAP_UNSUPPORTED', why)
    this.#checkTaken()
  }
}

/** Things that go together, up to a bound. */
class Gathered {
  things: unknown[] = []
  bytes = 0

  get isEmpty(): boolean {
    return this.things.length === 0
  }

  takes(bytes: number, maxThings: number, maxBytes: number): boolean {
    return this.isEmpty || (this.things.length < maxThings && this.bytes + bytes <= maxBytes)
  }

  add(thing: unknown, bytes: number): void {
    this.things.push(thing)
    this.bytes += bytes
  }

  clear(): void {
    this.things = []
    this.bytes = 0
  }
}

/** comma or brackets around an item, and what a frame adds to a shard */
const AROUND_BYTES = 3

function bytesOf(item: unknown): number {
  const bytes = Buffer.byteLength(jsonOf(item)) + AROUND_BYTES
  if (bytes > MAP_LIMITS.shardBytes)
    throw new RunFailure(
      'MAP_ITEM_INVALID',
      `an item has ${String(bytes)} bytes of JSON; at most ${String(MAP_LIMITS.shardBytes)} are taken`,
    )
  return bytes
}

function jsonOf(item: unknown): string {
  try {
    // stringify answers undefined for undefined, functions and symbols, whatever its type says
    const text: unknown = JSON.stringify(item)
    if (typeof text === 'string') return text
  } catch (thrown) {
    throw new RunFailure('MAP_ITEM_INVALID', `an item cannot be written as JSON: ${messageOf(thrown)}`)
  }
  throw new RunFailure('MAP_ITEM_INVALID', `an item cannot be written as JSON: it is ${typeof item}`)
}

/** `key` may be anything: applications in plain JavaScript give numbers, too. */
function shardOf({ things }: Gathered, key: (item: unknown) => unknown): MappedShard {
  const [first, last] = [things[0], things.at(-1)]
  const text = things.length === 1 ? String(key(first)) : `${String(key(first))}..${String(key(last))}`
  return { key: cut(text), items: things }
}

function keyOf(item: unknown): string {
  return typeof item === 'string' ? item : jsonOf(item)
}

/** Whole characters only. */
function cut(text: string): string {
  return text.length <= MAP_LIMITS.keyLength ? text : [...text.slice(0, MAP_LIMITS.keyLength)].slice(0, -1).join('')
}

function refused(verdict: Verdict): RunFailure {
  return verdict === 'bad'
    ? new RunFailure(
        'MAP_REFUSED',
        'the server did not take the shards: it is of an older release, or a node of its cluster is: upgrade it',
      )
    : new RunFailure('MAP_REFUSED', 'the server does not count on this attempt any more')
}
