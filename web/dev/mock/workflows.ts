import { TASK_DEFAULTS, type Problem, type Step, type Workflow, type WorkflowCreate, type WorkflowDefinition, type WorkflowListItem, type WorkflowUpdate } from '@tickwheel/contract'
import type { MockAnswer, MockRequest } from './answer.ts'
import { iso, type World } from './world.ts'

const ok = (body: unknown, status = 200): MockAnswer => ({ status, body })
const refuse = (status: number, code: string, more: Partial<Problem> = {}): MockAnswer => ({ status, body: { type: `about:blank#${code}`, title: code, status, detail: `Mock: ${code}`, code, ...more } })

/** The calls of workflows, roughly: enough for the list, the page and the editor. Runs are not there. */
export function workflows(world: World, request: MockRequest, id: number | null, rest: readonly string[]): MockAnswer {
  if (id === null) return request.method === 'POST' ? made(world, request.body as WorkflowCreate) : ok(listed(world, request))
  if (Number.isNaN(id)) return ok({ problems: [] })
  const found = world.workflows.get(id)
  if (found === undefined) return refuse(404, 'WORKFLOW_NOT_FOUND')
  const [what, which, how] = rest
  switch (`${request.method} ${what ?? ''}`) {
    case 'GET ':
      return ok(found)
    case 'PUT ':
      return changed(world, found, request.body as WorkflowUpdate)
    case 'DELETE ':
      world.workflows.delete(id)
      return ok(null, 204)
    case 'POST start':
    case 'POST stop':
      world.workflows.set(id, { ...found, enabled: what === 'start' })
      return ok(world.workflows.get(id))
    case 'POST trigger':
      return ok({ workflowRunId: 1 }, 202)
    case 'POST version':
      return restored(world, found, Number(which))
    case 'GET version':
      return versions(world, id, which, how)
    case 'GET firing':
      return ok({ items: [], total: 0, page: 1, pageSize: 50, nextCursor: null })
    default:
      return refuse(404, 'NOT_FOUND')
  }
}

function listed(world: World, request: MockRequest) {
  const keyword = request.query.get('keyword') ?? ''
  const items = [...world.workflows.values()].filter((one) => one.name.includes(keyword)).map((one): WorkflowListItem => {
    const { id, groupId, groupName, name, description, owner, tags, schedule, enabled, version, nextFireAt, held } = one
    return { id, groupId, groupName, name, description, owner, tags, schedule, steps: one.steps.length, enabled, version, nextFireAt, held, openRuns: 0, recent: [] }
  })
  return { items, total: items.length, page: 1, pageSize: 20 }
}

function versions(world: World, id: number, which: string | undefined, how: string | undefined): MockAnswer {
  const all = world.workflowVersions.get(id) ?? []
  if (which === undefined || how !== undefined) return ok({ items: all.map(({ definition, ...one }) => ({ ...one, steps: definition.steps.length })).reverse(), total: all.length, page: 1, pageSize: 50 })
  const found = all.find((one) => one.version === Number(which))
  return found === undefined ? refuse(404, 'WORKFLOW_VERSION_NOT_FOUND') : ok(found)
}

function made(world: World, body: WorkflowCreate): MockAnswer {
  const isTaken = [...world.workflows.values()].some((one) => one.name === body.name && one.groupId === body.groupId)
  if (isTaken) return refuse(422, 'UNPROCESSABLE', { errors: [{ path: 'name', code: 'NAME_TAKEN', message: '' }] })
  return ok(addWorkflow(world, body), 201)
}

export function addWorkflow(world: World, body: WorkflowCreate): Workflow {
  return keep(world, (world.lastId += 1), body, 1)
}

function changed(world: World, found: Workflow, { version, ...body }: WorkflowUpdate): MockAnswer {
  return version === found.version ? ok(keep(world, found.id, body, version + 1)) : refuse(409, 'STALE_VERSION')
}

function restored(world: World, found: Workflow, version: number): MockAnswer {
  const old = world.workflowVersions.get(found.id)?.find((one) => one.version === version)
  return old === undefined ? refuse(404, 'WORKFLOW_VERSION_NOT_FOUND') : ok(keep(world, found.id, { ...old.definition, groupId: found.groupId, enabled: found.enabled }, found.version + 1))
}

