import { EventEmitter } from 'node:events'
import type { LineTuple, LiveMessage, LogLine } from '@tickwheel/contract'
import { expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { FileLogs } from '../store/logs.ts'
import { LogTopic } from './log-topic.ts'
import { HIGH_WATER_BYTES, Outlet } from './outlet.ts'
import type { LiveReads } from './parts.ts'

/** A reader whose end of the line can be held: what is sent meanwhile counts as buffered. */
class HeldReader extends EventEmitter {
  bufferedAmount = 0
  largest = 0
  readonly messages: LiveMessage[] = []
  #held: (() => void)[] = []
  isHeld = true

  send(text: string, done: () => void): void {
    this.messages.push(JSON.parse(text) as LiveMessage)
    this.bufferedAmount += text.length
    this.largest = Math.max(this.largest, this.bufferedAmount)
    const take = (): void => {
      this.bufferedAmount -= text.length
      done()
    }
    if (this.isHeld) this.#held.push(take)
    else setImmediate(take)
  }

  letGo(): void {
    this.isHeld = false
    for (const take of this.#held.splice(0)) take()
  }

  lines(): LogLine[] {
    return this.messages.flatMap((message) => (message.type === 'event' ? (message.data as { lines: LogLine[] }).lines : []))
  }
}

const INSTANCE = 2 ** 40
const LINE = 'x'.repeat(100)

function linesFrom(first: number, count: number): LineTuple[] {
  return Array.from({ length: count }, (_, index) => [1000, 0, 1, `${first + index} ${LINE}`])
}

it('holds no more than the high water and one page for a reader that stops, and then gives it every line once, in order', async () => {
  const logs = new FileLogs({ directory: ':memory:' })
  const chunks = 500
  for (let chunk = 0; chunk < chunks; chunk++)
    await logs.append([{ instanceId: INSTANCE, attempt: 1, firstSeq: chunk * 1000 + 1, lines: linesFrom(chunk * 1000 + 1, 1000) }])
  await logs.append([], [{ instanceId: INSTANCE, attempt: 1, lines: chunks * 1000, bytes: 50_000_000, dropped: 0 }])
  const reader = new HeldReader()
  const errors: unknown[] = []
  const reads = { run: async () => ({ groupId: 1, hasEnded: true }) }
  const topic = new LogTopic({
    id: 1,
    name: 'instance:1:logs',
    instanceId: INSTANCE,
    after: 0,
    outlet: new Outlet(reader as unknown as WebSocket),
    logs,
    reads: reads as unknown as LiveReads,
    onError: (error) => errors.push(error),
  })
  await expect.poll(() => reader.messages.some(({ type }) => type === 'behind')).toBe(true)
  const whenHeld = reader.messages.length
  for (let hints = 0; hints < 1000; hints++) topic.kick(hints)
  await new Promise((resolve) => setImmediate(resolve))
  expect(reader.messages.length).toBe(whenHeld)
  expect(reader.largest).toBeLessThan(HIGH_WATER_BYTES + 2 * 1_048_576)
  reader.letGo()
  await expect
    .poll(() => reader.messages.some((message) => message.type === 'event' && (message.data as { end?: true }).end === true), {
      timeout: 15_000,
    })
    .toBe(true)
  expect(reader.lines().map(({ text }) => Number.parseInt(text, 10))).toEqual(
    Array.from({ length: chunks * 1000 }, (_, index) => index + 1),
  )
  expect(errors).toEqual([])
  topic.close()
  logs.close()
})

it('does nothing more when it is closed', async () => {
  const logs = new FileLogs({ directory: ':memory:' })
  const reader = new HeldReader()
  const topic = new LogTopic({
    id: 1,
    name: 'instance:1:logs',
    instanceId: INSTANCE,
    after: 0,
    outlet: new Outlet(reader as unknown as WebSocket),
    logs,
    reads: { run: async () => ({ groupId: 1, hasEnded: false }) } as unknown as LiveReads,
    onError: (error) => {
      throw error
    },
  })
  topic.close()
  await logs.append([{ instanceId: INSTANCE, attempt: 1, firstSeq: 1, lines: linesFrom(1, 1) }])
  topic.kick(1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(reader.messages).toEqual([])
  logs.close()
})
