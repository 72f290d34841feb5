/** What to say of the segments of a run's time. */
import type { Instance, TraceEntry } from '@tickwheel/contract'
import type { Segment } from '@tickwheel/core'

/** Which segment to explain: the longest of those before the run itself. Null when together they are not worth a word. */
export function longestDelay(segments: readonly Segment[], worthMs = 1_000): Segment | null {
  const delays = segments.filter((segment) => segment.name !== 'running')
  const longest = delays.reduce<Segment | null>((best, segment) => (best === null || segment.ms > best.ms ? segment : best), null)
  return longest !== null && longest.ms >= worthMs ? longest : null
}

/** Time from when it was due (or asked for) to its start, in ms; null before it started. */
export function startLateness(run: Pick<Instance, 'scheduledAt' | 'firedAt' | 'startedAt'>): number | null {
  return run.startedAt === null ? null : Math.max(0, Date.parse(run.startedAt) - Date.parse(run.scheduledAt ?? run.firedAt))
}

/** The entry of the trace that says why a segment was long: the last reason for waiting that was given in it. */
export function reasonWithin(segment: Segment, trace: readonly TraceEntry[]): TraceEntry | null {
  const within = trace.filter((entry) => Date.parse(entry.at) >= segment.fromMs - 1 && Date.parse(entry.at) <= segment.fromMs + segment.ms)
  const wanted = segment.name === 'late' ? ['firedAfterMisfire'] : segment.name === 'earlierAttempts' ? ['retrying', 'rejected', 'neverReceived', 'executorLost'] : []
  return within.findLast((entry) => wanted.includes(entry.reason) || (wanted.length === 0 && entry.reason.startsWith('waits'))) ?? (segment.name === 'late' ? (trace.find((entry) => wanted.includes(entry.reason)) ?? null) : null)
}
