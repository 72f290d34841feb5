import type { Outlet } from './outlet.ts'
import type { Topic } from './topic.ts'

/** At most four messages a second. */
const GATHER_MS = 250
const IDS_KEPT = 2000
const IDS_IN_A_MESSAGE = 200
/** Who is behind reads a whole list again: not more often than that. */
const BEHIND_EVERY_MS = 3000

export interface GatheredTopicParts {
  readonly id: number
  readonly name: string
  readonly outlet: Outlet
  /** The first message of a topic comes at once, later ones are gathered. */
  readonly gatherMs?: number
  /** What to tell about these ids; null: nothing. */
  readonly read: (ids: readonly number[]) => Promise<unknown>
  readonly onError: (error: unknown) => void
}

/**
 * Changes of many things, gathered: the newest state of each wins. While the reader is behind, only ids are kept, 2,000 at most; when there were more,
 * it is told that it is behind and should read the list again.
 */
export class GatheredTopic implements Topic {
  readonly #parts: GatheredTopicParts
  readonly #changed = new Set<number>()
  #seq = 0
  #hasLost = false
  #timer: NodeJS.Timeout | null = null
  #restTimer: NodeJS.Timeout | null = null
  #hasMissedMore = false
  #isSending = false
  #isClosed = false

  constructor(parts: GatheredTopicParts) {
    this.#parts = parts
  }

  changed(id: number): void {
    if (this.#isClosed) return
    this.#changed.delete(id)
    this.#changed.add(id)
    for (const oldest of this.#changed) {
      if (this.#changed.size <= IDS_KEPT) break
      this.#changed.delete(oldest)
      this.#hasLost = true
    }
    this.#later()
  }

  /** Changes may have been lost: the reader is told that it is behind, at once or when three seconds have passed since it was told so last. */
  missed(): void {
    if (this.#isClosed) return
    if (this.#restTimer !== null) {
      this.#hasMissedMore = true
      return
    }
    this.#hasLost = true
    this.#later()
    this.#restTimer = setTimeout(() => {
      this.#restTimer = null
      if (!this.#hasMissedMore) return
      this.#hasMissedMore = false
      this.missed()
    }, BEHIND_EVERY_MS)
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#restTimer !== null) clearTimeout(this.#restTimer)
  }

  /** Sends what is known now without waiting to gather more. */
  async flush(): Promise<void> {
    if (this.#isSending || this.#isClosed) return
    this.#isSending = true
    try {
      await this.#parts.outlet.turn(() => this.#send())
    } catch (error) {
      this.#parts.onError(error)
    } finally {
      this.#isSending = false
      if (this.#changed.size > 0 || this.#hasLost) this.#later()
    }
  }

  #later(): void {
    if (this.#isClosed || this.#timer !== null || this.#isSending) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.flush()
    }, this.#parts.gatherMs ?? GATHER_MS)
  }

  async #send(): Promise<void> {
    const { id, name, outlet, read } = this.#parts
    if (this.#hasLost) outlet.send({ type: 'behind', id, topic: name, from: this.#seq, to: this.#seq + 1 })
    this.#hasLost = false
    const ids = [...this.#changed].slice(0, IDS_IN_A_MESSAGE)
    for (const changed of ids) this.#changed.delete(changed)
    if (ids.length === 0) return
    const data = await read(ids)
    // Unsubscribed while it was read.
    if (data !== null && !this.#closedMeanwhile()) outlet.send({ type: 'event', id, topic: name, seq: ++this.#seq, data })
  }

  #closedMeanwhile(): boolean {
    return this.#isClosed
  }
}
