import type { Attention, Register } from '@tickwheel/contract'
import { CAUSE, id, REASON, slotOf } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addChannel } from '../engine/alarms.fixture.ts'
import { readAttention, type AttentionScopes } from './attention.ts'
import { addCounts } from './counters.ts'
import type { Database } from './database.ts'
import { readExecutorLoad } from './executor-load.ts'
import { registerExecutor } from './executors.ts'
import { floorOfInstant } from './ids.ts'
import type { InstanceRow } from './schema.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'
import { stoppedTasks } from './stopped-tasks.ts'
import { makeWorkflow } from './workflows.fixture.ts'

const ALL: AttentionScopes = { tasks: 'all', workflows: 'all', runs: 'all', executors: 'all', alarms: 'all' }
const NOW = T0 + 600_000

let db: Database
let ids = floorOfInstant(T0)
let boots = 100

beforeEach(async () => {
  db = await memoryStore(() => NOW)
  await addGroup(db, 1)
  await addGroup(db, 2)
})
afterEach(() => db.close())

async function attention(scopes: Partial<AttentionScopes> = {}, groupId?: number): Promise<Attention[]> {
  return (await readAttention(db, { ...ALL, ...scopes }, { groupId, now: NOW, stopped: await stoppedTasks(db) })).items
}
const short = (items: readonly Attention[]) => items.map(({ kind, level, name, n }) => `${level} ${kind} ${name} ${n}`.replace('  ', ' '))

/** A task that is not due soon. */
async function task(name: string, groupId = 1): Promise<number> {
  const input = taskInput({ name, groupId, schedule: { kind: 'cron', expression: '0 0 0 1 1 ?' } })
  return (await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0))).taskId
}

/** Runs of a task that have ended so, oldest first, counted as the end of a run counts it. */
async function ended(taskId: number, outcomes: readonly number[], more: Partial<InstanceRow> = {}): Promise<void> {
  const rows = outcomes.map((outcome) => endedRow((ids += 1), { task_id: taskId, outcome, error_code: 'EXIT_CODE', ...more }))
  await db.write('rest', async (tx) => {
    await tx.insert('instance', rows)
    await addCounts(
      tx,
      T0,
      rows.map((row) => ({ groupId: row.group_id, metric: row.outcome, n: 1 })),
    )
  })
}

async function join(name: string, groupId = 1, capacity = 4): Promise<number> {
  const process = { appName: `app-${groupId}`, protocol: { min: 1, max: 1 }, version: '0', host: 'here', pid: 1, handlers: [] }
  const register: Register = { ...process, name, capacity }
  return (await registerExecutor(db, { at: T0, bootId: (boots += 1), groupId, register })).row.id
}
const leave = (executorId: number, seenAt: number) =>
  db.write('rest', async (tx) => {
    await tx.run('UPDATE executor SET state = 0 WHERE id = ?', [executorId])
    await tx.run('DELETE FROM executor_beat WHERE executor_id = ?', [executorId])
    await tx.insert('executor_beat', [{ executor_id: executorId, boot_id: 1, seen_at: seenAt, load: null }])
  })

