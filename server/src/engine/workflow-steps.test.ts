import { describe, expect, it } from 'vitest'
import type { Caller } from '../store/caller.ts'
import { pruneRuns } from '../store/prune.ts'
import type { StepRunRow } from '../store/schema.ts'
import { ALICE, ALL } from './world.fixture.ts'
import { FAILS, FlowWorld, script } from './workflows.fixture.ts'

const BOB: Caller = { actor: { kind: 'user', id: 8, name: 'bob' }, ip: '127.0.0.1', requestId: 'r2' }

async function stepOf(flows: FlowWorld, runId: number, stepNo: number): Promise<StepRunRow | undefined> {
  return (await flows.steps(runId)).findLast((row) => row.step_no === stepNo)
}

describe('a wait', () => {
  it('goes on after its time, and not before', async () => {
    const flows = await FlowWorld.create()
    const runId = await flows.run({ steps: [{ key: 'w', kind: 'wait', forMs: 30_000 }, script('a')], edges: [{ from: 'w', to: 'a' }] })
    await flows.pass(29_900)
    expect([await flows.states(runId, 2), flows.sent()]).toEqual([['waiting', 'pending'], []])
    await flows.pass(200)
    expect([await flows.states(runId, 2), flows.sent()]).toEqual([['succeeded', 'succeeded'], ['a']])
  })

  it('for another goes on when that has succeeded for the same business date, however it is called', async () => {
    const flows = await FlowWorld.create()
    const taskId = await flows.world.task({ name: 'load', schedule: { kind: 'manual' } })
    const runId = await flows.run({
      steps: [{ key: 'w', kind: 'wait', upstream: { task: 'g/load' } }],
      refs: { tasks: { 'g/load': taskId } },
    })
    await flows.world.engine.trigger(taskId, { scheduledAt: '2020-01-01T00:00:00.000Z' }, null, ALL, ALICE)
    await flows.pass(11_000)
    expect(await flows.states(runId, 1)).toEqual(['waiting'])
    await flows.world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await flows.work()
    await flows.pass(6000)
    expect(await flows.states(runId, 1)).toEqual(['succeeded'])
  })

  it('for a workflow has timed out when none succeeded in time', async () => {
    const flows = await FlowWorld.create()
    const other = await flows.workflow({ steps: [script('x')] })
    const runId = await flows.run({
      steps: [{ key: 'w', kind: 'wait', upstream: { workflow: 'g/other' }, maxMs: 7000 }],
      refs: { workflows: { 'g/other': other } },
    })
    await flows.pass(6900)
    expect(await flows.states(runId, 1)).toEqual(['waiting'])
    await flows.pass(200)
    expect(await stepOf(flows, runId, 0)).toMatchObject({ state: 5, error_code: 'WAIT_EXPIRED' })
    const second = await flows.run({
      steps: [{ key: 'w', kind: 'wait', upstream: { workflow: 'g/other' }, maxMs: 60_000 }],
      refs: { workflows: { 'g/other': other } },
    })
    await flows.start(other)
    await flows.work()
    await flows.pass(6000)
    expect(await flows.states(second, 1)).toEqual(['succeeded'])
  })
})

