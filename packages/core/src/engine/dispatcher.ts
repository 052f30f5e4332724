import { LATE } from '../chain/missed.ts'
import { Dependents } from '../jobs/dependents.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Registry } from '../jobs/registry.ts'
import type { ActiveRun } from '../run/active-run.ts'
import { loadWatermarks, missedRange } from '../timetable/catch-up.ts'
import type { DueTick } from '../timetable/parts.ts'
import { Timetable } from '../timetable/timetable.ts'
import { Watchdog } from '../timetable/watchdog.ts'
import { isManual } from '../triggers/index.ts'
import { nameOf } from '../triggers/step.ts'
import type { Replaced } from '../types/index.ts'
import type { AskedRuns } from './asked-runs.ts'
import type { EngineContext } from './context.ts'
import type { Engine, JobRun } from './engine.ts'

/** Ends a scheduler, and tells after which instant (ms) each of its jobs goes on: no tick is lost, none is run twice. */
function handOver(replaced: Replaced, now: number): Map<string, number> {
  const left = new Map<string, number>()
  for (const { name, next } of replaced.jobs()) if (next) left.set(name, Math.min(next.getTime() - 1, now))
  void replaced.stop()
  return left
}

/** Between timetable and engine: which tick becomes which run, and which runs follow the end of one. */
export class Dispatcher {
  /** Whether the wait for the next tick keeps the process. */
  keepAlive = true
  readonly #engine: Engine
  readonly #context: EngineContext
  readonly #registry: Registry
  readonly #timetable: Timetable
  readonly #dependents: Dependents
  readonly #watchdog: Watchdog
  readonly #asked: AskedRuns
  #state: 'idle' | 'open' | 'closed' = 'idle'
  /** How often it was opened or closed. */
  #turns = 0

  constructor(engine: Engine, registry: Registry, asked: AskedRuns) {
    const { context } = engine
    this.#asked = asked
    this.#engine = engine
    this.#context = context
    this.#registry = registry
    this.#dependents = new Dependents(registry)
    this.#timetable = new Timetable({
      context,
      jobs: () => (this.#state === 'open' ? registry.here() : []),
      maxSleep: () => this.#watchdog.maxSleep,
      keepAlive: () => this.keepAlive,
      fire: (tick) => this.#fire(tick),
      onWake: () => this.#watchdog.check(registry.here()),
      onStep: (by) => {
        context.log.warn({ by_ms: Math.round(by) }, 'the wall clock has moved')
        context.events.emit('clock-step', { by })
      },
      onBack: () => void this.#lowerWatermarks(),
      onTrigger: (job, error) => this.#logTrigger(job, error),
      onExhausted: (job, after) => this.#logExhausted(job, after),
    })
    this.#watchdog = new Watchdog(context, this.#timetable)
    engine.onSettled = (run) => this.#settled(run)
  }

  /** @throws ERR_ESCAPEMENT_CYCLE, ERR_ESCAPEMENT_JOB_UNKNOWN */
  check(): void {
    this.#dependents.check()
  }

  /** Arms all jobs: where the scheduler that is replaced or a durable store has left them, or from now on. */
  async open(replaced?: Replaced): Promise<void> {
    const { store } = this.#context
    const turn = ++this.#turns
    const watermarks = store.jobs && (await loadWatermarks(this.#context, [...this.#registry.here()]))
    // Closed while the store was asked.
    if (turn !== this.#turns) return
    this.#state = 'open'
    const now = this.#context.now()
    const left = replaced && handOver(replaced, now)
    for (const job of this.#registry.here())
      this.#arm(job, left?.get(job.name) ?? watermarks?.get(job) ?? now)
    this.#timetable.start()
    this.#asked.open()
  }

  /** Takes no more ticks. */
  close(): void {
    this.#turns++
    this.#state = 'closed'
    this.#timetable.stop()
    this.#asked.close()
    for (const job of this.#registry.all()) this.#timetable.disarm(job)
  }

  add(job: JobEntry): void {
    this.#watchdog.add(job)
    this.#dependents.add(job)
    this.#asked.madeRoom()
    if (this.#state !== 'open' || !job.here) return
    this.#timetable.notice()
    this.#timetable.arm(job, this.#context.now())
    if (this.#context.store.jobs) void this.#catchUp(job)
  }

  remove(job: JobEntry): void {
    this.#timetable.remove(job)
  }

  /** A plugin has set the wall clock. */
  clockSet(): void {
    this.#timetable.clockSet()
  }

  /** Arms a job where it was left. Missed ticks that do not run are one record. */
  #arm(job: JobEntry, after: number): void {
    const now = this.#context.now()
    try {
      const missed = after < now ? missedRange(job, Math.max(after, job.decided), now) : undefined
      if (missed) {
        const parts = { superseded: true, until: new Date(missed.until) }
        this.#engine.fire({ job, cause: 'catch-up', at: missed.at, wall: now, parts })
      }
      this.#timetable.arm(job, missed?.until ?? after)
    } catch (error) {
      this.#timetable.failed(job, error)
      this.#timetable.arm(job, now)
    }
  }

  /** For a job that came when the scheduler was running already. */
  async #catchUp(job: JobEntry): Promise<void> {
    const after = (await loadWatermarks(this.#context, [job])).get(job)
    if (after !== undefined && this.#armable(job)) this.#arm(job, after)
  }

  #armable(job: JobEntry): boolean {
    return this.#state === 'open' && this.#registry.find(job.name) === job
  }

  #logTrigger({ name }: JobEntry, error: unknown): void {
    const { log } = this.#context
    if (error === undefined) log.info({ job: name }, `the trigger of ${name} gives instants again`)
    else this.#context.report(error, { source: 'trigger', job: name })
  }

  #logExhausted(job: JobEntry, after: number): void {
    const { name, trigger } = job
    if (isManual(trigger) || trigger.follows) return
    // What was never due here is more likely to be a slip.
    const level = job.decided === -Infinity ? 'warn' : 'info'
    const why = `its trigger (${nameOf(trigger)}) has no instant after ${new Date(after).toISOString()}`
    this.#context.log[level]({ job: name }, `${name} will not run any more: ${why}`)
  }

  /** What was written to a durable store while the clock was ahead would hide ticks until then. */
  async #lowerWatermarks(): Promise<void> {
    if (this.#context.store.jobs) await loadWatermarks(this.#context, [...this.#registry.here()])
  }

  /** All missed ticks run under `missed: 'all'`, but one after the other: the next waits for the run returned. */
  #fire({ job, at, wall, parts }: DueTick): ActiveRun | undefined {
    const late = parts.superseded || wall - at - job.spread > LATE
    const run = this.#engine.fire({ job, cause: late ? 'catch-up' : 'schedule', at, wall, parts })
    return parts.superseded && job.policies.missed === 'all' && !run.ended ? run : undefined
  }

  #settled(run: JobRun): void {
    const { job, at } = run
    for (const dependent of this.#dependents.of(run)) this.#follow(dependent, run)
    // The clock may have been set back meanwhile.
    if (this.#timetable.endWait(job, run) && this.#armable(job))
      this.#timetable.arm(job, Math.min(at, this.#context.now()))
  }

  #follow(job: JobEntry, parent: JobRun): void {
    const parts = { fold: parent.parts.fold ?? 0 }
    const origin = { job, cause: 'after', at: parent.at, wall: this.#context.now(), parts, parent } as const
    if (this.#state === 'closed') this.#engine.record(origin, 'skipped')
    else this.#engine.fire(origin)
  }
}
