import type { Run } from '@escapement/core'
import { OUTCOMES, SKIP_REASONS } from '@escapement/core/plugin'
import { Counter, Histogram, type Registry } from 'prom-client'
import type { Settings } from './options.ts'
import type { JobState } from './state.ts'

/** What is counted as runs go by. What can be looked up is looked up at the scrape: see gauges.ts. */
export class Families {
  readonly #exemplars: boolean
  readonly #duration: Histogram<'job_name'>
  readonly #delay: Histogram<'job_name'>
  readonly #runs: Counter<'job_name' | 'outcome'>
  readonly #skipped: Counter<'job_name' | 'reason'>
  readonly #errors: Counter<'source'>

  constructor({ registry, exemplars, buckets }: Settings) {
    this.#exemplars = exemplars
    const registers = [registry as Registry]
    const enableExemplars = exemplars
    this.#duration = new Histogram({
      name: 'scheduler_job_run_duration_seconds',
      help: 'How long runs took, from the first attempt to the outcome.',
      labelNames: ['job_name'],
      buckets,
      registers,
      enableExemplars,
    })
    this.#delay = new Histogram({
      name: 'scheduler_job_run_delay_seconds',
      help: 'How long after their instant runs were started.',
      labelNames: ['job_name'],
      buckets,
      registers,
    })
    this.#runs = new Counter({
      name: 'scheduler_job_runs_total',
      help: 'Runs that ended and ticks that were decided without one, by outcome.',
      labelNames: ['job_name', 'outcome'],
      registers,
      enableExemplars,
    })
    this.#skipped = new Counter({
      name: 'scheduler_job_ticks_skipped_total',
      help: 'Ticks that were skipped, by reason.',
      labelNames: ['job_name', 'reason'],
      registers,
    })
    this.#errors = new Counter({
      name: 'scheduler_errors_total',
      help: 'Faults of hooks, listeners, triggers and stores. They ended no run.',
      labelNames: ['source'],
      registers,
    })
  }

  /** All series of a job at zero: the first increase is seen only if something came before it. */
  add({ name }: JobState): void {
    const labels = { job_name: name }
    this.#duration.zero(labels)
    this.#delay.zero(labels)
    for (const outcome of OUTCOMES) this.#increase({ ...labels, outcome }, 0)
    for (const reason of SKIP_REASONS) this.#skipped.inc({ ...labels, reason }, 0)
  }

  remove({ name }: JobState): void {
    const labels = { job_name: name }
    this.#duration.remove(labels)
    this.#delay.remove(labels)
    for (const outcome of OUTCOMES) this.#runs.remove({ ...labels, outcome })
    for (const reason of SKIP_REASONS) this.#skipped.remove({ ...labels, reason })
  }

  began(run: Run): void {
    if (!run.requested) this.#delay.observe({ job_name: run.job.name }, run.late / 1000)
  }

  ended(run: Run): void {
    const labels = { job_name: run.job.name }
    const exemplarLabels = this.#exemplars ? exemplar(run) : undefined
    this.#increase({ ...labels, outcome: run.outcome as string }, 1, exemplarLabels)
    if (run.reason) this.#skipped.inc({ ...labels, reason: run.reason })
    if (run.attempt === 0) return
    const value = run.duration / 1000
    if (this.#exemplars) this.#duration.observe(withExemplar(labels, value, exemplarLabels))
    else this.#duration.observe(labels, value)
  }

  fault(source: string): void {
    this.#errors.inc({ source })
  }

  #increase(
    labels: { job_name: string; outcome: string },
    value: number,
    exemplarLabels?: { trace_id: string },
  ): void {
    if (this.#exemplars) this.#runs.inc(withExemplar(labels, value, exemplarLabels))
    else this.#runs.inc(labels, value)
  }
}

/** For prom-client, whose types take the labels of an exemplar for those of the series. */
function withExemplar<L extends object>(labels: L, value: number, exemplarLabels?: { trace_id: string }) {
  return { labels, value, ...(exemplarLabels && { exemplarLabels: exemplarLabels as never }) }
}

/** The trace of a run, if it was sampled: the last bit of the flags of W3C Trace Context says so. */
function exemplar({ traceId, traceparent }: Run): { trace_id: string } | undefined {
  const sampled = traceparent && Number.parseInt(traceparent.slice(-2), 16) & 1
  return traceId && sampled ? { trace_id: traceId } : undefined
}
