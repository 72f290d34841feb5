/** Runs of workflows for developing their pages: one that failed, its second try, one that waits for an approval, one that is paused, one of a thousand steps. */
import type { DecisionBody, FanOutItem, StepDetail, StepRun, Workflow, WorkflowGrid, WorkflowRun, WorkflowRunListItem } from '@tickwheel/contract'
import type { Static } from 'typebox'
import { iso, type World } from './world.ts'

type Definition = WorkflowRun['definition']
type Given = Partial<StepRun>
type Edge = Definition['edges'][number]

const MINUTE = 60_000
const runsOf = new WeakMap<World, Map<number, WorkflowRun>>()

/** The runs of this world, made when they are first asked for. */
export function workflowRuns(world: World): Map<number, WorkflowRun> {
  const known = runsOf.get(world)
  if (known !== undefined) return known
  const made = new Map([failed(world), waiting(world), again(world), paused(world), large(world)].map((run) => [run.id, run]))
  runsOf.set(world, made)
  return made
}

export function listItemOf(run: WorkflowRun): WorkflowRunListItem {
  const { params: _params, outputs: _outputs, definition: _definition, stepRuns, edges: _edges, retriedBy: _retriedBy, hidden: _hidden, ...item } = run
  return { ...item, steps: Object.fromEntries(Object.entries(Object.groupBy(stepRuns, ({ state }) => state)).map(([state, steps]) => [state, steps.length])) }
}

/** What the live topic sends. */
export function liveRunOf({ definition: _definition, ...run }: WorkflowRun): Omit<WorkflowRun, 'definition'> {
  return run
}

export function workflowOf(world: World, id: number): Workflow | null {
  const run = [...workflowRuns(world).values()].find(({ workflowId }) => workflowId === id)
  if (run === undefined) return null
  const isMended = id === 501
  return {
    ...run.definition, id, groupId: run.groupId, groupName: run.groupName, enabled: true, version: run.version + (isMended ? 1 : 0), nextFireAt: null, lastFiredAt: null, held: null, paused: null, createdAt: iso(world.now), updatedAt: iso(world.now),
    steps: isMended ? [...run.definition.steps, { key: 'notify', kind: 'task', task: 'default/notify' }] : run.definition.steps, edges: isMended ? [...run.definition.edges, { from: 'report', to: 'notify' }] : run.definition.edges,
  }
}

export function stepDetailOf(run: WorkflowRun, key: string): StepDetail | null {
  const step = run.stepRuns.find((one) => one.key === key)
  if (step === undefined) return null
  return {
    step, params: step.kind === 'task' ? { day: run.date, file: '/data/orders.parquet' } : null, output: step.state === 'succeeded' ? { rows: 48_210, file: '/data/orders.parquet' } : null,
    rounds: step.round > 1 ? [{ round: 1, state: 'failed', startedAt: step.startedAt, endedAt: step.endedAt, instanceId: step.instanceId, error: { code: 'ITEMS_FAILED', message: '3 of 120 items failed' } }] : [],
  }
}

export function itemsOf(world: World, step: StepRun): FanOutItem[] {
  const runs = [...world.runs.values()].slice(-40)
  return Array.from({ length: step.items?.made ?? 0 }, (_, index) => {
    const run = runs[index % Math.max(1, runs.length)]
    const state = index < 3 ? 'failed' : 'succeeded'
    return { index, key: `account-${String(10_000 + index)}`, workflowRun: null, instance: run === undefined ? null : { ...run, state, error: index < 3 ? { code: 'EXIT_CODE', message: 'exit code 3' } : null } }
  })
}

