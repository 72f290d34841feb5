import type { Group, Problem, Task, Workflow, WorkflowProblems, WorkflowVersion } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import type { Answer, ApiClient } from './kit/api-client.ts'
import { makePerson } from './person.fixture.ts'

/* The calls about workflows, as a person or a program makes them. What their runs do is told elsewhere. */
let api: ApiServer
let home: number

beforeAll(async () => {
  api = await openApi()
  home = (await api.admin.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
  await api.admin.post<Task>('/task', {
    groupId: home,
    name: 'extract',
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script: 'true' },
  })
})
afterAll(() => api.close())

let made = 0
const chain = (more: object = {}) => ({
  groupId: home,
  name: `chain ${++made}`,
  schedule: { kind: 'manual' },
  steps: [
    { key: 'pull', kind: 'task', task: 'default/extract' },
    { key: 'ask', kind: 'approval', prompt: 'Go on?' },
  ],
  edges: [{ from: 'pull', to: 'ask' }],
  ...more,
})
const make = async (more: object = {}): Promise<Workflow> => api.admin.post<Workflow>('/workflow', chain(more))

async function sendYaml<Body>(client: ApiClient, method: string, path: string, text: string): Promise<Answer<Body>> {
  const response = await fetch(`${client.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${String(client.token)}`, 'content-type': 'application/yaml' },
    body: text,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
}
const yamlOf = async (path: string): Promise<string> =>
  (await api.admin.call<string>('GET', path, undefined, { accept: 'application/yaml' })).body

