import type { RedisLockOptions } from '@escapement/redis-lock'
import type { Machine } from '../machine.ts'
import { type Fault, REFUSALS } from '../plan.ts'
import type { Access, Setting, Share, Shared } from '../shared.ts'
import { Client } from './client.ts'
import { Server } from './server.ts'

/** A fleet whose instances share Redis servers. */
export function redisServers(lock: Omit<RedisLockOptions, 'clients'>): Share {
  return (setting) => new Servers(setting, lock)
}

class Servers implements Shared {
  readonly stores: readonly Server[]
  readonly #setting: Setting
  readonly #lock: Omit<RedisLockOptions, 'clients'>
  readonly #clients = new Map<string, readonly Client[]>()

  constructor(setting: Setting, lock: Omit<RedisLockOptions, 'clients'>) {
    const { world, plan } = setting
    this.#setting = setting
    this.#lock = lock
    this.stores = Array.from({ length: plan.servers }, (_, i) => new Server(world, `redis${i + 1}`))
  }

  join(machine: Machine): Access {
    const { code, world, network } = this.#setting
    const clients = this.stores.map((server) => new Client(world, machine, network, server))
    this.#clients.set(machine.name, clients)
    const each = (act: (client: Client) => void) => () => clients.forEach(act)
    return {
      plugin: code.redisLock({ ...this.#lock, clients, fleet: false }),
      connect: each((client) => void client.connect()),
      disconnect: each((client) => client.disconnect()),
      abandon: each((client) => client.abandon()),
    }
  }

  apply(fault: Fault): void {
    const { world, network } = this.#setting
    const server = this.stores['server' in fault ? fault.server : 0] as Server
    if (fault.do === 'cut') network.separate(fault, server.name)
    else if (fault.do === 'reset') this.#clients.get(fault.who)?.[fault.server]?.break()
    else if (fault.do === 'hang') server.hungUntil = Math.max(server.hungUntil, world.now + fault.ms)
    else if (fault.do === 'save') server.save()
    else if (fault.do === 'flush-scripts') server.flushScripts()
    else if (fault.do === 'refuse')
      server.refusal = { until: world.now + fault.ms, text: REFUSALS[fault.why] }
    else if (fault.do === 'skew') server.skew += fault.ms
    else if (fault.do === 'switch-over' && server.up) server.switchOver()
    else if (fault.do === 'fail-over' && server.up) server.failOver()
    else if (fault.do === 'restart' && server.up) {
      server.kill()
      world.after(fault.ms, () => server.start(fault.memory))
    }
  }
}
