import type { Executor, Instance, LogPage } from '@tickwheel/contract'
import { realpathSync } from 'node:fs'
import { expect, it } from 'vitest'
import { startExecutor } from './kit/executor-process.ts'
import { executorToken, GENEROUS_BUDGETS, homeGroup, shellTask, trigger } from './kit/runs.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'

it('tickwheel executor is what its flags say: name, labels, capacity, allowed handlers, working folder and environment', async () => {
  await using server = await startServer({ command: 'server', env: GENEROUS_BUDGETS })
  const api = await server.signIn()
  const folder = tempDir()
  await using executor = await startExecutor({
    serverUrl: server.url,
    token: await executorToken(api),
    name: 'flagged',
    args: [
      '--label',
      'zone=a',
      '--label',
      'rack=7=b',
      '--capacity',
      '1',
      '--handlers',
      'shell',
      '--workdir',
      folder,
      '--env-allow',
      'SHOWN',
      '--grace',
      '100',
    ],
    env: { SHOWN: 'seen', HIDDEN: 'secret' },
  })
  const { items } = await api.get<{ items: Executor[] }>('/executor')
  expect(items).toMatchObject([
    {
      name: 'flagged',
      capacity: 1,
      labels: { zone: 'a', rack: '7=b' },
      handlers: [{ name: 'shell', kind: 'builtIn' }],
      pid: executor.program.pid,
    },
  ])

  const stateOf = async (id: number): Promise<Instance['state']> => (await api.get<Instance>(`/instance/${String(id)}`)).state
  const shows = await shellTask(api, 'shows', 'pwd; echo "[$SHOWN][$HIDDEN]"')
  const shown = await trigger(api, shows.id)
  await waitFor(async () => (await stateOf(shown)) === 'succeeded', { what: 'the end of the run' })
  const { lines } = await api.get<LogPage>(`/instance/${String(shown)}/logs`)
  expect(lines.map(({ text }) => text)).toEqual([realpathSync(folder), '[seen][]'])

  // what is not allowed waits for an executor that allows it
  const script = { kind: 'script', language: 'node', source: 'console.log(1)' }
  const other = await api.post<{ id: number }>('/task', {
    groupId: await homeGroup(api),
    name: 'script',
    schedule: { kind: 'manual' },
    handler: script,
  })
  const waiting = await trigger(api, other.id)
  await waitFor(async () => (await api.get<Instance>(`/instance/${String(waiting)}`)).waitingFor?.reason === 'waitsForHandler', {
    what: 'the reason why it waits',
  })

  // one place: a second run waits until the first has ended
  const sleeps = await shellTask(api, 'sleeps', 'while [ ! -e go ]; do sleep 0.05; done', { overlap: { policy: 'parallel', max: 10 } })
  const [first, second] = [await trigger(api, sleeps.id), await trigger(api, sleeps.id)]
  await waitFor(async () => (await stateOf(first)) === 'running', { what: 'the first to run' })
  expect(await stateOf(second)).toBe('queued')
})