describe('what needs attention', () => {
  it('is nothing where all is well', async () => {
    const well = await task('well')
    await ended(well, [2, 1])
    await join('here')
    expect(await attention()).toEqual([])
  })

  it('is a task whose last run failed, with how many in a row did, until one succeeds', async () => {
    const [bad, worse, mended] = [await task('bad'), await task('worse'), await task('mended')]
    await ended(bad, [1, 2])
    await ended(worse, [1, 2, 3, 5])
    await ended(mended, [2, 2, 1])
    expect(short(await attention())).toEqual(['broken failing worse 3', 'broken failing bad 1'])
    const [first] = await attention()
    expect(first).toMatchObject({ id: worse, groupName: 'group 1', facts: { code: 'EXIT_CODE', runId: expect.any(Number) as number } })
    await ended(worse, [1])
    expect(short(await attention())).toEqual(['broken failing bad 1'])
  })

  it('is a workflow whose last run failed; what failed in its steps, and in shards, is told by that', async () => {
    const workflowId = await task('flow')
    await makeWorkflow(db, workflowId, { steps: [{ key: 'a', kind: 'approval', prompt: 'Go on?' }] })
    const step = await task('step')
    await ended(workflowId, [2], { runs_workflow: 1 })
    await ended(step, [2], { workflow_run_id: 5, workflow_id: workflowId, step_no: 1 })
    await ended(step, [2], { cause: CAUSE.shard, parent_id: 6 })
    const items = await attention()
    expect(items.map(({ id: of, isWorkflow }) => [of, isWorkflow])).toEqual([[workflowId, true]])
  })

  it('is what has stopped by itself: held, or paused after failures', async () => {
    const [held, paused] = [await task('held'), await task('paused')]
    await db.write('rest', async (tx) => {
      await tx.run('UPDATE series SET held = ? WHERE owner_id = ?', [JSON.stringify({ reason: 'brokenSchedule', at: T0 }), held])
      await tx.run('UPDATE task SET enabled = 0, paused = ? WHERE id = ?', [
        JSON.stringify({ failures: 3, at: new Date(T0).toISOString(), instanceId: 9 }),
        paused,
      ])
    })
    // that it failed is told by that it has stopped
    await ended(paused, [2, 2, 2])
    expect(short(await attention())).toEqual(['broken held held 1', 'broken paused paused 3'])
    expect(short(await attention({ tasks: [] }))).toEqual(['broken failing paused 3'])
    expect(await attention({}, 2)).toEqual([])
  })

  it('is what no node fires, and a queue whose head waits, with its reason, a channel that does not send, executors that are gone', async () => {
    const late = await task('late')
    await addChannel(db, 901)
    await db.write('rest', async (tx) => {
      await tx.run('UPDATE series SET next_due_at = ? WHERE owner_id = ?', [NOW - 9000, late])
      await tx.run('UPDATE alarm_channel SET failed_in_a_row = 4 WHERE id = 901')
      const waits = { queued_at: NOW - 10_000, wait_code: REASON.waitsForSlot, wait_facts: '{"used":3}', rank_at: 5 }
      await tx.insert('open_instance', [
        openRow((ids += 1), { task_id: late, ...waits }),
        openRow((ids += 1), { task_id: late, ...waits, rank_at: 9 }),
        openRow((ids += 1), { task_id: late, queued_at: NOW - 90_000, lane: 2, group_id: 2 }),
        openRow((ids += 1), { task_id: late, queued_at: NOW - 100, lane: 3, group_id: 3 }),
      ])
    })
    await leave(await join('gone'), NOW - 60_000)
    await leave(await join('gone long ago'), NOW - 7_200_000)
    await join('here')
    await leave(await join('the last', 2), NOW - 7_200_000)
    expect(short(await attention())).toEqual([
      'broken executorsGone the last 1',
      'broken channel channel 901 4',
      'late overdue late 1',
      'late waiting 1',
      'full executorsGone gone 1',
      'full waiting 2',
    ])
    const waiting = (await attention()).find((item) => item.kind === 'waiting' && item.level === 'full')
    expect(waiting).toMatchObject({ groupId: 1, facts: { reason: 'waitsForSlot', facts: { used: 3 }, taskName: 'late' } })
  })

  it('is told of the groups that are seen, by the permission that it takes', async () => {
    const [mine, theirs] = [await task('mine'), await task('theirs', 2)]
    await ended(mine, [2])
    await ended(theirs, [2], { group_id: 2 })
    const two = [id<'group'>(2)]
    expect(short(await attention({ runs: two }))).toEqual(['broken failing theirs 1'])
    expect(short(await attention({ runs: [] }))).toEqual([])
    expect(short(await attention({}, 1))).toEqual(['broken failing mine 1'])
    expect(short(await attention({ runs: two }, 1))).toEqual([])
  })
})

describe('how full executors are', () => {
  it('is told by group, who waits first, with what is in flight against the slots of those that are there', async () => {
    const [a, b, c] = [await join('a'), await join('b', 1, 2), await join('c', 2, 10)]
    await db.write('rest', async (tx) => {
      await tx.run('UPDATE executor SET draining = 1 WHERE id = ?', [b])
      const row = (executorId: number) => openRow((ids += 1), { phase: 4, lane: 0, executor_id: executorId })
      await tx.insert('open_instance', [
        row(a),
        row(b),
        row(b),
        row(c),
        openRow((ids += 1), { lane: 2, group_id: 2, slot: slotOf('task', 1) }),
      ])
    })
    await leave(await join('gone'), T0)
    const load = await db.read((tx) => readExecutorLoad(tx, null))
    expect(load).toMatchObject({ online: 3, draining: 1, offline: 1, slots: 16, used: 4, waiting: 1 })
    expect(
      load.groups.map(({ groupId, online, offline, slots, used, waiting }) => [groupId, online, offline, slots, used, waiting]),
    ).toEqual([
      [2, 1, 0, 10, 1, 1],
      [1, 2, 1, 6, 3, 0],
    ])
    expect(load.busiest.map(({ name, isDraining }) => [name, isDraining])).toEqual([
      ['b', true],
      ['a', false],
      ['c', false],
    ])
    expect(await db.read((tx) => readExecutorLoad(tx, [2]))).toMatchObject({ online: 1, slots: 10, used: 1, waiting: 1 })
    expect(await db.read((tx) => readExecutorLoad(tx, []))).toMatchObject({ online: 0, slots: 0, used: 0, waiting: 0, groups: [] })
  })
})