describe('a workflow over HTTP', () => {
  it('is made, read, changed, started, stopped, listed and deleted', async () => {
    const workflow = await make({ schedule: { kind: 'fixedRate', everyMs: 60_000 }, tags: ['nightly'] })
    const path = `/workflow/${workflow.id}`
    expect(workflow).toMatchObject({ version: 1, enabled: false, nextFireAt: null, stepConcurrency: 0 })
    const changed = await api.admin.put<Workflow>(path, { ...chain(), schedule: workflow.schedule, name: 'mended', version: 1 })
    expect(changed).toMatchObject({ name: 'mended', version: 2, tags: [] })
    expect(await api.admin.call('PUT', path, { ...chain(), version: 1 })).toMatchObject({ status: 409, body: { code: 'STALE_VERSION' } })
    expect((await api.admin.post<Workflow>(`${path}/start`)).nextFireAt).not.toBeNull()
    expect((await api.admin.get<{ firings: unknown[] }>(`${path}/next?count=3`)).firings).toHaveLength(3)
    expect(await api.admin.post<Workflow>(`${path}/stop`)).toMatchObject({ enabled: false, nextFireAt: null })
    expect(await api.admin.get(`${path}/decisions?at=2026-11-22T00:00:00Z`)).toMatchObject({ verdict: 'beforeTask' })
    expect(await api.admin.get(`${path}/firing`)).toMatchObject({ items: [] })
    expect(await api.admin.get('/workflow?keyword=mended')).toMatchObject({ total: 1, items: [{ id: workflow.id, steps: 2 }] })
    expect(await api.admin.get(`/workflow-run?workflowId=${workflow.id}`)).toMatchObject({ items: [], total: 0 })
    expect(await api.admin.get(`${path}/grid`)).toEqual({ runs: [], steps: [] })
    expect((await api.admin.get<{ items: Task[] }>('/task')).items.map((task) => task.name)).toEqual(['extract'])
    await api.admin.delete(path)
    expect(await api.admin.call('GET', path)).toMatchObject({ status: 404, body: { code: 'WORKFLOW_NOT_FOUND' } })
  })

  it('keeps its versions, of which an old one becomes a new one', async () => {
    const { id, name } = await make()
    await api.admin.put(`/workflow/${id}`, {
      ...chain(),
      name,
      steps: [{ key: 'only', kind: 'approval', prompt: '?' }],
      edges: [],
      version: 1,
    })
    expect(await api.admin.get(`/workflow/${id}/version`)).toMatchObject({ total: 2, items: [{ steps: 1 }, { steps: 2 }] })
    expect((await api.admin.get<WorkflowVersion>(`/workflow/${id}/version/1`)).definition.steps).toHaveLength(2)
    const restored = await api.admin.post<Workflow>(`/workflow/${id}/version/1/restore`)
    expect([restored.version, restored.steps.length]).toEqual([3, 2])
    for (const [method, path] of [
      ['GET', 'version/9'],
      ['POST', 'version/9/restore'],
    ] as const)
      expect(await api.admin.call(method, `/workflow/${id}/${path}`)).toMatchObject({
        status: 404,
        body: { code: 'WORKFLOW_VERSION_NOT_FOUND' },
      })
  })

  it('is no task, and a task is none', async () => {
    const { id } = await make()
    expect(await api.admin.call('GET', `/task/${id}`)).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } })
    expect(await api.admin.call('POST', `/task/${id}/trigger`, {})).toMatchObject({ status: 404 })
    expect(await api.admin.call('GET', `/task/${id}/route`)).toMatchObject({ status: 404 })
    const { items } = await api.admin.get<{ items: Task[] }>('/task')
    expect(await api.admin.call('GET', `/workflow/${items[0]?.id ?? 0}`)).toMatchObject({
      status: 404,
      body: { code: 'WORKFLOW_NOT_FOUND' },
    })
  })

  it('keeps its group from being deleted', async () => {
    const group = await api.admin.post<Group>('/group', { name: 'full', appName: 'full' })
    await make({ groupId: group.id, steps: [{ key: 'ask', kind: 'approval', prompt: '?' }], edges: [] })
    expect(await api.admin.call('DELETE', `/group/${group.id}`)).toMatchObject({ status: 409, body: { code: 'GROUP_NOT_EMPTY' } })
    const { items } = await api.admin.get<{ items: Group[] }>('/group?pageSize=200')
    expect(items.find(({ id }) => id === group.id)?.taskCount).toBe(0)
  })

  it('tells all problems of a definition at once, unsaved with 200 and saved with 422', async () => {
    const bad = chain({
      schedule: { kind: 'cron', expression: '* *' },
      steps: [{ key: 'a', kind: 'task', task: 'default/nothing' }],
      edges: [],
    })
    const expected = [
      { path: 'schedule.expression', code: 'CRON_FIELD_COUNT' },
      { path: 'steps.0.task', code: 'WORKFLOW_UNKNOWN_TASK', params: { name: 'default/nothing', kind: 'task' } },
    ]
    const { problems } = await api.admin.post<WorkflowProblems>('/workflow/validate', bad)
    expect(problems).toMatchObject(expected)
    const refused = await api.admin.call<Problem>('POST', '/workflow', bad)
    expect(refused).toMatchObject({ status: 422, body: { code: 'UNPROCESSABLE', errors: expected } })
    const { id, name } = await make()
    const again = { ...chain(), name }
    expect((await api.admin.post<WorkflowProblems>(`/workflow/validate?workflowId=${id}`, again)).problems).toEqual([])
    expect((await api.admin.post<WorkflowProblems>('/workflow/validate', again)).problems).toMatchObject([
      { path: 'name', code: 'NAME_TAKEN' },
    ])
    expect(await api.admin.call('POST', '/workflow/validate?workflowId=987654', again)).toMatchObject({ status: 404 })
  })

  it('names the field of a body that has another shape', async () => {
    expect(await api.admin.call('POST', '/workflow', chain({ steps: [{ key: 'A!', kind: 'wait' }] }))).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'steps.0.key', code: 'BAD_FORMAT' }] },
    })
    expect(await api.admin.call('POST', '/workflow', chain({ steps: [{ key: 'a', kind: 'magic' }] }))).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'steps.0.kind', code: 'NOT_ALLOWED_VALUE' }] },
    })
  })

  it('finds a circle, an expression that is none and a branch that is not there, and names each field', async () => {
    const steps = [
      { key: 'a', kind: 'condition', when: 'params.x >' },
      { key: 'b', kind: 'approval', prompt: '?' },
    ]
    const edges = [
      { from: 'a', to: 'b', on: 'branch', branch: 'maybe' },
      { from: 'b', to: 'a' },
    ]
    const { problems } = await api.admin.post<WorkflowProblems>('/workflow/validate', chain({ steps, edges }))
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ['edges.0.branch', 'WORKFLOW_UNKNOWN_BRANCH'],
      ['edges', 'WORKFLOW_HAS_CYCLE'],
      ['steps.0.when', 'EXPRESSION_INVALID'],
    ])
  })

  it('is refused when it is nested without end', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    const text = JSON.stringify(chain({ outputs: { deep: 'HERE' } })).replace('"HERE"', deep)
    const response = await fetch(`${api.url}/api/v1/workflow`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(api.admin.token)}`, 'content-type': 'application/json' },
      body: text,
    })
    expect([response.status, ((await response.json()) as Problem).code]).toEqual([400, 'MALFORMED'])
    expect(await sendYaml(api.admin, 'POST', '/workflow', deep)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } })
  })

  it('has no runs where there are none', async () => {
    for (const path of ['/workflow-run/1', '/workflow-run/1/step/a', '/workflow-run/1/step/a/item'])
      expect(await api.admin.call('GET', path)).toMatchObject({ status: 404, body: { code: 'WORKFLOW_RUN_NOT_FOUND' } })
    expect(await api.admin.call('GET', '/workflow-run?date=2026-11-22')).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'workflowId' }] },
    })
    expect(await api.admin.call('GET', '/workflow-run?state=dispatched')).toMatchObject({ status: 400 })
  })
})

describe('a workflow as YAML', () => {
  it('is read, sent back as it is, and is the same', async () => {
    const { id } = await make({
      description: '每晚 # 1',
      steps: [
        { key: 'pull', kind: 'task', task: 'default/extract', input: { day: '=run.date', text: '==literal', deep: [1, { a: null }] } },
        { key: 'load', kind: 'task', inline: { handler: { kind: 'shell', script: 'set -e\necho "a: b"\n' } }, retry: { max: 2 } },
      ],
      edges: [{ from: 'pull', to: 'load' }],
      outputs: { rows: '=steps.pull.output.rows' },
      layout: { pull: { x: 1.5, y: -2 } },
    })
    const before = await api.admin.get<Workflow>(`/workflow/${id}`)
    const text = await yamlOf(`/workflow/${id}`)
    expect(text).toContain('group: default\n')
    expect(text).not.toContain('groupId')
    const { status, body } = await sendYaml<Workflow>(api.admin, 'PUT', `/workflow/${id}`, text)
    expect(status).toBe(200)
    expect(body).toEqual({ ...before, version: 2, updatedAt: body.updatedAt })
    const copy = await sendYaml<Workflow>(api.admin, 'POST', '/workflow', text.replace(/^name: .*$/m, 'name: copy'))
    expect([copy.status, copy.body.steps, copy.body.version]).toEqual([201, before.steps, 1])
    expect(await yamlOf(`/workflow/${id}/version/1`)).toContain('group: default\n')
  })

  it.each<[why: string, change: (text: string) => string, expected: object]>([
    ['text that is no YAML', (text) => text.replace('steps:', 'steps: ['), { status: 400, body: { code: 'VALIDATION_FAILED' } }],
    [
      'a field that is not there',
      (text) => `${text}\nsurprise: 1\n`,
      { status: 400, body: { errors: [{ path: 'surprise', code: 'UNKNOWN_FIELD' }] } },
    ],
    [
      'the id of a group',
      (text) => `${text}\ngroupId: 1\n`,
      { status: 400, body: { errors: [{ path: 'groupId', code: 'UNKNOWN_FIELD' }] } },
    ],
    ['no group', (text) => text.replace(/^group: .*$/m, ''), { status: 400, body: { errors: [{ path: 'group', code: 'REQUIRED' }] } }],
    [
      'a group that is not there',
      (text) => text.replace(/^group: .*$/m, 'group: nowhere'),
      { status: 422, body: { errors: [{ path: 'group', code: 'UNKNOWN_REFERENCE', params: { value: 'nowhere', line: 1 } }] } },
    ],
    [
      'a task that is not there',
      (text) => text.replace('default/extract', 'default/nothing'),
      { status: 422, body: { errors: [{ path: 'steps.0.task', code: 'WORKFLOW_UNKNOWN_TASK' }] } },
    ],
  ])('is refused with the line of the problem: %s', async (_why, change, expected) => {
    const { id } = await make()
    const text = change(await yamlOf(`/workflow/${id}`)).replace(/^name: .*$/m, `name: other ${id}`)
    const answer = await sendYaml<Problem>(api.admin, 'POST', '/workflow', text)
    expect(answer).toMatchObject(expected)
    const { errors = [] } = answer.body
    for (const { path, params } of errors) {
      const line = text.split('\n')[Number(params?.['line']) - 1] ?? ''
      if (path === 'steps.0.task') expect(line).toContain('default/nothing')
      else expect(Number(params?.['line'])).toBeGreaterThan(0)
    }
  })

  it('is checked unsaved, each problem with its line', async () => {
    const text =
      'group: default\nname: unsaved\nschedule: { kind: manual }\nsteps:\n  - key: a\n    kind: task\n    task: default/nothing\nedges: []\n'
    const { status, body } = await sendYaml<WorkflowProblems>(api.admin, 'POST', '/workflow/validate', text)
    expect(status).toBe(200)
    expect(body.problems).toMatchObject([{ path: 'steps.0.task', params: { line: 7, col: 11 } }])
  })

  it('is bounded: aliases that would grow without end are refused', async () => {
    const bomb =
      'a: &a [x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n'
    expect(await sendYaml(api.admin, 'POST', '/workflow', bomb)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } })
  })

  it('is not taken where a call has no YAML form', async () => {
    expect(await sendYaml(api.admin, 'POST', '/task', 'name: x')).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
  })
})

describe('somebody who may do nothing', () => {
  it('sees no workflow, and learns of nothing by checking one', async () => {
    const workflow = await make()
    const nobody = await makePerson(api, 'nobody')
    expect(await nobody.call('GET', '/workflow')).toMatchObject({ status: 200, body: { items: [], total: 0 } })
    expect(await nobody.call('GET', '/workflow-run')).toMatchObject({ status: 200, body: { items: [], total: 0 } })
    expect(await nobody.call('GET', `/workflow/${workflow.id}`)).toMatchObject({ status: 404 })
    const { problems } = await nobody.post<WorkflowProblems>('/workflow/validate', chain())
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ['groupId', 'UNKNOWN_REFERENCE'],
      ['steps.0.task', 'WORKFLOW_UNKNOWN_TASK'],
    ])
    expect(await sendYaml(nobody, 'POST', '/workflow/validate', 'group: default')).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'group', code: 'UNKNOWN_REFERENCE' }] },
    })
  })
})
