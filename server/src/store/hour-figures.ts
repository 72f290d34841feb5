import type { DashboardHour, OutcomeFigures } from '@tickwheel/contract'
import { latenessPercentile, OUTCOME, OUTCOMES } from '@tickwheel/core'
import { METRIC, STARTS_END } from './counters.ts'
import type { ReadTx } from './database.ts'
import { instantText } from './page.ts'
import { groupSql, type GroupFilter } from './scope.ts'

/** What the counters say of some hours: nothing is counted when it is asked for. */
export interface HourFigures {
  /** one for each hour, oldest first, those of which nothing was counted, too */
  readonly hours: readonly DashboardHour[]
  readonly outcomes: OutcomeFigures
  readonly lateness: Pick<DashboardHour, 'starts' | 'p50Ms' | 'p99Ms'>
}

const HOUR_MS = 3_600_000

interface Counted {
  hour_at: number
  metric: number
  n: number
}

/** `from`: the first hour, epoch ms, a whole one; `hours`: how many. */
export async function readHourFigures(
  tx: ReadTx,
  { from, hours, groups }: { from: number; hours: number; groups: GroupFilter },
): Promise<HourFigures> {
  const narrowed = groupSql('group_id', groups)
  const rows = await tx.all<{ hour_at: number; metric: number; n: number | string }>(
    `SELECT hour_at, metric, SUM(n) AS n FROM counter WHERE hour_at >= ? AND hour_at < ?${narrowed.sql} GROUP BY hour_at, metric`,
    [from, from + hours * HOUR_MS, ...narrowed.params],
  )
  // MySQL sums into a decimal, which comes as text
  const counted = rows.map((row): Counted => ({ ...row, n: Number(row.n) }))
  const byHour = Map.groupBy(counted, (row) => row.hour_at)
  return {
    hours: Array.from({ length: hours }, (_none, index) => {
      const hourAt = from + index * HOUR_MS
      const ofHour = byHour.get(hourAt) ?? []
      return { hourAt: instantText(hourAt), ...outcomesOf(ofHour), ...latenessOf(ofHour) }
    }),
    outcomes: outcomesOf(counted),
    lateness: latenessOf(counted),
  }
}

function outcomesOf(rows: readonly Counted[]): OutcomeFigures {
  const figures: OutcomeFigures = { succeeded: 0, failed: 0, timedOut: 0, canceled: 0, lost: 0, skipped: 0 }
  for (const { metric, n } of rows) {
    const outcome = OUTCOMES.find((name) => OUTCOME[name] === metric)
    if (outcome !== undefined) figures[outcome] += n
  }
  return figures
}

function latenessOf(rows: readonly Counted[]): HourFigures['lateness'] {
  const counts = new Map<number, number>()
  let starts = 0
  for (const { metric, n } of rows) {
    if (metric < METRIC.start || metric >= STARTS_END) continue
    starts += n
    counts.set(metric - METRIC.start, (counts.get(metric - METRIC.start) ?? 0) + n)
  }
  return { starts, p50Ms: latenessPercentile(counts, 0.5), p99Ms: latenessPercentile(counts, 0.99) }
}
