import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import { detached, type Scheduler } from '@escapement/core'
import { Binding } from './binding.ts'
import type { Certainty, Shared } from './shared.ts'
import { Signals } from './signals.ts'
import { type ExpressApp, wrapListen } from './wrap-listen.ts'

/** What the bindings of a process share: the servers that listen, and the signals. */
export class Hub implements Shared<Binding> {
  readonly signals: Signals = new Signals()
  /** Whether this runtime reports listening servers. Node does. */
  readonly traced: boolean = !('bun' in process.versions) && !('deno' in process.versions)
  /** The functions Express hides middleware of ours in. */
  readonly mounted: WeakSet<object> = new WeakSet()

  readonly #bindings = new WeakMap<Scheduler, Binding>()
  #all: WeakRef<Binding>[] = []
  #servers: WeakRef<Server>[] = []
  readonly #inApp = new WeakMap<ExpressApp, Set<Binding>>()
  readonly #attached = new WeakMap<Server, Set<Binding>>()
  readonly #served = new WeakMap<Server, Set<Binding>>()
  readonly #listeningSince = new WeakMap<Server, number>()

  constructor() {
    subscribe('tracing:net.server.listen:asyncEnd', (message) => {
      this.#listening((message as { server: Server }).server)
    })
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

  /** Tells a binding where an app that it is in is mounted. One listener for all bindings in the app. */
  follow(app: ExpressApp, binding: Binding): void {
    const all = this.#inApp.get(app) ?? new Set()
    if (all.size === 0) {
      this.#inApp.set(app, all)
      app.on?.('mount', (parent) => {
        for (const each of all) each.within(parent)
      })
      if (!this.traced)
        wrapListen(app, (server) => {
          for (const each of all) each.consider(server)
        })
    }
    all.add(binding)
  }

  /** Tells a binding whenever its server listens. One listener for all bindings of the server. */
  attach(server: Server, binding: Binding): void {
    const all = this.#attached.get(server) ?? new Set()
    if (all.size === 0) {
      this.#attached.set(server, all)
      server.on('listening', () => {
        for (const each of all) each.adopt(server, 'exact')
      })
    }
    all.add(binding)
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
   * A binding is to be served by a server. Returns those with jobs of the same names that it takes the place of;
   * undefined when one of them stays, and this one is not served.
   */
  join(server: Server, binding: Binding, certainty: Certainty): Binding[] | undefined {
    const replaced: Binding[] = []
    for (const { rival, job } of this.#rivals(server, binding)) {
      const right = this.#right(server, binding, certainty, rival)
      if (right === 'beside') continue
      if (right === 'replace') {
        binding.scheduler.log.warn({ job }, 'a newer scheduler with the same jobs takes over')
        replaced.push(rival)
        continue
      }
      if (inProduction()) {
        const text = 'two schedulers on one server have a job of this name: the second one is not started'
        binding.scheduler.log.error({ job }, text)
      }
      return
    }
    const all = this.#served.get(server) ?? new Set()
    this.#served.set(server, all.add(binding))
    return replaced
  }

  /** Whether a binding that only seems to be served by a server would take it from another one. */
  contested(server: Server, binding: Binding): boolean {
    return this.#rivals(server, binding).some(
      ({ rival }) => this.#right(server, binding, 'likely', rival) === 'replace',
    )
  }

  /** The others on a server with a job of the same name. */
  #rivals(server: Server, binding: Binding): { rival: Binding; job: string }[] {
    const names = new Set(binding.scheduler.jobs().map(({ name }) => name))
    return [...(this.#served.get(server) ?? [])].flatMap((rival) => {
      const same = rival === binding ? undefined : rival.scheduler.jobs().find(({ name }) => names.has(name))
      return same ? [{ rival, job: same.name }] : []
    })
  }

  /**
   * What a binding does beside another one on its server. In production the first one stays. Elsewhere the newer one
   * takes over: development servers load a changed module a second time while the server goes on. Its first request
   * may come late, so a guess is enough when it was made after the server listened; a request to the older one corrects it.
   */
  #right(
    server: Server,
    binding: Binding,
    certainty: Certainty,
    rival: Binding,
  ): 'replace' | 'yield' | 'beside' {
    const theirs = rival.certaintyOf(server)
    const certain = certainty === 'exact' && theirs === 'exact'
    if (inProduction()) return certain ? 'yield' : 'beside'
    const newer = binding.made > rival.made
    const reloaded = Math.max(binding.made, rival.made) > (this.#listeningSince.get(server) ?? Infinity)
    if (!certain && !reloaded) return 'beside'
    return newer || (certainty === 'exact' && theirs !== 'exact') ? 'replace' : 'yield'
  }

  /** How long a server has listened, in ms; 0 where nobody saw it begin. */
  age(server: Server): number {
    const now = performance.now()
    return now - (this.#listeningSince.get(server) ?? now)
  }

  leave(server: Server, binding: Binding): void {
    this.#served.get(server)?.delete(binding)
  }

  #listening(server: Server): void {
    this.#listeningSince.set(server, performance.now())
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
}

function inProduction(): boolean {
  return process.env.NODE_ENV === 'production'
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
