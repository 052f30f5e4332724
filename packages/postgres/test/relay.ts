import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes bytes on to a server over TCP, and can drop them. */
export class Relay {
  /** `'silent'`: what comes from either side is dropped and the connections stay. */
  mode: 'open' | 'silent' = 'open'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param path The socket of the server. */
  static async start(path: string): Promise<Relay> {
    const server = createServer((client) => relay.#join(client, connect(path)))
    const relay = new Relay(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket, server: Socket): void {
    // A connection that was made while it was silent stays so: its other side has forgotten it.
    const lost = { client, server, dead: this.mode === 'silent' }
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        if (!lost.dead) to.destroy()
      })
      from.on('data', (bytes) => {
        if (this.mode === 'silent') lost.dead = true
        if (!lost.dead) to.write(bytes)
      })
    }
  }
}
