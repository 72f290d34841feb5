import type { Chance } from '../kit/chance.ts'
import { latency } from './sim-database.ts'
import type { SimProcess } from './sim-process.ts'
import type { Timeline } from './timeline.ts'
import { CLOSE } from './up-frame.ts'
import type { Rates } from './weather.ts'

/** One end of a wire: what it does with what arrives. */
export interface WireEnd {
  readonly process: SimProcess
  receive(frame: object): void
  /** the connection is gone; `code` as in frames.ts, 1006: it broke */
  closed(code: number): void
}

interface Way {
  readonly queue: object[]
  /** nothing is delivered before this: frames keep their order */
  freeAt: number
}

/**
 * One connection between an executor and a node, like TCP: frames keep their order and arrive or the connection breaks. It can also fall silent, so that
 * neither side is told.
 */
export class Wire {
  readonly #timeline: Timeline
  readonly #chance: Chance
  readonly #rates: Rates
  readonly #ways = new Map<WireEnd, Way>()
  readonly #ends: readonly [WireEnd, WireEnd]
  readonly #told = new Set<WireEnd>()
  isOpen = true
  isSilent = false

  constructor({ timeline, chance, rates, ends }: { timeline: Timeline; chance: Chance; rates: Rates; ends: readonly [WireEnd, WireEnd] }) {
    this.#timeline = timeline
    this.#chance = chance
    this.#rates = rates
    this.#ends = ends
    for (const end of ends) {
      this.#ways.set(end, { queue: [], freeAt: 0 })
      end.process.onDeath(() => this.close(1006))
    }
  }

  /** To the other end than `from`. */
  send(from: WireEnd, frame: object): void {
    const to = this.#other(from)
    const way = this.#ways.get(to)
    if (!this.isOpen || from.process.isDead || way === undefined) return
    const ms = this.#chance.next() < this.#rates.frameLate ? this.#chance.between(20, 2000) : latency(this.#chance)
    way.freeAt = Math.max(way.freeAt, this.#timeline.now + ms)
    way.queue.push(frame)
    this.#timeline.after(way.freeAt - this.#timeline.now, to.process, () => {
      const next = way.queue.shift()
      if (next !== undefined && this.isOpen && !this.isSilent) to.receive(next)
    })
  }

  /** Ends the connection; both sides are told, unless it is silent: then each finds out by itself. Who ends it knows at once. */
  close(code: number, by: WireEnd | null = null): void {
    if (by !== null) this.#tell(by, CLOSE.broken, 0)
    if (!this.isOpen) return
    this.isOpen = false
    for (const end of this.#ends) this.#tell(end, code, this.isSilent ? this.#chance.between(5000, 20_000) : latency(this.#chance))
  }

  #tell(end: WireEnd, code: number, ms: number): void {
    this.#timeline.after(ms, end.process, () => {
      if (this.#told.has(end)) return
      this.#told.add(end)
      end.closed(code)
    })
  }

  /** What is sent from now on is lost, and nobody is told. */
  silence(): void {
    this.isSilent = true
  }

  #other(end: WireEnd): WireEnd {
    return end === this.#ends[0] ? this.#ends[1] : this.#ends[0]
  }
}
