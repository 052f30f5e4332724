import type { Plugin } from '@escapement/core'
import type { Code } from './load.ts'
import type { Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Fault, Plan } from './plan.ts'
import type { World } from './world.ts'

/** What the instances of a fleet share: servers, a file, a database. */
export interface Shared {
  readonly stores: readonly Stored[]
  /** Makes the plugin of an instance. */
  join(machine: Machine): Access
  /** Lets happen what goes wrong with it. */
  apply(fault: Fault): void | Promise<void>
  /** The simulation is over. */
  close?(): void | Promise<void>
}

/** What one instance has of it. */
export interface Access {
  readonly plugin: Plugin
  /** The process has begun. */
  connect?(): void
  /** The scheduler has stopped. */
  disconnect?(): void
  /** The process is gone. */
  abandon(): void
}

/** What the checker asks of a server or a file. */
export interface Stored {
  readonly name: string
  /** How much it holds. */
  readonly keys: number
  /** How often it has lost what it had acknowledged. */
  readonly losses: number
  /** When, where a promise may be broken then. */
  readonly lostAt?: readonly number[]
  /** When, where promises about starts hold all the same: only words about runs may be lost. */
  readonly forgotAt?: readonly number[]
  /** In the end: the state of each claim, by its tick. */
  readonly claims?: ReadonlyMap<string, string>
}

export interface Setting {
  readonly code: Code
  readonly world: World
  readonly network: Network
  readonly plan: Plan
  /** Ends a process, from within. */
  kill(name: string): void
}

export type Share = (setting: Setting) => Shared | Promise<Shared>