describe('an approval', () => {
  const approval = {
    steps: [{ key: 'ok', kind: 'approval' as const, prompt: 'Go?', expiresMs: 60_000, notByStarter: true }, script('yes'), script('no')],
    edges: [
      { from: 'ok', to: 'yes', on: 'branch' as const, branch: 'approved' },
      { from: 'ok', to: 'no', on: 'branch' as const, branch: 'rejected' },
    ],
  }

  it('is given once, by somebody else than who started the run', async () => {
    const flows = await FlowWorld.create()
    const runId = await flows.run(approval)
    const decide = (caller: Caller): Promise<void> =>
      flows.world.engine.decideStep(runId, 'ok', { decision: 'approved', comment: 'fine' }, ALL, caller)
    await expect(decide(ALICE)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await decide(BOB)
    await expect(decide(BOB)).rejects.toMatchObject({ code: 'STEP_ALREADY_DECIDED' })
    await flows.work()
    expect(await flows.states(runId, 3)).toEqual(['succeeded', 'succeeded', 'skipped'])
    expect(JSON.parse((await stepOf(flows, runId, 0))?.output ?? '')).toMatchObject({ by: 'bob', comment: 'fine' })
    const audit = await flows.world.db.read((tx) => tx.all<{ action: string }>('SELECT action FROM audit ORDER BY id'))
    expect(audit.map((row) => row.action)).toContain('workflow:approve')
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
    await expect(decide(BOB)).rejects.toMatchObject({ code: 'STEP_ALREADY_DECIDED' })
    await expect(flows.world.engine.completeStep(runId, 'yes', { reason: 'late' }, ALL, BOB)).rejects.toMatchObject({
      code: 'STEP_ALREADY_DECIDED',
    })
  })

  it('that the run never came to is not decided: the run has ended', async () => {
    const flows = await FlowWorld.create(() => FAILS)
    const ok = { key: 'ok', kind: 'approval' as const, prompt: 'Go?' }
    const runId = await flows.run({ onFailure: 'stop', stepConcurrency: 1, steps: [script('a'), ok, script('b')] })
    expect(await flows.states(runId, 3)).toEqual(['failed', 'pending', 'pending'])
    const { engine } = flows.world
    await expect(engine.decideStep(runId, 'ok', { decision: 'approved', comment: '' }, ALL, BOB)).rejects.toMatchObject({
      code: 'INSTANCE_ENDED',
      params: { state: 'failed' },
    })
    await expect(engine.completeStep(runId, 'b', { reason: 'late' }, ALL, BOB)).rejects.toMatchObject({ code: 'INSTANCE_ENDED' })
    await expect(engine.completeStep(runId, 'a', { reason: 'late' }, ALL, BOB)).rejects.toMatchObject({ code: 'STEP_ALREADY_DECIDED' })
    await expect(engine.completeStep(runId, 'nothing', { reason: 'late' }, ALL, BOB)).rejects.toMatchObject({ code: 'STEP_NOT_FOUND' })
  })

  it('fails when nobody decided in time', async () => {
    const flows = await FlowWorld.create()
    const runId = await flows.run(approval)
    await flows.pass(60_100)
    expect(await stepOf(flows, runId, 0)).toMatchObject({ state: 4, error_code: 'APPROVAL_EXPIRED' })
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2 })
  })
})

describe('pausing a run', () => {
  it('lets end what runs, starts nothing, and goes on', async () => {
    const flows = await FlowWorld.create(() => null)
    const runId = await flows.run({ steps: [script('a'), script('b')], edges: [{ from: 'a', to: 'b' }] })
    await expect(flows.world.engine.resumeWorkflowRun(runId, ALL, ALICE)).rejects.toMatchObject({ code: 'RUN_NOT_PAUSED' })
    await flows.world.engine.pauseWorkflowRun(runId, ALL, ALICE)
    flows.does(() => ({}))
    await flows.work()
    await flows.pass(3000)
    expect([await flows.states(runId, 2), flows.sent()]).toEqual([['succeeded', 'pending'], ['a']])
    await flows.world.engine.resumeWorkflowRun(runId, ALL, ALICE)
    await flows.work()
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
  })
})

