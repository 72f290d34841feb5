import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A wire to a port of loopback that can be cut as a network is: what was sent does not arrive, nobody is told, and new connections stand but say nothing.
 * Programs on one machine cannot be split otherwise.
 */
export class Wire implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** Stretches one to a port, which need not be listened on yet. */
  static async to(target: number): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port')
    const wire = new Wire(server, address.port)
    server.on('connection', (near) => wire.#join(near, connect(target, '127.0.0.1')))
    return wire
  }

  /** Nothing passes from now on, in neither direction. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Everything passes again, also what was sent meanwhile. */
  mend(): void {
    this.#isCut = false
    for (const socket of this.#sockets) socket.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (data) => to.write(data))
      // the other side hears of an end as it would without a wire between
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.on('error', () => undefined)
      if (this.#isCut) from.pause()
    }
  }
}
