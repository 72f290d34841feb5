import { OUTCOME } from '../instance/state.ts'
import type { SkipReason } from '../reason.ts'
import type { Condition, ConditionOf } from './condition.ts'
import type { AlarmEvent } from './event.ts'

/** A rule as far as it decides what it watches. */
export interface WatchRule {
  readonly id: number
  /** null: every group */
  readonly groupId: number | null
  /** tasks and workflows; empty: all of the group */
  readonly taskIds: readonly number[]
  /** one for each event */
  readonly conditions: readonly Condition[]
}

/** A rule that watches for an event. */
export interface Watcher<Event extends AlarmEvent> {
  readonly ruleId: number
  readonly condition: ConditionOf<Event>
}

/** An end of a run, as far as rules look at it. Instants in epoch ms. */
export interface EndSeen {
  readonly groupId: number
  readonly taskId: number
  readonly outcome: number
  readonly dueAt: number | null
  readonly startedAt: number | null
  readonly endedAt: number
}

export interface Seen {
  readonly ruleId: number
  readonly event: AlarmEvent
}

/** The same rule may be asked for by so many groups that it is not worth keeping for each; so rules of all groups are a list of their own. */
interface Compiled {
  readonly id: number
  readonly tasks: ReadonlySet<number> | null
  readonly conditions: ReadonlyMap<AlarmEvent, Condition>
}

const NONE: readonly Compiled[] = []
const OF_FAILURE: readonly AlarmEvent[] = ['failedInARow', 'failedInWindow']

/**
 * Which rules watch what, ready to be asked at the end of each run: that costs one look in a set where no rule watches for such an end.
 */
export class RuleIndex {
  readonly #ofGroup = new Map<number, Compiled[]>()
  readonly #ofAll: Compiled[] = []
  readonly #events = new Set<AlarmEvent>()

  constructor(rules: readonly WatchRule[]) {
    for (const { id, groupId, taskIds, conditions } of rules) {
      const compiled: Compiled = {
        id,
        tasks: taskIds.length === 0 ? null : new Set(taskIds),
        conditions: new Map(conditions.map((condition) => [condition.event, condition])),
      }
      for (const { event } of conditions) this.#events.add(event)
      if (groupId === null) this.#ofAll.push(compiled)
      else this.#ofGroup.set(groupId, [...(this.#ofGroup.get(groupId) ?? NONE), compiled])
    }
  }

  static readonly EMPTY = new RuleIndex([])

  get isEmpty(): boolean {
    return this.#events.size === 0
  }

  /** Whether any rule watches for an event. */
  watches(event: AlarmEvent): boolean {
    return this.#events.has(event)
  }

  /** The rules that watch for an event in a group, of a task or of what is no task (`taskId` null: only rules that name no tasks). */
  watchersOf<Event extends AlarmEvent>(event: Event, groupId: number | null, taskId: number | null): Watcher<Event>[] {
    if (!this.#events.has(event)) return []
    const near = groupId === null ? NONE : (this.#ofGroup.get(groupId) ?? NONE)
    return [...this.#ofAll, ...near].flatMap(({ id, tasks, conditions }) => {
      const condition = conditions.get(event)
      if (condition === undefined || !isOf(event, condition)) return []
      return tasks === null || (taskId !== null && tasks.has(taskId)) ? [{ ruleId: id, condition }] : []
    })
  }

  /** What rules see in the end of a run. */
  seenAtEnd(end: EndSeen): Seen[] {
    if (this.isEmpty) return []
    return [...this.#seenFailure(end), ...this.#seenLate(end), ...this.#seenSuccess(end), ...this.#seenDropped(end)]
  }

  /** Rules that want to be told of an instant that did not fire. */
  seenSkip(groupId: number, taskId: number, reason: SkipReason): Seen[] {
    if (this.isEmpty) return []
    const missed = this.watchersOf('missed', groupId, taskId).filter(({ condition }) => condition.reasons.some((one) => one === reason))
    const full = reason === 'queueFull' ? this.watchersOf('queueFull', groupId, taskId) : []
    return [
      ...missed.map(({ ruleId }): Seen => ({ ruleId, event: 'missed' })),
      ...full.map(({ ruleId }): Seen => ({ ruleId, event: 'queueFull' })),
    ]
  }

  #seenFailure({ outcome, groupId, taskId }: EndSeen): Seen[] {
    const event = failureOf(outcome)
    if (event === null) return []
    return [event, ...OF_FAILURE].flatMap((one) => this.watchersOf(one, groupId, taskId).map(({ ruleId }) => ({ ruleId, event: one })))
  }

  #seenLate({ dueAt, startedAt, groupId, taskId }: EndSeen): Seen[] {
    if (dueAt === null || startedAt === null) return []
    const lateMs = startedAt - dueAt
    return this.watchersOf('late', groupId, taskId).flatMap(({ ruleId, condition }) =>
      lateMs > condition.afterMs ? [{ ruleId, event: 'late' as const }] : [],
    )
  }

  /** A run that was due, and gave way to an earlier one. */
  #seenDropped({ outcome, dueAt, groupId, taskId }: EndSeen): Seen[] {
    return outcome === OUTCOME.skipped && dueAt !== null ? this.seenSkip(groupId, taskId, 'overlap') : []
  }

  /** Each success counts towards what is usual. */
  #seenSuccess({ outcome, startedAt, groupId, taskId }: EndSeen): Seen[] {
    if (outcome !== OUTCOME.succeeded || startedAt === null) return []
    return this.watchersOf('slow', groupId, taskId).map(({ ruleId }) => ({ ruleId, event: 'slow' }))
  }
}

function isOf<Event extends AlarmEvent>(event: Event, condition: Condition): condition is ConditionOf<Event> {
  return condition.event === event
}

function failureOf(outcome: number): AlarmEvent | null {
  if (outcome === OUTCOME.failed) return 'failed'
  if (outcome === OUTCOME.timedOut) return 'timedOut'
  return outcome === OUTCOME.lost ? 'lost' : null
}
