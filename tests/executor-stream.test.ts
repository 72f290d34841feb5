import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { STREAM_PATH } from '@tickwheel/contract'
import { createExecutor, type Executor, type ExecutorOptions } from '@tickwheel/executor'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dispatchOf, FakeHost } from '../server/src/link/conformance.fixture.ts'
import { StreamLink } from '../server/src/link/stream/stream-link.ts'

/** A node: the real link over an engine that the test plays. */
class Node {
  readonly link: StreamLink
  readonly #http: Server

  private constructor(host: FakeHost, http: Server) {
    this.link = new StreamLink({ host })
    this.#http = http
    http.on('upgrade', (request, socket, head) => void this.link.upgrade(request, socket, head))
    http.on('request', (_request, answer) => {
      answer.setHeader('content-type', 'application/json')
      answer.end(
        JSON.stringify({ ...session, sessionToken: 'tws_test', heartbeatMs: 200, deadMs: 15_000, streamUrl: STREAM_PATH, protocol: 1 }),
      )
    })
  }

  static async start(host: FakeHost): Promise<Node> {
    const http = createServer()
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return new Node(host, http)
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#http.address() as AddressInfo).port)}`
  }

  async stop(): Promise<void> {
    await this.link.close()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}

const session = { executorId: 1, bootId: 10 }
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('the executor against the real stream', () => {
  let host: FakeHost
  let nodes: Node[]
  let folder: string
  let executor: Executor | null

  beforeEach(async () => {
    host = new FakeHost()
    host.now = () => Date.now()
    nodes = [await Node.start(host), await Node.start(host)]
    folder = mkdtempSync(join(tmpdir(), 'tickwheel-stream-'))
    executor = null
  })
  afterEach(async () => {
    await executor?.stop({ graceMs: 0 })
    await Promise.all(nodes.map((node) => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(
    options: Partial<ExecutorOptions> = {},
    prepare: (executor: Executor) => void = () => undefined,
  ): Promise<StreamLink> {
    const made = createExecutor({
      server: nodes.map((node) => node.url),
      appName: 'test',
      token: 'twe_x',
      name: 'one',
      builtIn: { shell: true },
      spoolDir: folder,
      logger: quiet,
      ...options,
    })
    executor = made
    prepare(made)
    await made.start()
    return joinedNode().link
  }

  /** The node that has the executor: it begins with any of them. */
  function joinedNode(): Node {
    const node = nodes.find(({ link }) => link.size === 1)
    if (node === undefined) throw new Error('no node has the executor')
    return node
  }

  function finished(): number {
    return host.reports.filter((report) => report.type === 'finished').length
  }

  it('runs, prints and ends a task', async () => {
    const link = await start()
    link.send(session, [dispatchOf(1, session, { handler: { kind: 'shell', script: 'echo hello' } })])
    await host.until(() => finished() === 1)
    expect(host.reports.map((report) => report.type).filter((type) => type !== 'recovered')).toEqual([
      'accepted',
      'started',
      'log',
      'logEnd',
      'finished',
    ])
    expect(host.reports.at(-1)).toMatchObject({ outcome: 'succeeded', bootId: 10 })
  })

  it('ends 5,000 runs once each', async () => {
    const link = await start({ capacity: 5_000 }, (made) => made.handle('nothing', () => null))
    const orders = Array.from({ length: 5_000 }, (_, place) =>
      dispatchOf(place + 1, session, { handler: { kind: 'named', name: 'nothing' } }),
    )
    for (let place = 0; place < orders.length; place += 500) link.send(session, orders.slice(place, place + 500))
    await host.until(() => finished() === 5_000)
    const ids = new Set(host.reports.flatMap((report) => (report.type === 'finished' ? [report.instanceId] : [])))
    expect(ids.size).toBe(5_000)
  })

  it('is taken over by another node when its own leaves, and its runs go on', async () => {
    const link = await start()
    link.send(session, [dispatchOf(1, session, { handler: { kind: 'shell', script: 'while [ ! -e go ]; do sleep 0.02; done' } })])
    await host.until(() => host.reports.some((report) => report.type === 'started'))
    await joinedNode().stop()
    await host.until(() => host.heard.filter((what) => what === 'joined 1/10').length === 2)
    joinedNode().link.send(session, [{ type: 'cancel', instanceId: 1, attempt: 1, bootId: 10, at: Date.now() }])
    await host.until(() => finished() === 1)
    expect(host.reports.at(-1)).toMatchObject({ outcome: 'canceled' })
  })

  it('has its reports judged once the store is back, without another connection', async () => {
    const link = await start({ server: nodes[0]?.url ?? '' })
    await host.until(() => host.reports.some((report) => report.type === 'recovered'))
    host.verdict = null
    host.beatAnswer = { store: 'away', cancel: [], unknown: [] }
    link.send(session, [dispatchOf(1, session)])
    await host.until(() => finished() === 1)
    const { beats } = host
    await host.until(() => host.beats > beats)
    host.verdict = 'done'
    host.beatAnswer = { store: 'ok', cancel: [], unknown: [] }
    await executor?.stop()
    expect(host.heard.filter((what) => what === 'join 1/10')).toHaveLength(1)
    expect(finished()).toBeGreaterThan(1)
  })
})
