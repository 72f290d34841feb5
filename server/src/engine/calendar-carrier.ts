import { slotOf } from '@tickwheel/core'
import { carryFollower, changedCalendars, endCarrying, followersBehind, type ChangedCalendar } from '../store/calendar-carry.ts'
import type { Database } from '../store/database.ts'
import type { TaskChanged } from '../store/scheduled.ts'
import type { Clock } from './clock.ts'
import { Pump } from './pump.ts'
import type { RestoreGuard } from './restore-guard.ts'
import type { SlotKeeper } from './slot-keeper.ts'

/** Calendars that one turn looks at; others have their turn when some of these are done. */
const CALENDARS_AT_ONCE = 100
/** Followers that one turn moves, one transaction each: firings and edits of people come between. */
const FOLLOWERS_AT_ONCE = 50

export interface CalendarCarrierOptions {
  readonly db: Database
  readonly clock: Clock
  readonly keeper: SlotKeeper
  readonly guard: RestoreGuard
  /** a follower was moved: its timers follow */
  readonly onMoved: (changed: TaskChanged) => Promise<void>
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

/**
 * The calendar stage: carries a change of a calendar's rules to what uses it. The owner of the calendar's slot does it, follower by follower, and keeps
 * nothing in memory: what is left to do stands in the store, so that whoever owns the slot next goes on. Two at once are harmless, as two edits are.
 */
export class CalendarCarrier {
  readonly #options: CalendarCarrierOptions
  readonly #pump: Pump

  constructor(options: CalendarCarrierOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  kick(): void {
    this.#pump.kick()
  }

  async #turn(): Promise<boolean> {
    const { db, keeper, guard } = this.#options
    if (!keeper.isTrusted || guard.isHeld) return false
    let isMore = false
    for (const calendar of await changedCalendars(db, CALENDARS_AT_ONCE))
      if (keeper.slots.has(slotOf('calendar', calendar.id)) && (await this.#carry(calendar))) isMore = true
    return isMore
  }

  /** True: there are more followers. */
  async #carry(calendar: ChangedCalendar): Promise<boolean> {
    const { db, clock, onMoved } = this.#options
    const behind = await followersBehind(db, calendar, FOLLOWERS_AT_ONCE)
    for (const taskId of behind) {
      const changed = await carryFollower(db, taskId, clock.now())
      if (changed !== null) await onMoved(changed)
    }
    if (behind.length === 0) await endCarrying(db, calendar)
    return behind.length > 0
  }
}
