import type { Group, Instance, InstanceListItem, Session, Task } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { ApiClient } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

let api: ApiServer
let home: number
const token = (): string => api.admin.token ?? ''

beforeAll(async () => {
  api = await openApi()
  home = (await api.admin.get<{ items: Group[] }>('/group')).items[0]?.id ?? 0
  await api.join()
})
afterAll(async () => {
  await api.close()
})

let names = 0
async function start(script: string): Promise<number> {
  const task = await api.admin.post<Task>('/task', {
    groupId: home,
    name: `live ${++names}`,
    schedule: { kind: 'manual' },
    handler: { kind: 'shell', script },
  })
  return (await api.admin.post<{ instanceId: number }>(`/task/${task.id}/trigger`, {})).instanceId
}

const ended = async (id: number): Promise<unknown> =>
  waitFor(async () => (await api.admin.get<Instance>(`/instance/${id}`)).endedAt !== null)
const outOf = (client: LiveClient, id: number): string[] =>
  client
    .lines(id)
    .filter(({ stream }) => stream === 'stdout')
    .map(({ text }) => text)

describe('signing in to the live connection', () => {
  it('takes the token among the protocols, and answers with the one that is no secret', async () => {
    await using client = await new LiveClient(api.url, token()).open()
    await client.hear('ready')
    expect(client.socket.protocol).toBe('tickwheel.live.1')
  })

  it('takes the token as the first message, and again to renew it', async () => {
    await using client = await new LiveClient(api.url).open()
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    expect(await client.hear('error', 1)).toMatchObject({ code: 'UNAUTHENTICATED' })
    client.send({ type: 'auth', token: token() })
    await client.hear('ready')
    client.send({ type: 'auth', token: token() })
    await waitFor(() => client.heard.filter(({ type }) => type === 'ready').length === 2)
  })

  it('closes with 4401 for a token that is not good', async () => {
    await using client = new LiveClient(api.url, 'a.b.c')
    expect(await waitFor(() => client.closed)).toMatchObject({ code: 4401 })
  })

  it('closes with 4401 at the moment when the session ends', async () => {
    const session = await api.anonymous.post<Session>('/auth/login', { username: 'admin', password: 'admin123' })
    await using client = await new LiveClient(api.url, session.token).open()
    await client.hear('ready')
    await new ApiClient(api.url, session.token).post('/auth/logout')
    expect(await waitFor(() => client.closed)).toMatchObject({ code: 4401 })
  })

  it.each(['nonsense', '{"type":"dance"}', '{"type":"subscribe","id":1,"topic":"secrets"}', '[]'])(
    'closes with 4400 for %s',
    async (text) => {
      await using client = await new LiveClient(api.url, token()).open()
      client.socket.send(text)
      expect(await waitFor(() => client.closed)).toMatchObject({ code: 4400 })
    },
  )

  it('refuses topics to a session that must change its password first', async () => {
    const proxied = { 'x-forwarded-for': '1.2.3.4' }
    await using client = await new LiveClient(api.url, token(), proxied).open()
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    expect(await client.hear('error', 1)).toMatchObject({ code: 'PASSWORD_CHANGE_REQUIRED' })
  })

  it('is nowhere else', async () => {
    const other = new LiveClient(`${api.url}/elsewhere`, token())
    expect(await waitFor(() => other.closed)).toMatchObject({ code: 1006 })
  })
})

