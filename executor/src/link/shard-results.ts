/** Reads what the shards of a run came to, a page of about 1 MiB at a time, from whichever server the executor is linked to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, SHARD_RESULT_PATH, ShardResultPage, type RunningAttempt, type ShardResult } from '@tickwheel/contract'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { messageOf } from '../logger.ts'
import { RunFailure } from '../run/run.ts'

/** Where to ask, and as whom; null: no server has taken this executor yet. */
export type Asking = () => { readonly server: string; readonly token: string } | null

/** unknown fields are ignored: the server may be newer */
const pageCheck = Compile(Type.Object(ShardResultPage.properties))
const problemCheck = Compile(Problem)

const TIMEOUT_MS = 30_000
const AGAIN_MS = 500

/**
 * The results in the order of the shards, each once. Waits for a server that is away until the signal is aborted. Throws RunFailure when the server says
 * that there are none for this attempt, or when some are missing.
 */
export async function* readShardResults(
  ask: Asking,
  run: RunningAttempt & { readonly total: number },
  signal: AbortSignal,
): AsyncGenerator<ShardResult> {
  let index = 0
  while (index < run.total) {
    const { items } = await readPage(ask, run, index, signal)
    for (const item of items) {
      if (item.index !== index) throw incomplete(`the result of shard ${String(index)} is gone`)
      index += 1
      yield item
    }
    if (items.length === 0) throw incomplete(`the results from shard ${String(index)} on are gone`)
  }
}

async function readPage(ask: Asking, run: RunningAttempt, from: number, signal: AbortSignal): Promise<ShardResultPage> {
  for (;;) {
    signal.throwIfAborted()
    const page = await tryPage(ask, run, from, signal)
    if (page !== null) return page
    // an abort only ends the wait
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Null: no server could tell, and another try may do. */
async function tryPage(
  ask: Asking,
  { instanceId, attempt }: RunningAttempt,
  from: number,
  signal: AbortSignal,
): Promise<ShardResultPage | null> {
  const asked = ask()
  if (asked === null) return null
  const url = new URL(SHARD_RESULT_PATH, asked.server)
  url.search = new URLSearchParams({ instanceId: String(instanceId), attempt: String(attempt), from: String(from) }).toString()
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${asked.token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const body: unknown = await answer.json()
    if (answer.ok && pageCheck.Check(body)) return body
    if (answer.status !== 403 && answer.status !== 404) return null
    throw incomplete(problemCheck.Check(body) ? body.detail : `the server answered with status ${String(answer.status)}`)
  } catch (thrown) {
    if (thrown instanceof RunFailure) throw thrown
    return null
  }
}

function incomplete(why: unknown): RunFailure {
  return new RunFailure('SHARD_RESULTS_INCOMPLETE', `the results of the shards cannot be read: ${messageOf(why)}`)
}
