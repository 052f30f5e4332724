import type { Fleet, FleetEvent, FleetSelf, Pause } from '../types/index.ts'

/** The most events of this instance that are kept. */
const MAX_EVENTS = 1_000

/** A fleet of one: this process. @param now Wall time in ms. */
export function localFleet(now: () => number): Fleet {
  const events: FleetEvent[] = []
  const pauses = new Map<Pause['job'], Pause>()
  let self: FleetSelf | undefined
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
    },
    resume(job) {
      pauses.delete(job)
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
