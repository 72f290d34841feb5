import type { ReadTx } from '../../../server/src/store/database.ts'
import type { CalendarVersionRow, FiringRow, ScheduleSpanRow, SeriesRow, SkipRow } from '../../../server/src/store/schema.ts'

interface Link {
  readonly from: number
  readonly to: number
  readonly prev: number
  readonly firing: FiringRow | null
}

interface Schedule {
  readonly kind: string
  readonly everyMs?: number
  readonly expression?: string
  readonly delayMs?: number
  readonly at?: string
}

/**
 * Invariant 1: no firing lost, none doubled. Says what was due by arithmetic that shares nothing with core, up to `now` less `graceMs`, and holds the ledger
 * against it: each due instant is covered once, nothing fired that was not due, the chain is unbroken, every firing has its run.
 */
export async function ledgerFaults(tx: ReadTx, now: number, graceMs: number): Promise<string[]> {
  const series = await tx.all<SeriesRow>('SELECT * FROM series')
  const spans = await tx.all<ScheduleSpanRow>('SELECT * FROM schedule_span ORDER BY from_at')
  const firings = await tx.all<FiringRow>('SELECT * FROM firing ORDER BY due_at')
  const skips = await tx.all<SkipRow>('SELECT * FROM skip ORDER BY from_at')
  const runs = await tx.all<{ id: number }>('SELECT id FROM open_instance UNION ALL SELECT id FROM instance')
  const versions = await tx.all<CalendarVersionRow>('SELECT * FROM calendar_version')
  const isClosed = closedBy(versions)
  const ids = new Set(runs.map((run) => run.id))
  return series.flatMap((one) => {
    const links = linksOf(
      firings.filter((row) => row.series_id === one.id),
      skips.filter((row) => row.series_id === one.id),
    )
    const mine = spans.filter((span) => span.series_id === one.id)
    return [
      ...(one.held === null ? [] : [`series ${one.id} is held: ${one.held}`]),
      ...overdueFaults(one, now - graceMs),
      ...chainFaults(one.id, links),
      ...coverFaults({ one, spans: mine, links, until: now - graceMs, isClosed }),
      ...links.flatMap(({ firing }) =>
        firing === null || ids.has(firing.instance_id) ? [] : [`the run of series ${one.id} at ${firing.due_at} is missing`],
      ),
    ].map((fault) => `ledger: ${fault}`)
  })
}

function linksOf(firings: readonly FiringRow[], skips: readonly SkipRow[]): Link[] {
  return [
    ...firings.map((row) => ({ from: row.due_at, to: row.due_at, prev: row.prev_due_at, firing: row })),
    ...skips.map((row) => ({ from: row.from_at, to: row.to_at, prev: row.prev_due_at, firing: null })),
  ].sort((a, b) => a.from - b.from)
}

function overdueFaults(one: SeriesRow, until: number): string[] {
  return one.next_due_at !== null && one.next_due_at <= until ? [`series ${one.id} is overdue by ${until - one.next_due_at} ms`] : []
}

function chainFaults(seriesId: number, links: readonly Link[]): string[] {
  return links.flatMap((link, index) => {
    const before = links[index - 1]
    if (before === undefined) return []
    if (link.from <= before.to) return [`series ${seriesId} is covered twice at ${link.from}`]
    return link.prev === before.to
      ? []
      : [`the chain of series ${seriesId} breaks at ${link.from}: it names ${link.prev}, not ${before.to}`]
  })
}

/** Whether the calendar of a span, at the version that the span names, closes an instant. */
type IsClosed = (span: ScheduleSpanRow, at: number) => boolean

function closedBy(versions: readonly CalendarVersionRow[]): IsClosed {
  const keyOf = (id: number | null, version: number | null): string => `${id}:${version}`
  const closed = new Map(
    versions.map((row) => {
      const { blackouts } = JSON.parse(row.rules) as { blackouts: { from: string; to: string }[] }
      return [keyOf(row.calendar_id, row.version), blackouts.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }))]
    }),
  )
  return ({ calendar_id: id, calendar_version: version }, at) =>
    (closed.get(keyOf(id, version)) ?? []).some(({ from, to }) => from <= at && at < to)
}

interface Cover {
  readonly one: SeriesRow
  readonly spans: readonly ScheduleSpanRow[]
  readonly links: readonly Link[]
  readonly until: number
  readonly isClosed: IsClosed
}

function coverFaults({ one, spans, links, until, isClosed }: Cover): string[] {
  const faults: string[] = []
  for (const span of spans) {
    const schedule = JSON.parse(span.schedule) as Schedule
    const end = Math.min(span.to_at ?? Infinity, Math.max(until, one.last_due_at) + 1)
    const inside = links.filter((link) => link.to >= span.from_at && link.from < end)
    for (const { firing } of inside)
      if (firing !== null && isClosed(span, firing.due_at))
        faults.push(`series ${one.id} fired at ${firing.due_at}, which its calendar closes`)
    if (schedule.kind === 'fixedDelay') continue
    const due = span.enabled === 0 ? [] : dueInstants(schedule, span, end).filter((at) => !isClosed(span, at))
    faults.push(...uncovered(one.id, due, inside))
    const isDue = new Set(due)
    for (const { firing } of inside)
      if (firing !== null && !isDue.has(firing.due_at)) faults.push(`series ${one.id} fired at ${firing.due_at}, and was not due`)
  }
  return faults
}

/** Both are in order of time, so they are walked together. */
function uncovered(seriesId: number, due: readonly number[], links: readonly Link[]): string[] {
  const faults: string[] = []
  let place = 0
  for (const at of due) {
    while ((links[place]?.to ?? Infinity) < at) place += 1
    const link = links[place]
    if (link === undefined || link.from > at) faults.push(`series ${seriesId} at ${at}: due, and nothing covers it`)
  }
  return faults
}

/** The instants that are due under a span, from its beginning up to `end`, which is not included. */
function dueInstants(schedule: Schedule, span: ScheduleSpanRow, end: number): number[] {
  const due: number[] = []
  if (schedule.kind === 'once') {
    const at = Date.parse(schedule.at ?? '')
    return at >= span.from_at && at < end ? [at] : []
  }
  if (schedule.kind === 'fixedRate') {
    const every = schedule.everyMs ?? 1
    for (let at = span.anchor_at + every; at < end; at += every) if (at >= span.from_at) due.push(at)
    return due
  }
  const step = Number(/^\*\/(\d+)/.exec(schedule.expression ?? '')?.[1])
  for (let at = Math.ceil(span.from_at / 1000) * 1000; at < end; at += 1000) if ((Math.floor(at / 1000) % 60) % step === 0) due.push(at)
  return due
}
