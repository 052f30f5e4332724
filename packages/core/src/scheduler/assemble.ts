import { AskedRuns } from '../engine/asked-runs.ts'
import { Dispatcher } from '../engine/dispatcher.ts'
import type { Engine } from '../engine/engine.ts'
import { FleetMember } from '../fleet/fleet-member.ts'
import { Registry } from '../jobs/registry.ts'
import type { Life } from '../types/index.ts'
import { SchedulerJobs } from './job-controller.ts'
import type { Settings } from './options.ts'
import { systemClock } from './system-clock.ts'

/** The parts of a scheduler around its engine. */
export interface Parts {
  readonly member: FleetMember
  readonly registry: Registry
  readonly controller: SchedulerJobs
  readonly dispatcher: Dispatcher
}

/** Makes them. Some know each other: what is made later is given as a function. */
export function assemble(engine: Engine, settings: Settings, state: () => Life): Parts {
  const { timezone, dst, defaults, roles, clock } = settings
  const member = new FleetMember({
    engine,
    registry: () => registry,
    asked: () => asked,
    settings,
    real: clock === systemClock,
  })
  const controller = new SchedulerJobs({
    engine,
    member,
    registry: () => registry,
    dispatcher: () => dispatcher,
    asked: () => asked,
    state,
    timezone,
  })
  const asked = new AskedRuns({
    engine,
    find: (name) => registry.find(name),
    checked: (job, data) => controller.checked(job, data),
  })
  engine.asked = asked
  const registry = new Registry({
    controller,
    defaults: { timezone, dst, ...defaults },
    chainOf: (policies) => engine.chainOf(policies),
    roles,
  })
  const dispatcher = new Dispatcher(engine, registry, asked)
  return { member, registry, controller, dispatcher }
}
