import type { Attention } from '@tickwheel/contract'
import { CAUSE, OUTCOME, OUTCOMES } from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { recentRuns } from './instances.ts'
import { listOfNumbers } from './list.ts'
import { instantText } from './page.ts'
import { FAILURES } from './run-writes.ts'
import { mayHaveShards } from './shard-mark.ts'
import { groupSql, type GroupFilter } from './scope.ts'

/** Groups and failures of them that are looked at, newest first; tasks of which the last runs are read. */
const GROUPS_LOOKED_AT = 50
const FAILURES_LOOKED_AT = 50
const TASKS_LOOKED_AT = 50
const RUNS_LOOKED_AT = 20

const DAY_MS = 86_400_000

interface Failure {
  id: number
  task_id: number
  ended_at: number
  error_code: string | null
  runs_workflow: number | null
}

/**
 * Tasks and workflows whose last run that has ended failed, within the last day, with how many in a row did (at most 20). Which groups have failures at all
 * the counters say; of those the newest are read by the index of group and outcome.
 */
export async function failingTasks(tx: ReadTx, { groups, now }: { groups: GroupFilter; now: number }): Promise<Attention[]> {
  const newest = new Map<number, Failure>()
  for (const groupId of await groupsWithFailures(tx, groups, now))
    for (const failure of await newestFailures(tx, groupId, now))
      if ((newest.get(failure.task_id)?.id ?? 0) < failure.id) newest.set(failure.task_id, failure)
  const looked = [...newest.values()].sort((a, b) => b.id - a.id).slice(0, TASKS_LOOKED_AT)
  const inARow = await failuresInARow(tx, looked)
  const names = await namesOf(tx, [...inARow.keys()])
  return looked.flatMap((failure): Attention[] => {
    const n = inARow.get(failure.task_id) ?? 0
    const task = names.get(failure.task_id)
    if (n === 0 || task === undefined) return []
    return [
      {
        kind: 'failing',
        level: 'broken',
        id: failure.task_id,
        name: task.name,
        groupId: task.group_id,
        groupName: task.group_name ?? '',
        isWorkflow: failure.runs_workflow === 1,
        n,
        at: instantText(failure.ended_at),
        facts: { runId: failure.id, code: failure.error_code },
      },
    ]
  })
}

async function groupsWithFailures(tx: ReadTx, groups: GroupFilter, now: number): Promise<number[]> {
  const narrowed = groupSql('group_id', groups)
  const rows = await tx.all<{ group_id: number }>(
    `SELECT group_id FROM counter WHERE hour_at >= ? AND metric IN (?, ?, ?)${narrowed.sql} GROUP BY group_id ORDER BY SUM(n) DESC LIMIT ${GROUPS_LOOKED_AT}`,
    [now - DAY_MS, ...FAILURES, ...narrowed.params],
  )
  return rows.map((row) => row.group_id)
}

/** What a shard or a step of a workflow did is told by the run that it belongs to. */
async function newestFailures(tx: ReadTx, groupId: number, now: number): Promise<Failure[]> {
  const since = floorOfInstant(now - DAY_MS)
  const newest = `SELECT * FROM (SELECT id, task_id, ended_at, error_code, runs_workflow, cause, workflow_run_id FROM instance
    WHERE group_id = ? AND outcome = ? AND id >= ? ORDER BY id DESC LIMIT ${FAILURES_LOOKED_AT}) AS newest`
  return tx.all<Failure>(
    `SELECT id, task_id, ended_at, error_code, runs_workflow FROM (${FAILURES.map(() => newest).join(' UNION ALL ')}) AS f WHERE cause <> ? AND workflow_run_id IS NULL`,
    [...FAILURES.flatMap((outcome) => [groupId, outcome, since]), CAUSE.shard],
  )
}

/** By task; one whose last run did not fail is not in the map. */
async function failuresInARow(tx: ReadTx, failures: readonly Failure[]): Promise<Map<number, number>> {
  const tasks = failures.filter((failure) => failure.runs_workflow !== 1).map((failure) => failure.task_id)
  const inARow = new Map<number, number>()
  for (const [taskId, { recent }] of await recentRuns(tx, await withoutSuccess(tx, tasks), RUNS_LOOKED_AT)) {
    const ended = recent.flatMap((run) => OUTCOMES.find((outcome) => outcome === run.state) ?? [])
    inARow.set(taskId, leading(ended.map((outcome) => FAILURES.includes(OUTCOME[outcome]))))
  }
  for (const { task_id: workflowId } of failures.filter((failure) => failure.runs_workflow === 1)) {
    const rows = await tx.all<{ outcome: number }>(
      `SELECT outcome FROM instance WHERE task_id = ? AND runs_workflow = 1 ORDER BY id DESC LIMIT ${RUNS_LOOKED_AT}`,
      [workflowId],
    )
    inARow.set(workflowId, leading(rows.map((row) => FAILURES.includes(row.outcome))))
  }
  return inARow
}

/** Most tasks that have failed have succeeded since: one read says which have not. Where the last may be a shard, it does not tell. */
async function withoutSuccess(tx: ReadTx, taskIds: readonly number[]): Promise<readonly number[]> {
  if (taskIds.length === 0 || (await mayHaveShards(tx))) return taskIds
  const list = listOfNumbers(taskIds)
  const rows = await tx.all<{ id: number; last: number | null }>(
    `SELECT t.id, (SELECT i.outcome FROM instance i WHERE i.task_id = t.id ORDER BY i.id DESC LIMIT 1) AS last FROM task t WHERE t.id IN ${list.sql}`,
    list.params,
  )
  return rows.filter((row) => row.last !== null && FAILURES.includes(row.last)).map((row) => row.id)
}

/** How many are true at the beginning. */
function leading(values: readonly boolean[]): number {
  const end = values.indexOf(false)
  return end === -1 ? values.length : end
}

async function namesOf(
  tx: ReadTx,
  taskIds: readonly number[],
): Promise<Map<number, { id: number; name: string; group_id: number; group_name: string | null }>> {
  if (taskIds.length === 0) return new Map()
  const list = listOfNumbers(taskIds)
  const rows = await tx.all<{ id: number; name: string; group_id: number; group_name: string | null }>(
    `SELECT t.id, t.name, t.group_id, g.name AS group_name FROM task t LEFT JOIN task_group g ON g.id = t.group_id WHERE t.id IN ${list.sql} AND t.deleted_at IS NULL`,
    list.params,
  )
  return new Map(rows.map((row) => [row.id, row]))
}
