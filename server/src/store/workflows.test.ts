import { AppError, type FieldProblem, type Step, type WorkflowCreate } from '@tickwheel/contract'
import { id, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { groupNamed, readGroupSums } from './groups.ts'
import { listFirings, whyAt } from './ledger.ts'
import { parseDefinition } from './definition.ts'
import { WORKFLOW } from './scheduled-kind.ts'
import { timingOf } from './scheduled-list.ts'
import { addGroup, changeAt, memoryStore, openRow, T0, taskInput, workflowInput } from './store.fixture.ts'
import { getTask, listTasks } from './task-list.ts'
import { createTask, deleteTask, setTaskEnabled, updateTask } from './tasks.ts'
import { getWorkflow, getWorkflowVersion, listWorkflows, listWorkflowVersions } from './workflow-list.ts'
import { WorkflowVersions } from './workflow-versions.ts'
import { createWorkflow, restoreWorkflowVersion, updateWorkflow, workflowProblems } from './workflows.ts'

const EVERYWHERE = { tasks: 'all', workflows: 'all' } as const
const all = (): boolean => true
const none = (): boolean => false
let db: Database
let versions: WorkflowVersions
beforeEach(async () => {
  db = await memoryStore()
  versions = new WorkflowVersions()
  await addGroup(db, 1, 'default')
  await addGroup(db, 2, 'second')
})
afterEach(() => db.close())

const taskStep = (task: string, key = 'a'): Step => ({ key, kind: 'task', task })
const subStep = (workflow: string, key = 'a'): Step => ({ key, kind: 'subWorkflow', workflow })
const alone = (step: Step, more: Partial<WorkflowCreate> = {}): WorkflowCreate => workflowInput({ steps: [step], edges: [], ...more })

async function make(input: WorkflowCreate = workflowInput(), scope: Scope = 'all'): Promise<number> {
  return (await createWorkflow(db, { input, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0, { scope }))).taskId
}
async function save(workflowId: number, input: WorkflowCreate, version: number): Promise<void> {
  await updateWorkflow(db, { workflowId, input: { ...input, version }, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0 + 1000))
}
async function addTask(name: string, groupId = 1): Promise<number> {
  return (await createTask(db, { input: taskInput({ name, groupId }), serverZone: 'UTC' }, changeAt(T0))).taskId
}
const read = async (workflowId: number, mayViewParams = all) => getWorkflow(db, 'all', { workflowId, versions, mayViewParams })

async function refused(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return error
}
const problemsOf = async (work: Promise<unknown>): Promise<[path: string, code: string][]> =>
  (await refused(work)).errors.map(({ path, code }: FieldProblem) => [path, code])

describe('a workflow', () => {
  it('is saved with its defaults, its version and its timer, and read back', async () => {
    const changed = await createWorkflow(db, { input: workflowInput(), serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0))
    expect(changed).toMatchObject({ groupId: 1, nextDueAt: T0, revision: 1 })
    expect(await read(changed.taskId)).toMatchObject({
      name: 'chain',
      groupName: 'default',
      version: 1,
      enabled: true,
      overlap: { policy: 'queue', max: 1000 },
      stepConcurrency: 0,
      onFailure: 'finish',
      steps: workflowInput().steps,
      nextFireAt: new Date(T0).toISOString(),
    })
    const [row] = await db.read((tx) => tx.all<{ value: string }>("SELECT value FROM meta WHERE `key` = 'oldest_reader'"))
    expect(row?.value).toBe('5')
  })

  it('is no task: calls about tasks do not see it, and calls about workflows see no task', async () => {
    const workflowId = await make()
    const taskId = await addTask('chain')
    expect((await listTasks(db, 'all', {})).items.map((task) => task.id)).toEqual([taskId])
    expect((await listTasks(db, 'all', { keyword: 'chain' })).total).toBe(1)
    expect((await listWorkflows(db, 'all', { versions })).items).toMatchObject([{ id: workflowId, steps: 2, openRuns: 0, recent: [] }])
    expect((await db.read((tx) => readGroupSums(tx, [1]))).tasks).toEqual({ 1: 1 })
    for (const work of [
      () => getTask(db, 'all', workflowId, all),
      () => setTaskEnabled(db, { taskId: workflowId, isEnabled: false }, changeAt(T0)),
      () => deleteTask(db, { taskId: workflowId, cancelRunning: false }, changeAt(T0)),
      () => updateTask(db, { taskId: workflowId, input: { ...taskInput(), version: 1 }, serverZone: 'UTC' }, changeAt(T0)),
      () => listFirings(db, 'all', { taskId: workflowId }),
    ])
      expect((await refused(work())).code).toBe('TASK_NOT_FOUND')
    for (const work of [
      () => read(taskId),
      () => save(taskId, workflowInput(), 1),
      () => setTaskEnabled(db, { taskId, isEnabled: false, kind: WORKFLOW }, changeAt(T0)),
      () => listFirings(db, 'all', { taskId, kind: WORKFLOW }),
      () => listWorkflowVersions(db, 'all', { workflowId: taskId, versions, page: 1, pageSize: 20 }),
    ])
      expect((await refused(work())).code).toBe('WORKFLOW_NOT_FOUND')
  })

  it('may have the name of a task of its group, and not that of another workflow', async () => {
    await addTask('chain')
    await make()
    expect(await problemsOf(make(workflowInput({ name: 'Chain ' })))).toEqual([['name', 'NAME_TAKEN']])
    expect((await refused(make(workflowInput({ name: 'Chain' })))).message).toContain('another workflow')
  })

  it('is not there for whoever may not see its group', async () => {
    const workflowId = await make()
    const scope: Scope = [id(2)]
    expect((await listWorkflows(db, scope, { versions })).total).toBe(0)
    expect((await refused(getWorkflow(db, scope, { workflowId, versions, mayViewParams: all }))).code).toBe('WORKFLOW_NOT_FOUND')
    expect(await problemsOf(make(workflowInput(), scope))).toEqual([['groupId', 'UNKNOWN_REFERENCE']])
    expect(await groupNamed(db, 'Default', scope)).toBeNull()
    expect(await groupNamed(db, 'Default', 'all')).toBe(1)
  })

  it('starts, stops and tells why it did not run, as a task does', async () => {
    const workflowId = await make()
    await setTaskEnabled(db, { taskId: workflowId, isEnabled: false, kind: WORKFLOW }, changeAt(T0 + 5000))
    expect(await timingOf(db, WORKFLOW, 'all', workflowId)).toMatchObject({ isEnabled: false, nextDueAt: null })
    const why = await whyAt(db, 'all', { taskId: workflowId, kind: WORKFLOW, at: T0 + 60_000, now: T0 + 90_000 })
    expect(why).toMatchObject({ verdict: 'paused', taskVersion: 1 })
    const audit = await db.read((tx) =>
      tx.all<{ action: string; resource_key: string }>('SELECT action, resource_key FROM audit ORDER BY id'),
    )
    expect(audit).toEqual([
      { action: 'workflow:create', resource_key: 'default/chain' },
      { action: 'workflow:stop', resource_key: 'default/chain' },
    ])
  })

  it('is deleted only when its runs have ended or are to be canceled; runs of its steps do not count', async () => {
    const workflowId = await make()
    await db.write('report', (tx) =>
      tx.insert('open_instance', [
        openRow(1000, { task_id: workflowId, runs_workflow: 1, phase: 4 }),
        openRow(1001, { task_id: workflowId, workflow_id: workflowId, workflow_version: 1, workflow_run_id: 1000, step_no: 0 }),
      ]),
    )
    const error = await refused(deleteTask(db, { taskId: workflowId, cancelRunning: false, kind: WORKFLOW }, changeAt(T0)))
    expect([error.code, error.params]).toEqual(['WORKFLOW_HAS_OPEN_RUNS', { openRuns: 1 }])
    const { openRunIds } = await deleteTask(db, { taskId: workflowId, cancelRunning: true, kind: WORKFLOW }, changeAt(T0))
    expect(openRunIds).toEqual([1000])
    expect((await refused(read(workflowId))).code).toBe('WORKFLOW_NOT_FOUND')
    await make()
  })

  it('hides scripts and inputs from whoever may not see parameters', async () => {
    await addTask('billing')
    const steps: Step[] = [
      { key: 'a', kind: 'task', inline: { handler: { kind: 'shell', script: 'secret' } }, input: { pin: 'secret' } },
      { key: 'b', kind: 'fanOut', items: [1], each: { kind: 'task', task: 'default/billing', input: { pin: 'secret' } } },
    ]
    const workflowId = await make(workflowInput({ steps }))
    const shown = await read(workflowId, none)
    expect(JSON.stringify(shown)).not.toContain('secret')
    expect(shown.hidden).toEqual(['steps.0.input', 'steps.0.inline.handler.script', 'steps.1.each.input'])
    expect((await read(workflowId)).hidden).toBeUndefined()
  })

  it('does not write secrets of headers into the audit log', async () => {
    const headers = { Authorization: 'Bearer hush', Accept: 'text/plain' }
    await make(alone({ key: 'a', kind: 'task', inline: { handler: { kind: 'http', url: 'http://127.0.0.1', headers } } }))
    const [row] = await db.read((tx) => tx.all<{ after: string }>("SELECT `after` FROM audit WHERE action = 'workflow:create'"))
    expect(row?.after).not.toContain('hush')
    expect(row?.after).toContain('text/plain')
  })
})

describe('versions', () => {
  it('are kept whole, listed and restored as a new one', async () => {
    const workflowId = await make()
    await save(workflowId, alone({ key: 'only', kind: 'approval', prompt: 'Go on?' }), 1)
    expect((await read(workflowId)).version).toBe(2)
    const { items } = await listWorkflowVersions(db, 'all', { workflowId, versions, page: 1, pageSize: 20 })
    expect(items.map(({ version, steps }) => [version, steps])).toEqual([
      [2, 1],
      [1, 2],
    ])
    await restoreWorkflowVersion(db, { workflowId, version: 1, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0 + 2000))
    expect(await read(workflowId)).toMatchObject({ version: 3, steps: workflowInput().steps, enabled: true })
    const old = await getWorkflowVersion(db, 'all', { workflowId, version: 2, mayViewParams: all })
    expect(old.saved.definition.steps.map((step) => step.key)).toEqual(['only'])
  })

  it('that are not there are told by name, and an edit of an old one is refused', async () => {
    const workflowId = await make()
    const restore = restoreWorkflowVersion(db, { workflowId, version: 9, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0))
    expect((await refused(restore)).code).toBe('WORKFLOW_VERSION_NOT_FOUND')
    expect((await refused(getWorkflowVersion(db, 'all', { workflowId, version: 9, mayViewParams: all }))).code).toBe(
      'WORKFLOW_VERSION_NOT_FOUND',
    )
    expect((await refused(save(workflowId, workflowInput(), 7))).code).toBe('STALE_VERSION')
  })
})

describe('what a workflow refers to', () => {
  it('is kept by its id and shown by its present name', async () => {
    const taskId = await addTask('extract')
    const workflowId = await make(alone(taskStep('Default/Extract')))
    await updateTask(
      db,
      { taskId, input: { ...taskInput({ name: 'pull', groupId: 2 }), version: 1 }, serverZone: 'UTC' },
      changeAt(T0 + 1000),
    )
    await addTask('extract')
    expect((await read(workflowId)).steps).toEqual([taskStep('second/pull')])
    const [row] = await db.read((tx) =>
      tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ?', [workflowId]),
    )
    expect(parseDefinition(row?.definition ?? '').flow?.refs.tasks).toEqual({ 'Default/Extract': taskId })
    await restoreWorkflowVersion(db, { workflowId, version: 1, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0 + 2000))
    expect((await read(workflowId)).steps).toEqual([taskStep('second/pull')])
  })

  it('may be deleted; the next save names it', async () => {
    const taskId = await addTask('extract')
    const input = alone(taskStep('default/extract'))
    const workflowId = await make(input)
    await deleteTask(db, { taskId, cancelRunning: false }, changeAt(T0 + 1000))
    expect((await read(workflowId)).steps).toEqual(input.steps)
    expect(await problemsOf(save(workflowId, input, 1))).toEqual([['steps.0.task', 'WORKFLOW_UNKNOWN_TASK']])
  })

  it.each<[why: string, step: Step, path: string]>([
    ['a task that is not there', taskStep('default/nothing'), 'steps.0.task'],
    ['a group that is not there', taskStep('nowhere/extract'), 'steps.0.task'],
    ['a task where the author may not run', taskStep('second/hidden'), 'steps.0.task'],
    ['a workflow that is not there', subStep('default/extract'), 'steps.0.workflow'],
    ['what a wait is for', { key: 'a', kind: 'wait', upstream: { task: 'second/hidden' } }, 'steps.0.upstream.task'],
    ['what a fan-out does', { key: 'a', kind: 'fanOut', items: [1], each: { kind: 'task', task: 'second/hidden' } }, 'steps.0.each.task'],
  ])('is refused, as if it were not there: %s', async (_why, step, path) => {
    await addTask('extract')
    await addTask('hidden', 2)
    const mayRun = { tasks: [id<'group'>(1)], workflows: [id<'group'>(1)] }
    const work = createWorkflow(db, { input: alone(step), serverZone: 'UTC', mayRun }, changeAt(T0))
    expect(await problemsOf(work)).toEqual([[path, 'WORKFLOW_UNKNOWN_TASK']])
  })

  it('is no task that is split into shards where a fan-out runs it for each item', async () => {
    const input = taskInput({ name: 'split', sharding: { kind: 'fixed', total: 4 } })
    await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0))
    const fanOut: Step = { key: 'a', kind: 'fanOut', items: [1], each: { kind: 'task', task: 'default/split' } }
    expect(await problemsOf(make(alone(fanOut)))).toEqual([['steps.0.each.task', 'NOT_ALLOWED_VALUE']])
    await make(alone(taskStep('default/split')))
  })

  it('is never the workflow itself, through any others', async () => {
    const inner = await make(workflowInput({ name: 'inner' }))
    await make(alone(subStep('default/inner'), { name: 'middle' }))
    const each: Step = { key: 'a', kind: 'fanOut', items: [1], each: { kind: 'subWorkflow', workflow: 'default/middle' } }
    await make(alone(each, { name: 'outer' }))
    const circle = alone(subStep('default/outer'), { name: 'inner' })
    expect(await problemsOf(save(inner, circle, 1))).toEqual([['steps.0.workflow', 'WORKFLOW_RECURSION']])
    expect(await problemsOf(save(inner, alone(subStep('default/inner'), { name: 'inner' }), 1))).toEqual([
      ['steps.0.workflow', 'WORKFLOW_RECURSION'],
    ])
    await save(inner, alone({ key: 'a', kind: 'wait', upstream: { workflow: 'default/outer' } }, { name: 'inner' }), 1)
  })

  it('is nested five deep at most', async () => {
    await make(workflowInput({ name: 'w5' }))
    for (const depth of [4, 3, 2, 1, 0]) await make(alone(subStep(`default/w${depth + 1}`), { name: `w${depth}` }))
    expect(await problemsOf(make(alone(subStep('default/w0'), { name: 'over' })))).toEqual([['steps.0.workflow', 'WORKFLOW_RECURSION']])
  })
})

