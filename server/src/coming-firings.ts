import { setImmediate as breathe } from 'node:timers/promises'
import { COMING_MINUTES, DASHBOARD_LIMITS, type ComingFiring } from '@tickwheel/contract'
import type { Events } from './engine/events.ts'
import { KeptRead } from './kept-read.ts'
import { comingSeries, type ComingSeries } from './store/coming.ts'
import type { Database } from './store/database.ts'
import { instantText } from './store/page.ts'
import type { GroupFilter } from './store/scope.ts'
import { BrokenData } from './store/schedules.ts'
import { seriesSchedule, type SeriesSchedule } from './store/spans.ts'

const MINUTE_MS = 60_000
/** Slots read at once, and series of them: between two reads, others have their turn. */
const SLOTS_AT_ONCE = 16
const SERIES_AT_ONCE = 2000
/** Instants that are computed for one answer; of series beyond it, only the next is counted. */
const MOST_STEPS = 200_000
const STEPS_AT_ONCE = 2000

/** What comes in a group, of tasks or of workflows: how many firings in each minute, and those whose turn comes first. */
interface Coming {
  readonly groupId: number
  readonly isWorkflow: boolean
  readonly minutes: number[]
  readonly first: ComingSeries[]
}

interface Computed {
  readonly from: number
  readonly parts: readonly Coming[]
  readonly isCut: boolean
}

/** Of which groups tasks and workflows may be told. */
export interface ComingScope {
  readonly tasks: GroupFilter
  readonly workflows: GroupFilter
}

export interface ComingFiringsParts {
  readonly db: Database
  readonly events: Events
  /** cluster time, epoch ms */
  readonly now: () => number
  readonly monotonic: () => number
}

/**
 * The firings of the next hour, computed from the schedules for all groups at once and kept, so that a hundred open dashboards cost what one does. Series with
 * one schedule are computed once.
 */
export class ComingFirings {
  readonly #parts: ComingFiringsParts
  readonly #computed: KeptRead<Computed>

  constructor(parts: ComingFiringsParts) {
    this.#parts = parts
    this.#computed = new KeptRead({ ...parts, load: () => this.#compute() })
  }

  stop(): void {
    this.#computed.stop()
  }

  async in(scope: ComingScope): Promise<{ from: string; minutes: number[]; total: number; isCut: boolean; first: ComingFiring[] }> {
    const { from, parts, isCut } = await this.#computed.current()
    const seen = parts.filter(({ groupId, isWorkflow }) => (isWorkflow ? scope.workflows : scope.tasks)?.includes(groupId) ?? true)
    const minutes = Array.from({ length: COMING_MINUTES }, (_none, minute) =>
      seen.reduce((sum, part) => sum + (part.minutes[minute] ?? 0), 0),
    )
    return {
      from: instantText(from),
      minutes,
      total: minutes.reduce((sum, n) => sum + n, 0),
      isCut,
      first: this.#named(seen.flatMap((part) => part.first)),
    }
  }

  /** What has fired since all this was computed comes with its instant after now; of what is overdue that is now. */
  #named(series: readonly ComingSeries[]): ComingFiring[] {
    const now = this.#parts.now()
    const age = this.#computed.ageMs
    return firstOf(
      series.flatMap((one) => {
        const wasDueSince = one.nextDueAt < now && one.nextDueAt >= now - age
        const at = wasDueSince ? nextOf(one, now) : Math.max(now, one.nextDueAt)
        return at === null ? [] : [{ ...one, nextDueAt: at }]
      }),
    ).map(({ nextDueAt, taskId: id, name, groupId, isWorkflow }) => ({ at: instantText(nextDueAt), id, name, groupId, isWorkflow }))
  }

  async #compute(): Promise<Computed> {
    const { db, now } = this.#parts
    const tally = new Tally(now())
    for (let slot = 0; slot < 256; slot += SLOTS_AT_ONCE) {
      const slots = Array.from({ length: SLOTS_AT_ONCE }, (_none, index) => slot + index)
      const series = await comingSeries(db, { slots, until: tally.until, limit: SERIES_AT_ONCE })
      if (series.length === SERIES_AT_ONCE) tally.cut()
      for (const one of series) if (tally.add(one)) await breathe()
      await breathe()
    }
    return { from: tally.from, parts: tally.parts(), isCut: tally.isCut }
  }
}

