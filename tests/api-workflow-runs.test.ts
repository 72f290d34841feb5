import type {
  FanOutItem,
  Group,
  Instance,
  InstanceListItem,
  Problem,
  StepDetail,
  Workflow,
  WorkflowGrid,
  WorkflowRun,
  WorkflowRunListItem,
} from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

/* Runs of workflows as the calls tell them, from the trigger to the end, with a real executor. */
let api: ApiServer
let home: number

beforeAll(async () => {
  api = await openApi()
  await api.join()
  home = (await api.admin.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
})
afterAll(() => api.close())

let made = 0
async function make(steps: readonly object[], edges: readonly object[], more: object = {}): Promise<Workflow> {
  const body = { groupId: home, name: `flow ${++made}`, schedule: { kind: 'manual' }, steps, edges, ...more }
  return api.admin.post<Workflow>('/workflow', body)
}
const shell = (key: string, script: string, more: object = {}) => ({
  key,
  kind: 'task',
  inline: { handler: { kind: 'shell', script } },
  ...more,
})
const trigger = async ({ id }: Workflow, body: object = {}, key?: string): Promise<number> =>
  (await api.admin.post<{ workflowRunId: number }>(`/workflow/${id}/trigger`, body, key === undefined ? {} : { 'idempotency-key': key }))
    .workflowRunId
const read = async (runId: number): Promise<WorkflowRun> => api.admin.get<WorkflowRun>(`/workflow-run/${runId}`)
const until = async (runId: number, isReached: (run: WorkflowRun) => boolean): Promise<WorkflowRun> =>
  waitFor(async () => {
    const run = await read(runId)
    return isReached(run) ? run : undefined
  })
const ended = async (runId: number): Promise<WorkflowRun> => until(runId, (run) => run.endedAt !== null)
const stateOf = (run: WorkflowRun, key: string): string | undefined => run.stepRuns.find((step) => step.key === key)?.state
const list = async (query: string): Promise<number[]> =>
  (await api.admin.get<{ items: WorkflowRunListItem[] }>(`/workflow-run?${query}`)).items.map((run) => run.id)

describe('a run of a workflow', () => {
  it('goes through its steps, and each is told with what it was given and gave', async () => {
    const workflow = await make(
      [
        shell('pull', 'echo "$TICKWHEEL_PARAMS"', { name: 'Pull rows', input: { day: '=params.day' } }),
        { key: 'many', kind: 'condition', when: 'params.rows > 2' },
        shell('load', 'true'),
        shell('skip', 'true'),
      ],
      [
        { from: 'pull', to: 'many' },
        { from: 'many', to: 'load', on: 'branch', branch: 'true' },
        { from: 'many', to: 'skip', on: 'branch', branch: 'false' },
      ],
      { paramsSchema: { type: 'object', properties: { day: { type: 'string', default: 'today' }, rows: { type: 'integer' } } } },
    )
    const runId = await trigger(workflow, { params: { rows: 3 } }, `once ${workflow.id}`)
    expect(await trigger(workflow, { params: { rows: 3 } }, `once ${workflow.id}`)).toBe(runId)
    const run = await ended(runId)
    expect(run).toMatchObject({
      state: 'succeeded',
      cause: 'manual',
      params: { day: 'today', rows: 3 },
      edges: ['taken', 'taken', 'passed'],
      steps: { succeeded: 3, skipped: 1 },
      actor: { name: 'admin' },
    })
    const detail = await api.admin.get<StepDetail>(`/workflow-run/${runId}/step/pull`)
    expect(detail).toMatchObject({ params: { day: 'today' }, step: { state: 'succeeded' } })
    const instance = await api.admin.get<Instance>(`/instance/${detail.step.instanceId ?? 0}`)
    expect(instance).toMatchObject({
      cause: 'workflow',
      taskName: `${workflow.name} · Pull rows`,
      step: { workflowRunId: runId, workflowId: workflow.id, workflowName: workflow.name, stepKey: 'pull' },
    })
    const { items } = await api.admin.get<{ items: InstanceListItem[] }>(`/instance?workflowRunId=${runId}`)
    expect(items.map((item) => item.step?.stepKey)).toEqual(['load', 'pull'])
    expect(await api.admin.call('GET', `/instance/${runId}`)).toMatchObject({ status: 404 })
    expect(await api.admin.call('POST', `/instance/${runId}/cancel`)).toMatchObject({ status: 404 })
    expect(await api.admin.call('POST', `/instance/${instance.id}/retry`)).toMatchObject({ status: 422 })
    expect(await list(`workflowId=${workflow.id}`)).toEqual([runId])
    expect(await list(`workflowId=${workflow.id}&date=${run.date}&state=succeeded&cause=manual`)).toEqual([runId])
    const grid = await api.admin.get<WorkflowGrid>(`/workflow/${workflow.id}/grid`)
    expect(grid.steps.map(({ key, cells }) => [key, cells[0]?.state])).toEqual([
      ['pull', 'succeeded'],
      ['many', 'succeeded'],
      ['load', 'succeeded'],
      ['skip', 'skipped'],
    ])
    const listed = (await api.admin.get<{ items: Workflow[] }>(`/workflow?keyword=${encodeURIComponent(workflow.name)}`)).items
    expect(listed).toMatchObject([{ openRuns: 0, recent: [{ id: runId, state: 'succeeded' }] }])
  })

  it('waits for an approval, is told live, and takes one decision', async () => {
    const workflow = await make(
      [{ key: 'ask', kind: 'approval', prompt: 'Send?' }, shell('send', 'true')],
      [{ from: 'ask', to: 'send', on: 'branch', branch: 'approved' }],
    )
    const runId = await trigger(workflow)
    await until(runId, (run) => stateOf(run, 'ask') === 'waiting')
    await using client = await new LiveClient(api.url, api.admin.token).open()
    client.send({ type: 'subscribe', id: 1, topic: `workflowRun:${runId}` })
    expect(await client.hear('event', 1)).toMatchObject({ data: { id: runId, state: 'running' } })
    expect(await api.admin.call('POST', `/workflow-run/${runId}/step/send/approve`, {})).toMatchObject({
      status: 409,
      body: { code: 'STEP_NOT_WAITING' },
    })
    expect(await api.admin.call('POST', `/workflow-run/${runId}/step/nope/approve`, {})).toMatchObject({
      status: 404,
      body: { code: 'STEP_NOT_FOUND' },
    })
    const approved = await api.admin.post<WorkflowRun>(`/workflow-run/${runId}/step/ask/approve`, { comment: 'fine' })
    expect(approved.stepRuns[0]).toMatchObject({ decidedBy: { decision: 'approved', comment: 'fine', actor: { name: 'admin' } } })
    expect(await api.admin.call('POST', `/workflow-run/${runId}/step/ask/reject`, {})).toMatchObject({ status: 409 })
    expect((await ended(runId)).state).toBe('succeeded')
    const told = async () => client.data(1).some((data) => (data as WorkflowRun).state === 'succeeded')
    await waitFor(told, { what: 'the end of the run, live' })
    expect(client.data(1).every((data) => !('definition' in (data as object)))).toBe(true)
  })

  it('pauses, goes on, and is canceled with what it has begun', async () => {
    const workflow = await make([shell('long', 'sleep 60'), shell('after', 'true')], [{ from: 'long', to: 'after' }])
    const runId = await trigger(workflow)
    await until(runId, (run) => stateOf(run, 'long') === 'running')
    expect(await api.admin.post<WorkflowRun>(`/workflow-run/${runId}/pause`)).toMatchObject({ state: 'paused' })
    expect(await list(`workflowId=${workflow.id}&state=paused`)).toEqual([runId])
    expect(await api.admin.post<WorkflowRun>(`/workflow-run/${runId}/resume`)).toMatchObject({ state: 'running' })
    expect(await api.admin.call<Problem>('POST', `/workflow-run/${runId}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'RUN_NOT_PAUSED' },
    })
    await api.admin.post(`/workflow-run/${runId}/cancel`)
    const run = await ended(runId)
    expect([run.state, stateOf(run, 'long'), stateOf(run, 'after')]).toEqual(['canceled', 'canceled', expect.anything()])
  })

  it('is run again from what failed, as a new run, and a step that somebody completes is done', async () => {
    const workflow = await make([shell('first', 'true'), shell('bad', 'exit 3')], [{ from: 'first', to: 'bad' }])
    const runId = await trigger(workflow)
    expect(await ended(runId)).toMatchObject({ state: 'failed', steps: { succeeded: 1, failed: 1 } })
    await api.admin.put(`/workflow/${workflow.id}`, {
      groupId: home,
      name: workflow.name,
      schedule: { kind: 'manual' },
      steps: [shell('first', 'true'), shell('bad', 'sleep 60')],
      edges: [{ from: 'first', to: 'bad' }],
      version: 1,
    })
    const { workflowRunId } = await api.admin.post<{ workflowRunId: number }>(`/workflow-run/${runId}/retry`, { version: 'latest' })
    await until(workflowRunId, (run) => stateOf(run, 'bad') === 'running')
    await api.admin.post(`/workflow-run/${workflowRunId}/step/bad/complete`, { output: { rows: 1 }, reason: 'done by hand' })
    const again = await ended(workflowRunId)
    expect(again).toMatchObject({ state: 'succeeded', cause: 'retry', retryOf: runId, version: 2 })
    expect(again.stepRuns).toMatchObject([{ reusedFrom: runId }, { decidedBy: { decision: 'completed', comment: 'done by hand' } }])
    expect((await read(runId)).retriedBy).toBe(workflowRunId)
    expect(await api.admin.call('POST', `/workflow-run/${runId}/retry`, {})).toMatchObject({ status: 409 })
  })

  it('contains runs of other workflows, and children for the items of a list', async () => {
    const inner = await make([shell('one', 'true')], [])
    const workflow = await make(
      [
        { key: 'sub', kind: 'subWorkflow', workflow: `default/${inner.name}` },
        {
          key: 'each',
          kind: 'fanOut',
          items: ['a', 'b', 'c'],
          failures: 'collect',
          each: {
            kind: 'task',
            inline: { handler: { kind: 'shell', script: 'case "$TICKWHEEL_PARAMS" in *b*) exit 1;; esac' } },
            input: { item: '=item' },
          },
        },
      ],
      [{ from: 'sub', to: 'each' }],
    )
    const runId = await trigger(workflow)
    const run = await ended(runId)
    expect(run.state).toBe('succeeded')
    const sub = run.stepRuns[0]?.workflowRunId ?? 0
    expect(await read(sub)).toMatchObject({ workflowId: inner.id, parent: { workflowRunId: runId, stepKey: 'sub' }, state: 'succeeded' })
    expect(run.stepRuns[1]?.items).toMatchObject({ total: 3, made: 3, ended: { succeeded: 2, failed: 1 } })
    const { items, total } = await api.admin.get<{ items: FanOutItem[]; total: number }>(`/workflow-run/${runId}/step/each/item`)
    expect([total, items.map(({ index, instance }) => [index, instance?.state])]).toEqual([
      3,
      [
        [1, 'failed'],
        [0, 'succeeded'],
        [2, 'succeeded'],
      ],
    ])
    expect(await api.admin.get<StepDetail>(`/workflow-run/${runId}/step/each`)).toMatchObject({
      output: { total: 3, succeeded: 2, failed: 1 },
    })
  })

  it('is refused when its params do not fit, and stays in the list when it was canceled in the queue', async () => {
    const workflow = await make([shell('slow', 'sleep 60')], [], {
      overlap: { policy: 'queue' },
      paramsSchema: { type: 'object', properties: { n: { type: 'integer' } } },
    })
    expect(await api.admin.call('POST', `/workflow/${workflow.id}/trigger`, { params: { n: 'x' } })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'params.n' }] },
    })
    const first = await trigger(workflow)
    const second = await trigger(workflow)
    await until(first, (run) => stateOf(run, 'slow') === 'running')
    expect(await until(second, (run) => run.waitingFor !== null)).toMatchObject({ state: 'waiting', steps: { pending: 1 } })
    await api.admin.post(`/workflow-run/${second}/cancel`)
    expect((await ended(second)).state).toBe('canceled')
    expect(await list(`workflowId=${workflow.id}`)).toEqual([second, first])
    expect(await api.admin.call('DELETE', `/workflow/${workflow.id}`)).toMatchObject({
      status: 409,
      body: { code: 'WORKFLOW_HAS_OPEN_RUNS' },
    })
    await api.admin.delete(`/workflow/${workflow.id}?cancelRunning=true`)
    expect((await ended(first)).state).toBe('canceled')
  })
})
