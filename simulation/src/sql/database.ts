import type { PostgresOptions } from '@escapement/postgres'
import type { Machine } from '../machine.ts'
import type { Fault } from '../plan.ts'
import type { Access, Setting, Share, Shared } from '../shared.ts'
import { Pool } from './pool.ts'
import { Postgres } from './postgres.ts'

/** A fleet whose instances share a PostgreSQL database. */
export function postgresDatabase(options: Omit<PostgresOptions, 'pool'>): Share {
  return async (setting) => new Database(setting, await Postgres.make(setting.world), options)
}

class Database implements Shared {
  readonly stores: readonly Postgres[]
  readonly #setting: Setting
  readonly #server: Postgres
  readonly #options: Omit<PostgresOptions, 'pool'>
  readonly #pools = new Map<string, Set<Pool>>()

  constructor(setting: Setting, server: Postgres, options: Omit<PostgresOptions, 'pool'>) {
    this.#setting = setting
    this.#server = server
    this.stores = [server]
    this.#options = options
  }

  join(machine: Machine): Access {
    const { code, world, network } = this.#setting
    const pools = new Set<Pool>()
    this.#pools.set(machine.name, pools)
    const site = { world, network, machine, server: this.#server, pools }
    const pool = new Pool({ site, connectionTimeoutMillis: 5000 })
    return {
      plugin: code.postgres({ ...this.#options, pool }),
      disconnect: () => void pool.end(),
      abandon: () => {
        for (const each of pools) each.abandon()
      },
    }
  }

  apply(fault: Fault): void | Promise<void> {
    const server = this.#server
    const { world, network } = this.#setting
    const until = 'ms' in fault ? world.now + fault.ms : 0
    const pools = [...(('who' in fault && this.#pools.get(fault.who)) || [])]
    if (fault.do === 'cut') network.separate(fault, server.name)
    else if (fault.do === 'reset') for (const pool of pools) pool.reset()
    else if (fault.do === 'terminate') for (const pool of pools) pool.terminate(false)
    else if (fault.do === 'half-open') for (const pool of pools) pool.terminate(true)
    else if (fault.do === 'hang') server.hungUntil = Math.max(server.hungUntil, until)
    else if (fault.do === 'lock') server.lockedUntil = Math.max(server.lockedUntil, until)
    else if (fault.do === 'read-only') server.readOnlyUntil = Math.max(server.readOnlyUntil, until)
    else if (fault.do === 'timeouts') server.timeoutsUntil = Math.max(server.timeoutsUntil, until)
    else if (fault.do === 'collisions') server.collisionsUntil = Math.max(server.collisionsUntil, until)
    else if (fault.do === 'save') return server.save()
    else if (fault.do === 'fail-over' && server.up) {
      server.kill()
      return server.failOver().then(() => server.start())
    } else if (fault.do === 'restart' && server.up) {
      server.kill()
      world.after(fault.ms, () => server.start())
    }
  }

  close(): Promise<void> {
    return this.#server.count()
  }
}
