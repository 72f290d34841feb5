import { AppError } from '@tickwheel/contract'
import { CAUSE, id, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { compareInstance } from './instance-compare.ts'
import type { InstanceRow, OpenInstanceRow } from './schema.ts'
import { noteShards } from './shard-mark.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput, workflowInput } from './store.fixture.ts'
import { createTask, updateTask } from './tasks.ts'
import { createWorkflow } from './workflows.ts'

const BASE = floorOfInstant(T0)
let db: Database
let taskId: number
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addGroup(db, 2, 'second')
  const input = taskInput({ params: 'of the task', handler: { kind: 'shell', script: 'echo old secret' } })
  ;({ taskId } = await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0)))
})
afterEach(() => db.close())

const put = (ended: readonly Partial<InstanceRow>[], open: readonly OpenInstanceRow[] = []) =>
  db.write('report', async (tx) => {
    await tx.insert(
      'instance',
      ended.map((row, index) => endedRow(BASE + index + 1, { task_id: taskId, ...row })),
    )
    await tx.insert('open_instance', open)
  })
const FAILED = { outcome: 2, error_code: 'EXIT_CODE', error: 'boom' }
const everything = { mayViewParams: () => true, mayView: () => true }
const compare = (run: number, caller: Partial<typeof everything> = {}, scope: Scope = 'all') =>
  compareInstance(db, scope, BASE + run, { now: T0 + 60_000, ...everything, ...caller })

describe('a run beside the last success', () => {
  it('has the newest success before it, and says what differs', async () => {
    const input = { ...taskInput({ params: 'newer', handler: { kind: 'shell', script: 'echo new secret' } }), version: 1 }
    await updateTask(db, { taskId, input, serverZone: 'UTC' }, changeAt(T0 + 5))
    await put([
      {},
      { executor_id: 70, ended_at: T0 + 1500 },
      FAILED,
      {
        ...FAILED,
        task_version: 2,
        executor_id: 71,
        attempt: 3,
        tries: 3,
        created_at: T0,
        due_at: T0 - 500,
        queued_at: T0,
        sent_at: T0 + 100,
        accepted_at: T0 + 110,
        started_at: T0 + 120,
        ended_at: T0 + 5120,
      },
      {},
    ])
    const { run, success, differences, noSuccess, hidden } = await compare(4)
    expect([run.id - BASE, (success?.id ?? 0) - BASE, noSuccess, hidden]).toEqual([4, 2, null, undefined])
    expect(differences).toEqual(['params', 'version', 'definition', 'executor', 'attempts'])
    expect([run.params, success?.params]).toEqual(['newer', 'of the task'])
    expect([run.definition?.handler, success?.definition?.handler]).toMatchObject([
      { script: 'echo new secret' },
      { script: 'echo old secret' },
    ])
    expect(run.segments.map(({ name, ms }) => `${name} ${ms}`)).toEqual([
      'late 500',
      'queueing 0',
      'earlierAttempts 100',
      'sending 10',
      'starting 10',
      'running 5000',
    ])
    expect([run.totalMs, success?.totalMs]).toEqual([5620, 1500])
  })

  it('is told plainly when there is none, and of an open run time passes', async () => {
    await put([FAILED], [openRow(BASE + 9, { task_id: taskId, phase: 4, sent_at: T0, accepted_at: T0, started_at: T0 })])
    expect(await compare(1)).toMatchObject({ success: null, noSuccess: 'none', differences: [] })
    const { run, success } = await compare(9)
    expect([run.state, run.totalMs, success]).toEqual(['running', 60_000, null])
  })

  it('of a shard is the shard with the same key, and of a parent never a shard', async () => {
    const shard = (no: number, key: string) => ({
      cause: CAUSE.shard,
      parent_id: BASE + 1,
      shard_index: no,
      shard_total: 2,
      shard_key: key,
    })
    await db.write('rest', noteShards)
    await put([
      {},
      shard(0, 'a'),
      shard(1, 'b'),
      FAILED,
      { ...FAILED, ...shard(0, 'a'), parent_id: BASE + 4 },
      { ...FAILED, ...shard(1, 'c') },
    ])
    expect((await compare(4)).success?.id).toBe(BASE + 1)
    expect((await compare(5)).success?.id).toBe(BASE + 2)
    expect((await compare(6)).success).toBeNull()
  })

  it('of a step defined in place is a run of the same step', async () => {
    const { taskId: flow } = await createWorkflow(
      db,
      { input: workflowInput(), serverZone: 'UTC', mayRun: { tasks: 'all', workflows: 'all' } },
      changeAt(T0),
    )
    const step = (no: number) => ({ task_id: flow, workflow_id: flow, workflow_version: 1, workflow_run_id: 5, step_no: no })
    await put([step(0), step(1), { ...FAILED, ...step(0) }])
    const { success, differences } = await compare(3)
    expect([success?.id, differences]).toEqual([BASE + 1, []])
    expect((await compare(3, { mayView: () => false })).hidden).toEqual(['definition'])
  })

  it('hides params and scripts from who may not see them, and every run of groups out of sight', async () => {
    const input = { ...taskInput({ params: 'newer', handler: { kind: 'shell', script: 'echo new secret' } }), version: 1 }
    await updateTask(db, { taskId, input, serverZone: 'UTC' }, changeAt(T0 + 5))
    await put([{}, { group_id: 2 }, { ...FAILED, task_version: 2 }])
    const hidden = await compare(3, { mayViewParams: () => false }, [id(1)])
    expect(JSON.stringify(hidden)).not.toMatch(/secret|newer|of the task/)
    expect(hidden).toMatchObject({ success: { id: BASE + 1, params: null }, differences: ['version'], hidden: ['params'] })
    const code = await compare(2, {}, [id(1)]).catch((refused: unknown) => refused instanceof AppError && refused.code)
    expect(code).toBe('INSTANCE_NOT_FOUND')
  })
})