describe('the check of an unsaved definition', () => {
  const check = async (input: WorkflowCreate, workflowId: number | null = null) =>
    workflowProblems(db, { workflowId, input, serverZone: 'UTC', mayRun: EVERYWHERE }, changeAt(T0))

  it('finds all problems at once, and saves nothing', async () => {
    await make()
    const input = workflowInput({
      groupId: 9,
      schedule: { kind: 'cron', expression: 'nonsense' },
      steps: [
        taskStep('default/nothing'),
        {
          key: 'b',
          kind: 'task',
          inline: { handler: { kind: 'shell', script: 'x' }, sharding: { kind: 'range', from: 5, to: 5, size: 1 } },
        },
      ],
    })
    expect((await check(input)).map(({ path, code }) => [path, code])).toEqual([
      ['groupId', 'UNKNOWN_REFERENCE'],
      ['schedule.expression', 'CRON_FIELD_COUNT'],
      ['steps.1.inline.sharding.to', 'RANGE_EMPTY'],
      ['steps.0.task', 'WORKFLOW_UNKNOWN_TASK'],
    ])
    expect((await listWorkflows(db, 'all', { versions })).total).toBe(1)
  })

  it('knows over which workflow it would be saved', async () => {
    const workflowId = await make()
    expect(await check(workflowInput(), workflowId)).toEqual([])
    expect((await check(workflowInput())).map(({ code }) => code)).toEqual(['NAME_TAKEN'])
  })

  it('refuses what is larger than a store takes', async () => {
    const layout = Object.fromEntries(Array.from({ length: 40_000 }, (_, n) => [`step${n}`, { x: 0.123456, y: 0.654321 }]))
    expect((await check(workflowInput({ layout }))).map(({ code }) => code)).toEqual(['WORKFLOW_TOO_LARGE'])
  })
})
