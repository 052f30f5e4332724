import { randomUUID } from 'node:crypto'
import { type Clock, type Host, type Logger, type Plugin, type StopInfo, systemClock } from '@escapement/core'
import { LostRequests, Troubles, within } from '@escapement/core/plugin'
import { Ends } from './claims/ends.ts'
import { Leases } from './claims/lease.ts'
import { SqlLock } from './claims/lock.ts'
import { SharedFleet } from './fleet/shared-fleet.ts'
import type { FleetParts } from './fleet-parts.ts'
import { Upkeep } from './records/upkeep.ts'
import { Recover } from './recovery/recover.ts'

/** Heartbeats after an outage in which nothing of other instances is taken. */
const SETTLING_BEATS = 2
/** Of a stop, for what comes after the ends: the last records and the goodbye. */
const LEAVE_MS = 500

/** The plugin of a SQL backend: one heartbeat for each process, and what hangs on it. */
export class SqlFleet {
  /** The owner of what is written; undefined before the first heartbeat. */
  owner: string | undefined
  readonly #parts: FleetParts
  readonly #leases: Leases
  readonly #ends: Ends
  readonly #lock: SqlLock
  readonly #shared: SharedFleet
  readonly #upkeep: Upkeep
  /** Beside another lock. */
  readonly #lostRequests: LostRequests | undefined
  #host: Host | undefined
  #clock: Clock = systemClock
  #troubles: Troubles | undefined
  #draining = false
  #recover: Recover | undefined
  #beating: Promise<void> | undefined
  /** The last heartbeat was not written. */
  #missed = false
  /** When recovery begins again after an outage, on the monotonic clock. */
  #settledAt = -Infinity

