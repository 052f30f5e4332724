import { LATE } from '../chain/missed.ts'
import { Followers } from '../jobs/dependents.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { RunParts } from '../run/snapshot.ts'
import { backlog, recall } from '../timetable/catch-up.ts'
import { Timetable } from '../timetable/timetable.ts'
import { Watch } from '../timetable/watchdog.ts'
import { isManual } from '../triggers/index.ts'
import { nameOf } from '../triggers/step.ts'
import type { Replaced } from '../types/scheduler.ts'
import type { Engine } from './engine.ts'

/** Ends a scheduler, and tells after which instant (ms) each of its jobs goes on: no tick is lost, none is run twice. */
function handOver(replaced: Replaced, now: number): Map<string, number> {
  const left = new Map<string, number>()
  for (const { name, next } of replaced.jobs()) if (next) left.set(name, Math.min(next.getTime() - 1, now))
  void replaced.stop()
  return left
}

/** Between timetable and engine: which tick becomes which run, and what the end of a run lets go. */
export class Dispatch {
  /** Whether the wait for the next tick keeps the process. */
  keepAlive = true
  readonly #engine: Engine
  readonly #registry: Registry
  readonly #timetable: Timetable
  readonly #followers: Followers
  readonly #watch: Watch
  #state: 'idle' | 'open' | 'closed' = 'idle'
  /** How often it was opened or closed. */
  #turns = 0

  constructor(engine: Engine, registry: Registry) {
    this.#engine = engine
    this.#registry = registry
    this.#followers = new Followers(registry)
    this.#timetable = new Timetable({
      clock: engine.clock,
      now: () => engine.now(),
      jobs: () => (this.#state === 'open' ? registry.all() : []),
      look: () => engine.wallClock.look(),
      nap: () => this.#watch.nap,
      keepAlive: () => this.keepAlive,
      headStart: (job, at, now) => engine.headStart(job, at, now),
      fire: (job, at, wall, parts) => this.#fire(job, at, wall, parts),
      onWake: () => this.#watch.look(registry.all()),
      onStep: (by) => {
        engine.log.warn({ by_ms: Math.round(by) }, 'the wall clock has moved')
        engine.events.emit('clock-step', { by })
      },
      onBack: () => void this.#lowerWatermarks(),
      onTrigger: (job, error) => this.#tellTrigger(job, error),
      onExhausted: (job, after) => this.#tellExhausted(job, after),
    })
    this.#watch = new Watch(engine, this.#timetable)
    engine.onClockSet = () => this.#timetable.clockSet()
    engine.onSettled = (run) => this.#settled(run)
  }

  /** @throws ERR_ESCAPEMENT_CYCLE, ERR_ESCAPEMENT_JOB_UNKNOWN */
  check(): void {
    this.#followers.check()
  }

  /** Arms all jobs: where the scheduler that is replaced or a durable store has left them, or from now on. */
  async open(replaced?: Replaced): Promise<void> {
    const { store } = this.#engine
    const turn = ++this.#turns
    const watermarks = store.jobs && (await recall(this.#engine, [...this.#registry.all()]))
    // Closed while the store was asked.
    if (turn !== this.#turns) return
    this.#state = 'open'
    const now = this.#engine.now()
    const left = replaced && handOver(replaced, now)
    for (const job of this.#registry.all()) this.#arm(job, left?.get(job.name) ?? watermarks?.get(job) ?? now)
    this.#timetable.start()
  }

  /** Takes no more ticks. */
  close(): void {
    this.#turns++
    this.#state = 'closed'
    this.#timetable.stop()
    for (const job of this.#registry.all()) this.#timetable.disarm(job)
  }

  add(job: JobEntry): void {
    this.#watch.add(job)
    this.#followers.add(job)
    if (this.#state !== 'open') return
    this.#timetable.notice()
    this.#timetable.arm(job, this.#engine.now())
    if (this.#engine.store.jobs) void this.#catchUp(job)
  }

  remove(job: JobEntry): void {
    this.#timetable.remove(job)
  }

  /** Arms a job where it was left. Missed ticks that are not to be run are told of together. */
  #arm(job: JobEntry, after: number): void {
    const engine = this.#engine
    const now = engine.now()
    try {
      const lost = after < now ? backlog(job, Math.max(after, job.decided), now) : undefined
      if (lost) {
        const until = new Date(lost.until)
        engine.fire(job, 'catch-up', lost.at, { superseded: true, until })
      }
      this.#timetable.arm(job, lost?.until ?? after)
    } catch (error) {
      this.#timetable.failed(job, error)
      this.#timetable.arm(job, now)
    }
  }

  /** For a job that came when the scheduler was running already. */
  async #catchUp(job: JobEntry): Promise<void> {
    const after = (await recall(this.#engine, [job])).get(job)
    if (after !== undefined && this.#armable(job)) this.#arm(job, after)
  }

  #armable(job: JobEntry): boolean {
    return this.#state === 'open' && this.#registry.find(job.name) === job
  }

  #tellTrigger({ name }: JobEntry, error: unknown): void {
    const engine = this.#engine
    if (error === undefined) engine.log.info({ job: name }, `the trigger of ${name} gives instants again`)
    else engine.report(error, { source: 'trigger', job: name })
  }

  #tellExhausted(job: JobEntry, after: number): void {
    const { name, trigger } = job
    if (isManual(trigger) || trigger.follows) return
    // What was never due here is more likely to be a slip.
    const level = job.decided === -Infinity ? 'warn' : 'info'
    const why = `its trigger (${nameOf(trigger)}) has no instant after ${new Date(after).toISOString()}`
    this.#engine.log[level]({ job: name }, `${name} will not run any more: ${why}`)
  }

  /** What a durable store was told while the clock was ahead would hide ticks until then. */
  async #lowerWatermarks(): Promise<void> {
    if (this.#engine.store.jobs) await recall(this.#engine, [...this.#registry.all()])
  }

  /** True: the job is armed again when the run has ended. */
  #fire(job: JobEntry, at: number, wall: number, parts: RunParts): boolean {
    const late = parts.superseded || wall - at - job.spread > LATE
    const run = this.#engine.fire(job, late ? 'catch-up' : 'schedule', at, parts, undefined, wall)
    // All missed ticks run, but one after the other.
    if (!parts.superseded || job.policies.missed !== 'all' || run.ended) return false
    job.awaits = run
    return true
  }

  #settled(run: ActiveRun): void {
    const { job, at, parts } = run
    for (const follower of this.#followers.of(run)) {
      const own = { fold: parts.fold ?? 0 }
      if (this.#state === 'closed') this.#engine.refuse(follower, 'after', at, own, run)
      else this.#engine.fire(follower, 'after', at, own, run)
    }
    if (job.awaits !== run) return
    job.awaits = undefined
    // The clock may have been set back meanwhile.
    if (this.#armable(job)) this.#timetable.arm(job, Math.min(at, this.#engine.now()))
  }
}
