import { EventEmitter } from 'node:events'
import type { LiveMessage } from '@tickwheel/contract'
import { expect, it, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { GatheredTopic } from './gathered-topic.ts'
import { Outlet } from './outlet.ts'

class Reader extends EventEmitter {
  bufferedAmount = 0
  readonly messages: LiveMessage[] = []
  #done: (() => void) | null = null

  send(text: string, done: () => void): void {
    this.messages.push(JSON.parse(text) as LiveMessage)
    this.#done = done
    if (this.bufferedAmount === 0) done()
  }

  catchUp(): void {
    this.bufferedAmount = 0
    this.#done?.()
  }

  ids(): number[] {
    return this.messages.flatMap((message) => (message.type === 'event' ? (message.data as { ids: number[] }).ids : []))
  }
}

function topicFor(reader: Reader, gatherMs = 1): GatheredTopic {
  return new GatheredTopic({
    id: 1,
    name: 'task',
    outlet: new Outlet(reader as unknown as WebSocket),
    gatherMs,
    read: async (ids) => ({ ids }),
    onError: (error) => {
      throw error
    },
  })
}

it('gathers changes of one thing into one message, in the order of the last change', async () => {
  vi.useFakeTimers()
  const reader = new Reader()
  const topic = topicFor(reader, 250)
  for (const id of [1, 2, 1, 3, 1]) topic.changed(id)
  await vi.advanceTimersByTimeAsync(249)
  expect(reader.messages).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(reader.messages).toMatchObject([{ type: 'event', seq: 1, data: { ids: [2, 3, 1] } }])
  vi.useRealTimers()
})

it('keeps the newest 2,000 ids for a reader that is behind, and tells it that there were more', async () => {
  const reader = new Reader()
  reader.bufferedAmount = 2_000_000
  const topic = topicFor(reader)
  const outletIsTold = topic.flush()
  for (let id = 1; id <= 5000; id++) topic.changed(id)
  reader.catchUp()
  reader.emit('close')
  await outletIsTold
  const fresh = new Reader()
  const second = topicFor(fresh)
  for (let id = 1; id <= 5000; id++) second.changed(id)
  await expect.poll(() => fresh.ids().length).toBe(2000)
  expect(fresh.messages[0]).toMatchObject({ type: 'behind' })
  expect(fresh.ids()).toEqual(Array.from({ length: 2000 }, (_, index) => 3001 + index))
})

it('sends nothing after it was closed', async () => {
  const reader = new Reader()
  const topic = topicFor(reader)
  topic.changed(1)
  topic.close()
  await topic.flush()
  expect(reader.messages).toEqual([])
})

it('tells at once that something was missed, again after three seconds if it was again, and not when it is closed', async () => {
  vi.useFakeTimers()
  const reader = new Reader()
  const topic = topicFor(reader, 250)
  const told = (): number => reader.messages.filter(({ type }) => type === 'behind').length
  topic.missed()
  await vi.advanceTimersByTimeAsync(250)
  expect(told()).toBe(1)
  for (let again = 0; again < 10; again++) topic.missed()
  topic.changed(7)
  await vi.advanceTimersByTimeAsync(2749)
  expect([told(), reader.ids()]).toEqual([1, [7]])
  await vi.advanceTimersByTimeAsync(251)
  expect(told()).toBe(2)
  await vi.advanceTimersByTimeAsync(10_000)
  topic.missed()
  topic.missed()
  topic.close()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(told()).toBe(2)
  vi.useRealTimers()
})
