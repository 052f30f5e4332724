import { Gauge, type Registry } from 'prom-client'
import type { Settings } from './options.ts'
import type { JobState } from './state.ts'

/** How the workers of a cluster are put together by prom-client's AggregatorRegistry: a sum of instants says nothing. */
type Aggregator = 'sum' | 'max' | 'min'

/** Per job: name, help, aggregator, and the value at the scrape; undefined leaves the job out. */
const GAUGES: [
  name: string,
  help: string,
  aggregator: Aggregator,
  value: (state: JobState) => number | undefined,
][] = [
  ['scheduler_job_runs_active', 'Runs under way.', 'sum', ({ running }) => running.size],
  [
    'scheduler_job_oldest_run_seconds',
    'How long the oldest run under way has taken; 0 when there is none.',
    'max',
    ({ running }) => {
      for (const run of running) return run.duration / 1000
      return 0
    },
  ],
  [
    'scheduler_job_slow_after_seconds',
    "The job's option slow: a run that takes longer is reported.",
    'max',
    ({ jobs }) => Math.max(...[...jobs].map((job) => job.policies.slow)) / 1000,
  ],
  [
    'scheduler_job_consecutive_failures',
    'Runs that failed since the last that succeeded, in this process.',
    'max',
    ({ failures }) => failures,
  ],
  [
    'scheduler_job_last_success_timestamp_seconds',
    'When a run last succeeded in this process; 0 for never.',
    'max',
    ({ lastSuccess }) => lastSuccess,
  ],
  [
    'scheduler_job_last_failure_timestamp_seconds',
    'When a run last failed, all its attempts included; 0 for never.',
    'max',
    ({ lastFailure }) => lastFailure,
  ],
  [
    'scheduler_job_last_due_timestamp_seconds',
    'The newest tick that ought to have run, here or on another instance; 0 for none yet.',
    'max',
    ({ lastDue }) => lastDue,
  ],
  [
    'scheduler_job_last_start_timestamp_seconds',
    'The newest tick that was started in this process; 0 for none yet.',
    'max',
    ({ lastStart }) => lastStart,
  ],
  [
    'scheduler_job_next_run_timestamp_seconds',
    'The next tick. Absent when there is none.',
    'min',
    ({ jobs }) => {
      const next = Math.min(...[...jobs].map((job) => job.next?.getTime() ?? Infinity))
      return Number.isFinite(next) ? next / 1000 : undefined
    },
  ],
]

/** What is looked up when Prometheus asks. */
export function gauges({ registry }: Settings, states: () => Iterable<JobState>, up: () => boolean): void {
  const registers = [registry as Registry]
  for (const [name, help, aggregator, value] of GAUGES) {
    new Gauge({
      name,
      help,
      aggregator,
      labelNames: ['job_name'],
      registers,
      collect() {
        this.reset()
        for (const state of states()) {
          const now = value(state)
          if (now !== undefined) this.set({ job_name: state.name }, now)
        }
      },
    })
  }
  new Gauge({
    name: 'scheduler_up',
    help: 'Whether ticks are being run: 1 from the start to the drain.',
    aggregator: 'max',
    registers,
    collect() {
      this.set(up() ? 1 : 0)
    },
  })
}
