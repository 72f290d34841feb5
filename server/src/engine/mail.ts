import type { Bus } from '../cluster/bus.ts'
import { IDS_IN_A_MESSAGE, type BusMessage } from '../cluster/messages.ts'
import { partsOf } from '../store/list.ts'
import type { Clock } from './clock.ts'
import { Pump } from './pump.ts'

/** What is not read yet is forgotten beyond this: a sweep finds it. */
const NEWS_KEPT = 20_000

export interface MailOptions {
  readonly runId: number
  readonly clock: Clock
  readonly bus: Bus
  /** who owns a slot as far as is known; null: nobody, or it is not known */
  readonly ownerOf: (slot: number) => number | null
  readonly onMembers: () => void
  readonly onExecutors: () => void
  readonly onSeries: (ids: readonly number[]) => Promise<void>
  readonly onRuns: (ids: readonly number[]) => Promise<void>
  readonly onSend: (from: number, ids: readonly number[]) => Promise<void>
  readonly onLending: (message: Extract<BusMessage, { kind: 'ask' | 'lend' | 'giveBack' }>) => void
  readonly onRoom: (groupIds: readonly number[]) => void
  readonly onTrouble: (error: unknown) => void
}

/**
 * The hints between nodes. Nothing waits for one, and a sweep stands in for each that is lost. What arrives is gathered, and read from the store one
 * batch after the other, so that a later read never gives way to an earlier one.
 */
export class Mail {
  readonly #options: MailOptions
  readonly #pump: Pump
  readonly #runs = new Set<number>()
  readonly #series = new Set<number>()
  readonly #sends = new Map<number, Set<number>>()
  #stopListening: (() => void)[] = []

  constructor(options: MailOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  open(): void {
    const { bus, runId } = this.#options
    const hear = (message: BusMessage): void => {
      if (message.from !== runId) this.#hear(message)
    }
    this.#stopListening = [bus.listen('all', hear), bus.listen(`node:${runId}`, hear)]
  }

  async close(): Promise<void> {
    for (const stop of this.#stopListening) stop()
    this.#stopListening = []
    await this.#pump.stop()
  }

  /** Runs of other nodes' slots were queued, changed, or ended. */
  runs(rows: readonly { readonly id: number; readonly slot: number }[]): void {
    const byOwner = new Map<number, number[]>()
    for (const { id, slot } of rows) {
      const owner = this.#options.ownerOf(slot)
      if (owner !== null) byOwner.set(owner, [...(byOwner.get(owner) ?? []), id])
    }
    for (const [owner, ids] of byOwner) this.#post(owner, 'runs', ids)
  }

  /** The cursors of series of another node's slot were moved. */
  series(slot: number, ids: readonly number[]): void {
    const owner = this.#options.ownerOf(slot)
    if (owner !== null) this.#post(owner, 'series', ids)
  }

  /** Runs were dispatched to executors of another node, or are to be stopped. */
  send(node: number, ids: readonly number[]): void {
    this.#post(node, 'send', ids)
  }

  /** Attempts at executors of another node have come to their end there, as was told here. */
  landed(node: number, ids: readonly number[]): void {
    this.#post(node, 'runs', ids)
  }

  /** Something about executors has changed. */
  executors(ids: readonly number[]): void {
    this.#options.bus.publish('all', { kind: 'executors', from: this.#options.runId, ids })
  }

  /** Attempts of groups that have a limit have ended. */
  room(groupIds: readonly number[]): void {
    for (const ids of partsOf(groupIds, IDS_IN_A_MESSAGE))
      this.#options.bus.publish('all', { kind: 'room', from: this.#options.runId, ids })
  }

  #post(to: number, kind: 'runs' | 'series' | 'send', ids: readonly number[]): void {
    if (to === this.#options.runId) return
    for (const part of partsOf(ids, IDS_IN_A_MESSAGE))
      this.#options.bus.publish(`node:${to}`, { kind, from: this.#options.runId, ids: part })
  }

  #hear(message: BusMessage): void {
    switch (message.kind) {
      case 'members':
        return this.#options.onMembers()
      case 'executors':
        return this.#options.onExecutors()
      case 'series':
        return this.#gather(this.#series, message.ids)
      case 'runs':
        return this.#gather(this.#runs, message.ids)
      case 'send': {
        const ids = this.#sends.get(message.from) ?? new Set()
        this.#sends.set(message.from, ids)
        return this.#gather(ids, message.ids)
      }
      case 'room':
        return this.#options.onRoom(message.ids)
      case 'ask':
      case 'lend':
      case 'giveBack':
        return this.#options.onLending(message)
      default:
    }
  }

  #gather(known: Set<number>, ids: readonly number[]): void {
    for (const id of ids) if (known.size < NEWS_KEPT) known.add(id)
    this.#pump.kick()
  }

  async #turn(): Promise<boolean> {
    await this.#options.clock.breathe()
    for (const [from, ids] of [...this.#sends]) {
      this.#sends.delete(from)
      await this.#options.onSend(from, [...ids])
    }
    const runs = taken(this.#runs)
    if (runs.length > 0) await this.#options.onRuns(runs)
    const series = taken(this.#series)
    if (series.length > 0) await this.#options.onSeries(series)
    return this.#sends.size + this.#runs.size + this.#series.size > 0
  }
}

function taken(ids: Set<number>): number[] {
  const all = [...ids]
  ids.clear()
  return all
}
