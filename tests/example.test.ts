import type { NamedHandler } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { OrderStore } from '../examples/billing/store.ts'
import type { ApiClient } from './kit/api-client.ts'
import { Program } from './kit/program.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

describe('examples/billing', () => {
  it('joins with a token and does what the SDK can: typed parameters, lines, progress, cancel, no order twice, a thread, a run that it splits', async () => {
    const store = new OrderStore()
    await using server = await startServer({ command: 'server' })
    const api = await server.signIn()
    const { token, groupId } = await prepare(api)
    const sync = await makeTask(api, groupId, 'syncOrders')
    const add = await makeTask(api, groupId, 'addInvoice')
    const env = { TICKWHEEL_SERVER: server.url, EXECUTOR_TOKEN: token, EXECUTOR_SPOOL: tempDir(), BILLING_STORE: await store.start() }
    const example = new Program({ file: 'examples/billing/main.ts', env })
    try {
      await example.printed(/billing has joined/)
      const { items } = await api.get<{ items: NamedHandler[] }>(`/group/${String(groupId)}/handler`)
      expect(items.map(({ name }) => name)).toEqual(['addInvoice', 'billAll', 'syncOrders'])
      expect(items[2]?.paramsSchema).toMatchObject({ required: expect.arrayContaining(['orders']) })

      const saved = await run(api, sync, { orders: ['A-1', 'A-2'] })
      expect(await endOf(api, saved)).toMatchObject({ state: 'succeeded', result: { saved: 2 } })
      const { lines } = await api.get<{ lines: { text: string }[] }>(`/instance/${String(saved)}/logs`)
      expect(lines.map(({ text }) => text)).toEqual(['saved order A-1', 'saved order A-2'])
      expect(store.writes.map(({ order, key, status }) => [order, key, status])).toEqual([
        ['A-1', `tickwheel-${String(saved)}-A-1`, 201],
        ['A-2', `tickwheel-${String(saved)}-A-2`, 201],
      ])

      expect(await endOf(api, await run(api, sync, { orders: ['A-1', 'oops'] }))).toMatchObject({
        state: 'failed',
        error: { code: 'PARAMS_INVALID', message: expect.stringContaining('params.orders.1') },
      })

      const slow = await run(api, sync, { orders: ['B-1', 'B-2'], pauseMs: 60_000, dryRun: true })
      await waitFor(
        async () => (await api.get<{ progress: { value: number } | null }>(`/instance/${String(slow)}`)).progress?.value === 0.5,
        { what: 'its progress' },
      )
      await api.post(`/instance/${String(slow)}/cancel`, {})
      expect(await endOf(api, slow)).toMatchObject({ state: 'canceled' })

      expect(await endOf(api, await run(api, add, { positions: 250_000 }))).toMatchObject({
        state: 'succeeded',
        result: { positions: 250_000 },
      })
      const billAll = await makeTask(api, groupId, 'billAll')
      expect(await endOf(api, await run(api, billAll, { customers: 25 }))).toMatchObject({
        state: 'succeeded',
        result: { billed: 25, cents: 32_500 },
        shards: { total: 25, ended: { succeeded: 25 }, mapped: true },
      })
      expect(await example.stop()).toEqual({ code: 0, signal: null })
    } finally {
      await example.kill()
      store.stop()
    }
  })
})

/** What the guide tells to do first: a group, a token for its executors. */
async function prepare(api: ApiClient): Promise<{ token: string; groupId: number }> {
  const group = await api.post<{ id: number }>('/group', { name: 'Billing', appName: 'billing' })
  const { token } = await api.post<{ token: string }>('/token', { kind: 'executor', groupIds: [group.id] })
  return { token, groupId: group.id }
}

async function makeTask(api: ApiClient, groupId: number, name: string): Promise<number> {
  const made = await api.post<{ id: number }>('/task', { groupId, name, schedule: { kind: 'manual' }, handler: { kind: 'named', name } })
  return made.id
}

async function run(api: ApiClient, taskId: number, params: object): Promise<number> {
  return (await api.post<{ instanceId: number }>(`/task/${String(taskId)}/trigger`, { params: JSON.stringify(params) })).instanceId
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