export function gridOf(world: World, workflowId: number, count: number): WorkflowGrid {
  const sample = [...workflowRuns(world).values()].find((run) => run.workflowId === workflowId)
  if (sample === undefined) return { runs: [], steps: [] }
  const states = ['succeeded', 'succeeded', 'succeeded', 'failed', 'succeeded', 'skipped'] as const
  const runs = Array.from({ length: count }, (_, index) => ({ id: sample.id - index, state: index === 0 ? sample.state : index % 7 === 3 ? ('failed' as const) : ('succeeded' as const), version: sample.version, date: iso(world.now - index * 86_400_000).slice(0, 10), firedAt: iso(world.now - index * 86_400_000), durationMs: index === 0 && sample.endedAt === null ? null : 60_000 + ((index * 7919) % 50_000) }))
  return {
    runs,
    steps: sample.definition.steps.map((step, no) => ({ key: step.key, kind: step.kind, cells: runs.map((_run, index) => (index === 0 ? { state: sample.stepRuns[no]?.state ?? 'pending', durationMs: 900, instanceId: null } : no === 4 && index > 12 ? null : { state: index % 7 === 3 && no >= 2 ? (states[3 + (no % 3)] ?? 'failed') : 'succeeded', durationMs: 4_000 + no * 300, instanceId: null })) })),
  }
}

/** Decides, pauses, resumes or cancels, roughly as the server would. */
export function operate(world: World, run: WorkflowRun, verb: string, key: string | undefined, body: Static<typeof DecisionBody>): WorkflowRun {
  const change = (more: Partial<WorkflowRun>): WorkflowRun => {
    const changed = { ...run, ...more }
    workflowRuns(world).set(run.id, changed)
    return changed
  }
  const set = (name: string, more: Given): StepRun[] => run.stepRuns.map((step) => (step.key === name ? { ...step, ...more } : step))
  switch (verb) {
    case 'pause':
      return change({ state: 'paused' })
    case 'resume':
      return change({ state: 'running' })
    case 'cancel':
      return change({ state: 'canceled', endedAt: iso(world.now), cancelRequestedAt: iso(world.now), stepRuns: run.stepRuns.map((step) => (step.endedAt === null ? { ...step, state: 'canceled', endedAt: iso(world.now) } : step)) })
    case 'approve':
    case 'reject':
    case 'complete': {
      const decision = verb === 'approve' ? 'approved' : verb === 'reject' ? 'rejected' : 'completed'
      return change({ stepRuns: set(key ?? '', { state: 'succeeded', endedAt: iso(world.now), nextAt: null, branch: verb === 'complete' ? null : decision, waitingFor: null, decidedBy: { actor: { kind: 'user', id: 1, name: 'admin' }, at: iso(world.now), decision, comment: body.comment ?? '' } }), edges: run.definition.edges.map((edge, place) => (edge.from === key ? (decision === 'rejected' ? 'passed' : 'taken') : (run.edges[place] ?? null))) })
    }
    default:
      return run
  }
}

function base(world: World, { id, workflowId, name }: Pick<WorkflowRun, 'id' | 'workflowId'> & { name: string }, definition: Pick<Definition, 'steps' | 'edges'> & Partial<Definition>, given: Readonly<Record<string, Given>>, decisions: WorkflowRun['edges']): WorkflowRun {
  const stepRuns = definition.steps.map((step, no): StepRun => ({
    key: step.key, no, kind: step.kind, state: 'pending', round: 1, branch: null, startedAt: null, endedAt: null, nextAt: null, instanceId: null, workflowRunId: null, error: null, waitingFor: null, items: null, skippedBy: [], reusedFrom: null, decidedBy: null, ...given[step.key],
  }))
  const began = stepRuns.flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt])).sort()
  return {
    id, workflowId, workflowName: name, groupId: 2, groupName: 'billing', version: 3, state: 'running', cause: 'schedule', actor: null, date: iso(world.now).slice(0, 10), scheduledAt: began[0] ?? null, firedAt: began[0] ?? iso(world.now), startedAt: began[0] ?? null, endedAt: null,
    retryOf: null, parent: null, error: null, cancelRequestedAt: null, waitingFor: null, steps: {}, params: { day: '2026-11-22' }, outputs: null, stepRuns, edges: decisions, retriedBy: null,
    definition: {
      name, description: '', owner: '', tags: [], schedule: { kind: 'manual' }, overlap: { policy: 'skip', max: 0 }, misfire: { policy: 'skip', graceMs: 0, max: 0 }, timeoutMs: 0, priority: 5, pauseAfterFailures: 0, stepConcurrency: 0, onFailure: 'finish', ...definition,
    },
  }
}

