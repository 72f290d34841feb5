import type { Reason } from '@tickwheel/core'

export type Tone = 'good' | 'bad' | 'wait' | 'move' | 'plain'

const TONES: Partial<Record<Reason, Tone>> = {
  succeeded: 'good', failed: 'bad', timedOut: 'bad', executorLost: 'bad', executorRestarted: 'bad', retriesExhausted: 'bad', queueTimedOut: 'bad', lostNotRetried: 'bad', cancelUnconfirmed: 'bad', rejected: 'wait', neverReceived: 'wait', retrying: 'wait',
  waitsForEarlierRun: 'wait', waitsForExecutor: 'wait', waitsForSlot: 'wait', waitsForTaskLimit: 'wait', waitsForGroupLimit: 'wait', waitsForHandler: 'wait', waitsForRetry: 'wait', waitsForChosenExecutor: 'wait', firedAfterMisfire: 'wait', overlapSkipped: 'wait', started: 'move', accepted: 'move', dispatched: 'move',
}

/** The colour of a decision's mark. */
export function toneOf(reason: string): Tone {
  return new Map<string, Tone>(Object.entries(TONES)).get(reason) ?? 'plain'
}
