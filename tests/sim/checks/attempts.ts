import type { ReadTx } from '../../../server/src/store/database.ts'
import type { Execution } from '../executions.ts'

/** Earlier attempts of which rows are kept. */
const KEPT = 100

/**
 * Invariant 3: no attempt runs twice, whatever is sent how often; two attempts of a run never run at once, unless the older one's executor was away so long
 * that it was given up and could not know; every attempt but the last has its row.
 */
export async function attemptFaults(tx: ReadTx, executions: readonly Execution[]): Promise<string[]> {
  return [...twiceFaults(executions), ...besideFaults(executions), ...(await gapFaults(tx))].map((fault) => `attempts: ${fault}`)
}

function twiceFaults(executions: readonly Execution[]): string[] {
  const counts = Map.groupBy(executions, (one) => `${one.instanceId}/${one.attempt}`)
  return [...counts]
    .filter(([, same]) => same.length > 1)
    .map(([key, same]) => `attempt ${key} ran ${same.length} times: ${same.map((one) => `${one.executor} at ${one.startedAt}`).join(', ')}`)
}

function besideFaults(executions: readonly Execution[]): string[] {
  return [...Map.groupBy(executions, (one) => one.instanceId).values()].flatMap((attempts) =>
    attempts
      .toSorted((a, b) => a.attempt - b.attempt)
      .flatMap((later, index, all) => {
        const earlier = all[index - 1]
        return earlier !== undefined && isBeside(earlier, later)
          ? [
              `attempt ${later.attempt} of run ${later.instanceId} began at ${later.startedAt}, beside attempt ${earlier.attempt}, which ran at ${earlier.executor} until ${earlier.endedAt}`,
            ]
          : []
      }),
  )
}

/** An executor that was stopped (SIGSTOP) could not stop its run in time, and one whose run is not movable does not have to. */
function isBeside(earlier: Execution, later: Execution): boolean {
  const couldStop = earlier.isMovable && earlier.pausesBefore === earlier.pausesAfter
  return couldStop && (earlier.endedAt ?? Infinity) > later.startedAt
}

async function gapFaults(tx: ReadTx): Promise<string[]> {
  const rows = await tx.all<{ id: number; attempt: number; kept: number }>(
    'SELECT i.id, i.attempt, (SELECT COUNT(*) FROM attempt a WHERE a.instance_id = i.id AND a.attempt < i.attempt AND a.late = 0) AS kept FROM instance i WHERE i.attempt > 1',
  )
  return rows
    .filter(({ attempt, kept }) => kept < Math.min(attempt - 1, KEPT))
    .map(({ id, attempt, kept }) => `run ${id} came to attempt ${attempt}, and has rows of ${kept} before it`)
}
