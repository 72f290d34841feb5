import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import type { Bus } from './bus.ts'
import type { BusMessage } from './messages.ts'
import type { Pair } from './pair.fixture.ts'

/** One message of each kind, with the largest numbers, many ids, and letters of several alphabets. */
const OF_EACH_KIND: { readonly [Kind in BusMessage['kind']]: BusMessage & { readonly kind: Kind } } = {
  members: { kind: 'members', from: 1 },
  series: { kind: 'series', from: 2 ** 53 - 1, ids: [1, 2 ** 53 - 1] },
  runs: { kind: 'runs', from: 1, ids: [] },
  send: { kind: 'send', from: 1, ids: Array.from({ length: 1000 }, (_, id) => id) },
  executors: { kind: 'executors', from: 1, ids: [5] },
  room: { kind: 'room', from: 1, ids: [3] },
  ask: { kind: 'ask', from: 1, executorId: 2, bootId: 3, want: 0 },
  lend: { kind: 'lend', from: 1, executorId: 2, bootId: 3, count: 4 },
  giveBack: { kind: 'giveBack', from: 1, executorId: 2, bootId: 3, count: 4 },
  access: { kind: 'access', from: 1 },
  watching: { kind: 'watching', from: 1 },
  events: { kind: 'events', from: 1, events: [{ kind: 'run', name: '任务 "a"\n' }], more: false },
}

/** What every adapter of `Bus` does while nothing is away. */
export function busConforms(open: () => Promise<Pair<Bus>>): void {
  describe('the bus', () => {
    let a: Bus
    let b: Bus
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    afterAll(async () => {
      await close()
    })

    const ready = async (): Promise<void> => {
      await waitFor(() => a.isUp && b.isUp, { what: 'the bus' })
    }

    it('brings each kind of message as it was sent, in order, once', async () => {
      const heard: BusMessage[] = []
      const stop = b.listen('all', (message) => heard.push(message))
      await ready()
      const messages = Object.values(OF_EACH_KIND)
      for (const message of messages) a.publish('all', message)
      await waitFor(() => heard.length >= messages.length, { what: 'the messages' })
      expect(heard).toMatchObject(messages)
      stop()
    })

    it('brings to a channel what was sent to it, and to everyone who listens there, the sender too', async () => {
      const heard: string[] = []
      const stops = [
        a.listen('all', ({ from }) => heard.push(`a all ${from}`)),
        b.listen('all', ({ from }) => heard.push(`b all ${from}`)),
        b.listen('node:2', ({ from }) => heard.push(`b node ${from}`)),
        b.listen('node:2', ({ from }) => heard.push(`b node again ${from}`)),
        b.listen('watchers', ({ from }) => heard.push(`b watchers ${from}`)),
      ]
      await ready()
      a.publish('node:2', { kind: 'members', from: 1 })
      a.publish('node:22', { kind: 'members', from: 2 })
      a.publish('all', { kind: 'members', from: 3 })
      await waitFor(() => heard.length >= 4, { what: 'the messages' })
      expect(heard.toSorted()).toEqual(['a all 3', 'b all 3', 'b node 1', 'b node again 1'])
      for (const stop of stops) stop()
    })

    it('brings nothing after the listener stopped, and to the others still', async () => {
      const heard: string[] = []
      const stopFirst = b.listen('all', ({ from }) => heard.push(`first ${from}`))
      const stopSecond = b.listen('all', ({ from }) => heard.push(`second ${from}`))
      await ready()
      stopFirst()
      stopFirst()
      a.publish('all', { kind: 'members', from: 1 })
      await waitFor(() => heard.length > 0, { what: 'the message' })
      stopSecond()
      const stopThird = b.listen('all', ({ from }) => heard.push(`third ${from}`))
      await ready()
      a.publish('all', { kind: 'members', from: 2 })
      await waitFor(() => heard.length > 1, { what: 'the message' })
      expect(heard).toEqual(['second 1', 'third 2'])
      stopThird()
    })

    it('does not call while it is published', async () => {
      const heard: BusMessage[] = []
      const stop = a.listen('watchers', (message) => heard.push(message))
      await ready()
      a.publish('watchers', { kind: 'access', from: 1 })
      expect(heard).toEqual([])
      await waitFor(() => heard.length === 1, { what: 'the message' })
      stop()
    })
  })
}
