import type { Machine } from '../machine.ts'
import type { Network } from '../network.ts'
import type { World } from '../world.ts'
import type { Reply } from './commands.ts'
import type { Server } from './server.ts'

type Listener = (...args: unknown[]) => void

interface Pending {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/**
 * A client as ioredis makes it with safe options: no offline queue, no command sent twice. Commands and answers of a
 * connection keep their order; what a broken connection had not answered is rejected, executed or not.
 */
export class Client {
  status: 'wait' | 'connecting' | 'ready' | 'reconnecting' | 'end' = 'wait'
  readonly options: object
  readonly #world: World
  readonly #machine: Machine
  readonly #network: Network
  readonly #server: Server
  readonly #listeners = new Map<string, Set<Listener>>()
  #pending = new Set<Pending>()
  /** Tells the connections of a client apart: what belongs to an old one is thrown away. */
  #connection = 0
  /** When the last message sent in each direction arrives: a later one is not sooner. */
  #there = 0
  #back = 0
  #failed = 0
  /** A server that hung reads its connections one after the other: when it comes to this one, in ms. */
  #turn = 0

  constructor(world: World, machine: Machine, network: Network, server: Server) {
    this.#world = world
    this.#machine = machine
    this.#network = network
    this.#server = server
    this.options = {
      host: server.name,
      port: 6379,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      commandTimeout: 500,
    }
    server.onDown.add(this.#onServerDown)
  }

  on(event: string, listener: Listener): this {
    let set = this.#listeners.get(event)
    if (!set) {
      set = new Set()
      this.#listeners.set(event, set)
    }
    set.add(listener)
    return this
  }

  off(event: string, listener: Listener): this {
    this.#listeners.get(event)?.delete(listener)
    return this
  }

  async connect(): Promise<void> {
    this.status = 'connecting'
    this.#dial()
  }

  disconnect(reconnect = false): void {
    this.#close(new Error('Connection is closed.'), reconnect)
  }

  /** The process is gone: its connections end, and nothing says so. */
  abandon(): void {
    this.#connection++
    this.#pending.clear()
    this.status = 'end'
    this.#server.onDown.delete(this.#onServerDown)
  }

  duplicate(): Client {
    return new Client(this.#world, this.#machine, this.#network, this.#server)
  }

  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown> {
    return this.#send('EVALSHA', [sha, keys, ...args])
  }

  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown> {
    return this.#send('EVAL', [script, keys, ...args])
  }

  mget(...keys: string[]): Promise<(string | null)[]> {
    return this.#send('MGET', keys) as Promise<(string | null)[]>
  }

  info(section: string): Promise<unknown> {
    return this.#send('INFO', [section])
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...args)
  }

  #dial(): void {
    const connection = ++this.#connection
    this.#turn = this.#world.random.between(0, 5)
    const delay = this.#network.delay(this.#machine.name, this.#server.name)
    this.#world.after(2 * delay, () =>
      this.#machine.run(() => {
        if (connection !== this.#connection) return
        const refused = !this.#server.up || this.#network.blocked(this.#machine.name, this.#server.name)
        if (refused) {
          this.#emit('error', new Error(`connect ECONNREFUSED ${this.#server.name}`))
          this.#close(new Error('Connection is closed.'), true)
          return
        }
        this.#failed = 0
        this.status = 'ready'
        this.#emit('ready')
      }),
    )
  }

  #close(reason: Error, reconnect: boolean): void {
    const connection = ++this.#connection
    const pending = this.#pending
    this.#pending = new Set()
    for (const { reject } of pending) reject(reason)
    this.#there = 0
    this.#back = 0
    this.status = reconnect ? 'reconnecting' : 'end'
    this.#emit('close')
    if (!reconnect) {
      this.#server.onDown.delete(this.#onServerDown)
      this.#emit('end')
      return
    }
    const pause = Math.min(50 * 2 ** Math.min(this.#failed++, 6), 1000)
    this.#machine.clock.setTimeout(() => {
      if (connection !== this.#connection) return
      this.status = 'connecting'
      this.#dial()
    }, pause)
  }

  /** The server's end is closed: the process reads it when the network brings it, not over a cut. */
  #onServerDown = (): void => {
    if (this.status !== 'ready') return
    this.break()
  }

  /** Both ends learn that the connection is gone, unless the network is cut: then only a timeout tells. */
  break(): void {
    const connection = this.#connection
    if (this.#network.blocked(this.#server.name, this.#machine.name)) return
    this.#world.after(this.#network.delay(this.#server.name, this.#machine.name), () =>
      this.#machine.run(() => {
        if (connection === this.#connection && this.status === 'ready') {
          this.#close(new Error('Connection is closed.'), true)
        }
      }),
    )
  }

  #send(command: string, args: (string | number)[]): Promise<Reply> {
    if (this.status !== 'ready') {
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"))
    }
    return new Promise((resolve, reject) => {
      const pending = { resolve, reject }
      this.#pending.add(pending)
      const connection = this.#connection
      const [here, there] = [this.#machine.name, this.#server.name]
      const { life } = this.#server
      const turn = this.#turn
      this.#there = this.#network.arrival(here, there, this.#there)
      this.#network.deliver(here, there, this.#there, () => {
        if (!this.#server.up || this.#server.life !== life) return
        this.#whenAwake(turn, () => {
          if (!this.#server.up || this.#server.life !== life) return
          const reply = this.#server.execute(command, args.map(String))
          this.#back = this.#network.arrival(there, here, this.#back)
          this.#network.deliver(there, here, this.#back, () =>
            this.#machine.run(() => {
              if (connection !== this.#connection || !this.#pending.delete(pending)) return
              if (reply instanceof Error) reject(reply)
              else resolve(reply)
            }),
          )
        })
      })
    })
  }

  #whenAwake(turn: number, execute: () => void): void {
    const { hungUntil } = this.#server
    if (hungUntil > 0 && hungUntil + turn > this.#world.now)
      this.#world.at(hungUntil + turn, () => this.#whenAwake(turn, execute))
    else execute()
  }
}
