import type { Registered } from '@tickwheel/contract'
import { ApiClient } from '../kit/api-client.ts'
import { joinExecutor } from './callers.ts'

/** Bodies that a call takes, by the id of its route, to be sent with something else in them. */
export type Templates = Readonly<Record<string, readonly unknown[]>>

interface Made {
  readonly id: number
}

/**
 * Makes what calls can be about: a group, tasks, workflows, runs that wait, one that runs. Whatever of it the calls before have made impossible (they delete and
 * revoke, too) is left out. `word` stands in all of it.
 */
export async function furnish(url: string, round: number, word = 'fuzz'): Promise<Templates> {
  const admin = await ApiClient.signIn(url, 'admin', 'admin123')
  const name = `${word}-${String(round)}`
  const group = { name, appName: `${word}${String(round)}` }
  const groupId = (await admin.post<Made>('/group', group)).id
  const shell = { groupId, schedule: { kind: 'manual' }, handler: { kind: 'shell', script: 'true' } }
  const tasks = [
    { ...shell, name: `plain ${word}`, description: word, params: '{"a":1}', labels: { zone: 'a' }, tags: ['nightly'] },
    {
      ...shell,
      name: 'cron',
      schedule: { kind: 'cron', expression: '0 0 3 * * *', timezone: 'Europe/Berlin' },
      retry: { max: 3, delayMs: 1000 },
    },
    {
      ...shell,
      name: 'web',
      handler: { kind: 'http', url: 'http://127.0.0.1:1/', method: 'POST', body: '{}' },
      overlap: { policy: 'parallel' },
    },
  ]
  const taskIds = await Promise.all(tasks.map(async (task) => (await quietly(() => admin.post<Made>('/task', task)))?.id ?? 0))
  const workflow = {
    groupId,
    name: `chain ${word}`,
    schedule: { kind: 'manual' },
    outputs: { day: 'monday' },
    steps: [
      { key: 'ask', kind: 'approval', prompt: 'Go on?' },
      { key: 'pull', kind: 'task', task: `${name}/plain ${word}` },
      { key: 'pick', kind: 'switch', cases: [{ branch: 'big', when: 'params.day == "monday"' }] },
      { key: 'each', kind: 'fanOut', items: [1, 2, 3], each: { kind: 'task', task: `${name}/plain ${word}`, input: { n: 1 } } },
    ],
    edges: [
      { from: 'ask', to: 'pull' },
      { from: 'pull', to: 'pick' },
      { from: 'pick', to: 'each', on: 'branch', branch: 'big' },
    ],
  }
  const workflowId = (await quietly(() => admin.post<Made>('/workflow', workflow)))?.id ?? 0
  for (const id of taskIds.slice(0, 2)) await quietly(() => admin.post(`/task/${String(id)}/trigger`, {}))
  await quietly(() => admin.post(`/workflow/${String(workflowId)}/trigger`, { params: { day: 'friday' } }))
  const token = await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [groupId] })
  const session: Registered = await joinExecutor(url, token.token, group.appName)
  const day = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' }
  const rules = {
    weekend: [6, 7],
    days: [{ from: '2026-10-01', to: '2026-10-07', kind: 'off', name: 'holiday' }],
    blackouts: [
      { kind: 'daily', from: '22:00', to: '06:00', weekdays: [5] },
      { kind: 'once', from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' },
    ],
  }
  const run = { instanceId: 1, attempt: 1 }
  return {
    createGroup: [group],
    updateGroup: [{ ...group, version: 1 }],
    createTask: tasks,
    updateTask: tasks.map((task) => ({ ...task, version: 1 })),
    createWorkflow: [workflow],
    updateWorkflow: [{ ...workflow, version: 1 }],
    validateWorkflow: [workflow],
    backfillTask: [day],
    previewTaskBackfill: [day],
    backfillWorkflow: [day],
    previewWorkflowBackfill: [day],
    startBulk: [
      { kind: 'task', action: 'trigger', ids: [1, 2] },
      { kind: 'workflow', action: 'stop', filter: { keyword: 'chain' }, cancelRunning: true },
      { kind: 'instance', action: 'retry', filter: { state: 'failed', from: day.from } },
    ],
    previewBulk: [{ kind: 'instance', action: 'cancel', filter: { taskId: 1 } }],
    triggerTask: [{}, { params: 'x' }],
    triggerWorkflow: [{ params: { day: 'friday' } }],
    previewSchedule: tasks.map(({ schedule }) => ({ schedule, count: 5 })),
    createCalendar: [{ groupId, name: `calendar ${word}`, rules }],
    updateCalendar: [{ name: `calendar ${word}`, rules, version: 1 }],
    calendarImpact: [{ rules }],
    taskImpact: tasks.map(({ schedule }) => ({ schedule })),
    workflowImpact: tasks.map(({ schedule }) => ({ schedule })),
    createToken: [{ kind: 'executor', groupIds: [groupId] }],
    heartbeat: [
      { executorId: session.executorId, bootId: session.bootId, running: [run], load: { cpu: 0, memory: 1, running: 0, queued: 0 } },
    ],
    reportRuns: [
      { executorId: session.executorId, bootId: session.bootId, reports: [{ kind: 'started', ...run, at: 1_790_000_000_000 }] },
      {
        executorId: session.executorId,
        bootId: session.bootId,
        reports: [{ kind: 'finished', ...run, outcome: 'succeeded', result: { a: [1] } }],
      },
      {
        executorId: session.executorId,
        bootId: session.bootId,
        reports: [{ kind: 'log', ...run, firstSeq: 1, lines: ['a', { text: 'b' }] }],
      },
    ],
  }
}

async function quietly<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work()
  } catch {
    return null
  }
}
