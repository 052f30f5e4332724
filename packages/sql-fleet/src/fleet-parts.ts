import type { Host, Maybe, Store } from '@escapement/core'
import type { Backend } from './backend.ts'
import type { FleetSettings } from './options.ts'
import type { Sql } from './sql.ts'

/** The store of a SQL backend. */
export interface SqlStore extends Store {
  /** When the newest run that is kept began, in ms. */
  newest(): Maybe<number | undefined>
  /** Removes claims that are too old at `now`. `catchUpWindow` is the longest of all jobs, in ms. */
  prune(now: number, catchUpWindow: number): Promise<void> | void
  /** Makes days of at most `limit` counters by hour that are older than `before`, in one transaction; how many there were. */
  compact(before: number, limit: number): Maybe<number>
}

/** What makes the plugin of a SQL backend. */
export interface FleetParts {
  readonly backend: Backend
  readonly settings: FleetSettings
  readonly store: SqlStore
  /** Opens the database, before the first heartbeat. */
  open(host: Host): Promise<void> | void
  /** After the first heartbeat and before the first tick. */
  opened?(): Promise<void> | void
  readonly sql: Sql
  /** The database's time in ms, as an expression. Undefined where it has no clock of its own. */
  readonly sqlNow?: string
  /** After each heartbeat that was written. */
  onHeartbeat?(): Promise<void> | void
  /**
   * What is wrong with the database, in one line, for a backend that writes its own lines when that begins and ends. The
   * fleet writes none then.
   */
  trouble?(): string | undefined
  /** False while nothing can be claimed, whatever the heartbeat says. */
  usable?(): boolean
  /** Writes the records that wait. */
  flush(): Promise<void> | void
  /** As `flush()`, then closes what is the plugin's. */
  close(): Promise<void> | void
  /** Given to a scheduler. */
  attached?(host: Host): void
}
