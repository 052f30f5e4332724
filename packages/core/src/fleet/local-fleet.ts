import type { Fleet, FleetEvent, FleetSelf, Job, Pause, PauseInfo, Store } from '../types/index.ts'

/** The most events of this instance that are kept. */
const MAX_EVENTS = 1_000

interface LocalFleetParts {
  readonly store: Store
  /** Wall time in ms. */
  now(): number
}

/** A fleet of one: this process. Pauses are kept by a durable store, where there is one. */
export function localFleet({ store, now }: LocalFleetParts): Fleet {
  const events: FleetEvent[] = []
  const pauses = new Map<Pause['job'], Pause>()
  let self: FleetSelf | undefined
  const keep = (job: Job['name'] | undefined, info: PauseInfo | undefined) =>
    job === undefined ? undefined : store.jobs?.pause(job, info)
  return {
    shared: false,
    join(joined) {
      self = joined
      return [...pauses.values()]
    },
    members: () => {
      const at = new Date(now())
      return self ? [{ ...self.describe(), instance: self.instance, seenAt: at, skew: 0 }] : []
    },
    pause(pause) {
      pauses.set(pause.job, pause)
      const { job, at: _, ...info } = pause
      return keep(job, info)
    },
    resume(job) {
      pauses.delete(job)
      return keep(job, undefined)
    },
    proposePause: (pause) => pause,
    send: () => 'unknown',
    tell(event) {
      events.push(event)
      if (events.length > MAX_EVENTS) events.shift()
    },
    events({ from = -Infinity, until = Infinity, limit = 100 }) {
      return events
        .filter(({ at }) => at.getTime() >= Number(from) && at.getTime() < Number(until))
        .toReversed()
        .slice(0, limit)
    },
  }
}
