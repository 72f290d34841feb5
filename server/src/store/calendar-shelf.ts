import { compileCalendar, type CalendarRuleSet, type CompiledCalendar } from '@tickwheel/core'

/** A version of a calendar, compiled. It never changes. */
export interface ShelvedCalendar {
  readonly compiled: CompiledCalendar
  readonly entries: number
}

/** What all calendars that are kept may have together: days and blackouts, about 200 bytes each. */
const MAX_ENTRIES = 100_000
/** What a calendar counts for beside its entries. */
const BASE_ENTRIES = 20

/** Versions of calendars at hand, for every transaction of this process on one store. The least recently used go first. */
export class CalendarShelf {
  readonly #kept = new Map<string, ShelvedCalendar>()
  #entries = 0

  /** The store may be another than before, in which a version is what it was not. */
  clear(): void {
    this.#kept.clear()
    this.#entries = 0
  }

  get(id: number, version: number): CompiledCalendar | null {
    const key = keyOf(id, version)
    const found = this.#kept.get(key)
    if (found === undefined) return null
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found.compiled
  }

  /** What was put for a calendar by a transaction that was taken back: its versions, and with them its id, may be given out again. */
  forget(ids: ReadonlySet<number>): void {
    for (const [key, { entries }] of this.#kept) {
      if (!ids.has(Number(key.split(':')[0]))) continue
      this.#kept.delete(key)
      this.#entries -= entries
    }
  }

  put(id: number, version: number, rules: CalendarRuleSet): CompiledCalendar {
    const compiled = compileCalendar(rules)
    const entries = rules.days.length + rules.blackouts.length + BASE_ENTRIES
    this.#kept.set(keyOf(id, version), { compiled, entries })
    this.#entries += entries
    for (const [key, shelved] of this.#kept) {
      if (this.#entries <= MAX_ENTRIES) break
      this.#kept.delete(key)
      this.#entries -= shelved.entries
    }
    return compiled
  }
}

function keyOf(id: number, version: number): string {
  return `${id}:${version}`
}
