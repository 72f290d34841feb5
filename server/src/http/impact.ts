import type { CalendarImpact, ScheduleImpact } from '@tickwheel/contract'
import { changesAnything, impactOf, IMPACT_DAYS, type Impact } from '@tickwheel/core'
import type { Compared, FollowersCompared } from '../store/schedule-impact.ts'

const DAY_MS = 86_400_000
/** Firings of one side of one follower that are compared: there are many followers. */
const COMPARED_OF_FOLLOWER = 1000
const LISTED_FOLLOWERS = 20
/** Followers between which other calls have their turn. */
const FOLLOWERS_AT_ONCE = 10

/** What one schedule changes in the next 30 days. */
export function scheduleImpact({ before, after }: Compared, now: number): ScheduleImpact {
  return impactText(impactOf(before, after, { from: now, until: now + IMPACT_DAYS * DAY_MS }))
}

/** What other rules of a calendar change for what uses it. `pause` gives other work its turn. */
export async function calendarImpact(
  { followers, looked }: FollowersCompared,
  now: number,
  pause: () => Promise<void>,
): Promise<CalendarImpact> {
  const items: CalendarImpact['items'] = []
  let changed = 0
  for (const [index, { kind, id, name, groupName, before, after }] of looked.entries()) {
    if (index % FOLLOWERS_AT_ONCE === FOLLOWERS_AT_ONCE - 1) await pause()
    const impact = impactOf(before, after, { from: now, until: now + IMPACT_DAYS * DAY_MS, maxCompared: COMPARED_OF_FOLLOWER })
    if (!changesAnything(impact)) continue
    changed += 1
    if (items.length < LISTED_FOLLOWERS) items.push({ kind, id, name, groupName, impact: impactText(impact) })
  }
  return { followers, looked: looked.length, changed, items }
}

function impactText({ from, until, added, removed, moved, ...rest }: Impact): ScheduleImpact {
  return {
    ...rest,
    from: text(from),
    until: text(until),
    added: { count: added.count, firings: added.firings.map(text) },
    removed: { count: removed.count, firings: removed.firings.map(text) },
    moved: { count: moved.count, firings: moved.firings.map((one) => ({ from: text(one.from), to: text(one.to) })) },
  }
}

function text(at: number): string {
  return new Date(at).toISOString()
}
