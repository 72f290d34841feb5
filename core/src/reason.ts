/**
 * Every reason that a decision can give: in the decision trace of a run, in a skip of the ledger, and for a run that waits.
 * Codes are stored: never reused, never given a new meaning. Texts live in the console's locales, worded with `facts`.
 */
export const REASON = {
  // why a run exists
  fired: 1, // lateMs
  firedAfterMisfire: 2, // policy, lateMs
  triggered: 3, // by
  retriedByPerson: 4, // of, by
  // why it waits
  queued: 5,
  waitsForEarlierRun: 6, // blocker
  waitsForExecutor: 7, // groupId: no live executor there
  waitsForSlot: 8, // groupId, used, capacity, executors
  waitsForHandler: 9, // handler: no live executor knows it
  waitsForRetry: 10, // delayMs, tries, max
  waitsForChosenExecutor: 11, // executorId: offline or full
  // what happened to it
  chosen: 12, // strategy, executorId, executor, among, whom, and what the strategy looked at (after, key, place, over, uses, usedAt, running, capacity, passed)
  chosenByPerson: 13, // executorId, executor
  dispatched: 14, // attempt, executorId
  accepted: 15,
  started: 16,
  rejected: 17, // code, executorId, detail
  neverReceived: 18, // executorId: the executor restarted before it took the attempt
  executorLost: 19, // executorId
  executorRestarted: 20, // executorId: it came back and did not have the run
  failed: 21, // code
  timedOut: 22,
  succeeded: 23,
  retriesExhausted: 24, // tries, max
  cancelRequested: 25, // by
  canceled: 26, // by
  cancelUnconfirmed: 27, // the executor did not answer within grace and kill time
  replaced: 28, // by: the newer run
  replaces: 29, // of: the older run
  overlapSkipped: 30, // blocker
  retrying: 31, // tries, max, delayMs
  traceCut: 32, // dropped: entries that no longer fitted
  deleted: 33, // the task was deleted
  // why it waits, of routing
  waitsForLabels: 34, // labels, executors: none that is online carries them all
  waitsForPlace: 35, // executorId, executor: its places are another node's, which was asked for one
  waitsForTaskLimit: 40, // used, max: as many runs of the task are at executors as may be
  waitsForGroupLimit: 41, // groupId, used, max: as many attempts of the group are in flight, over all nodes, as may be
  queueTimedOut: 42, // waitedMs, maxMs
  lostNotRetried: 43, // the task says that a lost run fails
  // shards (50 to 59)
  split: 50, // total: shards are made
  shardsEnded: 51, // total, succeeded
  shardsRefused: 52, // problem, and from, to, total, max
  shardOf: 53, // parent, index, total
  pinnedExecutorLost: 54, // executorId: the shard was for it alone
  shardsNeverMade: 55, // missing: canceled before they were made
  mapped: 56, // total, reduce: its handler has split it, and whether it wants the results
  reducing: 57, // total, succeeded: all shards have ended, and their results are to be combined
  mapDropped: 58, // shards: what an attempt had split off that did not succeed
  waitsForMapper: 59, // executors: none of them knows runs that are split by their handler
  // why a due instant did not fire (ledger)
  misfire: 60, // policy, lateMs
  overlap: 61, // blocker
  queueFull: 62, // max
  stoppedFirst: 63,
  restored: 64,
  // workflows (70 to 89)
  stepOf: 70, // run, step
  itemOf: 71, // run, step, index, total
  begun: 72, // steps: a run of a workflow begins
  paramsRefused: 73, // problem
  stepsEnded: 74, // succeeded, failed, skipped: every step of the run has ended
  outOfTime: 75, // timeoutMs: a run of a workflow took too long, and ends what runs
  itemFailed: 76, // index: the first child that failed stops the rest
  // backfills (90 to 94)
  backfilled: 90, // backfill, place, total: a backfill has made it for an instant that was due
  // calendars (95, 96)
  calendarExcluded: 95, // calendar, why, day: the calendar leaves the instant out
  calendarMoved: 96, // calendar, why, day, from: it stands for an instant on a day off
  // bulk operations (97)
  inBulk: 97, // bulk, total: a bulk operation has done it
  // variables and secrets (100 to 104)
  referenceUnknown: 100, // names: what it refers to is not there any more
  secretSealed: 101, // names: sealed with a key that this server was not given
  referencesTooLarge: 102, // bytes, max: the values that it refers to are too much text
} as const

export type Reason = keyof typeof REASON
export type ReasonCode = (typeof REASON)[Reason]
export const SKIP_REASONS = ['misfire', 'overlap', 'queueFull', 'stoppedFirst', 'restored'] as const satisfies readonly Reason[]
/** Skips that nobody asked for by stopping the task. */
export const MISSED_REASONS = ['misfire', 'overlap', 'queueFull', 'restored'] as const satisfies readonly SkipReason[]
export type MissedReason = (typeof MISSED_REASONS)[number]
export type SkipReason = (typeof SKIP_REASONS)[number]
export type Facts = Readonly<Record<string, string | number | boolean | null>>

const byCode: ReadonlyMap<number, Reason> = new Map(reasons().map((reason) => [REASON[reason], reason]))

/** All reasons, in the order of their codes. */
export function reasons(): Reason[] {
  return Object.keys(REASON).filter(isReason)
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(REASON, word)
}

/** The word for a stored code; `null` for a code that a newer version wrote. */
export function reasonOf(code: number): Reason | null {
  return byCode.get(code) ?? null
}
