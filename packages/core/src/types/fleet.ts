import type { Asked } from './record.ts'
import type { Maybe } from './values.ts'

/**
 * What the instances of an app share: who is there, what is paused, and what is asked of the one that holds a run. Without
 * a plugin that brings it, a fleet is this process.
 *
 * News reach every instance within a second. A method that throws or rejects harms no run.
 */
export interface Fleet {
  /** It reaches other processes. */
  readonly shared: boolean
  /**
   * This instance is there, from its plugin's `start()` to its `stop()`. Called before the first tick. Gives the pauses in
   * force; `self.pausesChanged()` is called with all of them whenever they change.
   */
  join(self: FleetSelf): Maybe<readonly Pause[]>
  /** The instances that are there, the oldest first. */
  members(): Maybe<readonly Member[]>
  /** Keeps a pause until it is resumed or over. It may be called again before it has answered: the last call counts. */
  pause(pause: Pause): Maybe<void>
  /** Ends the pause of a job; of all jobs without a name. */
  resume(job: string | undefined): Maybe<void>
  /**
   * Keeps the pause of a job that starts paused, unless the fleet has paused or resumed this job before. Gives the one in
   * force.
   */
  proposePause(pause: Pause): Maybe<Pause | undefined>
  /** Gives a command to the instance that can carry it out, and waits for its answer: at most 5 s. */
  send(command: Command): Maybe<CommandAnswer>
  /** Keeps for 30 days what has happened to an instance. */
  tell?(event: FleetEvent): Maybe<void>
  /** What has happened to instances, newest first. */
  events?(query: FleetEventQuery): Maybe<readonly FleetEvent[]>
}

/** What a fleet asks of this instance. */
export interface FleetSelf {
  readonly instance: string
  /** How it stands now. Asked at each heartbeat. */
  describe(): MemberFacts
  pausesChanged(pauses: readonly Pause[]): void
  /** Carries a command out, if it is for this instance. */
  command(command: Command): CommandAnswer
}

/** A job that is paused, or all of them. */
export interface Pause extends Asked {
  /** Undefined: all jobs, also those that are registered later. */
  readonly job: string | undefined
  /** When it was paused. */
  readonly at: Date
  /** When it ends by itself. Undefined: when it is resumed. */
  readonly until?: Date
}

/** How an instance describes itself. */
export interface MemberFacts {
  readonly host: string
  readonly pid: number
  /** The scheduler's `version`: that of the app. */
  readonly version: string | undefined
  /** The scheduler's `roles`. Undefined: all. */
  readonly roles: readonly string[] | undefined
  readonly startedAt: Date
  /** The longest the event loop was blocked since the heartbeat before, in ms. */
  readonly lag: number
  /** Runs under way, at most 100. */
  readonly runs: readonly { readonly id: string; readonly job: string }[]
  /** The jobs it runs, each with the digest of its schedule. */
  readonly jobs: Readonly<Record<string, string>>
}

/** An instance of the app. */
export interface Member extends MemberFacts {
  readonly instance: string
  /** When it was last seen alive, by the fleet's clock. */
  readonly seenAt: Date
  /** How far its clock is ahead of the fleet's, in ms; undefined when that is not known. */
  readonly skew: number | undefined
}

/** What one instance asks of another. */
export interface Command extends Asked {
  readonly id: string
  readonly kind: 'cancel'
  /** The id of the run. */
  readonly run: string
}

/** `unknown`: no instance that was reached has such a run under way. `done`: it is carried out. */
export type CommandAnswer = 'done' | 'unknown'

/** Something that has happened to an instance. `lost`: its heartbeats have ended, and others have noticed. */
export interface FleetEvent {
  readonly at: Date
  readonly instance: string
  readonly kind: 'started' | 'stopped' | 'lost' | 'lock-unavailable' | 'lock-available'
  readonly note?: string
}

export interface FleetEventQuery {
  from?: Date | number
  until?: Date | number
  /** At most this many. Default 100. */
  limit?: number
}
