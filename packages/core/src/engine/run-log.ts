import { bindings, silent } from '../log/logger.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { RunnableJob } from '../run/runnable-job.ts'
import { countTicks } from '../timetable/catch-up.ts'
import type { Clock, Logger, Outcome } from '../types/index.ts'

/** Ticks that are counted one by one for a warning: counting must not block the loop at a start with 1,000 jobs. */
const MAX_COUNTED_TICKS = 10_000
/** Jobs that a warning names. */
const MAX_NAMED_JOBS = 10

const LEVELS: Record<Outcome, keyof Logger> = {
  succeeded: 'info',
  failed: 'error',
  'timed-out': 'error',
  abandoned: 'error',
  'lease-lost': 'error',
  cancelled: 'warn',
  skipped: 'debug',
  missed: 'debug',
}

/** Writes one line a run, and one for a row of missed ticks. */
export class RunLog {
  readonly #log: Logger
  readonly #clock: Clock
  /** Missed ticks of jobs that may miss more, and those to be written. */
  readonly #missed = new Map<RunnableJob, number>()
  readonly #complete = new Map<RunnableJob, number>()
  #countable = MAX_COUNTED_TICKS

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** A run is on its way: the row of missed ticks before it is complete. */
  due(run: ActiveRun): void {
    if (this.#missed.size > 0 && !run.parts.superseded) this.#completeRow(run.job)
  }

  began(run: ActiveRun): void {
    if (this.#log.debug !== silent) this.#log.debug(bindings(run), `${run.job.name} running`)
  }

  ended(run: ActiveRun, outcome: Outcome): void {
    if (outcome === 'missed') {
      this.#missed.set(run.job, (this.#missed.get(run.job) ?? 0) + this.#ticksOf(run))
      if (!run.parts.superseded) this.#completeRow(run.job)
    }
    const level = LEVELS[outcome]
    if (this.#log[level] === silent) return
    const fields = bindings(run)
    fields.outcome = outcome
    fields.cause = run.cause
    if (run.attempt > 0) {
      fields.attempt = run.attempt
      fields.duration_ms = Math.round(run.duration)
    }
    if (run.reason) fields.reason = run.reason
    if (level === 'error' && run.traceUrl) fields.trace_url = run.traceUrl
    if (run.error !== undefined) fields.error = run.error
    this.#log[level](fields, `${run.job.name} ${outcome}`)
  }

  /** A record may stand for many ticks. A long downtime of a busy job is not counted to its end. */
  #ticksOf({ job, at, parts }: ActiveRun): number {
    if (!parts.until) return 1
    const ticks = countTicks(job.trigger, at, parts.until.getTime(), Math.max(1, this.#countable))
    this.#countable -= ticks
    return ticks
  }

  #completeRow(job: RunnableJob): void {
    const missed = this.#missed.get(job)
    if (!missed) return
    this.#missed.delete(job)
    if (this.#complete.size === 0) this.#clock.setImmediate(this.#warn)
    this.#complete.set(job, missed)
  }

  /** A blocked loop meets all jobs: a line for each of thousands would block it again. */
  #warn = (): void => {
    const rows = [...this.#complete]
    const about = this.#countable > 0 ? '' : 'at least '
    this.#countable = MAX_COUNTED_TICKS
    this.#complete.clear()
    if (rows.length <= MAX_NAMED_JOBS) {
      for (const [{ name }, missed] of rows) {
        this.#log.warn({ job: name, missed }, `${name} missed ${about}${missed} tick${missed > 1 ? 's' : ''}`)
      }
      return
    }
    const missed = rows.reduce((sum, [, ticks]) => sum + ticks, 0)
    const jobs = rows.slice(0, MAX_NAMED_JOBS).map(([{ name }]) => name)
    this.#log.warn({ jobs, missed }, `${rows.length} jobs missed ${about}${missed} ticks`)
  }
}
