/**
 * A server that speaks the frames and decides nothing: tests say what it sends, read what came, and may withhold acknowledgements,
 * cut connections and refuse. It keeps everything that was reported, as a store would: by key, the first one counts.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  STREAM_PATH,
  VERDICTS,
  type Dispatch,
  type ExecutorFrame,
  type Finished,
  type LineTuple,
  type ShardResult,
  type Verdict,
} from '@tickwheel/contract'
import { WebSocketServer, type WebSocket } from 'ws'

export type Frame<Type extends ExecutorFrame['type']> = Extract<ExecutorFrame, { type: Type }>

interface Waiter {
  readonly isMet: () => boolean
  readonly resolve: () => void
}

export interface StoredLog {
  lines: Map<number, LineTuple>
  dropped: { firstSeq: number; count: number }[]
  end: { lines: number; bytes: number; dropped: number } | null
}

export class FakeServer {
  readonly frames: ExecutorFrame[] = []
  readonly registrations: unknown[] = []
  readonly logs = new Map<string, StoredLog>()
  readonly results = new Map<string, Finished>()
  /** bytes of log frames are counted, not kept, when this is false */
  keepLines = true
  logBytes = 0
  store: 'ok' | 'away' = 'ok'
  isAcknowledging = true
  isAnsweringBeats = true
  /** false: a hello is read and not answered */
  isWelcoming = true
  verdictOf: (frame: ExecutorFrame) => Verdict = () => 'done'
  joinRefusal: number | null = null
  registerAnswer: { status: number; body: unknown } | null = null
  /** an older server refuses these fields, with their paths */
  unknownFields: (asked: unknown) => readonly string[] = () => []
  heartbeatMs = 200
  deadMs = 15_000
  bootId = 100
  /** what it says in its answer to `register` and in its welcome */
  protocol = 2
  /** what it tells of the shards of any run, two at a time */
  shardResults: ShardResult[] = []
  /** it answers so many requests for them with 503 first */
  resultsAway = 0
  beatCancel: { instanceId: number; attempt: number }[] = []
  clockOffsetMs = 0
  #http: Server = createServer()
  #sockets = new Set<WebSocket>()
  #joined: WebSocket | null = null
  #withheld: [number, number][] = []
  #waiters: Waiter[] = []
  #port = 0

  async start(port = 0): Promise<void> {
    this.#http = createServer((request, answer) => {
      let body = ''
      request.on('data', (part: Buffer) => (body += part.toString()))
      request.on('end', () => (request.method === 'GET' ? this.#results(request.url ?? '', answer) : this.#register(body, answer)))
    })
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_048_576, perMessageDeflate: false })
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url !== STREAM_PATH) socket.destroy()
      else sockets.handleUpgrade(request, socket, head, (opened) => this.#accept(opened))
    })
    await new Promise<void>((resolve) => this.#http.listen(port, '127.0.0.1', resolve))
    this.#port = (this.#http.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`
  }

  get port(): number {
    return this.#port
  }

  get isJoined(): boolean {
    return this.#joined !== null
  }

  async stop(): Promise<void> {
    this.cut()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  /** Ends every connection; with a code in order, without one as a cable that is pulled. */
  cut(code?: number): void {
    for (const socket of this.#sockets) {
      if (code === undefined) socket.terminate()
      else socket.close(code)
    }
    this.#joined = null
  }

  dispatch(order: Partial<Dispatch> & Pick<Dispatch, 'instanceId' | 'handler'>): Dispatch {
    const dispatch: Dispatch = {
      type: 'dispatch',
      attempt: 1,
      bootId: this.bootId,
      at: this.now(),
      task: { id: 7, name: 'test task', groupId: 1, groupName: 'test group' },
      params: '',
      scheduledAt: null,
      firedAt: this.now(),
      timeoutMs: 0,
      killGraceMs: 300,
      logLimitBytes: 67_108_864,
      movable: false,
      ...order,
    }
    this.send(dispatch)
    return dispatch
  }

  cancel(instanceId: number, attempt = 1): void {
    this.send({ type: 'cancel', instanceId, attempt, bootId: this.bootId, at: this.now() })
  }

  /** Sends frames in one message. */
  send(...frames: object[]): void {
    this.#joined?.send(JSON.stringify(frames))
  }

  acknowledgeWithheld(): void {
    if (this.#withheld.length > 0) this.send({ type: 'ack', acks: this.#withheld })
    this.#withheld = []
  }

  now(): number {
    return Date.now() + this.clockOffsetMs
  }

  of<Type extends ExecutorFrame['type']>(type: Type, instanceId?: number): Frame<Type>[] {
    return this.frames.filter(
      (frame): frame is Frame<Type> =>
        frame.type === type && (instanceId === undefined || ('instanceId' in frame && frame.instanceId === instanceId)),
    )
  }

  /** Resolves when it holds; checked at every frame, join and close. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }))
  }

  async result(instanceId: number, attempt = 1): Promise<Finished> {
    const key = `${String(instanceId)}/${String(attempt)}`
    await this.until(() => this.results.has(key))
    const result = this.results.get(key)
    if (result === undefined) throw new Error('no result')
    return result
  }

  /** Texts of the lines that came, by number; what was dropped stands as one text. */
  texts(instanceId: number, attempt = 1): string[] {
    const log = this.logs.get(`${String(instanceId)}/${String(attempt)}`)
    if (log === undefined) return []
    return [...log.lines.entries()].sort((a, b) => a[0] - b[0]).map(([, line]) => line[3])
  }

  #register(body: string, answer: ServerResponse): void {
    this.registrations.push(JSON.parse(body))
    const unknown = this.unknownFields(JSON.parse(body))
    const refusal = unknown.length > 0 ? validationFailed(unknown) : this.registerAnswer
    answer.setHeader('content-type', 'application/json')
    answer.statusCode = refusal?.status ?? 200
    const session = {
      executorId: 5,
      bootId: this.bootId,
      sessionToken: 'tws_test',
      heartbeatMs: this.heartbeatMs,
      deadMs: this.deadMs,
      streamUrl: STREAM_PATH,
      protocol: this.protocol,
    }
    answer.end(JSON.stringify(refusal?.body ?? session))
    this.#notice()
  }

  #results(url: string, answer: ServerResponse): void {
    answer.setHeader('content-type', 'application/json')
    answer.statusCode = this.resultsAway > 0 ? 503 : 200
    if (this.resultsAway > 0) {
      this.resultsAway -= 1
      return void answer.end('{}')
    }
    const from = Number(new URL(url, this.url).searchParams.get('from'))
    const items = this.shardResults.slice(from, from + 2)
    answer.end(JSON.stringify({ items, next: from + 2 < this.shardResults.length ? from + 2 : null }))
  }

  #accept(socket: WebSocket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#joined === socket) this.#joined = null
      this.#notice()
    })
    socket.on('message', (data: Buffer) => {
      const frames: ExecutorFrame[] = JSON.parse(data.toString('utf8'))
      const acks: [number, number][] = []
      for (const frame of frames) this.#take(socket, frame, acks)
      if (acks.length > 0) socket.send(JSON.stringify([{ type: 'ack', acks }]))
      this.#notice()
    })
  }

  #take(socket: WebSocket, frame: ExecutorFrame, acks: [number, number][]): void {
    if (frame.type === 'log' && !this.keepLines) this.logBytes += frame.lines.reduce((sum, line) => sum + line[3].length, 0)
    else this.frames.push(frame)
    if (frame.type === 'hello') return this.#hello(socket)
    if (frame.type === 'heartbeat') return this.#beat(socket)
    if (frame.type === 'map' && this.protocol < 2) {
      socket.send(JSON.stringify([{ type: 'refused', frame: 'map', detail: 'this server does not know frames of this type' }]))
      return
    }
    this.#keep(frame)
    if (!('n' in frame)) return
    const ack: [number, number] = [frame.n, VERDICTS.indexOf(this.verdictOf(frame))]
    if (this.isAcknowledging) acks.push(ack)
    else this.#withheld.push(ack)
  }

  #hello(socket: WebSocket): void {
    if (this.joinRefusal !== null) return socket.close(this.joinRefusal, 'refused by the test')
    if (!this.isWelcoming) return
    this.#joined = socket
    this.#withheld = []
    socket.send(
      JSON.stringify([
        {
          type: 'welcome',
          version: this.protocol,
          node: 'fake',
          at: this.now(),
          heartbeatMs: this.heartbeatMs,
          deadMs: this.deadMs,
          draining: false,
        },
      ]),
    )
  }

  #beat(socket: WebSocket): void {
    if (this.isAnsweringBeats)
      socket.send(JSON.stringify([{ type: 'beat', at: this.now(), store: this.store, cancel: this.beatCancel, unknown: [] }]))
  }

  #keep(frame: ExecutorFrame): void {
    if (!('instanceId' in frame)) return
    const key = `${String(frame.instanceId)}/${String(frame.attempt)}`
    const log = this.logs.get(key) ?? { lines: new Map<number, LineTuple>(), dropped: [], end: null }
    this.logs.set(key, log)
    if (frame.type === 'log' && this.keepLines) frame.lines.forEach((line, place) => log.lines.set(frame.firstSeq + place, line))
    if (frame.type === 'log' && frame.dropped !== undefined) log.dropped.push({ firstSeq: frame.firstSeq, count: frame.dropped })
    if (frame.type === 'logEnd') log.end = { lines: frame.lines, bytes: frame.bytes, dropped: frame.dropped }
    if (frame.type === 'finished' && !this.results.has(key)) this.results.set(key, frame)
  }

  #notice(): void {
    const met = this.#waiters.filter((waiter) => waiter.isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve()
  }
}

/** As a server answers to fields that its contract does not have. */
function validationFailed(paths: readonly string[]): { status: number; body: unknown } {
  const errors = paths.map((path) => ({ path, code: 'UNKNOWN_FIELD', message: 'is not a field here', params: {} }))
  return {
    status: 400,
    body: { type: 'about:blank', title: 'x', status: 400, detail: 'fields are wrong', code: 'VALIDATION_FAILED', errors },
  }
}
