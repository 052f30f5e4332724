import type { Engine } from '../engine/engine.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import { detached } from '../run/context.ts'
import type { WallClock } from '../timetable/wall-clock.ts'
import type { Clock, Host } from '../types/index.ts'

export interface HostParts {
  readonly engine: Engine
  readonly registry: Registry
  readonly timezone: string
  /** A plugin has set the wall clock. */
  onClockSet(): void
}

/** What plugins see of a scheduler. */
export function createHost({ engine, registry, timezone, onClockSet }: HostParts): Host {
  const { context } = engine
  return {
    instance: context.instance,
    timezone,
    clock: clockOf(context),
    log: context.log,
    store: context.store,
    on: context.events.on,
    emit: context.events.emit,
    jobs: () => [...registry.here()],
    job: (name) => findHere(registry, name),
    rerun: (tick, given) => {
      const job = findHere(registry, tick.job)
      const claim = context.guardClaim(given)
      if (!job) return void claim.release()
      const parts = { fold: tick.fold ?? 0, claim }
      const at = tick.scheduledAt.getTime()
      detached(() => engine.fire({ job, cause: 'rerun', at, wall: context.now(), parts }))
    },
    abandon: ({ job: name, scheduledAt, fold = 0 }, { cause = 'schedule', ...abandoned }) => {
      // A run is lost also when its job is gone by now.
      const job = registry.find(name) ?? registry.standIn(name)
      if (!job) return
      const parts = { fold, abandoned }
      engine.record({ job, cause, at: scheduledAt.getTime(), wall: context.now(), parts }, 'abandoned')
    },
    adjustClock: (offset) => {
      const followed = context.wallClock.adjust(offset)
      if (followed) onClockSet()
      return followed
    },
  }
}

/** A job that this instance runs. */
function findHere(registry: Registry, name: string): JobEntry | undefined {
  const job = registry.find(name)
  return job?.here ? job : undefined
}

/** The machine's clock, without what is no time. */
function clockOf({ clock, wallClock }: { clock: Clock; wallClock: WallClock }): Clock {
  return {
    now: () => wallClock.machine(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (timer) => clock.clearTimeout(timer),
    setImmediate: (callback) => clock.setImmediate(callback),
  }
}
