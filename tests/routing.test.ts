import type { Instance, RouteAnswer, Task, TaskCreate } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiClient } from './kit/api-client.ts'
import { startExecutor, type ExecutorProcess } from './kit/executor-process.ts'
import { ended, executorToken, GENEROUS_BUDGETS, shellTask, trigger } from './kit/runs.ts'
import { startServer, type ServerProcess } from './kit/server-process.ts'
import { waitFor } from './kit/wait-for.ts'

type Routing = NonNullable<TaskCreate['routing']>
type Counts = Record<string, number>

const NAMES = ['east', 'north', 'west'] as const
const RUNS = 12

let server: ServerProcess
let admin: ApiClient
let token: string
const executors = new Map<string, ExecutorProcess>()

async function join(name: (typeof NAMES)[number]): Promise<void> {
  const args = ['--capacity', '20', '--label', `zone=${name === 'west' ? 'b' : 'a'}`]
  executors.set(name, await startExecutor({ serverUrl: server.url, token, name, args }))
}

/** All three are online, as the server knows them. */
async function allOnline(): Promise<void> {
  for (const name of NAMES) if (executors.get(name)?.program.isRunning !== true) await join(name)
  await waitFor(async () => (await preview(probeId)).executors.filter(({ obstacle }) => obstacle === null).length === NAMES.length, {
    what: 'three executors that take runs',
  })
}

/** Dies at once, and the server has noticed that its link is gone. */
async function kill(name: string): Promise<void> {
  await executors.get(name)?.program.kill()
  executors.delete(name)
  await waitFor(async () => (await preview(probeId)).executors.find((one) => one.name === name)?.obstacle === 'offline', {
    what: `${name} to be known as gone`,
  })
}

let probeId = 0

async function preview(taskId: number): Promise<RouteAnswer> {
  return admin.get<RouteAnswer>(`/task/${String(taskId)}/route`)
}

/** Runs a task so many times, one after the other; how many each executor had. */
async function counts(taskId: number, params: (n: number) => string | undefined = () => undefined, runs = RUNS): Promise<Counts> {
  const names: Counts = {}
  for (let n = 0; n < runs; n += 1) {
    const body = params(n)
    const { instanceId } = await admin.post<{ instanceId: number }>(
      `/task/${String(taskId)}/trigger`,
      body === undefined ? {} : { params: body },
    )
    const run = await ended(admin, instanceId)
    expect(run.state).toBe('succeeded')
    names[run.executorName ?? '?'] = (names[run.executorName ?? '?'] ?? 0) + 1
  }
  return names
}

async function task(name: string, routing: Routing, more: Partial<TaskCreate> = {}): Promise<Task> {
  return shellTask(admin, name, 'true', { routing, overlap: { policy: 'parallel' }, ...more })
}

beforeAll(async () => {
  server = await startServer({ command: 'server', env: { ...GENEROUS_BUDGETS } })
  admin = await server.signIn()
  token = await executorToken(admin)
  probeId = (await task('probe', 'first')).id
})

afterAll(async () => {
  for (const executor of executors.values()) await executor.close()
  await server.close()
})

describe('three executors, one of which is killed', () => {
  it.each<[Routing, Counts, string, Counts]>([
    // first of all: it counts the runs of the other tasks too
    ['leastUsed', { east: 4, north: 4, west: 4 }, 'north', { east: 6, west: 6 }],
    ['roundRobin', { east: 4, north: 4, west: 4 }, 'north', { east: 6, west: 6 }],
    ['leastRecentlyUsed', { east: 4, north: 4, west: 4 }, 'north', { east: 6, west: 6 }],
    ['leastLoaded', { east: 4, north: 4, west: 4 }, 'north', { east: 6, west: 6 }],
    ['failover', { east: 12 }, 'east', { north: 12 }],
    ['first', { east: 12 }, 'east', { north: 12 }],
    ['last', { west: 12 }, 'west', { north: 12 }],
  ])('%s: %o, and without %s %o', async (routing, before, victim, after) => {
    await allOnline()
    const { id } = await task(routing, routing)
    const first = await preview(id)
    expect(first.executors.map(({ obstacle }) => obstacle)).toEqual([null, null, null])
    expect(await counts(id)).toEqual(before)
    await kill(victim)
    expect(await counts(id)).toEqual(after)
    expect((await preview(id)).executors.find(({ name }) => name === victim)).toMatchObject({ place: null, obstacle: 'offline' })
  })

  it('random: everybody gets some, and the dead one none', async () => {
    await allOnline()
    const { id } = await task('random', 'random')
    const before = await counts(id, undefined, 60)
    expect(Object.keys(before).sort()).toEqual([...NAMES])
    await kill('north')
    const after = await counts(id, undefined, 30)
    expect(Object.keys(after).sort()).toEqual(['east', 'west'])
  })

  it('consistentHash: each value has one home, and only the homes at the dead executor move', async () => {
    await allOnline()
    const { id } = await task('hashed', 'consistentHash', { routingKey: 'params.customer' })
    const homes = async (): Promise<string[]> => {
      const found: string[] = []
      for (let customer = 0; customer < 24; customer += 1) {
        const { instanceId } = await admin.post<{ instanceId: number }>(`/task/${String(id)}/trigger`, {
          params: JSON.stringify({ customer }),
        })
        found.push((await ended(admin, instanceId)).executorName ?? '?')
      }
      return found
    }
    const before = await homes()
    expect(await homes()).toEqual(before)
    expect(new Set(before).size).toBe(3)
    const victim = before[0] ?? '?'
    await kill(victim)
    const after = await homes()
    expect(after).not.toContain(victim)
    for (const [customer, home] of before.entries()) if (home !== victim) expect(after[customer]).toBe(home)
  })

  it('failover goes on behind an executor that died under the run', async () => {
    await allOnline()
    const { id } = await task('failing over', 'failover', {
      handler: { kind: 'shell', script: 'if [ "$TICKWHEEL_ATTEMPT" = 1 ]; then sleep 600; fi' },
      retry: { max: 1, delayMs: 0 },
    })
    const instanceId = await trigger(admin, id)
    await waitFor(async () => (await admin.get<Instance>(`/instance/${String(instanceId)}`)).state === 'running', { what: 'the run' })
    await kill('east')
    const run = await ended(admin, instanceId)
    expect(run).toMatchObject({ state: 'succeeded', attempt: 2, executorName: 'north' })
    expect(run.attempts.map(({ executorName, outcome }) => [executorName, outcome])).toEqual([
      ['east', 'lost'],
      ['north', 'succeeded'],
    ])
  })

  it('labels: only who carries them is asked; with nobody left the run waits, says for what, and goes when one is back', async () => {
    await allOnline()
    const { id } = await task('labelled', 'roundRobin', { labels: { zone: 'a' } })
    expect(await counts(id)).toEqual({ east: 6, north: 6 })
    await kill('east')
    expect(await counts(id)).toEqual({ north: 12 })
    await kill('north')
    const instanceId = await trigger(admin, id)
    const waiting = await waitFor(
      async () => {
        const run = await admin.get<Instance>(`/instance/${String(instanceId)}`)
        return run.waitingFor?.reason === 'waitsForLabels' ? run : null
      },
      { what: 'the reason to wait' },
    )
    expect(waiting.waitingFor?.facts).toEqual({ labels: 'zone=a', executors: 1 })
    expect((await preview(id)).waitingFor).toEqual({ reason: 'waitsForLabels', facts: { labels: 'zone=a', executors: 1 } })
    await join('east')
    expect(await ended(admin, instanceId)).toMatchObject({ state: 'succeeded', executorName: 'east' })
  })
})
