import { createExecutor } from '@tickwheel/executor'
import type { Group, Instance, Task } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { startServer } from './kit/server-process.ts'
import { tempDir } from './kit/temp-dir.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

const MIB = 1_048_576
const LINES = 500_000

/*
 * The server is a process of its own, the executor and the reader are in this one, so that what is measured is the server. The first runs warm it up: pages of
 * the store, compiled code, the heap that V8 keeps.
 */
it('a log reader that stops reading while a task prints 50 MB costs the server under 16 MiB, and it gets every line afterwards', async () => {
  await using server = await startServer({ command: 'server' })
  const admin = await server.signIn()
  const home = (await admin.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
  const { token } = await admin.post<{ token: string }>('/token', { kind: 'executor', groupIds: [home] })
  const executor = createExecutor({
    server: server.url,
    appName: 'default',
    token,
    name: 'printer',
    builtIn: { shell: true },
    spoolDir: tempDir(),
  })
  await executor.start()
  try {
    const script = `yes "$(printf 'x%.0s' $(seq 1 100))" | head -n ${LINES}`
    const task = await admin.post<Task>('/task', {
      groupId: home,
      name: 'prints',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script },
    })
    const usual: number[] = []
    for (let runs = 0; runs < 4; runs++) usual.push(await peakWhile(admin, await start(admin, task.id)))

    const id = await start(admin, task.id)
    await using reader = await new LiveClient(server.url, admin.token).open()
    reader.send({ type: 'subscribe', id: 1, topic: `instance:${id}:logs` })
    await reader.hear('subscribed', 1)
    reader.socket.pause()
    const stalled = await peakWhile(admin, id)
    expect((stalled - Math.max(...usual)) / MIB).toBeLessThan(16)

    reader.socket.resume()
    await waitFor(() => reader.isEnded(1), { timeoutMs: 120_000, what: 'the end of the log' })
    expect(reader.lines(1).filter(({ stream }) => stream === 'stdout')).toHaveLength(LINES)
  } finally {
    await executor.stop({ graceMs: 0 })
  }
}, 300_000)

async function start(admin: ApiClient, taskId: number): Promise<number> {
  return (await admin.post<{ instanceId: number }>(`/task/${taskId}/trigger`, {})).instanceId
}

/** The largest resident memory of the server until a run has ended, in bytes. */
async function peakWhile(admin: ApiClient, instanceId: number): Promise<number> {
  let peak = 0
  await waitFor(
    async () => {
      peak = Math.max(peak, await residentOf(admin))
      return (await admin.get<Instance>(`/instance/${instanceId}`)).endedAt !== null
    },
    { timeoutMs: 120_000, what: 'the end of the run' },
  )
  return peak
}

async function residentOf(admin: ApiClient): Promise<number> {
  const response = await fetch(`${admin.url}/metrics`, { headers: { authorization: `Bearer ${String(admin.token)}` } })
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(await response.text())?.[1])
}
