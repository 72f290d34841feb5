import { SLOT_COUNT } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { SCHEMA_LEVEL } from '../store/migrate.ts'
import { addNode, beatNode, pruneNodes, releaseSlots, takeSlots, type Fences } from '../store/slots.ts'
import type { Clock, Wake } from './clock.ts'

const BEAT_MS = 1000
/** A node stops firing by itself so long after it sent its last successful beat: before its slots can be taken (lease 3 s). */
const TRUST_MS = 2500
const NODE_KEPT_MS = 86_400_000

export interface NodeIdentity {
  readonly runId: number
  readonly name: string
  readonly version: string
}

/**
 * Which slots this node owns, under which fences, and whether it may still believe so. Trust is counted in monotonic time from when the last successful
 * beat was sent; it is courtesy: the fence in each transaction is the safety.
 */
export class SlotKeeper {
  readonly #db: Database
  readonly #clock: Clock
  readonly #node: NodeIdentity
  readonly #onBeat: (isWritten: boolean) => void
  #fences: Fences = new Map()
  #slots: ReadonlySet<number> = new Set()
  #beatSentAt = -Infinity
  #wake: Wake | null = null
  #beating: Promise<void> | null = null
  #isStopped = false

  constructor({ db, clock, node, onBeat }: { db: Database; clock: Clock; node: NodeIdentity; onBeat: (isWritten: boolean) => void }) {
    this.#db = db
    this.#clock = clock
    this.#node = node
    this.#onBeat = onBeat
  }

  get fences(): Fences {
    return this.#fences
  }

  get slots(): ReadonlySet<number> {
    return this.#slots
  }

  /** Whether decisions may be made from memory. */
  get isTrusted(): boolean {
    return !this.#isStopped && this.#slots.size > 0 && this.#clock.monotonic() - this.#beatSentAt < TRUST_MS
  }

  get isBeating(): boolean {
    return this.#beating !== null
  }

  /** Until no beat is on its way. */
  async idle(): Promise<void> {
    await this.#beating
  }

  /** The fences of some slots, for a transaction. */
  fencesOf(slots: Iterable<number>): Fences {
    const some = new Map<number, number>()
    for (const slot of slots) {
      const fence = this.#fences.get(slot)
      if (fence !== undefined) some.set(slot, fence)
    }
    return some
  }

  /** Takes every slot: alone on its store, a node is the owner of all. */
  async start(): Promise<void> {
    const now = this.#clock.now()
    const sentAt = this.#clock.monotonic()
    await addNode(this.#db, { ...this.#node, url: '', level: SCHEMA_LEVEL, at: now })
    this.#fences = await takeSlots(
      this.#db,
      this.#node.runId,
      Array.from({ length: SLOT_COUNT }, (_, slot) => slot),
      now,
    )
    this.#slots = new Set(this.#fences.keys())
    this.#beatSentAt = sentAt
    await pruneNodes(this.#db, now - NODE_KEPT_MS)
    this.#sleep()
  }

  /** Nothing is decided from memory any more. */
  async retire(): Promise<void> {
    this.#isStopped = true
    this.#wake?.cancel()
    await this.#beating
  }

  /** An orderly leave: the slots are free at once. Call after the last transaction. */
  async release(): Promise<void> {
    await releaseSlots(this.#db, this.#node.runId)
    this.#fences = new Map()
    this.#slots = new Set()
  }

  #sleep(): void {
    if (this.#isStopped) return
    this.#wake = this.#clock.wake(this.#clock.now() + BEAT_MS, () => {
      this.#beating = this.#beat().finally(() => {
        this.#beating = null
        this.#sleep()
      })
    })
  }

  async #beat(): Promise<void> {
    const sentAt = this.#clock.monotonic()
    try {
      await beatNode(this.#db, this.#node.runId, this.#clock.now())
      this.#beatSentAt = sentAt
      this.#onBeat(true)
    } catch {
      this.#onBeat(false)
    }
  }
}
