/** Where the time of a run went: from the instant it was due to its end, as segments that join without a hole. */
export const SEGMENTS = ['late', 'queueing', 'waiting', 'earlierAttempts', 'shards', 'sending', 'starting', 'running'] as const
export type SegmentName = (typeof SEGMENTS)[number]

export interface Segment {
  readonly name: SegmentName
  readonly fromMs: number
  readonly ms: number
  /** it goes on at this moment */
  readonly isOpen: boolean
}

/** The instants of a run as its API gives them: ISO 8601, null where it did not come so far. */
export interface RunInstants {
  readonly scheduledAt: string | null
  readonly firedAt: string
  readonly queuedAt: string | null
  readonly dispatchedAt: string | null
  readonly acceptedAt: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** those of the last attempt are told, counted from 1 */
  readonly attempt: number
  /** `reduce` is `begun`: the last attempt combines the results of shards */
  readonly shards?: { readonly reduce: string } | null
}

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
export function segmentsOf(run: RunInstants, nowMs: number): Segment[] {
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
function nameOfWait(run: RunInstants): SegmentName {
  if (run.shards?.reduce === 'begun') return 'shards'
  return run.attempt > 1 ? 'earlierAttempts' : 'waiting'
}
