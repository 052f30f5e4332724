import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import { detached, type Scheduler } from '@escapement/core'
import { Binding } from './binding.ts'
import { Signals } from './signals.ts'

/** What the bindings of a process share: the servers that listen, and the signals. */
export class Hub {
  readonly signals: Signals = new Signals()
  /** Whether this runtime tells of listening servers. Node does. */
  readonly traced: boolean = !('bun' in process.versions) && !('deno' in process.versions)
  /** Servers that listen on a port given by the system. */
  readonly ephemeral: WeakSet<Server> = new WeakSet()
  /** The functions Express hides middleware of ours in. */
  readonly mounted: WeakSet<object> = new WeakSet()

  readonly #bindings = new WeakMap<Scheduler, Binding>()
  #all: WeakRef<Binding>[] = []
  #servers: WeakRef<Server>[] = []
  readonly #served = new WeakMap<Server, Set<Binding>>()

  constructor() {
    subscribe('tracing:net.server.listen:asyncStart', (message) => {
      const { server, options } = message as { server: Server; options?: { port?: unknown } }
      if (Number(options?.port ?? NaN) === 0) this.ephemeral.add(server)
      else this.ephemeral.delete(server)
    })
    subscribe('tracing:net.server.listen:asyncEnd', (message) => {
      this.#listening((message as { server: Server }).server)
    })
    process.on('exit', () => this.#tellInterrupted())
  }

  /** The one binding of a scheduler. */
  bind(scheduler: Scheduler): Binding {
    let binding = this.#bindings.get(scheduler)
    if (!binding) {
      binding = new Binding(this, scheduler)
      this.#bindings.set(scheduler, binding)
      this.#all.push(new WeakRef(binding))
    }
    this.offer(binding)
    return binding
  }

  find(scheduler: Scheduler): Binding | undefined {
    return this.#bindings.get(scheduler)
  }

  /** Lets a binding look at the servers that listen already, when the code that makes it is through. */
  offer(binding: Binding): void {
    if (this.#servers.length === 0) return
    soon(() => {
      for (const ref of this.#servers) {
        const server = ref.deref()
        if (server) binding.consider(server)
      }
    })
  }

  /**
   * A binding is served by a server. False if another one runs jobs of the same names there, in production.
   * Elsewhere the newer one takes over: development servers load a changed module a second time.
   */
  join(server: Server, binding: Binding): boolean {
    const all = this.#served.get(server) ?? new Set()
    this.#served.set(server, all)
    const names = new Set(binding.scheduler.jobs().map(({ name }) => name))
    for (const other of all) {
      const same = other === binding ? undefined : other.scheduler.jobs().find(({ name }) => names.has(name))
      if (!same) continue
      const fields = { job: same.name }
      if (process.env.NODE_ENV === 'production') {
        const text = 'two schedulers on one server have a job of this name: the second one is not started'
        binding.scheduler.log.error(fields, text)
        return false
      }
      binding.scheduler.log.info(fields, 'a newer scheduler with the same jobs takes over')
      all.delete(other)
      other.retire()
    }
    all.add(binding)
    return true
  }

  leave(server: Server, binding: Binding): void {
    this.#served.get(server)?.delete(binding)
  }

  #listening(server: Server): void {
    this.#servers = this.#servers.filter((ref) => ref.deref()?.listening && ref.deref() !== server)
    this.#servers.push(new WeakRef(server))
    // The code that called listen() may go on to mount middleware.
    soon(() => {
      for (const binding of this.#live()) binding.consider(server)
    })
  }

  #live(): Binding[] {
    this.#all = this.#all.filter((ref) => ref.deref())
    return this.#all.flatMap((ref) => ref.deref() ?? [])
  }

  #tellInterrupted(): void {
    for (const binding of this.#live()) {
      const jobs = binding.interrupted()
      if (jobs.length === 0) continue
      binding.scheduler.log.error(
        { jobs },
        'the process ends with runs under way: process.exit() did not wait',
      )
    }
  }
}

/** In a moment, outside of any request. */
function soon(fn: () => void): void {
  detached(() => setImmediate(fn))
}

// One for all copies of the package in a process: each would drain when the last of *its* servers closes.
const key = Symbol.for('escapement.http.1')
const shared = globalThis as { [key]?: Hub }

export function hub(): Hub {
  shared[key] ??= new Hub()
  return shared[key]
}
