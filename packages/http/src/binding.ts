import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Scheduler } from '@escapement/core'
import { onEphemeralPort } from './ephemeral-port.ts'
import { holdClose } from './hold-close.ts'
import { lastMounted, match, type Target } from './match.ts'
import { type Options, parseOptions, type SignalSettings } from './options.ts'
import type { Certainty, Shared } from './shared.ts'
import { after, atMost } from './timers.ts'
import type { ExpressApp } from './wrap-listen.ts'

/** How long to wait for something better than a `maybe`, and to see whether an ephemeral server stays. */
const PATIENCE = 1_000
const MAX_RETRY = 30_000
/** How long a server must listen under NODE_ENV=test before a line says that no tick runs. */
const TEST_PATIENCE = 10_000

/** One scheduler and the servers that serve it: starts with the first, drains with the last. */
export class Binding implements Target {
  readonly scheduler: Scheduler
  readonly made: number = performance.now()
  koa = false
  /** Asked to shut down: not ready, but still serving. */
  leaving = false

  readonly #hub: Shared<Binding>
  #options: Options = parseOptions()
  readonly #owned = new WeakSet<object>()
  readonly #servers = new Map<Server, { certainty: Certainty; release: () => void }>()
  /** The server of the last request. */
  #last: Server | undefined
  /** Servers left to another scheduler with the same jobs. */
  readonly #lost = new WeakMap<Server, Binding>()
  /** Those that end when this scheduler begins. */
  readonly #replaced = new Set<Binding>()
  #toldTest = false
  /** How many servers may turn out to be ours that nobody else has. */
  #hopes = 0
  /** Has had a server. */
  #found = false
  #drained = false
  #cancelStart: (() => void) | undefined