const ORDERS: { steps: Definition['steps']; edges: Edge[] } = {
  steps: [
    { key: 'extract', kind: 'task', task: 'default/extract-orders' },
    { key: 'enough', kind: 'condition', when: 'steps.extract.output.rows > 0' },
    { key: 'load', name: 'Load into the warehouse', kind: 'task', task: 'default/load' },
    { key: 'repair', kind: 'task', task: 'default/repair-load' },
    { key: 'report', kind: 'task', task: 'default/send-report' },
  ],
  edges: [
    { from: 'extract', to: 'enough' },
    { from: 'enough', to: 'load', on: 'branch', branch: 'true' },
    { from: 'enough', to: 'report', on: 'branch', branch: 'false' },
    { from: 'load', to: 'report' },
    { from: 'load', to: 'repair', on: 'failure' },
    { from: 'repair', to: 'report' },
  ],
}

function ranOf(world: World, agoMs: number, ms: number): Given {
  return { state: 'succeeded', startedAt: iso(world.now - agoMs), endedAt: iso(world.now - agoMs + ms) }
}

function failed(world: World): WorkflowRun {
  const logged = [...world.runs.values()].filter(({ state }) => state === 'failed').at(-1)?.id ?? null
  const run = base(world, { id: 9001, workflowId: 501, name: 'nightly-orders' }, ORDERS, {
    extract: { ...ranOf(world, 30 * MINUTE, 42_000), instanceId: [...world.runs.keys()].at(-1) ?? null },
    enough: { ...ranOf(world, 30 * MINUTE - 42_000, 3), branch: 'true' },
    load: { ...ranOf(world, 30 * MINUTE - 42_010, 120_000), state: 'failed', instanceId: logged, error: { code: 'EXIT_CODE', message: 'exit code 3' } },
    repair: { ...ranOf(world, 30 * MINUTE - 162_100, 8_000), state: 'failed', instanceId: logged, error: { code: 'EXIT_CODE', message: 'exit code 1: table orders_staging is locked' } },
    report: { state: 'skipped', endedAt: iso(world.now - 30 * MINUTE + 170_200), skippedBy: [5] },
  }, ['taken', 'taken', 'passed', 'passed', 'taken', 'blocked'])
  return { ...run, state: 'failed', endedAt: iso(world.now - 30 * MINUTE + 170_200), retriedBy: 9003, error: { code: 'STEP_FAILED', message: 'repair: exit code 1: table orders_staging is locked' } }
}

function again(world: World): WorkflowRun {
  const run = base(world, { id: 9003, workflowId: 501, name: 'nightly-orders' }, ORDERS, {
    extract: { ...ranOf(world, 30 * MINUTE, 42_000), reusedFrom: 9001 },
    enough: { ...ranOf(world, 30 * MINUTE - 42_000, 3), branch: 'true', reusedFrom: 9001 },
    load: { ...ranOf(world, 20 * MINUTE, 95_000), instanceId: [...world.runs.keys()].at(-2) ?? null },
    repair: { state: 'skipped', endedAt: iso(world.now - 20 * MINUTE + 95_000), skippedBy: [4] },
    report: { ...ranOf(world, 20 * MINUTE - 95_050, 2_300), instanceId: [...world.runs.keys()].at(-3) ?? null },
  }, ['taken', 'taken', 'passed', 'taken', 'passed', 'passed'])
  return { ...run, state: 'succeeded', cause: 'retry', actor: { kind: 'user', id: 1, name: 'admin' }, retryOf: 9001, endedAt: iso(world.now - 20 * MINUTE + 97_400), startedAt: iso(world.now - 20 * MINUTE), outputs: { rows: 48_210 } }
}

