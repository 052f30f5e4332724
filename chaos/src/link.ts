import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy that can be cut, hung, slowed down, or pointed elsewhere. */
export class Link {
  port = 0
  /** In ms, on all that comes from the target. */
  delay = 0
  #target: number
  #mode: 'pass' | 'cut' | 'hang' = 'pass'
  readonly #sockets = new Set<Socket>()
  /** What each client is connected to. */
  readonly #targets = new Map<Socket, Socket>()
  readonly #server: Server

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  static async start(target: number): Promise<Link> {
    const link = new Link(target)
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve))
    link.port = (link.#server.address() as { port: number }).port
    return link
  }

  /** Resets all connections and refuses new ones. */
  cut(): void {
    this.#mode = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Keeps connections, and lets nothing through: as a network that drops packets. */
  hang(): void {
    this.#mode = 'hang'
    for (const socket of this.#sockets) socket.pause()
  }

  heal(): void {
    this.#mode = 'pass'
    for (const socket of this.#sockets) socket.resume()
  }

  /** Points elsewhere; whoever is connected is cut off. */
  retarget(port: number): void {
    this.#target = port
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Points elsewhere, as a proxy that keeps its clients' connections. */
  switchTo(port: number): void {
    this.#target = port
    for (const [client, target] of [...this.#targets]) {
      target.removeAllListeners('close')
      this.#sockets.delete(target)
      target.destroy()
      this.#connect(client)
    }
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(client: Socket): void {
    if (this.#mode === 'cut') {
      client.destroy()
      return
    }
    this.#pipe(client, () => this.#targets.get(client), false)
    client.on('close', () => this.#targets.delete(client))
    this.#connect(client)
  }

  #connect(client: Socket): void {
    const target = createConnection({ port: this.#target, host: '127.0.0.1' })
    this.#targets.set(client, target)
    this.#pipe(target, () => client, true)
  }

  #pipe(from: Socket, to: () => Socket | undefined, slow: boolean): void {
    from.setNoDelay(true)
    this.#sockets.add(from)
    // In order, whatever becomes of the delay meanwhile: one timer, for the first.
    const waiting: { data: Buffer; until: number }[] = []
    const drain = () => {
      for (let first = waiting[0]; first; first = waiting[0]) {
        const left = first.until - performance.now()
        if (left > 0) {
          setTimeout(drain, Math.ceil(left))
          return
        }
        waiting.shift()
        const socket = to()
        if (socket && !socket.destroyed) socket.write(first.data)
      }
    }
    from.on('data', (data: Buffer) => {
      waiting.push({ data, until: performance.now() + (slow ? this.delay : 0) })
      if (waiting.length === 1) drain()
    })
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to()?.destroy()
    })
    if (this.#mode === 'hang') from.pause()
  }
}
