import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import type { Dispatch } from '@tickwheel/contract'
import { fencingTokenOf, idempotencyKeyOf } from '../run/fencing.ts'
import { shardOf } from '../run/run-facts.ts'

/** What a child may see of the executor's own environment, unless the executor's configuration names more: nothing that can hold a secret. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'TERM']
/** Linux takes at most 128 KiB in one argument or variable. */
const ARGUMENT_BYTES = 120_000

export interface ChildCall {
  readonly env: Readonly<Record<string, string>>
  /** params, shard index, shard total, as XXL-JOB's scripts get them */
  readonly args: readonly string[]
  readonly resultFile: string
}

/**
 * The environment and arguments of a shell or script run. Parameters too long for an argument (over 120,000 bytes) stand only in the file
 * that TICKWHEEL_PARAMS_FILE names, which is always there.
 */
export function callOf(dispatch: Dispatch, folder: string, allowed: readonly string[]): ChildCall {
  const shard = shardOf(dispatch)
  const resultFile = join(folder, 'result.json')
  const paramsFile = join(folder, 'params')
  writeFileSync(paramsFile, dispatch.params, { mode: 0o600 })
  const params = Buffer.byteLength(dispatch.params) <= ARGUMENT_BYTES ? dispatch.params.replaceAll('\0', '') : ''
  return {
    resultFile,
    args: [params, String(shard.index), String(shard.total)],
    env: {
      ...inherited(allowed),
      ...environmentOf(dispatch.handler),
      PYTHONUNBUFFERED: '1',
      TICKWHEEL_INSTANCE_ID: String(dispatch.instanceId),
      TICKWHEEL_ATTEMPT: String(dispatch.attempt),
      TICKWHEEL_IDEMPOTENCY_KEY: idempotencyKeyOf(dispatch),
      TICKWHEEL_FENCING_TOKEN: fencingTokenOf(dispatch),
      TICKWHEEL_TASK: dispatch.task.name,
      TICKWHEEL_SCHEDULED_AT: dispatch.scheduledAt === null ? '' : new Date(dispatch.scheduledAt).toISOString(),
      TICKWHEEL_PARAMS: params,
      TICKWHEEL_PARAMS_FILE: paramsFile,
      TICKWHEEL_SHARD_INDEX: String(shard.index),
      TICKWHEEL_SHARD_TOTAL: String(shard.total),
      TICKWHEEL_SHARD_KEY: shard.key.replaceAll('\0', ''),
      ...(shard.range === undefined ? {} : { TICKWHEEL_SHARD_FROM: String(shard.range.from), TICKWHEEL_SHARD_TO: String(shard.range.to) }),
      TICKWHEEL_RESULT: resultFile,
    },
  }
}

/** What the task says; the variables that tell of the run come behind it. */
function environmentOf(handler: Dispatch['handler']): Record<string, string> {
  const env = 'env' in handler ? (handler.env ?? {}) : {}
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll('\0', '')]))
}

function inherited(allowed: readonly string[]): Record<string, string> {
  const pairs = [...PASSED_ON, ...allowed].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(pairs)
}
