import { VERDICTS, type RunningAttempt, type ServerFrame, type Verdict } from '@tickwheel/contract'
import { WebSocket } from 'ws'
import type { Peer, Refusal, Said } from '../conformance.fixture.ts'
import type { BeatAnswer, Order, Session } from '../link.ts'

const REFUSALS: Readonly<Record<number, Refusal>> = {
  1012: 'leaving',
  1013: 'storeAway',
  4400: 'protocol',
  4401: 'sessionUnknown',
  4409: 'superseded',
}

/** An executor's end of the stream, frame by frame. */
export class StreamPeer implements Peer {
  readonly orders: Order[] = []
  readonly drains: boolean[] = []
  readonly frames: ServerFrame[] = []
  readonly ended: Promise<Refusal>
  /** its clock, epoch ms */
  clock = 1_700_000_000_000
  readonly #socket: WebSocket
  readonly #verdicts = new Map<number, (verdict: Verdict) => void>()
  #beats: ((answer: BeatAnswer) => void)[] = []
  #waiters: { isMet: () => boolean; resolve: () => void }[] = []
  #nextN = 1

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.ended = new Promise((resolve) => socket.on('close', (code) => resolve(REFUSALS[code] ?? 'other')))
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => {
      const frames: ServerFrame[] = JSON.parse(data.toString('utf8'))
      for (const frame of frames) this.#take(frame)
      this.#notice()
    })
  }

  static async open(url: string): Promise<StreamPeer> {
    const socket = new WebSocket(url, 'tickwheel.1')
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return new StreamPeer(socket)
  }

  async join(session: Session, running: readonly RunningAttempt[] = []): Promise<Refusal | null> {
    this.say({ type: 'hello', version: 1, ...session, token: 'tws_test', running, at: this.clock })
    const welcome = this.until(() => this.frames.some((frame) => frame.type === 'welcome')).then(() => null)
    return Promise.race([welcome, this.ended])
  }

  report(said: Said): Promise<Verdict> {
    const n = this.#nextN
    this.#nextN += 1
    this.say({ ...said, n })
    return new Promise((resolve) => this.#verdicts.set(n, resolve))
  }

  beat(running: readonly RunningAttempt[] = []): Promise<BeatAnswer> {
    this.say({ type: 'heartbeat', at: this.clock, running, load: { cpu: 0, memory: 1, running: running.length, queued: 0 } })
    return new Promise((resolve) => this.#beats.push(resolve))
  }

  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }))
  }

  /** One frame, or whatever the test wants to send in its place. */
  say(frame: unknown): void {
    this.#socket.send(JSON.stringify([frame]))
  }

  sayRaw(text: string): void {
    this.#socket.send(text)
  }

  leave(): void {
    this.#socket.terminate()
  }

  #take(frame: ServerFrame): void {
    this.frames.push(frame)
    if (frame.type === 'dispatch' || frame.type === 'cancel') this.orders.push(frame)
    if (frame.type === 'drain') this.drains.push(frame.draining)
    if (frame.type === 'beat') this.#beats.shift()?.({ store: frame.store, cancel: frame.cancel, unknown: frame.unknown })
    if (frame.type === 'ack') for (const [n, place] of frame.acks) this.#verdicts.get(n)?.(VERDICTS[place] ?? 'bad')
  }

  #notice(): void {
    const met = this.#waiters.filter((waiter) => waiter.isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve()
  }
}
