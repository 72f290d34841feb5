import { describe, expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { Program } from './kit/program.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

describe('examples/billing', () => {
  it('joins with a token, runs a task of its group with its lines and its result, and leaves when asked', async () => {
    await using server = await startServer({ command: 'server' })
    const api = await server.signIn()
    const { token, taskId } = await prepare(api)
    const env = { TICKWHEEL_SERVER: server.url, EXECUTOR_TOKEN: token, EXECUTOR_SPOOL: tempDir() }
    const example = new Program({ file: 'examples/billing/main.ts', env })
    try {
      await example.printed(/billing has joined/)
      const { instanceId } = await api.post<{ instanceId: number }>(`/task/${String(taskId)}/trigger`, { params: 'A-1,A-2' })
      expect(await endOf(api, instanceId)).toMatchObject({ state: 'succeeded', result: { saved: 2 } })
      const { lines } = await api.get<{ lines: { text: string }[] }>(`/instance/${String(instanceId)}/logs`)
      expect(lines.map(({ text }) => text)).toEqual(['saved order A-1', 'saved order A-2'])
      expect(await example.stop()).toEqual({ code: 0, signal: null })
    } finally {
      await example.kill()
    }
  })
})

/** What the guide tells to do first: a group, a token for its executors, a task. */
async function prepare(api: ApiClient): Promise<{ token: string; taskId: number }> {
  const group = await api.post<{ id: number }>('/group', { name: 'Billing', appName: 'billing' })
  const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [group.id] })
  const handler = { kind: 'named', name: 'syncOrders' }
  const task = await api.post<{ id: number }>('/task', { groupId: group.id, name: 'sync', schedule: { kind: 'manual' }, handler })
  return { token, taskId: task.id }
}

async function endOf(api: ApiClient, instanceId: number): Promise<{ state: string }> {
  return waitFor(
    async () => {
      const seen = await api.get<{ state: string; endedAt: string | null }>(`/instance/${String(instanceId)}`)
      return seen.endedAt === null ? null : seen
    },
    { what: 'the end of the run' },
  )
}