describe('completing a step', () => {
  it('cancels what runs of it, and goes on with the output that was given', async () => {
    const flows = await FlowWorld.create((one) => (one.task.name.endsWith('a') ? null : {}))
    const runId = await flows.run({
      steps: [script('a'), script('b', { input: { n: '=steps.a.output.n' } })],
      edges: [{ from: 'a', to: 'b' }],
    })
    await flows.world.engine.completeStep(runId, 'a', { output: { n: 4 }, reason: 'done by hand' }, ALL, ALICE)
    await flows.work()
    expect(flows.world.link.sent.some(({ order }) => order.type === 'cancel')).toBe(true)
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['', '{"n":4}'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.work()
    await flows.pass(2000)
    expect(await flows.world.open()).toEqual([])
    expect(await flows.world.db.read((tx) => tx.all('SELECT * FROM `signal`'))).toEqual([])
    expect(await stepOf(flows, runId, 0)).toMatchObject({ state: 3 })
  })
})

describe('a sub-workflow', () => {
  it('is a run of its own, whose outputs are the output of the step', async () => {
    const flows = await FlowWorld.create((one) => ({ result: one.params }))
    const inner = await flows.workflow({
      name: 'inner',
      steps: [script('x', { input: { n: '=params.n + 1' } })],
      outputs: { got: '=steps.x.output' },
    })
    const runId = await flows.run({
      steps: [
        { key: 's', kind: 'subWorkflow', workflow: 'g/inner', input: { n: 1 } },
        script('after', { input: { v: '=steps.s.output.got' } }),
      ],
      edges: [{ from: 's', to: 'after' }],
      refs: { workflows: { 'g/inner': inner } },
    })
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['{"n":2}', '{"v":"{\\"n\\":2}"}'])
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
    const child = (await flows.world.ended()).find((row) => row.task_id === inner)
    expect(child).toMatchObject({ runs_workflow: 1, workflow_run_id: runId, outcome: 1, cause: 5 })
    const runs = await flows.world.db.read((tx) => tx.all('SELECT run_id, depth FROM workflow_run ORDER BY run_id'))
    expect(runs).toEqual([
      { run_id: runId, depth: 0 },
      { run_id: child?.id, depth: 1 },
    ])
  })

  it('is tried again in a new round', async () => {
    let fails = 1
    const flows = await FlowWorld.create(() => (fails-- > 0 ? FAILS : {}))
    const inner = await flows.workflow({ name: 'inner', steps: [script('x', { input: { n: '=params.n' } })] })
    const runId = await flows.run({
      steps: [{ key: 's', kind: 'subWorkflow', workflow: 'g/inner', input: { n: 7 }, retry: { max: 1, delayMs: 5000 } }],
      refs: { workflows: { 'g/inner': inner } },
    })
    expect(await flows.states(runId, 1)).toEqual(['waiting'])
    await flows.pass(5100)
    expect((await flows.steps(runId)).map((row) => [row.round, row.state])).toEqual([
      [1, 4],
      [2, 3],
    ])
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['{"n":7}', '{"n":7}'])
  })

  it('is canceled with the run that it is part of', async () => {
    const flows = await FlowWorld.create(() => null)
    const inner = await flows.workflow({ name: 'inner', steps: [script('x'), script('y')], edges: [{ from: 'x', to: 'y' }] })
    const runId = await flows.run({
      steps: [{ key: 's', kind: 'subWorkflow', workflow: 'g/inner' }],
      refs: { workflows: { 'g/inner': inner } },
    })
    await flows.world.engine.cancelWorkflowRun(runId, ALL, ALICE)
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.work()
    expect((await flows.world.ended()).map((row) => row.outcome)).toEqual([4, 4, 4])
  })

  it('fails where it is too deep', async () => {
    const flows = await FlowWorld.create()
    const first = await flows.workflow({ name: 'w0', steps: [script('x')] })
    let inner = first
    for (let depth = 0; depth < 6; depth += 1)
      inner = await flows.workflow({
        name: `w${depth + 1}`,
        steps: [{ key: 's', kind: 'subWorkflow', workflow: 'g/inner' }],
        refs: { workflows: { 'g/inner': inner } },
      })
    const runId = await flows.start(inner)
    await flows.work()
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2 })
    const errors = await flows.world.db.read((tx) => tx.all<{ error_code: string }>('SELECT error_code FROM step_run'))
    expect(errors.map((row) => row.error_code)).toContain('WORKFLOW_TOO_DEEP')
    expect(flows.sent()).toEqual([])
  })
})