class Tally {
  readonly from: number
  readonly until: number
  readonly #now: number
  readonly #parts = new Map<string, Coming>()
  /** by schedule and next instant */
  readonly #known = new Map<string, readonly number[]>()
  #steps = 0
  #stepsSinceBreath = 0
  isCut = false

  constructor(now: number) {
    this.#now = now
    this.from = Math.floor(now / MINUTE_MS) * MINUTE_MS
    this.until = this.from + COMING_MINUTES * MINUTE_MS - 1
  }

  cut(): void {
    this.isCut = true
  }

  parts(): readonly Coming[] {
    return [...this.#parts.values()].map((part) => ({ ...part, first: firstOf(part.first) }))
  }

  /** True: it is time to let others have their turn. */
  add(series: ComingSeries): boolean {
    const part = this.#partOf(series)
    for (const [minute, n] of this.#minutesOf(series).entries()) part.minutes[minute] = (part.minutes[minute] ?? 0) + n
    part.first.push(series)
    if (part.first.length > 10 * DASHBOARD_LIMITS.coming) part.first.splice(0, part.first.length, ...firstOf(part.first))
    if (this.#stepsSinceBreath < STEPS_AT_ONCE) return false
    this.#stepsSinceBreath = 0
    return true
  }

  #partOf({ groupId, isWorkflow }: ComingSeries): Coming {
    const key = `${groupId} ${isWorkflow}`
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    const made: Coming = { groupId, isWorkflow, minutes: new Array<number>(COMING_MINUTES).fill(0), first: [] }
    this.#parts.set(key, made)
    return made
  }

  #minutesOf({ nextDueAt, span, scheduleKey }: ComingSeries): readonly number[] {
    const anchor = span.schedule.kind === 'cron' ? '' : span.anchorAt
    const key = `${nextDueAt} ${anchor} ${scheduleKey}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const minutes = new Array<number>(COMING_MINUTES).fill(0)
    const count = (at: number, n: number): void => {
      const minute = Math.max(0, Math.floor((at - this.from) / MINUTE_MS))
      minutes[minute] = (minutes[minute] ?? 0) + n
    }
    // what is overdue fires now
    count(nextDueAt, 1)
    if (span.schedule.kind !== 'fixedDelay') this.#countFrom({ span, nextDueAt }, count)
    this.#known.set(key, minutes)
    return minutes
  }

  #countFrom({ span, nextDueAt }: Pick<ComingSeries, 'span' | 'nextDueAt'>, count: (at: number, n: number) => void): void {
    const schedule = soundSchedule(span)
    if (schedule === null) return
    const after = Math.max(nextDueAt, this.#now)
    if (span.schedule.kind === 'fixedRate') {
      for (let at = this.from; at < this.until; at += MINUTE_MS)
        if (at + MINUTE_MS > after) count(at, schedule.countBetween(Math.max(at, after + 1), at + MINUTE_MS - 1, Number.MAX_SAFE_INTEGER))
      return
    }
    for (let at = schedule.next(after); at !== null && at <= this.until; at = schedule.next(at)) {
      if (this.#steps >= MOST_STEPS) return this.cut()
      this.#steps += 1
      this.#stepsSinceBreath += 1
      count(at, 1)
    }
  }
}

/** Null: it is not sound, and is held as soon as a node comes to it. */
function soundSchedule(span: ComingSeries['span']): SeriesSchedule | null {
  try {
    return seriesSchedule([span])
  } catch (error) {
    if (error instanceof BrokenData) return null
    throw error
  }
}

/** Null: it is not known yet, or never again. */
function nextOf({ span }: ComingSeries, after: number): number | null {
  return span.schedule.kind === 'fixedDelay' ? null : (soundSchedule(span)?.next(after) ?? null)
}

function firstOf(series: readonly ComingSeries[]): ComingSeries[] {
  return series.toSorted((a, b) => a.nextDueAt - b.nextDueAt || a.taskId - b.taskId).slice(0, DASHBOARD_LIMITS.coming)
}
