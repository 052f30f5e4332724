import { alerts } from '@escapement/alerts'
import { type Clock, createScheduler, type JobOptions, type Scheduler } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { type DemoJob, handlerOf } from './jobs.ts'
import type { World } from './work.ts'

export interface InstanceOptions {
  readonly file: string
  readonly name: string
  readonly version: string
  readonly world: World
  /** In the made-up past, where hours take no time: heartbeats are rare there. */
  readonly past?: boolean
}

const PAST = { heartbeat: '1h', lease: '2h', poll: '30m' } as const

/** One instance of the shop's fleet. They share a file. */
export function instance({ file, name, version, world, past = false }: InstanceOptions): Scheduler {
  const store = sqlite({ file, ...(past && PAST) })
  const nobody = { name: 'nobody', send: async () => {} }
  const incidents = alerts({
    channels: [nobody],
    watch: past ? '10m' : '15s',
    throttle: false,
    flush: '100ms',
  })
  return createScheduler({
    instance: name,
    version,
    timezone: 'UTC',
    plugins: brings(version) ? [store, incidents] : [store],
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ...(past && { clock: world.clock }),
  })
}

/** Alerts came with 4.2. */
const brings = (version: string) => version >= '4.2'

export function register(scheduler: Scheduler, jobs: Readonly<Record<string, DemoJob>>, world: World): void {
  for (const [name, job] of Object.entries(jobs)) {
    const { when, work: _, ...options } = job
    scheduler.job(name, when, options as JobOptions & { schema?: undefined }, handlerOf(job, world))
  }
}

/** A clock whose timers can be cut off: the process of the instance is killed. */
export class Mains implements Clock {
  #on = true
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  off(): void {
    this.#on = false
  }

  now = (): number => this.#clock.now()
  monotonic = (): number => this.#clock.monotonic()
  clearTimeout: Clock['clearTimeout'] = (timer) => this.#clock.clearTimeout(timer)
  setTimeout: Clock['setTimeout'] = (callback, ms) => this.#clock.setTimeout(() => this.#on && callback(), ms)
  setImmediate: Clock['setImmediate'] = (callback) => this.#clock.setImmediate(() => this.#on && callback())
}