describe('the log of a run', () => {
  it('is replayed from the beginning and goes on live, every line once and in order', async () => {
    const id = await start('for i in $(seq 1 40); do echo "line $i"; sleep 0.02; done')
    await using early = await new LiveClient(api.url, token()).open()
    early.send({ type: 'subscribe', id: 1, topic: `instance:${id}:logs` })
    expect(await early.hear('subscribed', 1)).toMatchObject({ next: 0 })
    await waitFor(() => outOf(early, 1).length >= 10)
    await using late = await new LiveClient(api.url, token()).open()
    late.send({ type: 'subscribe', id: 7, topic: `instance:${id}:logs`, after: 0 })
    const middle = early.lines(1)[5]?.seq ?? 0
    late.send({ type: 'subscribe', id: 8, topic: `instance:${id}:logs`, after: middle })
    await waitFor(() => early.isEnded(1) && late.isEnded(7) && late.isEnded(8))
    const all = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`)
    expect(outOf(early, 1)).toEqual(all)
    expect(outOf(late, 7)).toEqual(all)
    expect(late.lines(8)).toEqual(late.lines(7).filter(({ seq }) => seq > middle))
  })

  it('of a run that has ended is replayed whole, and ends', async () => {
    const id = await start('seq 1 5000')
    await ended(id)
    await using client = await new LiveClient(api.url, token()).open()
    client.send({ type: 'subscribe', id: 1, topic: `instance:${id}:logs` })
    await waitFor(() => client.isEnded(1))
    expect(outOf(client, 1)).toEqual(Array.from({ length: 5000 }, (_, index) => String(index + 1)))
  })

  it('of no run is refused by name, and the connection stays', async () => {
    await using client = await new LiveClient(api.url, token()).open()
    for (const [id, topic] of [
      [1, 'instance:99999:logs'],
      [2, 'instance:99999'],
    ] as const) {
      client.send({ type: 'subscribe', id, topic })
      expect(await client.hear('error', id)).toMatchObject({ code: 'INSTANCE_NOT_FOUND' })
    }
    client.send({ type: 'subscribe', id: 3, topic: 'group:99999' })
    expect(await client.hear('error', 3)).toMatchObject({ code: 'GROUP_NOT_FOUND' })
    client.send({ type: 'subscribe', id: 4, topic: 'task' })
    await client.hear('subscribed', 4)
    client.send({ type: 'subscribe', id: 4, topic: 'executor' })
    expect(await client.hear('error', 4)).toMatchObject({ code: 'UNPROCESSABLE' })
  })
})

describe('topics of states', () => {
  it('a run is told at once and at every change, a group gathered, until it ends', async () => {
    await using client = await new LiveClient(api.url, token()).open()
    client.send({ type: 'subscribe', id: 1, topic: 'group:*' })
    client.send({ type: 'subscribe', id: 2, topic: `group:${home}` })
    await client.hear('subscribed', 2)
    const id = await start('sleep 0.4')
    client.send({ type: 'subscribe', id: 3, topic: `instance:${id}` })
    const states = (): unknown[] => client.data(3).map((data) => (data as InstanceListItem).state)
    await waitFor(() => states().at(-1) === 'succeeded')
    expect(states()).toContain('running')
    expect(client.data(3)[0]).toMatchObject({ id, taskName: `live ${names}`, progress: null })
    for (const topic of [1, 2]) {
      await waitFor(
        () =>
          client
            .data(topic)
            .flatMap((data) => (data as { instances: InstanceListItem[] }).instances)
            .findLast((item) => item.id === id)?.state === 'succeeded',
      )
    }
  })

  it('tasks and executors are told by what changed', async () => {
    await using client = await new LiveClient(api.url, token()).open()
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    client.send({ type: 'subscribe', id: 2, topic: 'executor' })
    await client.hear('subscribed', 2)
    const task = await api.admin.post<Task>('/task', {
      groupId: home,
      name: 'told',
      schedule: { kind: 'manual' },
      handler: { kind: 'shell', script: 'true' },
    })
    await waitFor(() => client.data(1).some((data) => (data as { ids: number[] }).ids.includes(task.id)))
    const [executor] = (await api.admin.get<{ items: { id: number }[] }>('/executor')).items
    await api.admin.post(`/executor/${executor?.id}/drain`)
    await waitFor(() =>
      client.data(2).some((data) => (data as { executors: { state: string }[] }).executors.some(({ state }) => state === 'draining')),
    )
    await api.admin.post(`/executor/${executor?.id}/resume`)
    client.send({ type: 'unsubscribe', id: 1 })
    client.send({ type: 'subscribe', id: 1, topic: 'task' })
    await waitFor(() => client.heard.filter((message) => message.type === 'subscribed' && message.id === 1).length === 2)
  })
})

describe('a reader that stops reading', () => {
  it('while a task prints 50 MB gets every line once, in order, when it reads again', async () => {
    const count = 500_000
    const id = await start(`yes "$(printf 'x%.0s' $(seq 1 100))" | head -n ${count}`)
    await using client = await new LiveClient(api.url, token()).open()
    client.send({ type: 'subscribe', id: 1, topic: `instance:${id}:logs` })
    await client.hear('subscribed', 1)
    client.socket.pause()
    await waitFor(async () => (await api.admin.get<Instance>(`/instance/${id}`)).endedAt !== null, { timeoutMs: 120_000 })
    client.socket.resume()
    await waitFor(() => client.isEnded(1), { timeoutMs: 120_000, what: 'the end of the log' })
    expect(client.heard.some(({ type }) => type === 'behind')).toBe(true)
    const seqs = client.lines(1).map(({ seq }) => seq)
    expect(outOf(client, 1)).toHaveLength(count)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(new Set(seqs).size).toBe(seqs.length)
  }, 240_000)
})

it('consoles are told to come back when the server stops', async () => {
  const other = await openApi()
  const client = await new LiveClient(other.url, other.admin.token).open()
  await client.hear('ready')
  await other.close()
  expect(await waitFor(() => client.closed)).toMatchObject({ code: 1012 })
})