  constructor(hub: Shared<Binding>, scheduler: Scheduler) {
    this.#hub = hub
    this.scheduler = scheduler
    scheduler.on('start', () => this.#endReplaced())
  }

  /** A middleware for this scheduler was made. The options of the last one count. */
  configure(options: Options): void {
    this.#options = options
    if (options.signals) this.#hub.signals.add(this, options.signals)
    else this.#hub.signals.delete(this)
  }

  /** @param fn A middleware of this scheduler. */
  own(fn: object): void {
    this.#owned.add(fn)
  }

  owns(fn: object): boolean {
    return this.#owned.has(fn)
  }

  knows(fn: object): boolean {
    return this.#hub.mounted.has(fn)
  }

  /** A middleware was mounted on an Express app. */
  mounted(app: ExpressApp): void {
    const hidden = lastMounted(app)
    if (hidden) this.#hub.mounted.add(hidden)
    this.within(app)
  }

  /** An app that holds a middleware of ours, itself or in an app mounted on it. */
  within(app: ExpressApp): void {
    if (this.#owned.has(app)) return
    this.#owned.add(app)
    this.#hub.follow(app, this)
    if (app.parent) this.within(app.parent)
    this.#hub.offer(this)
  }

  /** A server listens: is it ours? */
  consider(server: Server): void {
    if (!server.listening) return
    const found = match(server, this)
    if (found === 'no') return
    const contested = this.#hub.contested(server, this)
    if (found === 'exact' || (found === 'likely' && !contested)) {
      this.adopt(server, found)
      return
    }
    if (!contested) this.#hopes++
    after(PATIENCE, () => {
      if (!contested) this.#hopes--
      if (!this.#found && !(contested && this.#hopes > 0)) this.adopt(server, 'likely')
    })
  }

  /** A request reached a middleware of ours: its server is ours. */
  seen(request: IncomingMessage): void {
    const { server } = request.socket as { server?: Server }
    if (!server || server === this.#last) return
    this.adopt(server, 'exact')
    if (this.#servers.has(server)) this.#last = server
  }

  certaintyOf(server: Server): Certainty | undefined {
    return this.#servers.get(server)?.certainty
  }

  adopt(server: Server, certainty: Certainty): void {
    const known = this.#servers.get(server)
    if (!server.listening || known?.certainty === 'exact' || known?.certainty === certainty) return
    if (this.#isLost(server, certainty)) return
    const replaced = this.#hub.join(server, this, certainty)
    if (!replaced) {
      this.#lost.set(server, this)
      if (certainty === 'exact') this.retire(this)
      return
    }
    const release = known?.release ?? holdClose(server, () => this.#closing(server))
    this.#servers.set(server, { certainty, release })
    this.#found = true
    for (const other of replaced) this.#replaced.add(other)
    if (this.scheduler.state === 'running') this.#endReplaced()
    // A server that turns out to be ours only now, after we had drained with another one.
    if (known && !this.#drained) return
    this.leaving = false
    if (this.#options.signals) this.#hub.signals.add(this, this.#options.signals)
    const { start } = this.#options
    if (start === 'never') return
    if (start === 'auto' && process.env.NODE_ENV === 'test') {
      this.#tellTest(server)
      return
    }
    if (start === 'auto' && onEphemeralPort(server)) {
      after(Math.max(0, PATIENCE - this.#hub.age(server)), () => {
        if (this.#servers.has(server)) this.#start()
      })
    } else this.#start()
  }

  /** Follows a server that is known to be ours: now, and whenever it listens. */
  attach(server: Server): void {
    this.#hub.attach(server, this)
    this.adopt(server, 'exact')
  }

  /** Whether another scheduler has the server for good: one that was only guessed to does not. */
  #isLost(server: Server, certainty: Certainty): boolean {
    const winner = this.#lost.get(server)
    if (!winner) return false
    return certainty !== 'exact' || (winner.made >= this.made && winner.certaintyOf(server) !== 'likely')
  }

  /** Gives way to another scheduler with the same jobs on the same server. */
  retire(winner: Binding): void {
    for (const [server, { release }] of this.#servers) {
      this.#lost.set(server, winner)
      this.#hub.leave(server, this)
      release()
    }
    this.#servers.clear()
    this.#last = undefined
    this.#hub.signals.delete(this)
    void this.#drain()
  }

  #endReplaced(): void {
    const replaced = [...this.#replaced]
    this.#replaced.clear()
    for (const other of replaced) other.retire(this)
  }

  /** Not ready, close, drain; then open connections may linger for a while. */
  async shutdown({ delay, linger }: SignalSettings): Promise<void> {
    this.leaving = true
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay))
    const servers = [...this.#servers.keys()].filter((server) => server.listening) as HttpServer[]
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)))
    await this.#drain()
    for (const server of servers) server.closeIdleConnections?.()
    await atMost(linger, Promise.all(closed))
    for (const server of servers) server.closeAllConnections?.()
  }

  /** The jobs with runs under way. */
  interrupted(): string[] {
    return this.scheduler.jobs().flatMap((job) => (job.running > 0 ? [job.name] : []))
  }

  /** No test is served for so long: the environment was left on. */
  #tellTest(server: Server): void {
    if (this.#toldTest) return
    this.#toldTest = true
    after(TEST_PATIENCE, () => {
      const { scheduler } = this
      const jobs = scheduler.jobs().length
      this.#toldTest = this.#servers.has(server)
      if (jobs === 0 || scheduler.state !== 'idle' || !this.#toldTest) return
      const text = "NODE_ENV is 'test', so no tick runs: unset it, or use start: 'always'"
      scheduler.log.warn({ jobs }, text)
    })
  }

  #start(failures = 0): void {
    this.#cancelStart?.()
    this.#drained = false
    const replaces = {
      jobs: () => [...this.#replaced].flatMap(({ scheduler }) => scheduler.jobs()),
      stop: async () => this.#endReplaced(),
    }
    // The server keeps the process, not our timers. The scheduler logs a failure itself.
    this.scheduler.start({ keepAlive: false, replaces }).catch(() => {
      if (this.#servers.size === 0) return
      const delay = Math.min(1000 * 2 ** failures, MAX_RETRY)
      this.#cancelStart = after(delay, () => this.#start(failures + 1))
    })
  }

  #closing(server: Server): Promise<void> | undefined {
    const entry = this.#servers.get(server)
    if (!entry) return
    entry.release()
    this.#servers.delete(server)
    this.#hub.leave(server, this)
    if (this.#last === server) this.#last = undefined
    // Servers that only look like ours do not count against one that is.
    const others = [...this.#servers.values()]
    const stays = others.some(({ certainty }) => certainty === 'exact' || entry.certainty === 'likely')
    if (stays) return
    // A scheduler whose servers are closed is kept by nobody, until one listens again.
    return this.#drain().finally(() => {
      if (this.#servers.size === 0 && !this.leaving) this.#hub.signals.delete(this)
    })
  }

  #drain(): Promise<void> {
    this.#cancelStart?.()
    this.#drained = true
    this.#replaced.clear()
    const { grace } = this.#options
    return this.scheduler.stop(grace === undefined ? {} : { grace })
  }
}
