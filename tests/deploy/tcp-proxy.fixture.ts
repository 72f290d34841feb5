import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Takes connections and passes each on to the next of some ports; one that does not answer is passed by. Stands for the proxy where HAProxy is not on the machine. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #ports: readonly number[]
  readonly #sockets = new Set<Socket>()
  #turn = 0

  constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#server = createServer((client) => void this.#pass(client))
  }

  async start(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #pass(client: Socket): Promise<void> {
    const node = await this.#reach(this.#keep(client))
    if (node === null) return void client.destroy()
    client.pipe(node).pipe(client)
    client.on('close', () => node.destroy())
    node.on('close', () => client.destroy())
  }

  async #reach(client: Socket): Promise<Socket | null> {
    for (let tries = 0; tries < this.#ports.length && !client.destroyed; tries += 1) {
      this.#turn += 1
      const node = this.#keep(connect(this.#ports[this.#turn % this.#ports.length] ?? 0, '127.0.0.1'))
      if (
        await once(node, 'connect').then(
          () => true,
          () => false,
        )
      )
        return node
    }
    return null
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    return socket.on('close', () => this.#sockets.delete(socket))
  }
}
