/** Why a run exists, with the code that is stored. A code is never used again for anything else. `retry` is one by a person; an automatic one is an attempt. */
export const CAUSE = { schedule: 1, manual: 2, api: 3, retry: 4, workflow: 5, backfill: 6, shard: 7 } as const

export type Cause = keyof typeof CAUSE
export type CauseCode = (typeof CAUSE)[Cause]

export const CAUSES = ['schedule', 'manual', 'api', 'retry', 'workflow', 'backfill', 'shard'] as const satisfies readonly Cause[]

/** The cause that a stored code stands for. Throws RangeError for a code that this version does not know. */
export function causeOfCode(code: number): Cause {
  const cause = CAUSES.find((name) => CAUSE[name] === code)
  if (cause === undefined)
    throw new RangeError(`Expected a cause from 1 to 7, got ${code}: the row was written by a newer version or is damaged.`)
  return cause
}