describe('a fan-out', () => {
  const each = {
    kind: 'task' as const,
    inline: { handler: { kind: 'shell' as const, script: 'one' } },
    input: { v: '=item', at: '=index' },
  }

  it('runs a child for each item, and gives what they gave in their order', async () => {
    const flows = await FlowWorld.create((one) => ({ result: JSON.parse(one.params).v * 2 }))
    const runId = await flows.run(
      {
        steps: [{ key: 'f', kind: 'fanOut', items: '=params.list', each }],
        outputs: { all: '=steps.f.output' },
      },
      { list: [3, 1, 2] },
    )
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['{"v":3,"at":0}', '{"v":1,"at":1}', '{"v":2,"at":2}'])
    expect(JSON.parse((await flows.ended(runId))?.result ?? '')).toEqual({ all: { total: 3, succeeded: 3, failed: 0, items: [6, 2, 4] } })
    expect(await flows.world.open()).toEqual([])
  })

  it('has no more children at once than it says', async () => {
    const flows = await FlowWorld.create(() => null)
    const items = Array.from({ length: 7 }, (_, index) => index)
    const runId = await flows.run({ steps: [{ key: 'f', kind: 'fanOut', items, concurrency: 2, each }] })
    expect(flows.sent().length).toBe(2)
    let ended = 0
    flows.does(() => (ended++ < 1 ? {} : null))
    await flows.work()
    expect(flows.sent().length).toBe(3)
    flows.does(() => ({}))
    await flows.work()
    expect(await flows.ended(runId)).toMatchObject({ outcome: 1 })
    expect(flows.sent().length).toBe(7)
  })

  it('stops with the first failure, or collects them', async () => {
    const flows = await FlowWorld.create((one) => (JSON.parse(one.params).v === 1 ? FAILS : {}))
    const items = [0, 1, 2, 3]
    const stopped = await flows.run({ steps: [{ key: 'f', kind: 'fanOut', items, concurrency: 1, each }] })
    expect(flows.sent().length).toBe(2)
    expect(await stepOf(flows, stopped, 0)).toMatchObject({ state: 4, error_code: 'ITEMS_FAILED' })
    expect(await flows.ended(stopped)).toMatchObject({ outcome: 2 })
    const collected = await flows.run({ steps: [{ key: 'f', kind: 'fanOut', items, failures: 'collect', each }] })
    expect(JSON.parse((await stepOf(flows, collected, 0))?.output ?? '')).toMatchObject({ total: 4, succeeded: 3, failed: 1 })
    expect(await flows.ended(collected)).toMatchObject({ outcome: 1 })
  })

  it('gives more than a step may, up to 256 KiB, and what it counted above', async () => {
    const flows = await FlowWorld.create(() => ({ result: 'x'.repeat(60_000) }))
    const fanOut = (items: readonly number[]) => ({
      steps: [{ key: 'f', kind: 'fanOut' as const, items: [...items], each }],
      outputs: { has: '=has(steps.f.output.items) ? size(steps.f.output.items) : 0', total: '=steps.f.output.total' },
    })
    const whole = await flows.run(fanOut([1, 2, 3]))
    expect((await stepOf(flows, whole, 0))?.output?.length).toBeGreaterThan(180_000)
    expect(JSON.parse((await flows.ended(whole))?.result ?? '')).toEqual({ has: 3, total: 3 })
    const counted = await flows.run(fanOut([1, 2, 3, 4, 5]))
    expect(JSON.parse((await flows.ended(counted))?.result ?? '')).toEqual({ has: 0, total: 5 })
  })

  it('fails each item of a task that was split into shards since the workflow was saved', async () => {
    const flows = await FlowWorld.create()
    const taskId = await flows.world.task({ name: 'split', schedule: { kind: 'manual' }, sharding: { kind: 'fixed', total: 2 } })
    const runId = await flows.run({
      steps: [{ key: 'f', kind: 'fanOut', items: [1, 2], failures: 'collect', each: { kind: 'task', task: 'g/split' } }],
      refs: { tasks: { 'g/split': taskId } },
    })
    expect(flows.sent()).toEqual([])
    expect(JSON.parse((await stepOf(flows, runId, 0))?.output ?? '')).toMatchObject({ total: 2, succeeded: 0, failed: 2 })
    const children = (await flows.world.ended()).filter((row) => row.parent_id !== null)
    expect(children.map((row) => row.error_code)).toEqual(['NOT_ALLOWED_VALUE', 'NOT_ALLOWED_VALUE'])
    expect(children[0]?.error).toContain('split is split into shards')
  })

  it('is canceled with its run, and never makes the rest', async () => {
    const flows = await FlowWorld.create(() => null)
    const items = Array.from({ length: 5 }, (_, index) => index)
    const runId = await flows.run({ steps: [{ key: 'f', kind: 'fanOut', items, concurrency: 2, each }] })
    await flows.world.engine.cancelWorkflowRun(runId, ALL, ALICE)
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.work()
    expect(await flows.ended(runId)).toMatchObject({ outcome: 4 })
    expect(flows.sent().length).toBe(2)
    expect(await flows.world.open()).toEqual([])
  })

  it('of workflows makes a run of each, and one whose input fails is a failed child', async () => {
    const flows = await FlowWorld.create()
    const inner = await flows.workflow({ name: 'inner', steps: [script('x', { input: { n: '=params.n' } })] })
    const runId = await flows.run({
      steps: [
        {
          key: 'f',
          kind: 'fanOut',
          items: [{ n: 1 }, {}, { n: 3 }],
          failures: 'collect',
          each: { kind: 'subWorkflow', workflow: 'g/inner', input: { n: '=item.n' } },
        },
      ],
      refs: { workflows: { 'g/inner': inner } },
    })
    expect(flows.world.link.dispatches().map((one) => one.params)).toEqual(['{"n":1}', '{"n":3}'])
    expect(JSON.parse((await stepOf(flows, runId, 0))?.output ?? '')).toMatchObject({ total: 3, succeeded: 2, failed: 1 })
  })
})

