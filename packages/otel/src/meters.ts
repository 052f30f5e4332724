import type { Host, Run } from '@escapement/core'
import { type Counter, type Histogram, metrics, type ObservableUpDownCounter } from '@opentelemetry/api'
import { errorType, failed } from './attributes.ts'

/** Upper bounds in seconds: from jobs of milliseconds to those of hours. */
const BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600]

interface Instruments {
  duration: Histogram
  delay: Histogram
  skipped: Counter
  missed: Counter
  active: ObservableUpDownCounter
}

/** Metrics of runs. Labels are names of jobs, outcomes and reasons: never ids. */
export class Meters {
  readonly #hosts = new Set<Host>()
  #provider: unknown
  #instruments: Instruments | undefined

  /** Meters made before the SDK came stay empty, unlike tracers: so they are made here, and made again. */
  start(host: Host): void {
    this.#hosts.add(host)
    this.#current()
  }

  stop(host: Host): void {
    this.#hosts.delete(host)
  }

  running(run: Run): void {
    if (run.requested) return
    this.#current().delay.record(run.late / 1000, { 'job.name': run.job.name })
  }

  settled(run: Run): void {
    const { duration, skipped, missed } = this.#current()
    const name = run.job.name
    if (run.outcome === 'missed') missed.add(1, { 'job.name': name })
    else if (run.outcome === 'skipped') skipped.add(1, { 'job.name': name, 'job.skip.reason': run.reason })
    else if (run.attempt > 0) {
      const labels = { 'job.name': name, 'job.outcome': run.outcome }
      duration.record(
        run.duration / 1000,
        failed(run) ? { ...labels, 'error.type': errorType(run.error) } : labels,
      )
    }
  }

  #current(): Instruments {
    const provider = metrics.getMeterProvider()
    if (this.#instruments && provider === this.#provider) return this.#instruments
    this.#provider = provider
    this.#instruments?.active.removeCallback(this.#observe)
    const meter = provider.getMeter('@escapement/otel')
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: BUCKETS } }
    this.#instruments = {
      duration: meter.createHistogram('job.run.duration', {
        ...seconds,
        description: 'How long runs took, from the first attempt to the outcome',
      }),
      delay: meter.createHistogram('job.run.delay', {
        ...seconds,
        description: 'How long after their instant runs were started',
      }),
      skipped: meter.createCounter('job.run.skipped', {
        unit: '{run}',
        description: 'Ticks not run, by reason',
      }),
      missed: meter.createCounter('job.run.missed', {
        unit: '{run}',
        description: 'Ticks that came too late',
      }),
      active: meter.createObservableUpDownCounter('job.run.active', {
        unit: '{run}',
        description: 'Runs under way',
      }),
    }
    this.#instruments.active.addCallback(this.#observe)
    return this.#instruments
  }

  readonly #observe: Parameters<ObservableUpDownCounter['addCallback']>[0] = (result) => {
    for (const host of this.#hosts) {
      for (const job of host.jobs()) result.observe(job.running, { 'job.name': job.name })
    }
  }
}
