import { OUTCOME } from '@tickwheel/core'
import type { ReadTx } from '../../../server/src/store/database.ts'
import type { Acknowledged } from '../executions.ts'
import type { Answered } from '../people.ts'

/** Invariant 4: what was acknowledged stands in the store: results of attempts to executors, runs to people. */
export async function durableFaults(tx: ReadTx, acknowledged: readonly Acknowledged[], answered: readonly Answered[]): Promise<string[]> {
  const ended = new Set(
    (
      await tx.all<{ id: number; attempt: number; outcome: number }>(
        'SELECT id, attempt, outcome FROM instance UNION ALL SELECT instance_id, attempt, outcome FROM attempt',
      )
    ).map((row) => `${row.id}/${row.attempt}/${row.outcome}`),
  )
  const runs = new Set(
    (await tx.all<{ id: number }>('SELECT id FROM open_instance UNION ALL SELECT id FROM instance')).map((row) => row.id),
  )
  const results = acknowledged.filter((one) => one.verdict === 'done' || one.verdict === 'already')
  return [
    ...results
      .filter((one) => !ended.has(`${one.instanceId}/${one.attempt}/${codeOf(one.outcome)}`))
      .map(
        (one) =>
          `the result ${one.outcome} of ${one.instanceId}/${one.attempt} was acknowledged (${one.verdict}) at ${one.at} and is not stored`,
      ),
    ...[...Map.groupBy(answered, (one) => one.key)]
      .filter(([, same]) => new Set(same.map((one) => one.instanceId)).size > 1)
      .map(([key, same]) => `the trigger "${key}" was answered with runs ${same.map((one) => one.instanceId).join(', ')}`),
    ...answered
      .filter((one) => !runs.has(one.instanceId))
      .map((one) => `run ${one.instanceId} was promised to "${one.key}" and is missing`),
  ].map((fault) => `durable: ${fault}`)
}

function codeOf(outcome: string): number {
  return Object.entries(OUTCOME).find(([name]) => name === outcome)?.[1] ?? 0
}