describe('retrying a run', () => {
  const chain = {
    steps: [script('a'), script('b', { input: { v: '=steps.a.output' } }), script('c')],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ],
  }

  it('keeps what succeeded, and runs what failed and all behind it', async () => {
    const flows = await FlowWorld.create((one) => (one.task.name.endsWith('b') ? FAILS : { result: 'made' }))
    const runId = await flows.run(chain)
    expect(await flows.ended(runId)).toMatchObject({ outcome: 2 })
    flows.does(() => ({ result: 'again' }))
    const again = await flows.world.engine.retryWorkflowRun(runId, {}, null, ALL, ALICE)
    await flows.work()
    expect(flows.sent()).toEqual(['a', 'b', 'b', 'c'])
    expect(flows.world.link.dispatches()[2]?.params).toBe('{"v":"made"}')
    expect(await stepOf(flows, again.workflowRunId, 0)).toMatchObject({ state: 3, reused_from: runId, output: '"made"' })
    expect(await flows.ended(again.workflowRunId)).toMatchObject({ outcome: 1, retry_of: runId, cause: 4 })
    await expect(flows.world.engine.retryWorkflowRun(runId, {}, null, ALL, ALICE)).rejects.toMatchObject({
      code: 'INSTANCE_ALREADY_RETRIED',
    })
  })

  it('takes what a person says is done', async () => {
    const flows = await FlowWorld.create((one) => (one.task.name.endsWith('b') ? FAILS : {}))
    const runId = await flows.run(chain)
    const done = [{ step: 'b', output: 5, reason: 'loaded by hand' }]
    const again = await flows.world.engine.retryWorkflowRun(runId, { done }, null, ALL, ALICE)
    await flows.work()
    expect(flows.sent()).toEqual(['a', 'b', 'c'])
    expect(await flows.ended(again.workflowRunId)).toMatchObject({ outcome: 1 })
  })

  it('waits until the run has ended', async () => {
    const flows = await FlowWorld.create(() => null)
    const runId = await flows.run(chain)
    await expect(flows.world.engine.retryWorkflowRun(runId, {}, null, ALL, ALICE)).rejects.toMatchObject({ code: 'INSTANCE_NOT_ENDED' })
  })
})

describe('retention', () => {
  it('forgets the steps of a run with the run', async () => {
    const flows = await FlowWorld.create()
    await flows.run({ steps: [script('a')] })
    await flows.run({ steps: [{ key: 'w', kind: 'wait', forMs: 1000 }] })
    await flows.pass(2000)
    for (const outcome of [1, 2]) await pruneRuns(flows.world.db, { groupId: 1, outcome, beforeId: Number.MAX_SAFE_INTEGER })
    for (const table of ['instance', 'workflow_run', 'step_run', 'payload'])
      expect(await flows.world.db.read((tx) => tx.all(`SELECT * FROM ${table}`))).toEqual([])
  })
})

describe('a fan-out of thousands', () => {
  it('is made over several commits, and goes on where a process that died left off', async () => {
    const flows = await FlowWorld.create(() => null)
    const items = Array.from({ length: 2500 }, (_, index) => index)
    const each = { kind: 'task' as const, inline: { handler: { kind: 'shell' as const, script: 'one' } }, input: { v: '=item' } }
    const runId = await flows.run({ steps: [{ key: 'f', kind: 'fanOut', items, maxItems: 3000, each }] })
    await flows.world.crash()
    const open = await flows.world.open()
    expect(open.filter((row) => row.parent_id !== null).map((row) => row.shard_index)).toEqual(items)
    await flows.world.engine.cancelWorkflowRun(runId, ALL, ALICE)
    flows.does(() => ({ outcome: 'canceled' }))
    await flows.world.beat(flows.executor)
    await flows.work()
    await flows.pass(3000)
    expect(await flows.ended(runId)).toMatchObject({ outcome: 4 })
    expect(await flows.world.open()).toEqual([])
  })
})
