import type { Events } from '../engine/events.ts'
import { readAccessGeneration } from '../store/access.ts'
import type { Database } from '../store/database.ts'

/** A taking on another node whose message was lost is seen after so long at the latest. */
const FRESH_MS = 1000

interface Read {
  readonly value: number
  readonly readAt: number
}

/** How often access was taken from somebody, as of a second ago at most; as of now when this node was told of a change. `monotonic`: ms. */
export class AccessGeneration {
  readonly #db: Database
  readonly #monotonic: () => number
  readonly #stopListening: () => void
  #known: Read | null = null
  #asking: Promise<Read> | null = null

  constructor({ db, events, monotonic }: { db: Database; events: Events; monotonic: () => number }) {
    this.#db = db
    this.#monotonic = monotonic
    this.#stopListening = events.listen((told) => {
      if (told.some((event) => event.kind === 'accessChanged')) this.#doubt()
    })
  }

  stop(): void {
    this.#stopListening()
  }

  async current(): Promise<number> {
    if (this.#known !== null && this.#monotonic() - this.#known.readAt < FRESH_MS) return this.#known.value
    this.#asking ??= this.#ask()
    return (await this.#asking).value
  }

  // What is being asked may be from before the change: it answers those who asked before it, and nobody else.
  #doubt(): void {
    this.#known = null
    this.#asking = null
  }

  #ask(): Promise<Read> {
    const readAt = this.#monotonic()
    const asking: Promise<Read> = readAccessGeneration(this.#db)
      .then((value) => {
        if (this.#asking === asking) this.#known = { value, readAt }
        return { value, readAt }
      })
      .finally(() => {
        if (this.#asking === asking) this.#asking = null
      })
    return asking
  }
}
