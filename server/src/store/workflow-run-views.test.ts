import { AppError, type WorkflowRunListQuery } from '@tickwheel/contract'
import { CAUSE, id, OUTCOME, PHASE, STEP_STATE, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { getInstance, instancesById, listInstances, runHead } from './instances.ts'
import { groupOf } from './locate.ts'
import { endRuns } from './run-writes.ts'
import type { InstanceRow, OpenInstanceRow, StepRunRow, WorkflowRunRow } from './schema.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput, workflowInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'
import { listWorkflows } from './workflow-list.ts'
import { WorkflowRunReader } from './workflow-run-views.ts'
import { WorkflowVersions } from './workflow-versions.ts'
import { createWorkflow } from './workflows.ts'

const BASE = floorOfInstant(T0)
const all = (): boolean => true
const none = (): boolean => false
let db: Database
let reader: WorkflowRunReader
let versions: WorkflowVersions
let flow: number
let other: number
let billing: number

beforeEach(async () => {
  db = await memoryStore()
  versions = new WorkflowVersions()
  reader = new WorkflowRunReader({ db, versions, serverZone: 'UTC' })
  await addGroup(db, 1, 'default')
  await addGroup(db, 2, 'second')
  billing = (await createTask(db, { input: taskInput({ name: 'billing' }), serverZone: 'UTC' }, changeAt(T0))).taskId
  other = await make({ name: 'other', groupId: 2 })
  flow = await make({
    name: 'flow',
    steps: [
      { key: 'pull', name: 'Pull rows', kind: 'task', inline: { handler: { kind: 'shell', script: 'true' } } },
      { key: 'enough', kind: 'condition', when: 'steps.pull.output.rows > 0' },
      { key: 'bill', kind: 'fanOut', items: '=steps.pull.output.list', each: { kind: 'task', task: 'default/billing' } },
      { key: 'sub', kind: 'subWorkflow', workflow: 'second/other' },
      { key: 'ok', kind: 'approval', prompt: 'Send?' },
    ],
    edges: [
      { from: 'pull', to: 'enough' },
      { from: 'enough', to: 'bill', on: 'branch', branch: 'true' },
      { from: 'enough', to: 'sub', on: 'branch', branch: 'false' },
      { from: 'bill', to: 'ok' },
    ],
  })
})
afterEach(() => db.close())

async function make(more: Parameters<typeof workflowInput>[0]): Promise<number> {
  const mayRun = { tasks: 'all', workflows: 'all' } as const
  return (await createWorkflow(db, { input: workflowInput(more), serverZone: 'UTC', mayRun }, changeAt(T0))).taskId
}

const runOf = (workflowId: number, groupId = 1) => ({ task_id: workflowId, group_id: groupId, runs_workflow: 1 })
const stepOf = (runId: number, no: number) => ({
  workflow_run_id: runId,
  workflow_id: flow,
  workflow_version: 1,
  step_no: no,
  cause: CAUSE.workflow,
})

interface Rows {
  readonly open?: readonly OpenInstanceRow[]
  readonly ended?: readonly InstanceRow[]
  readonly beside?: readonly (Partial<WorkflowRunRow> & Pick<WorkflowRunRow, 'run_id'>)[]
  readonly steps?: readonly (Partial<StepRunRow> & Pick<StepRunRow, 'run_id' | 'step_no' | 'state'>)[]
}

async function put({ open = [], ended = [], beside = [], steps = [] }: Rows): Promise<void> {
  await db.write('report', async (tx) => {
    await tx.insert('open_instance', open)
    await tx.insert('instance', ended)
    await tx.insert(
      'workflow_run',
      beside.map((row) => ({ workflow_id: flow, version: 1, run_date: '2026-11-22', depth: 0, paused_at: null, paused_by: null, ...row })),
    )
    await tx.insert(
      'step_run',
      steps.map((row) => ({
        round: 1,
        instance_id: null,
        started_at: null,
        ended_at: null,
        next_at: null,
        branch: null,
        edges: null,
        facts: null,
        output: null,
        error_code: null,
        error: null,
        reused_from: null,
        ...row,
      })),
    )
  })
}

const found = async (asked: WorkflowRunListQuery, scope: Scope = 'all') =>
  (await reader.list(scope, asked)).items.map((item) => item.id - BASE)

async function code(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return error.code
}

describe('the list of runs of workflows', () => {
  beforeEach(() =>
    put({
      ended: [
        endedRow(BASE + 1, runOf(flow)),
        endedRow(BASE + 2, { ...runOf(flow), outcome: OUTCOME.failed, cause: CAUSE.manual }),
        endedRow(BASE + 3, { ...runOf(other, 2), outcome: OUTCOME.lost }),
        endedRow(BASE + 9),
        endedRow(BASE + 10, { task_id: flow, ...stepOf(BASE + 1, 0) }),
      ],
      open: [
        openRow(BASE + 4, { ...runOf(flow), phase: PHASE.running }),
        openRow(BASE + 5, { ...runOf(flow), phase: PHASE.running }),
        openRow(BASE + 6, { ...runOf(flow), phase: PHASE.waiting }),
        openRow(BASE + 7, { ...runOf(other, 2), phase: PHASE.queued }),
        openRow(BASE + 8, {}),
        openRow(BASE + 11, { task_id: flow, ...stepOf(BASE + 4, 0) }),
      ],
      beside: [
        { run_id: BASE + 1, run_date: '2026-11-21' },
        { run_id: BASE + 2 },
        { run_id: BASE + 3, workflow_id: other },
        { run_id: BASE + 4 },
        { run_id: BASE + 5, paused_at: T0, paused_by: 'ann' },
      ],
    }),
  )

  it.each<{ why: string; asked: WorkflowRunListQuery; scope?: Scope; ids: number[] }>([
    { why: 'everything, newest first: no runs of tasks, none of steps', asked: {}, ids: [7, 6, 5, 4, 3, 2, 1] },
    { why: 'of a workflow', asked: { workflowId: 0 }, ids: [6, 5, 4, 2, 1] },
    { why: 'what is visible', asked: {}, scope: [id(2)], ids: [7, 3] },
    { why: 'nothing is visible', asked: {}, scope: [], ids: [] },
    { why: 'a group outside the scope is as none', asked: { groupId: 1 }, scope: [id(2)], ids: [] },
    { why: 'a lost run has failed', asked: { state: 'failed' }, ids: [3, 2] },
    { why: 'open states', asked: { state: 'running,paused' }, ids: [5, 4] },
    { why: 'paused', asked: { state: 'paused' }, ids: [5] },
    { why: 'waiting and queued, of which nothing is kept beside yet', asked: { state: 'waiting,queued' }, ids: [7, 6] },
    { why: 'a cause', asked: { cause: 'manual' }, ids: [2] },
    { why: 'a business date', asked: { workflowId: 0, date: '2026-11-21' }, ids: [1] },
    { why: 'after the last', asked: { from: new Date(T0 + 60_000).toISOString() }, ids: [] },
    { why: 'before the first', asked: { to: new Date(T0 - 60_000).toISOString() }, ids: [] },
  ])('has $why', async ({ asked, scope, ids }) => {
    const { workflowId, ...rest } = asked
    const query = workflowId === undefined ? rest : { ...rest, workflowId: flow }
    expect(await found(query, scope)).toEqual(ids)
    const { total, totalCapped } = await reader.list(scope ?? 'all', { ...query, pageSize: 1 })
    expect([total, totalCapped]).toEqual([ids.length, undefined])
  })

  it('is read page by page, by number and by cursor', async () => {
    expect(await found({ pageSize: 3, page: 2 })).toEqual([4, 3, 2])
    const seen: number[] = []
    for (let cursor: string | null | undefined = undefined; cursor !== null;) {
      const page = await reader.list('all', { pageSize: 2, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map((item) => item.id - BASE))
      cursor = page.nextCursor
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1])
  })

  it('refuses states that there are not, and a date without a workflow', async () => {
    expect(await code(reader.list('all', { state: 'dispatched' }))).toBe('VALIDATION_FAILED')
    expect(await code(reader.list('all', { date: '2026-11-21' }))).toBe('VALIDATION_FAILED')
    expect(await code(reader.list('all', { cursor: 'x' }))).toBe('VALIDATION_FAILED')
  })

  it('tells the business date also of a run that has not begun', async () => {
    const { items } = await reader.list('all', { state: 'waiting' })
    expect(items).toMatchObject([
      { state: 'waiting', date: '2026-11-22', steps: { pending: 5 }, workflowName: 'flow', groupName: 'default' },
    ])
  })

  it('has runs that ended before they began', async () => {
    const queued = openRow(BASE + 20, { ...runOf(flow), phase: PHASE.queued })
    const paused = openRow(BASE + 21, { ...runOf(flow), phase: PHASE.waiting })
    await put({ open: [queued, paused], beside: [{ run_id: BASE + 21, run_date: '2026-11-20' }] })
    await db.write('rest', (tx) =>
      endRuns(
        tx,
        T0,
        1,
        [queued, paused].map((row) => ({ row, outcome: OUTCOME.canceled, endedAt: T0, result: null, error: null, trace: [] })),
      ),
    )
    const { items } = await reader.list('all', { state: 'canceled' })
    expect(items.map(({ id: runId, date }) => [runId - BASE, date])).toEqual([
      [21, '2026-11-20'],
      [20, '2026-11-22'],
    ])
  })

  it('is what a list of workflows shows of each', async () => {
    const { items } = await listWorkflows(db, 'all', { versions })
    const { openRuns, recent } = items.find((item) => item.id === flow) ?? { openRuns: 0, recent: [] }
    expect([openRuns, recent.map((run) => run.id - BASE)]).toEqual([3, [6, 5, 4, 2, 1]])
  })

  it('has nothing in common with the list of instances, which says what a step is done for', async () => {
    const ids = async (asked: Parameters<typeof listInstances>[2]) =>
      (await listInstances(db, 'all', asked)).items.map((item) => item.id - BASE)
    expect(await ids({})).toEqual([11, 10, 9, 8])
    expect((await listInstances(db, 'all', {})).total).toBe(4)
    expect(await ids({ taskId: flow })).toEqual([11, 10])
    expect(await getInstance(db, 'all', BASE + 10, all)).toMatchObject({
      taskName: 'flow · Pull rows',
      step: { workflowRunId: BASE + 1, workflowId: flow, workflowName: 'flow', stepKey: 'pull' },
    })
    expect(await getInstance(db, 'all', BASE + 9, all)).toMatchObject({ step: null })
    expect(await code(getInstance(db, 'all', BASE + 1, all))).toBe('INSTANCE_NOT_FOUND')
    expect(await runHead(db, 'all', BASE + 1)).toBeNull()
    expect(await instancesById(db, 'all', [BASE + 1])).toEqual([])
    expect(await groupOf(db, 'workflow-run', BASE + 3)).toBe(2)
    expect(await groupOf(db, 'workflow-run', BASE + 9)).toBeNull()
  })

  it('gives what the steps of one run do', async () => {
    await put({
      steps: [
        { run_id: BASE + 1, step_no: 0, state: STEP_STATE.succeeded, instance_id: BASE + 10 },
        { run_id: BASE + 1, step_no: 3, state: STEP_STATE.succeeded, instance_id: BASE + 3 },
      ],
    })
    const list = await listInstances(db, 'all', { workflowRunId: BASE + 1 })
    expect(list.items.map((item) => item.id - BASE)).toEqual([10])
    expect((await listInstances(db, 'all', { workflowRunId: BASE + 2 })).total).toBe(0)
  })
})

describe('a run of a workflow', () => {
  const RUN = BASE + 100
  const FIRST_CHILD = BASE + 200
  beforeEach(async () => {
    await put({
      open: [
        openRow(RUN, { ...runOf(flow), phase: PHASE.running, started_at: T0 + 10 }),
        openRow(BASE + 101, {
          task_id: flow,
          ...stepOf(RUN, 2),
          phase: PHASE.running,
          shard_total: 3,
          first_child_id: FIRST_CHILD,
          children_made: 3,
          children_open: 2,
          children_ended: '{"failed":1}',
        }),
        openRow(FIRST_CHILD, {
          task_id: billing,
          ...stepOf(RUN, 2),
          parent_id: BASE + 101,
          shard_index: 0,
          shard_total: 3,
          shard_key: 'x',
        }),
        openRow(FIRST_CHILD + 2, {
          ...runOf(other, 2),
          ...stepOf(RUN, 2),
          runs_workflow: 1,
          phase: PHASE.running,
          parent_id: BASE + 101,
          shard_index: 2,
          shard_total: 3,
          shard_key: 'z',
        }),
      ],
      ended: [
        endedRow(BASE + 102, { task_id: flow, ...stepOf(RUN, 0) }),
        endedRow(FIRST_CHILD + 1, {
          task_id: billing,
          ...stepOf(RUN, 2),
          outcome: OUTCOME.failed,
          parent_id: BASE + 101,
          shard_index: 1,
          shard_total: 3,
          shard_key: 'y',
        }),
      ],
      beside: [{ run_id: RUN }],
      steps: [
        {
          run_id: RUN,
          step_no: 0,
          state: STEP_STATE.succeeded,
          instance_id: BASE + 102,
          started_at: T0 + 20,
          ended_at: T0 + 30,
          output: '{"rows":3}',
          edges: '{"0":"taken"}',
        },
        { run_id: RUN, step_no: 1, state: STEP_STATE.succeeded, branch: 'true', edges: '{"1":"taken","2":"passed"}' },
        { run_id: RUN, step_no: 2, round: 1, state: STEP_STATE.failed, error_code: 'ITEMS_FAILED', error: 'one' },
        { run_id: RUN, step_no: 2, round: 2, state: STEP_STATE.running, instance_id: BASE + 101, facts: '{"items":3}' },
        { run_id: RUN, step_no: 3, state: STEP_STATE.skipped, facts: '{"skippedBy":[2]}' },
      ],
    })
  })

  it('is told with every step and the decision of each edge', async () => {
    const run = await reader.get('all', RUN, all)
    expect(run).toMatchObject({
      state: 'running',
      workflowName: 'flow',
      version: 1,
      date: '2026-11-22',
      params: {},
      outputs: null,
      parent: null,
      edges: ['taken', 'taken', 'passed', null],
      steps: { succeeded: 2, running: 1, skipped: 1, pending: 1 },
    })
    expect(run.definition.steps).toHaveLength(5)
    expect(run.stepRuns).toMatchObject([
      { key: 'pull', no: 0, kind: 'task', state: 'succeeded', instanceId: BASE + 102 },
      { key: 'enough', state: 'succeeded', branch: 'true' },
      { key: 'bill', state: 'running', round: 2, error: null, items: { total: 3, made: 3, ended: { failed: 1 } } },
      { key: 'sub', state: 'skipped', skippedBy: [2], workflowRunId: null },
      { key: 'ok', state: 'pending', startedAt: null },
    ])
  })

  it('hides what went in and came out from whoever may not see parameters', async () => {
    const run = await reader.get('all', RUN, none)
    expect([run.params, run.outputs, run.hidden]).toEqual([null, null, ['params', 'outputs', 'definition.steps.0.inline.handler.script']])
    expect(await reader.step('all', { workflowRunId: RUN, key: 'pull', mayViewParams: none })).toMatchObject({
      params: null,
      output: null,
      hidden: ['params', 'output'],
    })
    expect(await reader.live('all', RUN, none)).toMatchObject({ params: null, hidden: ['params', 'outputs'] })
  })

  it('is not there outside the scope, nor are its steps, nor is it where there is another run', async () => {
    const scope: Scope = [id(2)]
    const asked = { workflowRunId: RUN, key: 'pull', mayViewParams: all }
    for (const work of [
      () => reader.get(scope, RUN, all),
      () => reader.step(scope, asked),
      () => reader.items(scope, asked),
      () => reader.get('all', BASE + 102, all),
    ])
      expect(await code(work())).toBe('WORKFLOW_RUN_NOT_FOUND')
    expect(await reader.live(scope, RUN, all)).toBeNull()
    expect(await code(reader.step('all', { ...asked, key: 'nope' }))).toBe('STEP_NOT_FOUND')
    expect(await code(reader.grid(scope, flow, 20))).toBe('WORKFLOW_NOT_FOUND')
  })

  it('tells of a step what came out, and of its earlier rounds', async () => {
    expect(await reader.step('all', { workflowRunId: RUN, key: 'pull', mayViewParams: all })).toMatchObject({
      step: { key: 'pull', state: 'succeeded' },
      output: { rows: 3 },
      rounds: [],
    })
    expect(await reader.step('all', { workflowRunId: RUN, key: 'bill', mayViewParams: all })).toMatchObject({
      step: { key: 'bill', round: 2, items: { total: 3 } },
      rounds: [{ round: 1, state: 'failed', error: { code: 'ITEMS_FAILED', message: 'one' } }],
    })
    expect(await reader.step('all', { workflowRunId: RUN, key: 'ok', mayViewParams: all })).toMatchObject({
      step: { state: 'pending' },
      output: null,
    })
  })

  it('has the children of a fan-out, failed ones first, runs of tasks and of workflows', async () => {
    const asked = { workflowRunId: RUN, key: 'bill' }
    const { items, total } = await reader.items('all', asked)
    expect(total).toBe(3)
    expect(items.map(({ index, key, instance, workflowRun }) => [index, key, instance?.state, workflowRun?.state])).toEqual([
      [1, 'y', 'failed', undefined],
      [2, 'z', undefined, 'running'],
      [0, 'x', 'queued', undefined],
    ])
    expect(items[1]?.workflowRun?.parent).toEqual({ workflowRunId: RUN, stepKey: 'bill' })
    expect((await reader.items('all', { ...asked, state: 'failed' })).total).toBe(1)
    expect((await reader.items('all', { ...asked, page: 2, pageSize: 2 })).items.map((item) => item.key)).toEqual(['x'])
    expect((await reader.items('all', { ...asked, key: 'pull' })).items).toEqual([])
  })

  it('tells of a child in a group that is not visible only that it is there', async () => {
    await db.write('rest', async (tx) => {
      await tx.run("UPDATE open_instance SET group_id = CASE WHEN shard_key = 'x' THEN 2 ELSE 1 END")
      await tx.run('UPDATE instance SET group_id = 1')
    })
    const { items, total } = await reader.items([id(1)], { workflowRunId: RUN, key: 'bill' })
    expect(total).toBe(3)
    expect(items.map(({ key, instance, workflowRun }) => [key, instance ?? workflowRun ?? null])).toEqual([
      ['y', expect.anything()],
      ['z', expect.anything()],
      ['x', null],
    ])
  })

  it('is a column of the grid', async () => {
    const grid = await reader.grid('all', flow, 20)
    expect(grid.runs).toMatchObject([{ id: RUN, state: 'running', durationMs: null }])
    expect(grid.steps.map(({ key, cells }) => [key, cells[0]?.state, cells[0]?.durationMs])).toEqual([
      ['pull', 'succeeded', 10],
      ['enough', 'succeeded', null],
      ['bill', 'running', null],
      ['sub', 'skipped', null],
      ['ok', 'pending', null],
    ])
  })
})
