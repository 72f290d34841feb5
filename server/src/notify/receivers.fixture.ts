import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
export type Answer =
  { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } | 'silence' | 'cut'

/** A vendor, or a program of somebody's own: it keeps what it is sent and answers what the test says. */
export class HttpReceiver {
  readonly received: Received[] = []
  answer: (received: Received) => Answer = () => ({ status: 200, body: 'ok' })
  readonly url: string
  readonly #server: ReturnType<typeof createServer>
  #waiting: (() => void)[] = []

  private constructor(server: ReturnType<typeof createServer>, url: string) {
    this.#server = server
    this.url = url
  }

  static async open(): Promise<HttpReceiver> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const receiver = new HttpReceiver(server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`)
    server.on('request', (request: IncomingMessage, response) => {
      void bodyOf(request).then((body) => {
        const received = { path: request.url ?? '', headers: request.headers, body }
        receiver.received.push(received)
        const answer = receiver.answer(received)
        if (answer === 'cut') request.socket.destroy()
        else if (answer !== 'silence') response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
        for (const call of receiver.#waiting.splice(0)) call()
      })
    })
    return receiver
  }

  /** Until it has received so many. */
  async has(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly user: string | null
  readonly isSecure: boolean
  readonly text: string
}

/** A real SMTP server. */
export class MailReceiver {
  readonly mails: Mail[] = []
  readonly port: number
  readonly #server: SMTPServer

  private constructor(server: SMTPServer, port: number, mails: Mail[]) {
    this.#server = server
    this.port = port
    this.mails = mails
  }

  static async open(options: SMTPServerOptions = {}): Promise<MailReceiver> {
    const mails: Mail[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: options.secure === true || options.cert !== undefined ? [] : ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === 'right' ? done(null, { user: username }) : done(new Error('wrong password')),
      onData: (stream, session, done) => {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: session.user === undefined ? null : String(session.user),
            isSecure: session.secure,
            text: Buffer.concat(parts).toString('utf8'),
          })
          done()
        })
      },
      ...options,
    })
    server.on('error', () => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new MailReceiver(server, (server.server.address() as AddressInfo).port, mails)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
