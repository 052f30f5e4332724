import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { Fleet } from './fleet.ts'
import type { Job, Run } from './job.ts'
import type { Claim, Lock } from './lock.ts'
import type { Logger } from './logger.ts'
import type { JobDefaults } from './options.ts'
import type { Cause, Tick } from './outcome.ts'
import type { Store } from './store.ts'
import type { Maybe } from './values.ts'

/** A link of the chain. Calls `next()` once, and sees its failure as a rejection, as in Koa. */
export type Hook = (run: Run, next: () => Maybe<void>) => Maybe<void>

/** The links a plugin adds. */
export interface Hooks {
  /** In the async context of whoever asked for a manual run, before the run detaches from it. */
  readonly request?: (run: Run) => void
  /** Around a run that was claimed, all its attempts included. */
  readonly run?: Hook
  /** Around each attempt. */
  readonly attempt?: Hook
}

/** An extension. It only knows these types. */
export interface Plugin {
  readonly name: string
  readonly hooks?: Hooks
  readonly lock?: Lock
  readonly store?: Store
  /** Used where the plugin brings the store too, or no other plugin that does brings one. */
  readonly fleet?: Fleet
  /** Policies of jobs for which neither they nor the scheduler's `defaults` say otherwise. */
  readonly defaults?: JobDefaults
  /** Called at every `scheduler.start()`, before the first tick, and awaited. */
  start?(host: Host): Maybe<void>
  /**
   * Called at every `scheduler.stop()`, after the runs have drained, and awaited until the stop's deadline. Also called
   * when a `start()` has ended that the scheduler has not waited for.
   */
  stop?(info: StopInfo): Maybe<void>
  /** Called once when the plugin is given to a scheduler, to subscribe to events. */
  setup?(host: Host): void
}

/** How a scheduler stops. */
export interface StopInfo {
  /** No run had to be aborted. */
  readonly clean: boolean
  /** Milliseconds that the scheduler waits for the plugin: what can be flushed in this time is to be flushed. */
  readonly deadline: number
}

/** What a plugin sees of its scheduler. */
export interface Host {
  /** Names this process among its fleet, e.g. `web-1:4711:k3xq9a`. */
  readonly instance: string
  /** The IANA zone of what names none. */
  readonly timezone: string
  readonly clock: Clock
  readonly log: Logger
  readonly store: Store
  readonly on: Events['on']
  readonly emit: Events['emit']
  jobs(): Job[]
  job(name: string): Job | undefined
  /** Runs a tick again under a claim that was taken over from an instance that died. */
  rerun(tick: Tick, claim: Claim): void
  /** Ends a tick as `abandoned`, once in the fleet: its instance died and it is not run again. */
  abandon(tick: Tick, by: Abandoned): void
  /**
   * Lets the scheduler's wall time follow a better clock: `offset` ms are added to this machine's. What is no number,
   * or more than a day, is not followed: false.
   */
  adjustClock(offset: number): boolean
}

/** What is known of a run whose instance died. */
export interface Abandoned {
  /** The id of the run. */
  readonly id?: string
  readonly instance?: string
  readonly restarts?: number
  readonly fence?: number
  /** What had made it. Default `'schedule'`. */
  readonly cause?: Cause
}
