import type { Events } from './engine/events.ts'

/** How old a value may be, and how old at least before a change makes it be read again. */
const KEPT_MS = 10_000
const KEPT_AFTER_CHANGE_MS = 1000

export interface KeptReadParts<Value> {
  readonly events: Events
  readonly monotonic: () => number
  readonly load: () => Promise<Value>
}

/**
 * What is read of all tasks at once, for all who ask: at most once in ten seconds, within a second after a task was changed, never twice at a time, and not
 * at all while nobody asks.
 */
export class KeptRead<Value> {
  readonly #parts: KeptReadParts<Value>
  readonly #stopHearing: () => void
  #kept: { readonly value: Value; readonly readAt: number } | null = null
  #reading: Promise<Value> | null = null
  #isChanged = false

  constructor(parts: KeptReadParts<Value>) {
    this.#parts = parts
    this.#stopHearing = parts.events.listen((events) => {
      if (events.some((event) => event.kind === 'taskChanged')) this.#isChanged = true
    })
  }

  stop(): void {
    this.#stopHearing()
  }

  /** How long ago the value was read that `current` gives, ms; 0: there is none yet. */
  get ageMs(): number {
    return this.#kept === null ? 0 : this.#parts.monotonic() - this.#kept.readAt
  }

  async current(): Promise<Value> {
    if (this.#kept !== null && this.ageMs < (this.#isChanged ? KEPT_AFTER_CHANGE_MS : KEPT_MS)) return this.#kept.value
    this.#reading ??= this.#read().finally(() => (this.#reading = null))
    return this.#reading
  }

  async #read(): Promise<Value> {
    this.#isChanged = false
    const readAt = this.#parts.monotonic()
    const value = await this.#parts.load()
    this.#kept = { value, readAt }
    return value
  }
}