function keep(world: World, id: number, { groupId, enabled = false, ...given }: WorkflowCreate, version: number): Workflow {
  const { description, owner, timeoutMs, priority, pauseAfterFailures } = TASK_DEFAULTS
  const definition: WorkflowDefinition = {
    description, owner, tags: [], timeoutMs, priority, pauseAfterFailures, stepConcurrency: 0, onFailure: 'finish', ...given,
    overlap: { ...TASK_DEFAULTS.overlap, ...given.overlap }, misfire: { ...TASK_DEFAULTS.misfire, ...given.misfire },
  }
  const now = iso(world.now)
  const workflow: Workflow = {
    ...definition, id, groupId, groupName: world.groups.get(groupId)?.name ?? '', enabled, version, nextFireAt: null, lastFiredAt: null, held: null, paused: null, createdAt: world.workflows.get(id)?.createdAt ?? now, updatedAt: now,
  }
  world.workflows.set(id, workflow)
  world.workflowVersions.set(id, [...(world.workflowVersions.get(id) ?? []), { version, savedAt: now, savedBy: { id: 1, name: world.username }, definition }])
  return workflow
}

/** The two examples of the documentation, and a large one for feeling how the canvas moves. */
export function addSampleWorkflows(world: World): void {
  addWorkflow(world, {
    groupId: 1, name: 'nightly-orders', description: 'Extract, load, repair, report', tags: ['nightly'], schedule: { kind: 'cron', expression: '0 0 2 * * ?', timezone: 'Asia/Shanghai' },
    paramsSchema: { type: 'object', properties: { day: { type: 'string', default: '' } } },
    steps: [
      { key: 'extract', kind: 'task', task: 'default/extract-orders', input: { day: "=params.day == '' ? run.date : params.day" } },
      { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' },
      { key: 'load', kind: 'task', inline: { handler: { kind: 'shell', script: './load.sh' } }, input: { file: '=steps.extract.output.file' }, retry: { max: 2, delayMs: 5000, backoff: 'exponential', maxDelayMs: 60_000 } },
      { key: 'repair', kind: 'task', task: 'default/repair-load', input: { why: '=steps.load.error.message' } },
      { key: 'report', kind: 'task', task: 'default/send-report' },
    ],
    edges: [
      { from: 'extract', to: 'enough' }, { from: 'enough', to: 'load', on: 'branch', branch: 'true' }, { from: 'enough', to: 'report', on: 'branch', branch: 'false' },
      { from: 'load', to: 'report' }, { from: 'load', to: 'repair', on: 'failure' }, { from: 'repair', to: 'report' },
    ],
  })
  addWorkflow(world, {
    groupId: 2, name: 'month-end', schedule: { kind: 'manual' },
    steps: [
      { key: 'list', kind: 'task', task: 'billing/list-accounts', name: 'List the accounts' },
      { key: 'bill', kind: 'fanOut', items: '=steps.list.output.accounts', concurrency: 20, failures: 'collect', each: { kind: 'task', task: 'billing/bill-one', input: { account: '=item' } } },
      { key: 'check', kind: 'approval', prompt: 'Send the bills?', expiresMs: 86_400_000, onExpire: 'reject', notByStarter: true },
      { key: 'kind', kind: 'switch', cases: [{ branch: 'large', when: 'steps.bill.output.total > 1000' }, { branch: 'small', when: 'true' }] },
      { key: 'pause', kind: 'wait', forMs: 600_000 },
      { key: 'send', kind: 'subWorkflow', workflow: 'billing/send' },
      { key: 'clean', kind: 'task', task: 'billing/clean-up', join: 'allDone', disabled: true },
    ],
    edges: [
      { from: 'list', to: 'bill' }, { from: 'bill', to: 'check', when: 'steps.bill.output.failed == 0' }, { from: 'check', to: 'kind', on: 'branch', branch: 'approved' }, { from: 'kind', to: 'pause', on: 'branch', branch: 'large' },
      { from: 'kind', to: 'send', on: 'branch', branch: 'small' }, { from: 'pause', to: 'send' }, { from: 'send', to: 'clean', on: 'always' }, { from: 'bill', to: 'clean', on: 'always' },
    ],
  })
  addWorkflow(world, large())
}

function large(): WorkflowCreate {
  const [columns, rows] = [50, 20]
  const key = (column: number, row: number) => `s${column}x${row}`
  const steps = Array.from({ length: columns * rows }, (_, index): Step => ({ key: key(Math.floor(index / rows), index % rows), kind: 'task', task: 'default/extract-orders' }))
  const edges = steps.flatMap((_, index) => {
    const [column, row] = [Math.floor(index / rows), index % rows]
    return column === 0 ? [] : [{ from: key(column - 1, row), to: key(column, row) }, { from: key(column - 1, (row + 1) % rows), to: key(column, row) }]
  })
  return { groupId: 1, name: 'a-thousand-steps', schedule: { kind: 'manual' }, steps, edges }
}
