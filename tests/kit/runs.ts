import type { Group, Instance, LogLine, LogPage, Task, TaskCreate } from '@tickwheel/contract'
import type { ApiClient } from './api-client.ts'
import { waitFor, type WaitOptions } from './wait-for.ts'

/** Tests call faster than people do: budgets that no test reaches. */
export const GENEROUS_BUDGETS: Readonly<Record<string, string>> = Object.fromEntries(
  ['LOGIN', 'ANONYMOUS', 'READ', 'WRITE', 'TRIGGER', 'HEAVY', 'EXECUTOR'].map((budget) => [
    `TICKWHEEL_RATE_LIMIT_${budget}_CAPACITY`,
    '1000000',
  ]),
)

/** The id of the group `default`. */
export async function homeGroup(admin: ApiClient): Promise<number> {
  const group = (await admin.get<{ items: Group[] }>('/group')).items.find(({ appName }) => appName === 'default')
  if (group === undefined) throw new Error('there is no group default')
  return group.id
}

/** A token by which executors join the group `default`. */
export async function executorToken(admin: ApiClient): Promise<string> {
  return (await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [await homeGroup(admin)] })).token
}

/** A manual task of the group `default` that runs a shell script. */
export async function shellTask(admin: ApiClient, name: string, script: string, more: Partial<TaskCreate> = {}): Promise<Task> {
  return admin.post<Task>('/task', {
    groupId: await homeGroup(admin),
    name,
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script },
    ...more,
  })
}

/** Runs a task now; the id of the run. */
export async function trigger(admin: ApiClient, taskId: number): Promise<number> {
  return (await admin.post<{ instanceId: number }>(`/task/${String(taskId)}/trigger`, {})).instanceId
}

/** The run when it has ended. */
export async function ended(admin: ApiClient, instanceId: number, options: WaitOptions = {}): Promise<Instance> {
  const look = async (): Promise<Instance | null> => {
    const instance = await admin.get<Instance>(`/instance/${String(instanceId)}`)
    return instance.endedAt === null ? null : instance
  }
  return waitFor(look, { what: `the end of run ${String(instanceId)}`, timeoutMs: 60_000, ...options })
}

/** Waits until a run is in a state. */
export async function inState(admin: ApiClient, instanceId: number, state: Instance['state']): Promise<Instance> {
  const look = async (): Promise<Instance | null> => {
    const instance = await admin.get<Instance>(`/instance/${String(instanceId)}`)
    return instance.state === state ? instance : null
  }
  return waitFor(look, { what: `run ${String(instanceId)} to be ${state}`, timeoutMs: 60_000 })
}

/** Every line of the log of a run that has ended, read page by page until the log says that it is complete. */
export async function wholeLog(admin: ApiClient, instanceId: number): Promise<LogLine[]> {
  const lines: LogLine[] = []
  let after = 0
  for (;;) {
    const page = await waitFor(
      async () => {
        const read = await admin.get<LogPage>(`/instance/${String(instanceId)}/logs?after=${String(after)}&limit=5000`)
        return read.end || read.next > after ? read : null
      },
      { what: `more of the log of run ${String(instanceId)}` },
    )
    lines.push(...page.lines)
    if (page.end) return lines
    after = page.next
  }
}

/** What a task itself printed, without Tickwheel's own lines. */
export function printed(lines: readonly LogLine[], stream: LogLine['stream'] = 'stdout'): string[] {
  return lines.filter((line) => line.stream === stream).map(({ text }) => text)
}
