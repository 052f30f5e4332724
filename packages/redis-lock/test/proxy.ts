import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that keeps its clients' connections, whatever becomes of the servers behind it. */
export class KeptProxy {
  port = 0
  /** How many connections were made to it. */
  connections = 0
  #target: number
  #dead = new Set<Socket>()
  #muted = false
  readonly #pairs = new Map<Socket, Socket>()
  readonly #server: Server

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => {
      this.connections++
      client.on('error', () => {})
      client.on('close', () => {
        this.#pairs.get(client)?.destroy()
        this.#pairs.delete(client)
      })
      client.on('data', (data) => {
        if (!this.#dead.has(client)) this.#pairs.get(client)?.write(data)
      })
      this.#join(client)
    })
  }

  static async start(target: number): Promise<KeptProxy> {
    const proxy = new KeptProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    proxy.port = (proxy.#server.address() as { port: number }).port
    return proxy
  }

  /** What is connected now hears nothing any more, and is not told; new connections work. */
  kill(): void {
    for (const client of this.#pairs.keys()) this.#dead.add(client)
  }

  /** Commands reach the server, and its answers nobody, for a while. */
  mute(): void {
    this.#muted = true
  }

  unmute(): void {
    this.#muted = false
  }

  /** Another server answers on the connections there are. */
  switchTo(target: number): void {
    this.#target = target
    for (const [client, backend] of [...this.#pairs]) {
      backend.removeAllListeners()
      backend.destroy()
      this.#join(client)
    }
  }

  stop(): void {
    this.#server.close()
    for (const client of this.#pairs.keys()) client.destroy()
  }

  #join(client: Socket): void {
    const backend = createConnection({ port: this.#target, host: '127.0.0.1' })
    this.#pairs.set(client, backend)
    backend.on('error', () => {})
    backend.on('close', () => client.destroy())
    backend.on('data', (data) => {
      if (!this.#dead.has(client) && !this.#muted) client.write(data)
    })
  }
}
