import { DASHBOARD_LIMITS, type Dashboard, type ExecutorLoad, type GroupLoad } from '@tickwheel/contract'
import { PHASE } from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import { EXECUTOR_STATE } from './executors.ts'
import { namesOfGroups } from './groups.ts'
import { groupSql, type GroupFilter } from './scope.ts'

/** Executors that are read; more than anybody runs. */
const EXECUTORS_READ = 20_000
const WAITING_TOLD = 10_000

interface ExecutorShort {
  id: number
  group_id: number
  name: string
  state: number
  draining: number
  capacity: number
}

/** How many runs wait in the queue of which group: the index of open runs alone is read, and they are bounded. */
export async function waitingByGroup(tx: ReadTx, groups: GroupFilter): Promise<Map<number, number>> {
  const narrowed = groupSql('lane', groups)
  const rows = await tx.all<{ lane: number; n: number }>(
    `SELECT lane, COUNT(*) AS n FROM open_instance WHERE phase = ? AND lane > 0${narrowed.sql} GROUP BY lane`,
    [PHASE.queued, ...narrowed.params],
  )
  return new Map(rows.map(({ lane, n }) => [lane, Math.min(n, WAITING_TOLD)]))
}

/** How full executors are, by group: what they have in flight against their slots, as the store has both. */
export async function readExecutorLoad(tx: ReadTx, groups: GroupFilter): Promise<NonNullable<Dashboard['executors']>> {
  const narrowed = groupSql('group_id', groups)
  const rows = await tx.all<ExecutorShort>(
    `SELECT id, group_id, name, state, draining, capacity FROM executor WHERE 1 = 1${narrowed.sql} ORDER BY group_id, name LIMIT ${EXECUTORS_READ}`,
    narrowed.params,
  )
  const used = await inFlight(tx)
  const waiting = await waitingByGroup(tx, groups)
  const names = await namesOfGroups(tx, [...rows.map((row) => row.group_id), ...waiting.keys()])
  const byGroup = Map.groupBy(rows, (row) => row.group_id)
  const all = [...names].map(([groupId, groupName]) =>
    groupLoad({ groupId, groupName, waiting: waiting.get(groupId) ?? 0 }, byGroup.get(groupId) ?? [], used),
  )
  const sum = (of: (group: GroupLoad) => number): number => all.reduce((total, group) => total + of(group), 0)
  return {
    online: sum((group) => group.online),
    draining: sum((group) => group.draining),
    offline: sum((group) => group.offline),
    slots: sum((group) => group.slots),
    used: sum((group) => group.used),
    waiting: Math.min(
      WAITING_TOLD,
      sum((group) => group.waiting),
    ),
    groups: all.sort(byFullness).slice(0, DASHBOARD_LIMITS.groups),
    busiest: rows
      .filter(isOnline)
      .map((row) => executorLoad(row, names, used))
      .sort((a, b) => shareOf(b) - shareOf(a) || b.used - a.used || a.id - b.id)
      .slice(0, DASHBOARD_LIMITS.executors),
  }
}

/** Attempts that executors have, by executor. They are at most as many as executors have slots. */
async function inFlight(tx: ReadTx): Promise<Map<number, number>> {
  const rows = await tx.all<{ executor_id: number; n: number }>(
    'SELECT executor_id, COUNT(*) AS n FROM open_instance WHERE phase IN (?, ?) AND executor_id IS NOT NULL GROUP BY executor_id',
    [PHASE.dispatched, PHASE.running],
  )
  return new Map(rows.map((row) => [row.executor_id, row.n]))
}

function groupLoad(
  { groupId, groupName, waiting }: Pick<GroupLoad, 'groupId' | 'groupName' | 'waiting'>,
  rows: readonly ExecutorShort[],
  used: ReadonlyMap<number, number>,
): GroupLoad {
  const online = rows.filter(isOnline)
  return {
    groupId,
    groupName,
    online: online.length,
    draining: online.filter((row) => row.draining === 1).length,
    offline: rows.length - online.length,
    slots: online.reduce((sum, row) => sum + row.capacity, 0),
    used: online.reduce((sum, row) => sum + (used.get(row.id) ?? 0), 0),
    waiting,
  }
}

function executorLoad(row: ExecutorShort, names: ReadonlyMap<number, string>, used: ReadonlyMap<number, number>): ExecutorLoad {
  return {
    id: row.id,
    name: row.name,
    groupId: row.group_id,
    groupName: names.get(row.group_id) ?? '',
    isDraining: row.draining === 1,
    slots: row.capacity,
    used: used.get(row.id) ?? 0,
  }
}

function isOnline(row: ExecutorShort): boolean {
  return row.state === EXECUTOR_STATE.online
}

/** Who waits comes first, then whoever has the least room. */
function byFullness(a: GroupLoad, b: GroupLoad): number {
  return Number(b.waiting > 0) - Number(a.waiting > 0) || shareOf(b) - shareOf(a) || a.groupId - b.groupId
}

function shareOf({ used, slots }: { readonly used: number; readonly slots: number }): number {
  return slots === 0 ? 0 : used / slots
}
