import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RunRequest } from './run-request.ts'

/** Dialects by the first version that speaks them. */
export const DIALECTS = ['2.2', '2.3', '3.2', '3.3', '3.5'] as const
export type Dialect = (typeof DIALECTS)[number]

export type Post = (
  path: 'registry' | 'registryRemove' | 'callback',
  body: unknown,
  headers: Readonly<Record<string, string>>,
) => Promise<unknown>

type Answer = Readonly<Record<string, unknown>>

/** A process that speaks as XXL-JOB's executors of a version do. What it runs the test decides: `finish` calls back. */
export class StubExecutor {
  readonly dialect: Dialect
  readonly runs: RunRequest[] = []
  readonly calls: { path: string; body: Readonly<Record<string, unknown>>; token: string | undefined }[] = []
  readonly logs = new Map<number, string[]>()
  /** what the admin answered to callbacks */
  readonly answers: unknown[] = []
  token = 'secret'
  /** the token that it lets in; null: its own */
  wants: string | null = null
  /** called for each /run before it is answered; what it gives is the answer, `hang` answers nothing */
  onRun: (run: RunRequest) => Answer | 'hang' | Promise<Answer | 'hang'> = () => this.#ok()
  /** called for each /kill; it calls back for itself unless the test says otherwise */
  onKill: (jobId: number) => void | Promise<void> = (jobId) => this.#killed(jobId)
  readonly #post: Post
  readonly #server: Server
  readonly #open = new Set<number>()
  #port = 0

  constructor(dialect: Dialect, post: Post) {
    this.dialect = dialect
    this.#post = post
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  get address(): string {
    return `http://127.0.0.1:${String(this.#port)}/`
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** The process dies: what it had is gone with it. */
  async die(): Promise<void> {
    this.#open.clear()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async register(appName: string, value = this.address): Promise<unknown> {
    return this.#post('registry', { registryGroup: 'EXECUTOR', registryKey: appName, registryValue: value }, this.#headers(appName))
  }

  async unregister(appName: string): Promise<unknown> {
    return this.#post(
      'registryRemove',
      { registryGroup: 'EXECUTOR', registryKey: appName, registryValue: this.address },
      this.#headers(appName),
    )
  }

  print(logId: number, ...lines: string[]): void {
    this.logs.set(logId, [...(this.logs.get(logId) ?? []), ...lines])
  }

  async finish(logId: number, code: number, message: string | null): Promise<unknown> {
    this.#open.delete(logId)
    return this.callBack([this.#element(logId, code, message)])
  }

  async callBack(elements: readonly unknown[]): Promise<unknown> {
    const answer = await this.#post('callback', this.dialect === '3.5' ? { callbackList: elements } : elements, this.#headers('app'))
    this.answers.push(answer)
    return answer
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').slice(1)
    const text = await textOf(request)
    const body = (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>
    const token = request.headers['xxl-job-access-token']
    this.calls.push({ path, body, token: typeof token === 'string' ? token : undefined })
    const answer = token === (this.wants ?? this.token) ? await this.#answer(path, body) : { code: 500, msg: 'The access token is wrong.' }
    // JSON under the name of HTML, as Java's does
    if (answer !== 'hang') response.writeHead(200, { 'Content-Type': 'text/html;charset=UTF-8' }).end(JSON.stringify(answer))
  }

  #answer(path: string, body: Readonly<Record<string, unknown>>): Answer | 'hang' | Promise<Answer | 'hang'> {
    const runPath = this.dialect === '3.5' ? 'trigger' : 'run'
    switch (path) {
      case 'beat':
        return this.#ok()
      case 'idleBeat':
        return this.runs.some((run) => run.jobId === body['jobId'] && this.#open.has(run.logId))
          ? { code: 500, msg: 'job thread is running or has trigger queue.' }
          : this.#ok()
      case runPath: {
        const run = body as unknown as RunRequest
        this.runs.push(run)
        this.#open.add(run.logId)
        return this.onRun(run)
      }
      case 'kill':
        void this.onKill(body['jobId'] as number)
        return this.#ok()
      case 'log':
        return this.#log(body)
    }
    return { code: 500, msg: `invalid request, uri-mapping(/${path}) not found.` }
  }

  #log(body: Readonly<Record<string, unknown>>): Answer {
    const lines = this.logs.get(body['logId'] as number) ?? []
    const from = body['fromLineNum'] as number
    const rest = lines.slice(from - 1)
    const isPast = rest.length === 0
    const isNew = this.dialect === '3.3' || this.dialect === '3.5'
    const payload = {
      fromLineNum: from,
      toLineNum: isPast && isNew ? 0 : lines.length,
      logContent: rest.map((line) => `${line}\n`).join(''),
      isEnd: false,
    }
    return isNew ? { code: 200, msg: 'Success', data: payload } : { code: 200, content: payload }
  }

  #ok(): Answer {
    return this.dialect === '2.2' || this.dialect === '2.3' ? { code: 200 } : { code: 200, msg: 'Success' }
  }

  #element(logId: number, code: number, message: string | null): Answer {
    switch (this.dialect) {
      case '2.2':
        return { logId, logDateTim: 1, executeResult: { code, ...(message === null ? {} : { msg: message }) } }
      case '3.5':
        return { logId, logDateTime: 1, handleCode: code, handleMsg: message }
      case '2.3':
      case '3.2':
      case '3.3':
        return { logId, logDateTim: 1, handleCode: code, ...(message === null ? {} : { handleMsg: message }) }
    }
  }

  async #killed(jobId: number): Promise<void> {
    for (const { logId } of this.runs.filter((run) => run.jobId === jobId && this.#open.has(run.logId)))
      await this.finish(logId, 500, 'scheduling center kill job. [job running, killed]')
  }

  #headers(appName: string): Readonly<Record<string, string>> {
    return { 'XXL-JOB-ACCESS-TOKEN': this.token, ...(this.dialect === '3.5' ? { 'XXL-JOB-APPNAME': appName } : {}) }
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
