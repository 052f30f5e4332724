import type { Clock, IncidentStore, Timer } from '@escapement/core'
import { answer, Repeat } from '@escapement/core/plugin'
import type { Incident, RunFacts } from '../types/index.ts'
import { type Ledger, reopen } from './ledger.ts'

export interface IncidentSyncParts {
  store: IncidentStore
  ledger: Ledger
  clock: Clock
  instance: string
  /** Whether an incident is of no use any more: its job is gone. */
  isLeft: (incident: Incident) => boolean
  /** An incident of the ledger was brought up to date. */
  onMerged: (incident: Incident) => void
  onError: (error: unknown) => void
}

/** Changes are written together after this time, in ms. */
const WRITE_DELAY_MS = 1000
/** Between two looks at what the other instances wrote, in ms. */
const SYNC_INTERVAL_MS = 30_000
/** How long an instance has for telling, in ms. */
const CLAIM_MS = 300_000
/** A store that takes longer for one piece of work counts as failed, in ms. */
const STORE_TIMEOUT_MS = 30_000

/**
 * Keeps the ledger in a store that other instances use too. Each write names the version it is based on;
 * where another instance was faster, both accounts are merged and written again.
 */
export class IncidentSync {
  readonly #parts: IncidentSyncParts
  readonly #dirty = new Set<Incident>()
  /** What the store knew of each incident when it was last read or written. */
  readonly #counted = new WeakMap<Incident, number>()
  #last: Promise<void> = Promise.resolve()
  #writing: Timer | undefined
  readonly #syncing = new Repeat(async () => {
    await this.sync()
    await this.write()
    return SYNC_INTERVAL_MS
  })
  #stopped = true
  /** The store failed, and has not worked since. */
  #trouble = false

  constructor(parts: IncidentSyncParts) {
    this.#parts = parts
  }

  /** Reads what is kept, and goes on doing so. */
  async start(): Promise<void> {
    this.#stopped = false
    await this.sync()
    if (!this.#stopped) this.#syncing.start(this.#parts.clock, SYNC_INTERVAL_MS)
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#syncing.stop()
    await this.write()
  }

  /** Takes over what other instances wrote. */
  sync(): Promise<void> {
    return this.#queued(async () => {
      const { ledger, store } = this.#parts
      const kept = new Map((await store.load()).map((incident: Incident) => [incident.key, revive(incident)]))
      for (const incident of [...ledger.all()]) {
        const found = kept.get(incident.key)
        kept.delete(incident.key)
        if (found && found.version > incident.version) this.#merge(incident, found)
        // Told to the end by another instance.
        if (!found && incident.version > 0) this.#lost(incident)
      }
      for (const incident of kept.values()) this.#adopt(incident)
      for (const incident of [...ledger.all()]) if (this.#parts.isLeft(incident)) ledger.forget(incident)
    })
  }

  /** An incident changed: it is written soon. */
  touch(incident: Incident): void {
    this.#dirty.add(incident)
    if (this.#writing || this.#stopped) return
    this.#writing = this.#parts.clock.setTimeout(() => {
      this.#writing = undefined
      void this.write()
    }, WRITE_DELAY_MS)
    this.#writing.unref?.()
  }

  /** Writes all changes now. */
  write(): Promise<void> {
    if (this.#writing) this.#parts.clock.clearTimeout(this.#writing)
    this.#writing = undefined
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    if (dirty.length === 0) return this.#last
    return this.#queued(
      async () => {
        for (const incident of dirty) await this.#save(incident)
      },
      () => {
        for (const incident of dirty) this.#dirty.add(incident)
      },
    )
  }

  remove(incident: Incident): void {
    this.#dirty.delete(incident)
    if (incident.version === 0) return
    void this.#queued(async () => {
      const { store, ledger } = this.#parts
      if (await store.remove(incident.key, incident.version)) return
      const [found] = await store.load(incident.key)
      // It came back on another instance meanwhile.
      if (found && !ledger.get(incident.key)) this.#adopt(revive(found))
    })
  }

  /** Those of the incidents that this instance may tell the channel of. All of them when the store fails. */
  async claim(incidents: Incident[], channel: string): Promise<Incident[]> {
    const { clock, instance } = this.#parts
    const mine: Incident[] = []
    await this.#queued(
      async () => {
        for (const incident of incidents) {
          const now = clock.now()
          if (this.heldByOther(incident, channel)) continue
          incident.claims[channel] = { by: instance, until: now + CLAIM_MS }
          this.#dirty.delete(incident)
          await this.#save(incident)
          if (incident.claims[channel]?.by === instance) mine.push(incident)
        }
      },
      () => {
        for (const incident of incidents) if (!mine.includes(incident)) mine.push(incident)
      },
    )
    return mine
  }

  heldByOther(incident: Incident, channel: string): boolean {
    const claim = incident.claims[channel]
    return claim !== undefined && claim.by !== this.#parts.instance && claim.until > this.#parts.clock.now()
  }

  async #save(incident: Incident): Promise<void> {
    const { store, ledger } = this.#parts
    for (let tries = 0; tries < 10; tries++) {
      if (ledger.get(incident.key) !== incident) return
      const copy = structuredClone(incident)
      copy.version++
      if (await store.save(copy)) {
        incident.version = copy.version
        this.#counted.set(incident, copy.count)
        return
      }
      const [found] = await store.load(incident.key)
      if (found) this.#merge(incident, revive(found))
      else this.#lost(incident)
    }
    throw new Error(`incident ${incident.key} is written by too many at once`)
  }

  /** Brings an incident of the ledger up to what is kept, without losing what happened here since. */
  #merge(mine: Incident, kept: Incident): void {
    const since = mine.count - (this.#counted.get(mine) ?? 0)
    const newer = mine.lastAt > kept.lastAt
    const lastAt = Math.max(mine.lastAt, kept.lastAt)
    const over = Math.max(mine.recoveredAt ?? 0, kept.recoveredAt ?? 0)
    for (const channel of new Set([...Object.keys(mine.told), ...Object.keys(kept.told)])) {
      const [a, b] = [mine.told[channel], kept.told[channel]]
      const told = a && (!b || a.at > b.at) ? a : b
      if (told) mine.told[channel] = told
    }
    mine.claims = kept.claims
    mine.count = kept.count + since
    mine.openedAt = Math.min(mine.openedAt, kept.openedAt)
    mine.firmAt = kept.firmAt ?? mine.firmAt
    mine.good = newer ? mine.good : Math.max(mine.good, kept.good)
    mine.types = [...new Set([...kept.types, ...mine.types])].slice(0, 5)
    mine.recoveredAt = over >= lastAt ? over : undefined
    mine.lastAt = lastAt
    if (mine.recoveredAt === undefined) reopen(mine)
    if (!newer) Object.assign(mine, { run: kept.run, errors: kept.errors, detail: kept.detail })
    mine.version = kept.version
    this.#counted.set(mine, kept.count)
    this.#parts.onMerged(mine)
  }

  /** Another instance has told it to the end. What happened here since is a new incident. */
  #lost(incident: Incident): void {
    const since = incident.count - (this.#counted.get(incident) ?? 0)
    if (since === 0) {
      incident.version = 0
      this.#parts.ledger.forget(incident)
      return
    }
    Object.assign(incident, { version: 0, count: since, openedAt: incident.lastAt, told: {}, claims: {} })
    this.#counted.set(incident, 0)
    this.#parts.onMerged(incident)
  }

  #adopt(incident: Incident): void {
    this.#counted.set(incident, incident.count)
    this.#parts.ledger.put(incident)
    this.#parts.onMerged(incident)
  }

  /** One after the other. A fault of the store is reported once an outage, and stops nothing. */
  #queued(work: () => Promise<void>, onError: () => void = () => {}): Promise<void> {
    const done = this.#last
      .then(() => answer(this.#parts.clock, work(), STORE_TIMEOUT_MS, 'the store'))
      .then(
        () => {
          this.#trouble = false
        },
        (error) => {
          onError()
          if (!this.#trouble) this.#parts.onError(error)
          this.#trouble = true
        },
      )
    this.#last = done
    return done
  }
}

/** Dates may come back as text. */
function revive(kept: Incident): Incident {
  const incident = structuredClone(kept)
  const date = (value: Date | undefined) => (value ? new Date(value) : undefined)
  const { run } = incident
  if (run) {
    const [startedAt, endedAt] = [date(run.startedAt), date(run.endedAt)]
    const scheduledAt = new Date(run.scheduledAt)
    incident.run = { ...run, scheduledAt, startedAt, endedAt } satisfies RunFacts
  }
  return incident
}
