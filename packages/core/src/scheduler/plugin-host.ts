import type { Engine } from '../engine/engine.ts'
import type { Registry } from '../jobs/registry.ts'
import { detached } from '../run/context.ts'
import type { Clock, Host } from '../types/index.ts'

/** What plugins see of a scheduler. */
export function createHost(engine: Engine, registry: Registry, timezone: string): Host {
  return {
    instance: engine.instance,
    timezone,
    clock: clockOf(engine),
    log: engine.log,
    store: engine.store,
    on: engine.events.on,
    emit: engine.events.emit,
    jobs: () => [...registry.all()],
    job: (name) => registry.find(name),
    rerun: (tick, claim) => {
      const job = registry.find(tick.job)
      const at = tick.scheduledAt.getTime()
      claim = engine.take(claim)
      if (job) detached(() => engine.fire(job, 'rerun', at, { fold: foldOf(tick.id), claim }))
      else void claim.finish('abandoned')
    },
    abandon: ({ id, job: name, scheduledAt }, { trigger = 'schedule', ...abandoned }) => {
      const job = registry.find(name)
      const at = scheduledAt.getTime()
      if (job) engine.abandon(job, trigger, at, { fold: foldOf(id), abandoned })
    },
    adjustClock: (offset) => {
      const followed = engine.wallClock.adjust(offset)
      if (followed) engine.onClockSet()
      return followed
    },
  }
}

/** The machine's clock, without what is no time. */
function clockOf({ clock, wallClock }: Engine): Clock {
  return {
    now: () => wallClock.machine(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (timer) => clock.clearTimeout(timer),
    setImmediate: (callback) => clock.setImmediate(callback),
  }
}

/** How often the clock had been set back over the instant of a tick. */
function foldOf(tick: string): number {
  return Number(/~(\d+)$/.exec(tick)?.[1] ?? 1) - 1
}
