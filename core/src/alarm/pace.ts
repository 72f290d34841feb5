/**
 * When a rule speaks. What is new (an incident that nobody was told of, or one that is over) is told at once, and then at most every 1, 2, 5 minutes while
 * more keeps coming; that something told goes on is told every 5 minutes, 15 minutes, hour, 4 hours. Whatever waits goes along with the next message. So a
 * thousand failures in a minute are one message, and then a digest; nothing that is new waits longer than 5 minutes, and a storm that lasts is at most 12
 * messages an hour.
 */
export const NEWS_GAPS_MS = [60_000, 120_000, 300_000] as const
export const AGAIN_GAPS_MS = [300_000, 900_000, 3_600_000, 14_400_000] as const

/** When a rule spoke last (epoch ms, null: never), and how far its gaps have grown. */
export interface Pace {
  readonly saidAt: number | null
  readonly newsStep: number
  readonly againStep: number
}

export const FIRST_PACE: Pace = { saidAt: null, newsStep: 0, againStep: 0 }

export interface PaceQuestion {
  readonly pace: Pace
  /** incidents that are new, or newly over */
  readonly news: number
  /** incidents that were told and have gone on since */
  readonly again: number
  readonly now: number
}

/** `says`: a message goes out now. Else `at`: when to ask again, if nothing else happens; null: there is nothing to tell. */
export type PaceDecision = { readonly says: true; readonly pace: Pace } | { readonly says: false; readonly at: number | null }

export function decidePace({ pace, news, again, now }: PaceQuestion): PaceDecision {
  if (news === 0 && again === 0) return { says: false, at: null }
  const { saidAt } = pace
  if (saidAt === null) return { says: true, pace: { saidAt: now, newsStep: 0, againStep: 0 } }
  const newsGapMs = gapOf(NEWS_GAPS_MS, pace.newsStep)
  const againGapMs = gapOf(AGAIN_GAPS_MS, pace.againStep)
  const at = saidAt + Math.min(news > 0 ? newsGapMs : Infinity, again > 0 ? againGapMs : Infinity)
  if (now < at) return { says: false, at }
  return {
    says: true,
    pace: { saidAt: now, newsStep: newsStepAfter(pace, now - saidAt, news > 0), againStep: againStepAfter(pace, again > 0) },
  }
}

/** Calm for twice the gap: the next storm begins like the first. */
function newsStepAfter({ newsStep }: Pace, silentMs: number, hasNews: boolean): number {
  if (silentMs >= 2 * gapOf(NEWS_GAPS_MS, newsStep)) return 0
  return hasNews ? Math.min(newsStep + 1, NEWS_GAPS_MS.length - 1) : newsStep
}

/** Where nothing goes on any more, the next that does begins with the short gap. */
function againStepAfter({ againStep }: Pace, goesOn: boolean): number {
  return goesOn ? Math.min(againStep + 1, AGAIN_GAPS_MS.length - 1) : 0
}

function gapOf(gaps: readonly [number, ...number[]], step: number): number {
  return gaps[Math.min(step, gaps.length - 1)] ?? gaps[0]
}
