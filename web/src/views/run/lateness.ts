/** Where the time of a run went: from the instant it was due to its end, as segments that join without a hole. */
import type { Instance, InstanceListItem, TraceEntry } from '@tickwheel/contract'

export const SEGMENTS = ['late', 'queueing', 'waiting', 'earlierAttempts', 'shards', 'sending', 'starting', 'running'] as const
export type SegmentName = (typeof SEGMENTS)[number]

export interface Segment {
  readonly name: SegmentName
  readonly fromMs: number
  readonly ms: number
  /** it goes on at this moment */
  readonly isOpen: boolean
}

type Instants = Pick<InstanceListItem, 'scheduledAt' | 'firedAt' | 'queuedAt' | 'dispatchedAt' | 'acceptedAt' | 'startedAt' | 'endedAt' | 'attempt'> & Partial<Pick<InstanceListItem, 'shards'>>

const STEPS = [
  { name: 'late', from: 'scheduledAt', to: 'firedAt' },
  { name: 'queueing', from: 'firedAt', to: 'queuedAt' },
  { name: 'waiting', from: 'queuedAt', to: 'dispatchedAt' },
  { name: 'sending', from: 'dispatchedAt', to: 'acceptedAt' },
  { name: 'starting', from: 'acceptedAt', to: 'startedAt' },
  { name: 'running', from: 'startedAt', to: 'endedAt' },
] as const

/**
 * Segments between the instants that are known; the one after the last known instant lasts until now while the run has not ended. An instant that
 * is missing joins its neighbours: a run that ended before it started shows its wait only. A negative length (two clocks) counts as 0.
 */
export function segmentsOf(run: Instants, nowMs: number): Segment[] {
  const segments: Segment[] = []
  const endMs = run.endedAt === null ? nowMs : Date.parse(run.endedAt)
  let fromMs = Date.parse(run.scheduledAt ?? run.firedAt)
  // a run that was split is sent to nobody: it waits until its shards are made
  const isSplit = run.dispatchedAt === null && run.startedAt !== null
  for (const step of STEPS) {
    if (step.name === 'late' && run.scheduledAt === null) continue
    if (isSplit && (step.name === 'sending' || step.name === 'starting')) continue
    const to = isSplit && step.name === 'waiting' ? run.startedAt : run[step.to]
    // queued again for a retry: the instants are those of the last attempt, and what lies before it is not waiting alone
    const name = step.name === 'waiting' ? nameOfWait(run) : step.name
    const isLast = to === null
    const toMs = isLast ? endMs : Math.max(fromMs, Date.parse(to))
    segments.push({ name, fromMs, ms: Math.max(0, toMs - fromMs), isOpen: isLast && run.endedAt === null })
    fromMs = toMs
    if (isLast) break
  }
  return segments
}

/** What lies before the last attempt: of one that combines the results of shards, the split and the shards. */
function nameOfWait(run: Instants): SegmentName {
  if (run.shards?.reduce === 'begun') return 'shards'
  return run.attempt > 1 ? 'earlierAttempts' : 'waiting'
}

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
