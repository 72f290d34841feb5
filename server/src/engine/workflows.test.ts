import { describe, expect, it } from 'vitest'
import { makeWorkflow } from '../store/workflows.fixture.ts'
import { ALICE, ALL } from './world.fixture.ts'
import { FAILS, FlowWorld, script } from './workflows.fixture.ts'

const DIAMOND = {
  steps: [script('a'), script('b'), script('c'), script('d')],
  edges: [
    { from: 'a', to: 'b' },
    { from: 'a', to: 'c' },
    { from: 'b', to: 'd' },
    { from: 'c', to: 'd' },
  ],
}

describe('a run of a workflow', () => {
  it('starts each step when those before it have succeeded, and succeeds when all have ended', async () => {
    const flows = await FlowWorld.create()
    const runId = await flows.run(DIAMOND)
    expect(flows.sent()).toEqual(['a', 'b', 'c', 'd'])
    expect(await flows.states(runId, 4)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1, runs_workflow: 1, error_code: null })
    expect(await flows.world.open()).toEqual([])
    expect(await flows.world.db.read((tx) => tx.all('SELECT * FROM `signal`'))).toEqual([])
    expect(flows.world.troubles).toEqual([])
  })

  it('skips what is behind a failure that nobody handles, and fails with the step', async () => {
    const flows = await FlowWorld.create((one) => (one.task.name.endsWith('b') ? FAILS : {}))
    const runId = await flows.run(DIAMOND)
    expect(await flows.states(runId, 4)).toEqual(['succeeded', 'failed', 'succeeded', 'skipped'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2, error_code: 'STEP_FAILED', error: 'b' })
  })

  it('gives steps what others gave, branches on it, and ends with its outputs', async () => {
    const flows = await FlowWorld.create((one) => ({ result: one.task.name.endsWith('count') ? { rows: 3 } : { params: one.params } }))
    const runId = await flows.run(
      {
        steps: [
          script('count', { input: { day: '=params.day' } }),
          { key: 'enough', kind: 'condition', when: 'steps.count.output.rows > 2' },
          script('load', { input: { rows: '=steps.count.output.rows' } }),
          script('none'),
        ],
        edges: [
          { from: 'count', to: 'enough' },
          { from: 'enough', to: 'load', on: 'branch', branch: 'true' },
          { from: 'enough', to: 'none', on: 'branch', branch: 'false' },
        ],
        outputs: { loaded: '=steps.load.output.params' },
        paramsSchema: { type: 'object', properties: { day: { type: 'string', default: 'monday' } } },
      },
      {},
    )
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['{"day":"monday"}', '{"rows":3}'])
    expect(await flows.states(runId, 4)).toEqual(['succeeded', 'succeeded', 'succeeded', 'skipped'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1, result: '{"loaded":"{\\"rows\\":3}"}' })
  })

  it('runs a task in its version of that moment, in its group, with what the step says of retry', async () => {
    const flows = await FlowWorld.create((one) => (one.attempt === 1 ? FAILS : {}))
    const taskId = await flows.world.task({ name: 'load', schedule: { kind: 'manual' }, params: 'its own', timeoutMs: 5000 })
    const runId = await flows.run({
      steps: [{ key: 'a', kind: 'task', task: 'g/load', retry: { max: 1, delayMs: 1000 }, timeoutMs: 7000 }],
      refs: { tasks: { 'g/load': taskId } },
    })
    await flows.pass(1500)
    const [first, second] = flows.world.link.dispatches()
    expect([first?.attempt, first?.timeoutMs, first?.params, first?.task.id]).toEqual([1, 7000, 'its own', taskId])
    expect(second?.attempt).toBe(2)
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
    const step = (await flows.world.ended()).find((row) => row.task_id === taskId)
    expect(step).toMatchObject({ workflow_run_id: runId, step_no: 0, cause: 5, tries: 1 })
  })

  it('does not start a task that was deleted meanwhile', async () => {
    const flows = await FlowWorld.create()
    const taskId = await flows.world.task({ name: 'load', schedule: { kind: 'manual' } })
    const workflowId = await flows.workflow({
      steps: [{ key: 'a', kind: 'task', task: 'g/load' }],
      refs: { tasks: { 'g/load': taskId } },
    })
    await flows.world.engine.deleteTask(taskId, { cancelRunning: false }, ALL, ALICE)
    const runId = await flows.start(workflowId)
    expect((await flows.steps(runId))[0]).toMatchObject({ error_code: 'WORKFLOW_UNKNOWN_TASK' })
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2 })
  })

  it('starts nothing that its last editor may not run any more', async () => {
    let groups: 'all' | [] = 'all'
    const flows = await FlowWorld.create(undefined, { rightsOf: async () => ({ tasks: groups, workflows: groups }) })
    const taskId = await flows.world.task({ name: 'load', schedule: { kind: 'manual' } })
    const workflow = { steps: [{ key: 'a', kind: 'task' as const, task: 'g/load' }], refs: { tasks: { 'g/load': taskId } }, savedBy: 7 }
    expect(await flows.ended(await flows.run(workflow))).toMatchObject({ outcome: 1 })
    groups = []
    await flows.pass(1500)
    const runId = await flows.run(workflow)
    expect((await flows.steps(runId))[0]).toMatchObject({ error_code: 'NOT_ALLOWED' })
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2 })
  })

  it('fires by its schedule, with its date, and waits for the run before it and not for steps in place', async () => {
    const flows = await FlowWorld.create(() => null)
    const world = flows.world
    const schedule = { kind: 'cron' as const, expression: '0 0/1 * * * ?', timezone: 'Asia/Shanghai' }
    const taskId = await world.task({ schedule, enabled: false, name: 'flow' })
    await makeWorkflow(world.db, taskId, { steps: [script('a')], schedule })
    await world.engine.startWorkflow(taskId, ALL, ALICE)
    await flows.pass(60_000)
    await flows.pass(60_000)
    const [first, step, second] = await world.open()
    expect([first?.phase, first?.runs_workflow, first?.series_id !== null]).toEqual([4, 1, true])
    expect(step).toMatchObject({ workflow_run_id: first?.id, due_at: first?.due_at, runs_workflow: null })
    expect(second).toMatchObject({ phase: 1, wait_facts: JSON.stringify({ blocker: first?.id }) })
    expect(await world.db.read((tx) => tx.all('SELECT run_date FROM workflow_run'))).toEqual([{ run_date: '2026-11-22' }])
    flows.does(() => ({}))
    await flows.work()
    expect((await world.ended()).filter((row) => row.runs_workflow === 1).map((row) => row.outcome)).toEqual([1, 1])
    expect((await world.firings()).length).toBe(2)
  })

  it('of a schedule fails with the reason where its params do not fit', async () => {
    const flows = await FlowWorld.create()
    const schedule = { kind: 'fixedRate' as const, everyMs: 60_000 }
    const taskId = await flows.world.task({ schedule, enabled: false, name: 'flow' })
    const paramsSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    await makeWorkflow(flows.world.db, taskId, { steps: [script('a')], schedule, paramsSchema })
    await flows.world.engine.startWorkflow(taskId, ALL, ALICE)
    await flows.pass(60_000)
    expect(await flows.world.ended()).toMatchObject([{ outcome: 2, error_code: 'PARAMS_INVALID', error: 'params.n is missing' }])
  })

  it('is refused with the field where its params do not fit', async () => {
    const flows = await FlowWorld.create()
    const workflowId = await flows.workflow({
      steps: [script('a')],
      paramsSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    })
    await expect(flows.start(workflowId, { n: 'three' })).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      errors: [{ path: 'params.n', code: 'WRONG_TYPE' }],
    })
    await expect(flows.start(workflowId)).rejects.toMatchObject({ errors: [{ path: 'params.n', code: 'REQUIRED' }] })
  })

  it('goes on where another process left off, wherever that was', async () => {
    const flows = await FlowWorld.create(() => null)
    const workflowId = await flows.workflow(DIAMOND)
    const runId = await flows.start(workflowId)
    await flows.world.crash()
    flows.does(() => ({}))
    await flows.world.beat(flows.executor)
    for (let step = 0; step < 5; step += 1) {
      await flows.pass(1000)
      await flows.world.crash()
    }
    await flows.pass(1000)
    expect(await flows.states(runId, 4)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded'])
    expect(flows.sent()).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('canceling a run', () => {
  it('cancels what runs, starts nothing more, and ends it as canceled', async () => {
    const flows = await FlowWorld.create((one) => (one.task.name.endsWith('a') ? {} : null))
    const runId = await flows.run(DIAMOND)
    await flows.world.engine.cancelWorkflowRun(runId, ALL, ALICE)
    await flows.world.settled()
    const cancels = flows.world.link.sent.filter(({ order }) => order.type === 'cancel')
    expect(cancels.length).toBe(2)
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.work()
    expect(await flows.states(runId, 4)).toEqual(['succeeded', 'canceled', 'canceled', 'skipped'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 4, cancel_by: 'alice' })
    await expect(flows.world.engine.cancelWorkflowRun(runId, ALL, ALICE)).rejects.toMatchObject({ code: 'INSTANCE_ENDED' })
  })

  it('happens by itself when its time is over', async () => {
    const flows = await FlowWorld.create(() => null)
    const runId = await flows.run({ ...DIAMOND, timeoutMs: 3000 })
    await flows.pass(2900)
    expect(flows.world.link.sent.filter(({ order }) => order.type === 'cancel')).toEqual([])
    await flows.pass(200)
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.work()
    expect(await flows.ended(runId)).toMatchObject({ outcome: 3 })
  })
})