const MONTH_END: { steps: Definition['steps']; edges: Edge[] } = {
  steps: [
    { key: 'list', kind: 'task', task: 'billing/list-accounts' },
    { key: 'bill', kind: 'fanOut', items: '=steps.list.output.accounts', concurrency: 20, failures: 'collect', each: { kind: 'task', task: 'billing/bill-one' } },
    { key: 'rates', kind: 'wait', upstream: { task: 'billing/exchange-rates' } },
    { key: 'check', kind: 'approval', prompt: 'Send the bills of November to 117 accounts?', expiresMs: 86_400_000, notByStarter: true },
    { key: 'send', kind: 'subWorkflow', workflow: 'billing/send-letters' },
    { key: 'clean', kind: 'task', task: 'billing/clean-up', join: 'allDone' },
  ],
  edges: [
    { from: 'list', to: 'bill' },
    { from: 'bill', to: 'check', when: 'steps.bill.output.failed < 5' },
    { from: 'rates', to: 'send' },
    { from: 'check', to: 'send', on: 'branch', branch: 'approved' },
    { from: 'send', to: 'clean', on: 'always' },
    { from: 'bill', to: 'clean', on: 'always' },
  ],
}

function waiting(world: World): WorkflowRun {
  const run = base(world, { id: 9002, workflowId: 502, name: 'month-end' }, MONTH_END, {
    list: { ...ranOf(world, 12 * MINUTE, 6_000), instanceId: [...world.runs.keys()].at(-4) ?? null },
    bill: { ...ranOf(world, 12 * MINUTE - 6_000, 300_000), round: 2, instanceId: 1, items: { total: 120, made: 120, ended: { succeeded: 117, failed: 3 } } },
    rates: { state: 'waiting', startedAt: iso(world.now - 12 * MINUTE), nextAt: iso(world.now + 5_000) },
    check: { state: 'waiting', startedAt: iso(world.now - 7 * MINUTE), nextAt: iso(world.now + 20 * 3_600_000) },
  }, ['taken', 'taken', null, null, null, 'taken'])
  return { ...run, cause: 'manual', actor: { kind: 'user', id: 1, name: 'mei.lin' } }
}

function paused(world: World): WorkflowRun {
  const run = base(world, { id: 9004, workflowId: 503, name: '数仓日终' }, { steps: ORDERS.steps, edges: ORDERS.edges }, { extract: { state: 'running', startedAt: iso(world.now - 40_000), instanceId: [...world.runs.keys()].at(-5) ?? null } }, [null, null, null, null, null, null])
  return { ...run, state: 'paused', groupName: '数据平台', groupId: 3 }
}

function large(world: World): WorkflowRun {
  const steps = Array.from({ length: 1000 }, (_, no) => ({ key: `s${String(no)}`, kind: 'task' as const, task: 'default/x' }))
  const edges = steps.slice(10).flatMap(({ key }, no) => [{ from: `s${String(no)}`, to: key }, ...(no % 3 === 0 && no > 3 ? [{ from: `s${String(no - 3)}`, to: key }] : [])])
  const given = Object.fromEntries(steps.slice(0, 640).map(({ key }, no): [string, Given] => [key, no < 620 ? { ...ranOf(world, 3_600_000 - no * 5_000, 4_000 + (no % 9) * 1_000), state: no % 97 === 5 ? 'failed' : 'succeeded' } : { state: 'running', startedAt: iso(world.now - 30_000 + (no % 7) * 1000) }]))
  return base(world, { id: 9005, workflowId: 504, name: 'a-thousand-steps' }, { steps, edges }, given, edges.map(({ from }) => (Number(from.slice(1)) < 620 ? 'taken' : null)))
}
