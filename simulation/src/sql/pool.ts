import type { Machine } from '../machine.ts'
import type { Network } from '../network.ts'
import type { World } from '../world.ts'
import type { Postgres, Row } from './postgres.ts'

/** Where a pool is, and what it connects to. */
export interface Site {
  readonly world: World
  readonly network: Network
  readonly machine: Machine
  readonly server: Postgres
  /** All pools of the process. */
  readonly pools: Set<Pool>
}

interface Options {
  readonly site: Site
  readonly max?: number
  readonly connectionTimeoutMillis?: number
  readonly query_timeout?: number
}

type Query = string | { text: string; values?: unknown[]; query_timeout?: number }
type Answer = { rows: Row[] }

/** One connection: a statement at a time, messages in their order. */
class Connection {
  /** The server has ended it: the client may not know. */
  ended = false
  /** The client has left it. */
  left = false
  pending: ((error: Error) => void) | undefined
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  send(text: string, values: unknown[]): Promise<Answer> {
    const { network, machine, server } = this.#site
    const [here, there] = [machine.name, server.name]
    return new Promise((resolve, reject) => {
      this.pending = reject
      const answer = (reply: Row[] | Error) =>
        network.deliver(there, here, network.arrival(there, here, 0), () =>
          machine.run(() => {
            if (this.left) return
            if (reply instanceof Error) reject(reply)
            else resolve({ rows: reply })
          }),
        )
      network.deliver(here, there, network.arrival(here, there, 0), () => {
        if (!server.up) return
        if (this.ended) answer(new Error('read ECONNRESET'))
        else server.receive(text, values, () => this.ended, answer)
      })
    })
  }
}

/** A pool as `pg` makes it: a connection whose statement failed, for whatever reason, is not used again. */
export class Pool {
  readonly Client: typeof Connection = Connection
  readonly options: Options
  ending = false
  readonly #connections = new Set<Connection>()
  readonly #idle: Connection[] = []
  readonly #waiting: (() => void)[] = []
  readonly #listeners = new Set<(error: Error) => void>()

  constructor(options: Options) {
    this.options = options
    options.site.pools.add(this)
    options.site.server.onDown.add(this.#onDown)
  }

  on(_event: 'error', listener: (error: Error) => void): this {
    this.#listeners.add(listener)
    return this
  }

  async query(query: Query, values: unknown[] = []): Promise<Answer> {
    if (this.ending) throw new Error('Cannot use a pool after calling end on the pool')
    const asked = typeof query === 'string' ? { text: query, values } : query
    const connection = await this.#acquire()
    try {
      const ms = asked.query_timeout ?? this.options.query_timeout
      const answer = await this.#within(
        ms,
        'Query read timeout',
        connection.send(asked.text, asked.values ?? []),
      )
      this.#idle.push(connection)
      return answer
    } catch (error) {
      this.#drop(connection)
      throw error
    } finally {
      connection.pending = undefined
      this.#waiting.shift()?.()
    }
  }

  async end(): Promise<void> {
    this.ending = true
    this.abandon()
  }

  /** The process is gone: nobody hears answers. */
  abandon(): void {
    this.options.site.server.onDown.delete(this.#onDown)
    for (const connection of this.#connections) connection.left = true
    this.#connections.clear()
  }

  /** The server ends all sessions, and says so; or they are gone and it does not. */
  terminate(silently: boolean): void {
    for (const connection of this.#connections) connection.ended = true
    if (!silently) this.#break(new Error('terminating connection due to administrator command'))
  }

  /** The connections break, whatever the server has executed. */
  reset(): void {
    this.#break(new Error('Connection terminated unexpectedly'))
  }

  #onDown = (): void => this.reset()

  /** Both ends learn of it, unless the network is cut: then only a timeout tells. */
  #break(error: Error): void {
    const { world, network, machine, server } = this.options.site
    if (network.blocked(server.name, machine.name)) return
    const broken = [...this.#connections]
    world.after(network.delay(server.name, machine.name), () =>
      machine.run(() => {
        for (const connection of broken) {
          if (connection.left) continue
          this.#drop(connection)
          if (connection.pending) connection.pending(error)
          else for (const listener of this.#listeners) listener(error)
        }
      }),
    )
  }

  #drop(connection: Connection): void {
    connection.left = true
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  async #acquire(): Promise<Connection> {
    const { max = 10, connectionTimeoutMillis } = this.options
    for (;;) {
      const idle = this.#idle.pop()
      if (idle) return idle
      if (this.#connections.size < max) return this.#connect(connectionTimeoutMillis)
      const free = new Promise<void>((resolve) => void this.#waiting.push(resolve))
      await this.#within(connectionTimeoutMillis, 'timeout exceeded when trying to connect', free)
    }
  }

  async #connect(timeout: number | undefined): Promise<Connection> {
    const { world, network, machine, server } = this.options.site
    const connection = new Connection(this.options.site)
    this.#connections.add(connection)
    const [here, there] = [machine.name, server.name]
    const made = new Promise<void>((resolve, reject) => {
      network.deliver(here, there, network.arrival(here, there, 0), () => {
        const { up } = server
        const hung = Math.max(0, server.hungUntil - world.now)
        network.deliver(there, here, network.arrival(there, here, 0) + hung, () =>
          machine.run(() => (up ? resolve() : reject(new Error(`connect ECONNREFUSED ${there}:5432`)))),
        )
      })
    })
    try {
      await this.#within(timeout, 'timeout exceeded when trying to connect', made)
      return connection
    } catch (error) {
      this.#drop(connection)
      this.#waiting.shift()?.()
      throw error
    }
  }

  #within<T>(ms: number | undefined, message: string, work: Promise<T>): Promise<T> {
    if (!ms) return work
    const { clock } = this.options.site.machine
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => reject(new Error(message)), ms)
      work.then(resolve, reject).finally(() => clock.clearTimeout(timer))
    })
  }
}
