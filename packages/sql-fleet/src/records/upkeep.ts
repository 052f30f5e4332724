import type { Clock } from '@escapement/core'
import type { SqlStore } from '../fleet-parts.ts'
import type { FleetSettings } from '../options.ts'
import type { Sql } from '../sql.ts'
import { pruneAudit } from './audit.ts'
import { pruneCounters } from './counters.ts'
import { Retention } from './retention.ts'

/** Between two removals of what is too old. */
const PRUNE_MS = 60_000
/** A wall clock that was not set by more than this for so long is believed: a day. */
const STEP_MS = 60_000
const TRUST_MS = 86_400_000

export interface UpkeepParts {
  readonly sql: Sql
  readonly store: SqlStore
  readonly settings: FleetSettings
  readonly clock: Clock
  /** Removes what else is too old at an instant, in ms. */
  also(now: number): Promise<void>
}

/** Removes what is too old, once a minute, by a clock that is believed: one that is ahead removes nothing. */
export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #retention: Retention
  #done = -Infinity
  /** Wall time at the zero of the monotonic clock, as far as it can be believed. */
  #epoch: number | undefined
  /** How far the wall clock is before the monotonic clock, and since when. */
  #steady = { offset: -Infinity, since: 0 }

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    this.#retention = new Retention(parts.sql, parts.settings)
  }

  /** @param catchUpWindow The longest of all jobs, in ms. */
  async round(catchUpWindow: number): Promise<void> {
    const { sql, store, clock } = this.#parts
    if (clock.monotonic() - this.#done < PRUNE_MS) return
    this.#done = clock.monotonic()
    const upTo = await this.#believed()
    await store.prune(upTo, catchUpWindow)
    await this.#retention.round(upTo)
    await pruneCounters(sql, upTo, (before, limit) => store.compact(before, limit))
    await pruneAudit(sql, upTo)
    await this.#parts.also(upTo)
  }

  async #believed(): Promise<number> {
    const { store, clock } = this.#parts
    const { monotonic, now } = { monotonic: clock.monotonic(), now: clock.now() }
    this.#epoch ??= Math.min(now, (await store.newest()) ?? now) - monotonic
    // After a downtime the newest record is old, and the clock is right. One that is ahead is set back within a day.
    const offset = now - monotonic
    if (Math.abs(offset - this.#steady.offset) > STEP_MS) this.#steady = { offset, since: monotonic }
    else if (monotonic - this.#steady.since >= TRUST_MS) this.#epoch = Math.max(this.#epoch, offset)
    return Math.min(now, this.#epoch + monotonic)
  }
}
