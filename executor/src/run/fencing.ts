import type { Dispatch, RunningAttempt } from '@tickwheel/contract'

/** digits of the largest instance id, 2^53 */
const INSTANCE_DIGITS = 16
const ATTEMPT_DIGITS = 6

/**
 * A text of 22 digits that grows with each attempt of one run, compared as text or as a number. A store that keeps the largest token it has seen and
 * refuses a smaller one cannot be written by an executor that was frozen while another attempt took over.
 * Of two runs, the one made later has the larger token when they were made more than 10 s apart.
 */
export function fencingTokenOf({ instanceId, attempt }: RunningAttempt): string {
  return String(instanceId).padStart(INSTANCE_DIGITS, '0') + String(attempt).padStart(ATTEMPT_DIGITS, '0')
}

/**
 * The same for every attempt of one run, and no other run has it. A run that a person starts again is another run. What combines the results of shards is
 * other work than what split them off: it has a key of its own.
 */
export function idempotencyKeyOf({ instanceId, reduce }: Pick<Dispatch, 'instanceId' | 'reduce'>): string {
  return `tickwheel-${String(instanceId)}${reduce === undefined ? '' : '-reduce'}`
}

/**
 * Headers for a request that must not take effect twice: `Idempotency-Key`, the same for every attempt of the run, and `Tickwheel-Fencing-Token`, which
 * grows with its attempts. `part`: what a run that sends several requests calls this one; it ends up in the key.
 */
export function idempotencyHeaders(
  run: { readonly idempotencyKey: string; readonly fencingToken: string },
  part?: string,
): Readonly<Record<'Idempotency-Key' | 'Tickwheel-Fencing-Token', string>> {
  return {
    'Idempotency-Key': part === undefined ? run.idempotencyKey : `${run.idempotencyKey}-${encodeURIComponent(part)}`,
    'Tickwheel-Fencing-Token': run.fencingToken,
  }
}