  constructor(parts: FleetParts) {
    this.#parts = parts
    const { backend, settings } = parts
    const clock = laterKnown(() => this.#clock)
    this.#ends = new Ends(clock, (error) => this.fails(error))
    this.#leases = new Leases({
      clock,
      lease: settings.lease,
      heartbeat: settings.heartbeat,
      renew: () => (this.owner === undefined ? false : backend.heartbeat(this.owner)),
      enlist: () => this.#enlist(),
      onHeartbeat: (error) => this.#heard(error),
    })
    this.#shared = new SharedFleet({
      sql: parts.sql,
      clock,
      poll: settings.poll,
      owner: () => this.owner,
      now: parts.sqlNow ?? '?',
      onFault: (error) => this.fails(error),
    })
    const { sql, store } = parts
    this.#upkeep = new Upkeep({ sql, store, settings, clock, also: (now) => this.#shared.prune(now) })
    if (!settings.lock) this.#lostRequests = new LostRequests(async (id) => (await store.runs({ id }))[0])
    this.#lock = new SqlLock({
      backend,
      leases: this.#leases,
      ends: this.#ends,
      clock,
      instance: () => this.#host?.instance ?? '',
      owner: () => (parts.usable?.() === false ? undefined : this.owner),
      draining: () => this.#draining,
      onDead: () => this.#recoverDead({ rerun: false }).catch((error) => this.fails(error)),
      onFault: (error) => this.fails(error),
      trouble: parts.trouble ?? (() => this.#troubles?.reasons[0]),
    })
  }

  plugin(): Plugin {
    const { backend, settings, store } = this.#parts
    return {
      name: backend.name,
      store,
      fleet: this.#shared,
      ...(settings.lock && { lock: this.#lock }),
      setup: (host) => this.#setup(host),
      start: (host) => this.#start(host),
      stop: (info) => this.#stop(info),
    }
  }

  #setup(host: Host): void {
    this.#host = host
    this.#clock = host.clock
    this.#troubles = new Troubles(host.log as Logger, host.clock)
    // What died while no instance was there is looked for at once.
    host.on('start', () => void this.#look())
    host.on('settled', (run) => this.#recover?.settled(run))
    this.#lostRequests?.attach(host)
    host.on('drain', () => {
      this.#draining = true
    })
    this.#parts.attached?.(host)
  }

  async #start(host: Host): Promise<void> {
    const { backend, settings } = this.#parts
    this.#draining = false
    await this.#parts.open(host)
    this.#recover = new Recover({
      backend,
      host,
      maxRestarts: settings.maxRestarts,
      lock: settings.lock ? this.#lock : undefined,
      owner: () => this.owner,
      onLost: (instances) => this.#shared.lost(instances),
    })
    await this.#leases.start()
    await this.#parts.opened?.()
    // Before the first tick: it would meet the leases of the dead.
    await this.#shared.lost(await backend.declareDead(this.owner))
  }

  async #stop({ deadline }: StopInfo): Promise<void> {
    const { backend } = this.#parts
    const began = this.#clock.monotonic()
    this.#leases.stop()
    this.#recover = undefined
    const owner = this.owner
    this.owner = undefined
    const left = await this.#ends.flush(Math.max(0, deadline - LEAVE_MS))
    if (left > 0) {
      const ms = Math.round(this.#clock.monotonic() - began)
      const text = `${backend.name}: the ends of ${left} runs could not be written within ${ms} ms: another instance may run their ticks again, or report them as abandoned`
      this.#host?.log.error({ runs: left }, text)
    }
    this.#ends.close()
    // Without an owner they would be closed by others, who know nothing of them but their outcome.
    await within(this.#clock, this.#flush(), began + deadline - LEAVE_MS - this.#clock.monotonic())
    try {
      await this.#shared.leave()
      // What is left of ours may be taken over at once.
      if (owner !== undefined) await backend.leave(owner)
    } finally {
      await this.#parts.close()
    }
  }

  async #flush(): Promise<void> {
    await this.#parts.flush()
  }

  async #enlist(): Promise<void> {
    const next = randomUUID()
    const before = this.owner
    this.owner = undefined
    try {
      await this.#parts.backend.enlist(next, this.#host?.instance ?? '', before)
    } catch (error) {
      // It is given up all the same: whether others have taken it over is not known.
      this.owner = before
      throw error
    }
    this.owner = next
  }

  #heard(error: unknown): void {
    if (error !== undefined) {
      this.#missed = true
      this.fails(error)
      return
    }
    if (this.#missed)
      this.#settledAt = this.#clock.monotonic() + SETTLING_BEATS * this.#parts.settings.heartbeat
    this.#missed = false
    void this.#look()
  }

  /** After an outage the other instances write their heartbeats and their ends before anything of theirs is taken. */
  async #recoverDead(options?: { rerun: boolean }): Promise<void> {
    if (this.#clock.monotonic() >= this.#settledAt) await this.#recover?.look(options)
  }

  /** Does what follows a heartbeat. A look that takes longer than the next heartbeat goes on alone. */
  #look(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beat(): Promise<void> {
    const host = this.#host
    if (!host) return
    try {
      await this.#ends.retry()
      // What is found while stopping is left to others.
      if (!this.#draining) {
        await this.#recover?.reconcile()
        await this.#recoverDead()
      }
      if (this.#recover) {
        // Not waited for: it may go another way to the database than claims, and be stuck there.
        void this.#shared.beat()
        await this.#parts.onHeartbeat?.()
        this.#lostRequests?.look()
      }
      const longest = host.jobs().reduce((most, { policies }) => Math.max(most, policies.catchUpWindow), 0)
      await this.#upkeep.round(longest)
      if (this.#ends.size === 0) this.#troubles?.works(this.#parts.backend.name)
    } catch (fault) {
      this.fails(fault)
    }
  }

  /** One line when it begins, one when a heartbeat goes through again. */
  fails(error: unknown): void {
    const { backend, trouble } = this.#parts
    if (trouble) return
    const told = this.#troubles?.fail(backend.name, error, 'ticks cannot be claimed until it works again')
    if (told) this.#host?.emit('error', error, { source: backend.name })
  }
}

/** A clock that is known later. */
function laterKnown(clock: () => Clock): Clock {
  return {
    now: () => clock().now(),
    monotonic: () => clock().monotonic(),
    setTimeout: (callback, ms) => clock().setTimeout(callback, ms),
    clearTimeout: (timer) => clock().clearTimeout(timer),
    setImmediate: (callback) => clock().setImmediate(callback),
  }
}
